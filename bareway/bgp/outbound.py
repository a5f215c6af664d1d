"""How routes look to one peer: next hop, AS_PATH, LOCAL_PREF, and GRACEFUL_SHUTDOWN while the node leaves.

What stands in the bytes here is all that a router compares: attributes that give equal bytes are the same.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from bareway.bgp import attributes as wire
from bareway.bgp import prefixes, updates
from bareway.bgp.attributes import GRACEFUL_SHUTDOWN, TWO_OCTETS_MAX, Attribute, Kind
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import IPV4, IPV6, Family, Nlri
from bareway.bgp.routes import DEFAULT_LOCAL_PREFERENCE, Attributes
from bareway.model.names import IPAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Of the messages about one family in one session."""

    family: Family
    local_asn: int
    is_internal: bool
    has_four_octet_as: bool
    next_hop: bytes
    is_classic: bool
    """IPv4 with a next hop of IPv4: prefixes stand behind the attributes, not in one of them."""
    is_leaving: bool = False
    """The node is drained (RFC 8326 section 4.2)."""

    def encode(self, attributes: Attributes) -> bytes:
        """All attributes but MP_REACH_NLRI."""
        made = [wire.origin(attributes.origin), *self._path(attributes)]
        if self.is_classic:
            made.append(wire.next_hop(IPv4Address(self.next_hop)))
        if attributes.med is not None:
            made.append(wire.number(Kind.MED, attributes.med))
        if self.is_internal:
            made.append(wire.number(Kind.LOCAL_PREF, self._local_preference(attributes)))
        communities = attributes.communities
        if self.is_leaving:
            communities = tuple(sorted({*communities, GRACEFUL_SHUTDOWN}))
        if communities:
            made.append(wire.communities(communities))
        extended = self._extended(attributes)
        if extended:
            made.append(wire.extended_communities(extended))
        if attributes.large_communities:
            made.append(wire.large_communities(attributes.large_communities))
        return wire.encode_all(made)

    def _path(self, attributes: Attributes) -> list[Attribute]:
        """Empty within our AS (RFC 4271 section 5.1.2); a speaker of two octets gets AS4_PATH too."""
        asns = () if self.is_internal else (self.local_asn,) * (1 + attributes.prepend)
        octets = 4 if self.has_four_octet_as else 2
        path = [wire.as_path(asns, octets=octets)]
        if not self.has_four_octet_as and asns and self.local_asn > TWO_OCTETS_MAX:
            path.append(wire.as4_path(asns))
        return path

    def _local_preference(self, attributes: Attributes) -> int:
        if self.is_leaving:
            return 0
        wished = attributes.local_preference
        return DEFAULT_LOCAL_PREFERENCE if wished is None else wished

    def _extended(self, attributes: Attributes) -> tuple[bytes, ...]:
        if attributes.link_bandwidth is None:
            return attributes.extended_communities
        share = wire.link_bandwidth(self.local_asn, attributes.link_bandwidth)
        return tuple(sorted({*attributes.extended_communities, share}))

    def announce(self, attributes: bytes, routes: list[Nlri]) -> bytes:
        """The message that tells ``routes``; ``attributes`` as `encode` made them."""
        joined = prefixes.join(routes)
        if self.is_classic:
            return updates.frame(b"", attributes, joined)
        # RFC 7606 section 5.1: the attribute with the prefixes comes first
        return updates.frame(b"", updates.reach(self.family, self.next_hop, joined) + attributes, b"")

    def withdraw(self, routes: list[Nlri]) -> bytes:
        """The message that takes ``routes`` back."""
        joined = prefixes.join(routes)
        if self.is_classic:
            return updates.frame(joined, b"", b"")
        return updates.frame(b"", updates.unreach(self.family, joined), b"")

    def overhead(self, attributes: bytes) -> int:
        """How many bytes of a message that announces are no prefixes."""
        long_length = 0 if self.is_classic else 1  # a long MP_REACH_NLRI has two bytes of length
        return len(self.announce(attributes, [])) + long_length


def next_hop_of(
    family: Family,
    *,
    local: IPAddress,
    link_local: IPv6Address | None,
    other_family: IPAddress | None,
    session: Negotiated,
) -> bytes | None:
    """The next hop of our routes of ``family``; None = there is none, so none can be announced.

    RFC 2545 section 3: beside a global address the link-local one, where peer and we share a link. Between
    link-local addresses that one stands alone: which global address of ours that router could reach is not
    known, and BIRD drops routes whose global next hop is on no link of its own.
    """
    candidates = [address for address in (local, other_family) if address is not None]
    ipv6 = next((address for address in candidates if isinstance(address, IPv6Address)), None)
    ipv4 = next((address for address in candidates if isinstance(address, IPv4Address)), None)
    if family == IPV4 and isinstance(local, IPv6Address) and session.has_extended_next_hop:
        return _six(local, link_local)
    if family == IPV4:
        return ipv4.packed if ipv4 is not None else None
    if family == IPV6 and ipv6 is not None:
        return _six(ipv6, link_local)
    return None


def _six(address: IPv6Address, link_local: IPv6Address | None) -> bytes:
    if link_local is None or address.is_link_local:
        return address.packed
    return address.packed + link_local.packed
