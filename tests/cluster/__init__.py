"""A real Kubernetes control plane for the tests: etcd, API server, controller manager and kube-proxy.

``python -m cluster.build`` compiles them once into one binary (``kubernetes/main.go``), kept outside the
tree; ``ControlPlane`` starts them. Without it everything but the tests marked ``real`` works: the embedded
API server (``apiserver``) is the default everywhere.
"""
