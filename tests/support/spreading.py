"""Groups, members and claims for announcer lists, with defaults; and gossip as far as the lists move it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.members import Member, Observed
from bareway.decide.announcement.spread import Spread, SpreadView, spread
from bareway.gossip.claims import Claim
from bareway.gossip.member import LinkFact
from bareway.model.configuration import OnCordon, Pool
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, NodeName, ServiceKey
from bareway.model.nodes import Node
from support.builders import ips, key, node

CALM_S = 0.75
MAC = MacAddress.parse("02:00:00:00:00:01")


def group(
    address: str,
    *more: str,
    permitted: Iterable[str] | None = None,
    lesser: Iterable[Iterable[str]] = (),
    services: Iterable[str] = (),
    pools: tuple[Pool, ...] = (),
) -> Group:
    return Group(
        key=ip_address(address),
        addresses=ips(address, *more),
        services=tuple(key(name) for name in services) or (key(f"s-{address}"),),
        permitted=None if permitted is None else frozenset(map(NodeName, permitted)),
        lesser=tuple(frozenset(map(NodeName, tier)) for tier in lesser),
        pools=pools,
    )


def groups(count: int, *, first: str = "192.0.2.1", pools: tuple[Pool, ...] = ()) -> list[Group]:
    start = IPv4Address(first)
    return [group(str(start + offset), pools=pools) for offset in range(count)]


def member(
    name: str, *, alive: bool = True, eligible: bool = True, draining: bool = False, cordoned: bool = False
) -> Member:
    return Member(name=NodeName(name), alive=alive, eligible=eligible, draining=draining, cordoned=cordoned)


def with_links(one: Member, **links: Iterable[str]) -> Member:
    """The same member with links, each by its name and its networks."""
    facts = (
        LinkFact(name=InterfaceName(name), mac=MAC, networks=tuple(map(ip_network, networks)))
        for name, networks in links.items()
    )
    return replace(one, links=tuple(facts))


def view(
    wanted: Iterable[Group],
    members: Iterable[Member | str],
    *,
    claims: Iterable[Claim] = (),
    nodes: Iterable[Node] | None = None,
    named: Mapping[ServiceKey, NodeName] | None = None,
    ahead: Iterable[Group] = (),
    changed_at: float = 0.0,
    joined: Iterable[str] | None = None,
    generation: int = 0,
    observed: bool = True,
    on_cordon: OnCordon = OnCordon.KEEP,
) -> SpreadView:
    parts = [member(one) if isinstance(one, str) else one for one in members]
    by_name = {one.name: one for one in parts}
    seen = Observed(
        members=by_name,
        claims={claim.address: claim for claim in claims},
        joined=frozenset(by_name) if joined is None else frozenset(map(NodeName, joined)),
        changed_at=changed_at,
        calm_s=CALM_S,
        generation=generation,
    )
    return SpreadView(
        groups={one.key: one for one in wanted},
        nodes=tuple(node(name) for name in by_name) if nodes is None else tuple(nodes),
        observed=seen if observed else None,
        named=named or {},
        ahead=tuple(ahead),
        on_cordon=on_cordon,
    )


def claim(address: str | IPAddress, holder: str, *, generation: int = 1, count: int = 1) -> Claim:
    return Claim(address=ip_address(str(address)), generation=generation, count=count, node=NodeName(holder))


def listed(decided: Spread, address: str | IPAddress) -> tuple[str, ...]:
    """The nodes of an entry; the address must be the key of its group."""
    found = decided.lists.entry((), ip_address(str(address)))
    assert found is not None
    return found.nodes


def firsts(decided: Spread, wanted: Iterable[Group]) -> dict[IPAddress, str]:
    return {one.key: listed(decided, one.key)[0] for one in wanted}


def settled(seen: SpreadView, last: Spread, *, now: float) -> tuple[Spread, float]:
    """Look whenever it asks to be looked at, until it would wait a minute or more."""
    decided = spread(seen, last, now=now)
    while decided.wake_at < now + 30:
        now = decided.wake_at
        decided = spread(seen, decided, now=now)
    return decided, now


def follow(decided: Spread, seen: SpreadView) -> SpreadView:
    """Gossip does what the lists ask for: rule 2, and rule 1 where a holder is no candidate any more."""
    assert seen.observed is not None
    living = {one.name for one in seen.observed.members.values() if one.alive and one.eligible}
    claims = dict(seen.observed.claims)
    newest = max([decided.lists.generation, *(one.generation for one in claims.values())])
    for address in seen.groups:
        entry = decided.lists.entry((), address)
        old = claims.get(address)
        if entry is None or not living & set(entry.nodes):
            continue
        first = next(name for name in entry.nodes if name in living)
        if old is None or old.node not in living:
            count = old.count + 1 if old and old.generation == newest else 1
            claims[address] = claim(address, first, generation=newest, count=count)
        elif entry.generation > old.generation and first != old.node:
            claims[address] = claim(address, first, generation=entry.generation)
    return replace(seen, observed=replace(seen.observed, claims=claims, generation=newest))
