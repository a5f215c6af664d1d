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


def configuration(*pools: str, more: str = "") -> str:
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
      protocol: layer2
      addresses:
{ranges}{extensions}"""


def service(name: str, *, port: int = 80, families: Sequence[str] = ("IPv4",)) -> str:
    """A Service of type LoadBalancer."""
    policy = "SingleStack" if len(families) == 1 else "RequireDualStack"
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  type: LoadBalancer
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
    addresses = [backend.address_6 if family == "IPv6" else backend.address for backend in backends]
    ends = "".join(f'- addresses: ["{address}"]\n' for address in addresses)
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


def documents(*manifests: str) -> str:
    """Several manifests in one stream."""
    return "---\n".join(manifests)
