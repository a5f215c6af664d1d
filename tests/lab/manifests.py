"""The Kubernetes objects of the demo and the measures, as a user would write them."""

from collections.abc import Iterable, Sequence

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
  - type: InternalIP
    address: {machine.address_6}
  conditions:
  - type: Ready
    status: "True"
"""


def configuration(*pools: str, more: str = "", protocol: str = "layer2") -> str:
    """The ConfigMap that a user of MetalLB has already; ``more`` are further lines of the document."""
    ranges = "".join(f"      - {pool}\n" for pool in pools)
    extensions = "".join(f"    {line}\n" for line in more.splitlines())
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
      protocol: {protocol}
      addresses:
{ranges}{extensions}"""


def service(
    name: str, *, port: int = 80, families: Sequence[str] = ("IPv4",), traffic: str = "Cluster"
) -> str:
    """A Service of type LoadBalancer; ``traffic`` is its external policy."""
    policy = "SingleStack" if len(families) == 1 else "RequireDualStack"
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  type: LoadBalancer
  externalTrafficPolicy: {traffic}
  ipFamilyPolicy: {policy}
  ipFamilies: [{", ".join(families)}]
  ports:
  - name: http
    port: {port}
    targetPort: 8080
  - name: echo
    protocol: UDP
    port: {port}
    targetPort: 8080
"""


def endpoint_slice(name: str, backends: Iterable[Backend], *, family: str = "IPv4") -> str:
    """Where the Service is served; with Pods and a controller manager, Kubernetes writes it."""
    ends = "".join(_endpoint(backend, family=family) for backend in backends)
    return f"""\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}-{family.lower()}
  labels:
    kubernetes.io/service-name: {name}
addressType: {family}
ports:
- name: http
  port: 8080
- name: echo
  protocol: UDP
  port: 8080
endpoints:
{ends}"""


def _endpoint(backend: Backend, *, family: str) -> str:
    address = backend.address_6 if family == "IPv6" else backend.address
    place = f"  nodeName: {backend.node}\n" if backend.node else ""
    return f'- addresses: ["{address}"]\n{place}'


def documents(*manifests: str) -> str:
    """Several manifests in one stream."""
    return "---\n".join(manifests)
