"""What this node's kernel says of its links, read from /proc and /sys, and whom its gossip port reaches.

The speaker's Pod is in the node's own network, so that what it reads there is the node's. Nothing is changed,
and a connection that is tried is closed at once: the other side counts it as one that said nothing.
"""

import asyncio
import socket
from collections.abc import Collection, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import Final

from bareway.model.names import InterfaceName, NodeName
from bareway.model.status import MemberStatus
from bareway.model.surroundings import LinkFacts, NodeFacts, Unreached

ROOT: Final = Path("/")
ETHERNET: Final = "1"  # ARPHRD_ETHER
UP, BROADCAST, NOARP = 0x1, 0x2, 0x80
"""Of IFF_… in /sys/class/net/NAME/flags."""
IPVS_LINK: Final = "kube-ipvs0"
LINKS_MAX: Final = 64
"""Interfaces that are told of: those with a subnet. A node has hundreds of others, one for each Pod."""
LINES_MAX: Final = 20_000  # of a table of routes
HOST: Final = {4: 32, 6: 128}
ROUTE_FIELDS: Final = 8
ADDRESS_FIELDS: Final = 6
REACHED_MAX: Final = 32
"""Members that are tried: those after us in the order of names, so that each pair near each other is."""
AT_ONCE: Final = 16
TRY_S: Final = 1.0
"""A connection on a network of nodes takes a millisecond; the kernel asks once more after a second."""


def read_links(root: Path = ROOT) -> tuple[LinkFacts, ...]:
    """Every interface with a subnet, and kube-proxy's; whatever cannot be read is left out."""
    subnets = _subnets(root)
    ways = {name for name, destination, _ in _routes(root) if destination == "0.0.0.0/0"}
    names = sorted(name for name in _names(root) if name in subnets or name in ways or name == IPVS_LINK)
    return tuple(
        _link(root, name, sorted(subnets.get(name, ())), has_default_route=name in ways)
        for name in names[:LINKS_MAX]
    )


async def try_members(
    me: NodeName, members: Collection[MemberStatus], *, timeout_s: float = TRY_S
) -> tuple[tuple[NodeName, ...], tuple[Unreached, ...]]:
    """Whom a connection was tried to, and who did not take it."""
    tried = chosen(me, members)
    turns = asyncio.Semaphore(AT_ONCE)
    failures: dict[NodeName, Unreached] = {}

    async def reach(member: MemberStatus) -> None:
        async with turns:
            failure = await _connect(member, timeout_s)
        if failure is not None:
            failures[member.name] = failure

    async with asyncio.TaskGroup() as group:
        for member in tried:
            group.create_task(reach(member), name=f"reach {member.name}")
    return tuple(one.name for one in tried), tuple(failures[name] for name in sorted(failures))


def chosen(me: NodeName, members: Collection[MemberStatus]) -> tuple[MemberStatus, ...]:
    """The next ones in the order of names after us, round the end of it; only those with a place."""
    others = sorted((one for one in members if one.name != me and one.address), key=lambda one: one.name)
    after = [one for one in others if one.name > me]
    before = [one for one in others if one.name < me]
    return tuple([*after, *before][:REACHED_MAX])


def facts_of(
    node: NodeName, members: Collection[MemberStatus], *, root: Path = ROOT, timeout_s: float = TRY_S
) -> NodeFacts:
    """All of it."""
    tried, unreached = asyncio.run(try_members(node, members, timeout_s=timeout_s))
    return NodeFacts(node=node, links=read_links(root), tried=tried, unreached=unreached)


async def _connect(member: MemberStatus, timeout_s: float) -> Unreached | None:
    host, _, port = member.address.rpartition(":")
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        return _unreached(member, f"no answer within {timeout_s:g} s")
    except ConnectionRefusedError:
        return _unreached(member, "connection refused", is_refused=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _unreached(member, why)
    writer.transport.abort()
    return None


def _unreached(member: MemberStatus, how: str, *, is_refused: bool = False) -> Unreached:
    return Unreached(member=member.name, address=member.address, how=how, is_refused=is_refused)


def _link(root: Path, name: str, subnets: Sequence[str], *, has_default_route: bool) -> LinkFacts:
    about = root / "sys/class/net" / name
    flags = int(_text(about / "flags") or "0", 16)
    return LinkFacts(
        name=InterfaceName(name),
        is_up=bool(flags & UP),
        is_ethernet=_text(about / "type") == ETHERNET,
        hears_broadcasts=bool(flags & BROADCAST) and not flags & NOARP,
        subnets=tuple(subnets),
        has_default_route=has_default_route,
        rp_filter=_setting(root, name, "rp_filter"),
        arp_ignore=_setting(root, name, "arp_ignore"),
    )


def _setting(root: Path, name: str, setting: str) -> int:
    """The greater of the interface's and of ``all``, as both of these settings count."""
    texts = (_text(root / "proc/sys/net/ipv4/conf" / each / setting) for each in ("all", name))
    return max((int(text) for text in texts if text.isdecimal()), default=0)


def _names(root: Path) -> list[str]:
    try:
        return sorted(path.name for path in (root / "sys/class/net").iterdir())
    except OSError:
        return []


def _subnets(root: Path) -> dict[str, set[str]]:
    """By interface: what the kernel reaches on it without a router; single hosts are no subnets."""
    found: dict[str, set[str]] = {}
    for name, destination, gateway in _routes(root):
        if not gateway and destination != "0.0.0.0/0" and not destination.endswith("/32"):
            found.setdefault(name, set()).add(destination)
    for line in _lines(root / "proc/net/if_inet6"):
        fields = line.split()
        if len(fields) == ADDRESS_FIELDS and fields[5] != "lo":
            address, length = IPv6Address(int(fields[0], 16)), int(fields[2], 16)
            if not address.is_link_local and length < HOST[6]:
                subnet = str(ip_network(f"{address}/{length}", strict=False))
                found.setdefault(fields[5], set()).add(subnet)
    return found


def _routes(root: Path) -> Iterator[tuple[str, str, bool]]:
    """Interface, destination, and whether a router is between: /proc/net/route, in the host's byte order."""
    for line in _lines(root / "proc/net/route"):
        fields = line.split()
        if len(fields) >= ROUTE_FIELDS and fields[1] != "Destination":
            numbers = (socket.ntohl(int(fields[index], 16)) for index in (1, 2, 7))
            destination, gateway, mask = numbers
            network = ip_network(f"{IPv4Address(destination)}/{mask.bit_count()}", strict=False)
            yield fields[0], str(network), gateway != 0


def _lines(path: Path) -> list[str]:
    return _text(path).splitlines()[:LINES_MAX]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
