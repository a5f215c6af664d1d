"""A type per meaning, so that two strings which must not be mixed cannot be."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple, NewType, TypeAlias

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network

NodeName = NewType("NodeName", str)
"""metadata.name of a Kubernetes Node; also the name of the speaker on it as a member of gossip."""

PoolName = NewType("PoolName", str)
InterfaceName = NewType("InterfaceName", str)


class ObjectKey(NamedTuple):
    """Namespace and name of a Kubernetes object; the namespace is empty for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


ServiceKey = ObjectKey
