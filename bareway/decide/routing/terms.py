"""What an advertisement makes of an address: a prefix and its attributes; and what several make together.

Where several Services or advertisements lead to one prefix, the route is what attracts most: the greatest
preference, the least MED and the shortest path, and it carries all communities. None of that depends on the
order in which they are met, so that all nodes say the same.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Final

from bareway.bgp.routes import DEFAULT_LOCAL_PREFERENCE, Attributes, community, large_community
from bareway.model.configuration import Advertisement
from bareway.model.names import IPAddress, IPNetwork

ENDPOINT_BANDWIDTH: Final = 125_000.0
"""Bytes a second that one endpoint stands for, 1 Mbit/s: only proportions count, and a router that keeps the
number in 32 bits has room for 34,000 of them."""
ENDPOINTS_MAX: Final = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One advertisement of a pool, as one node sends it."""

    length: int
    length_v6: int
    attributes: Attributes
    audiences: frozenset[int]
    """Which groups of peers it goes to."""

    def prefix(self, address: IPAddress) -> IPNetwork:
        """The route that ``address`` becomes part of."""
        if isinstance(address, IPv4Address):
            host_bits = 32 - self.length
            return IPv4Network((int(address) >> host_bits << host_bits, self.length))
        host_bits = 128 - self.length_v6
        return IPv6Network((int(address) >> host_bits << host_bits, self.length_v6))


def attributes_of(advertisement: Advertisement) -> Attributes:
    """What its routes carry to every peer alike."""
    return Attributes(
        local_preference=advertisement.local_preference or None,
        med=advertisement.med,
        prepend=advertisement.prepend,
        communities=tuple(map(community, advertisement.communities)),
        large_communities=tuple(map(large_community, advertisement.large_communities)),
    )


def merged(one: Attributes, other: Attributes) -> Attributes:
    """Of the same prefix for two reasons; in whatever order, and nothing changes if both are equal."""
    if one is other or one == other:
        return one
    return Attributes(
        local_preference=_preference(one.local_preference, other.local_preference),
        med=_med(one.med, other.med),
        prepend=min(one.prepend, other.prepend),
        communities=(*one.communities, *other.communities),
        large_communities=(*one.large_communities, *other.large_communities),
    )


def weighted(attributes: Attributes, endpoints: int | None) -> Attributes:
    """With the share of traffic that so many endpoints want; None = without, as on every other node."""
    if endpoints is None:
        return attributes
    share = ENDPOINT_BANDWIDTH * min(max(endpoints, 1), ENDPOINTS_MAX)
    return replace(attributes, link_bandwidth=share)


def _preference(one: int | None, other: int | None) -> int | None:
    if one is None and other is None:
        return None
    usual = DEFAULT_LOCAL_PREFERENCE
    return max(usual if one is None else one, usual if other is None else other)


def _med(one: int | None, other: int | None) -> int | None:
    """None counts as 0 (RFC 4271 section 9.1.2.2)."""
    return None if one is None or other is None else min(one, other)
