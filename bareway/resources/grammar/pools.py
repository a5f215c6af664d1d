"""Pools of addresses: the entries of ``address-pools``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bareway.model.configuration import Pool, PreferredNodes, Protocol, Reuse
from bareway.model.names import PoolName
from bareway.model.selectors import Selector
from bareway.resources.grammar.addresses import Entry, overlaps, read_entries
from bareway.resources.grammar.advertisements import read_advertisements
from bareway.resources.grammar.keys import REQUIRED, Key, Shape
from bareway.resources.grammar.merging import named_sections
from bareway.resources.grammar.reservations import Reservations
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import Section, Walk
from bareway.resources.grammar.selectors import SELECTOR, read_selector, read_selectors
from bareway.resources.grammar.users import read_interfaces, read_namespaces, read_quota

PRIORITY_MAX: Final = 2**31 - 1
PROTOCOL_HINT: Final = "write layer2 or bgp"
WEIGHTS: Final = (1, 100)

POOL: Final = Shape(
    type_name="config.addressPool",
    keys=(
        Key(
            name="name", type="text", default=REQUIRED, meaning="unique; Services ask for a pool by this name"
        ),
        Key(
            name="protocol",
            type="`layer2` or `bgp`",
            default=REQUIRED,
            meaning="how it is announced",
        ),
        Key(
            name="addresses",
            type="list",
            default=REQUIRED,
            meaning="prefixes and ranges, IPv4 or IPv6; no two may overlap, in this pool or another",
        ),
        Key(
            name="avoid-buggy-ips",
            type="bool",
            default="false",
            meaning="IPv4 addresses that end in `.0` or `.255` are neither given nor accepted",
        ),
        Key(
            name="auto-assign",
            type="bool",
            default="true",
            meaning="`false`: only for Services that ask for the pool or the address",
        ),
        Key(
            name="bgp-advertisements",
            type="list",
            meaning="how a `bgp` pool is announced; none: once, with all defaults. Not in a `layer2` pool",
        ),
        Key(
            name="priority",
            type="int",
            default="0",
            meaning="pools are tried in ascending order, 0 last; equal ones in the order of the document",
        ),
        Key(
            name="namespaces",
            type="list of names",
            meaning="who may use it, also by asking for it; none: all",
        ),
        Key(
            name="namespace-selectors",
            type="list of selectors",
            meaning="the same by labels of the Namespace; it is enough that one of both keys allows it",
        ),
        Key(
            name="service-selectors",
            type="list of selectors",
            meaning="Services that may use it, by their labels, any; none: all",
        ),
        Key(
            name="node-selectors",
            type="list of selectors",
            meaning="nodes that may announce it, any; none: all",
        ),
        Key(
            name="preferred-nodes",
            type="list",
            meaning="nodes that shall rather announce it; the weights of all entries that match are added",
        ),
        Key(
            name="interfaces",
            type="list",
            meaning="where a `layer2` pool is announced: names, or `regex:` and an expression; none: all",
        ),
        Key(
            name="quota",
            type="mapping of int",
            meaning="how many of its addresses each namespace may hold; `*`: each that is not named",
        ),
        Key(
            name="reuse",
            type="`lowest` or `oldest`",
            default="lowest",
            meaning="which free address is given: the lowest, or the one that is free for longest",
        ),
        Key(
            name="hold-after-delete",
            type="duration",
            default="0",
            meaning="how long an address waits for a Service of the name that held it",
        ),
        Key(
            name="reserve",
            type="mapping of address or list",
            meaning="addresses that are kept for the Service `namespace/name`, whether it exists or not",
        ),
        Key(
            name="share-local",
            type="bool",
            default="false",
            meaning="Services of policy Local with different selectors may share an address",
        ),
    ),
)
PREFERRED: Final = Shape(
    type_name="config.preferredNodes",
    keys=(
        Key(name="selector", type="selector", default=REQUIRED, meaning="the nodes"),
        Key(name="weight", type="1 to 100", default=REQUIRED, meaning="how much they are preferred"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What pools refer to."""

    communities: Mapping[str, str]
    peers: Sequence[str]


def read_pools(documents: Sequence[Section], context: Context, walk: Walk) -> tuple[Pool, ...]:
    """The pools of all documents; those that can be read."""
    pools: dict[str, Pool] = {}
    entries: list[Entry] = []
    reservations = Reservations()
    for section in named_sections(documents, "address-pools", POOL, "parsing address pool #{}: "):
        pool = _pool(section, context, entries, reservations)
        if pool.name and pool.name in pools:
            message = f"duplicate definition of pool {quoted(pool.name)}"
            walk.fail(section.place, message, hint="rename one, or write all in one pool")
        pools[pool.name] = pool
    walk.problems.extend(overlaps(entries))
    return tuple(pools.values())


def _pool(section: Section, context: Context, entries: list[Entry], reservations: Reservations) -> Pool:
    name = section.text("name")
    if not name:
        section.fail("missing pool name", hint="add a line like name: office")
    protocol = _protocol(section)
    mine = read_entries(section, name)
    entries.extend(mine)
    avoid_buggy_ips = section.truth("avoid-buggy-ips")
    is_bgp = protocol is Protocol.BGP
    ranges = tuple(entry.range for entry in mine)
    return Pool(
        name=PoolName(name),
        protocol=protocol or Protocol.LAYER2,
        ranges=ranges,
        auto_assign=section.truth("auto-assign", default=True),
        avoid_buggy_ips=avoid_buggy_ips,
        advertisements=read_advertisements(section, mine, context.communities, context.peers)
        if is_bgp
        else (),
        priority=section.within("priority", -PRIORITY_MAX, PRIORITY_MAX) or 0,
        namespaces=read_namespaces(section),
        namespace_selectors=read_selectors(section, "namespace-selectors", "parsing namespace selector: "),
        service_selectors=read_selectors(section, "service-selectors", "parsing service selector: "),
        node_selectors=read_selectors(section, "node-selectors", "parsing node selector: "),
        preferred_nodes=_preferred_nodes(section),
        interfaces=read_interfaces(section, is_bgp=is_bgp),
        quota=read_quota(section),
        reuse=section.word("reuse", Reuse.LOWEST),
        hold_after_delete_s=section.duration_s("hold-after-delete", 0.0),
        reserve=reservations.read(section, ranges, avoid_buggy_ips=avoid_buggy_ips),
        share_local=section.truth("share-local"),
    )


def _protocol(section: Section) -> Protocol | None:
    text = section.text("protocol")
    advertised = section.has("bgp-advertisements")
    if text not in tuple(Protocol):
        wrong = f"unknown protocol {quoted(text)}" if text else "address pool is missing the protocol field"
        section.fail(wrong, key="protocol", hint=PROTOCOL_HINT)
        return None
    protocol = Protocol(text)
    if protocol is Protocol.LAYER2 and advertised:
        message = "cannot have bgp-advertisements configuration element in a layer2 address pool"
        section.fail(message, key="bgp-advertisements", hint="remove it, or write protocol: bgp")
    return protocol


def _preferred_nodes(section: Section) -> tuple[PreferredNodes, ...]:
    return tuple(map(_preferred, section.sections("preferred-nodes", PREFERRED)))


def _preferred(section: Section) -> PreferredNodes:
    told = "parsing preferred nodes: "
    low, high = WEIGHTS
    weight = section.within("weight", low, high)
    if "weight" not in section.found:
        section.fail("missing weight", hint=f"add a line like weight: {high}")
    inner = section.walk.section(section.found["selector"], SELECTOR) if "selector" in section.found else None
    if "selector" not in section.found:
        section.fail("missing selector", hint="add selector with match-labels below it")
    selector = Selector() if inner is None else read_selector(inner, section.told + told)
    return PreferredNodes(selector=selector, weight=weight or low)
