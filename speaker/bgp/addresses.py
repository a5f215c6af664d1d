"""Which addresses of ours a peer can reach beside the one that its connection has: next hops of its routes.

A decision on what netlink told of the node's addresses; nothing is asked of people here.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address
from typing import Final, NamedTuple, TypeVar

from bareway.bgp.peers import PeerSettings
from bareway.model.configuration import DynamicAsn
from bareway.model.names import IPAddress, IPNetwork
from speaker.layer2.netlink import AddressMessage, IPInterface
from speaker.layer2.sockets import RouteSocket

T = TypeVar("T")


class Beside(NamedTuple):
    """What goes into ``Connected`` beside the two ends."""

    link_local: IPv6Address | None = None
    other_family: IPAddress | None = None


NOTHING: Final = Beside()


def own_addresses() -> list[AddressMessage]:
    """All addresses of this node, as the kernel lists them.

    Raises:
        OSError: the kernel does not answer.
    """
    route = RouteSocket()
    try:
        return [message for message in route.dump() if isinstance(message, AddressMessage)]
    finally:
        route.close()


def beside(
    addresses: Iterable[AddressMessage],
    *,
    local: IPAddress,
    remote: IPAddress,
    is_multihop: bool,
    former: Beside = NOTHING,
) -> Beside:
    """Of the interface that bears ``local``.

    Its link-local address, if ``remote`` shares that link, and its first address of the other family, one of
    a host alone last; those of ``former`` as long as they are there: another one that comes is no reason to
    tell all routes again, but that a better kind has come is one.
    """
    known = list(addresses)
    indices = indices_of(known, {local})
    here = [one.address for one in known if one.index in indices]
    usable = [one.address for one in known if one.index in indices and one.is_usable]
    other = [
        one for one in usable if one.version != local.version and not (one.is_link_local or one.is_loopback)
    ]
    other.sort(key=lambda one: (_is_of_a_host(one), one.version == 6 and int(one)))  # noqa: PLR2004
    best = [one.ip for one in other if _is_of_a_host(one) is _is_of_a_host(other[0])]
    shares = not is_multihop and any(_is_in(remote, one.network) for one in here)
    link_local = [one.ip for one in usable if isinstance(one.ip, IPv6Address) and one.ip.is_link_local]
    return Beside(
        link_local=_kept_or_first(former.link_local, link_local) if shares else None,
        other_family=_kept_or_first(former.other_family, best),
    )


def _is_of_a_host(one: IPInterface) -> bool:
    """It may move to another node at any time, as that of a VRRP daemon does."""
    return one.network.prefixlen == one.max_prefixlen


def _kept_or_first(former: T | None, found: Sequence[T]) -> T | None:
    return former if former in found else next(iter(found), None)


def is_far(addresses: Iterable[AddressMessage], settings: PeerSettings) -> bool:
    """Whether BFD towards this peer is of several hops, decided as FRR does.

    Over eBGP where that is configured, within an AS where peer and we share no link.
    """
    if settings.peer_asn == settings.local_asn or settings.dynamic_asn is DynamicAsn.INTERNAL:
        return not any(_is_in(settings.address, one.address.network) for one in addresses)
    return settings.is_multihop


def bare(address: IPAddress) -> IPAddress:
    """Without the link that it is on."""
    return IPv6Address(address.packed) if isinstance(address, IPv6Address) else address


def indices_of(addresses: Iterable[AddressMessage], ours: Iterable[IPAddress]) -> set[int]:
    """Of the interfaces that bear one of ``ours``."""
    wanted = set(map(bare, ours))
    return {one.index for one in addresses if one.address.ip in wanted}


def _is_in(address: IPAddress, network: IPNetwork) -> bool:
    plain = bare(address)
    return plain.version == network.version and plain in network
