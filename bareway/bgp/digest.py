"""A short name for what a peer shall be told, alike on all nodes that routers may spread over.

A router spreads only over routes that are equal in what it compares. Two nodes with different digests
towards one router, and the same Services, are the trace of a node that gets no traffic. The share of traffic
that each node asks for is left out: it differs on purpose.
"""

import hashlib
from dataclasses import replace
from typing import Final

from bareway.bgp.prefixes import IPV4, IPV6
from bareway.bgp.routes import Attributes, RouteSet

DIGEST_BYTES: Final = 8


def digest(routes: RouteSet, *, is_leaving: bool = False) -> str:
    """Sixteen hexadecimal digits; the order in which routes came does not count."""
    whole = hashlib.sha256(bytes((is_leaving,)))
    sets = [_name(attributes) for attributes in routes.sets]
    for family in (IPV4, IPV6):
        whole.update(bytes(family))
        for prefix, number in sorted(routes.table(family).items()):
            whole.update(prefix + sets[number])
    return whole.hexdigest()[: 2 * DIGEST_BYTES]


def _name(attributes: Attributes) -> bytes:
    return hashlib.sha256(repr(replace(attributes, link_bandwidth=None)).encode()).digest()[:DIGEST_BYTES]
