"""The Kubernetes objects of the demo and the measures, as a user would write them."""

from collections.abc import Iterable

from lab.machine import Machine
from lab.site import Backend

NAMESPACE = "bareway-system"

NAMESPACE_MANIFEST = f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
"""


def node(machine: Machine) -> str:
    """A Node; a kubelet would write it."""
    return f"""\
apiVersion: v1
kind: Node
metadata:
  name: {machine.name}
  labels:
    kubernetes.io/hostname: {machine.name}
status:
  addresses:
  - type: InternalIP
    address: {machine.address}
  conditions:
  - type: Ready
    status: "True"
"""


def configuration(pool: str) -> str:
    """The ConfigMap that a user of MetalLB has already."""
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  namespace: {NAMESPACE}
  name: config
data:
  config: |
    address-pools:
    - name: default
      protocol: layer2
      addresses:
      - {pool}
"""


def service(name: str, *, port: int = 80) -> str:
    """A Service of type LoadBalancer."""
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  type: LoadBalancer
  ports:
  - name: http
    port: {port}
    targetPort: 8080
"""


def endpoint_slice(name: str, backends: Iterable[Backend]) -> str:
    """Where the Service is served; with Pods and a controller manager, Kubernetes writes it."""
    ends = "".join(f"- addresses: [{backend.address}]\n" for backend in backends)
    return f"""\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}-1
  labels:
    kubernetes.io/service-name: {name}
addressType: IPv4
ports:
- name: http
  port: 8080
endpoints:
{ends}"""


def documents(*manifests: str) -> str:
    """Several manifests in one stream."""
    return "---\n".join(manifests)
