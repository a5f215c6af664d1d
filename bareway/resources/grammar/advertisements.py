"""How a pool is announced by BGP: the entries of ``bgp-advertisements``."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from bareway.model.configuration import Advertisement
from bareway.resources.document import Fields, Items, Null, Text, Tree
from bareway.resources.grammar.addresses import Entry, shortest_prefix
from bareway.resources.grammar.communities import read_communities
from bareway.resources.grammar.keys import Key, Shape
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import INT, UINT32, Section
from bareway.resources.grammar.selectors import read_selectors

PREPEND_MAX: Final = 32  # times our own ASN; more serves nobody, and some routers refuse long paths
LENGTHS: Final = {4: ("aggregation-length", 32, "IPv4"), 6: ("aggregation-length-v6", 128, "IPv6")}
TOLD: Final = "parsing BGP communities: "

Shortest: TypeAlias = Mapping[int, tuple[int, str]]
"""Of each family, the least aggregation length that is allowed, and the entry that asks for it."""

ADVERTISEMENT: Final = Shape(
    type_name="config.bgpAdvertisement",
    keys=(
        Key(
            name="aggregation-length",
            type="0 to 32",
            default="32",
            meaning="length of the IPv4 prefixes that are announced; no shorter than that of the pool",
        ),
        Key(name="aggregation-length-v6", type="0 to 128", default="128", meaning="the same for IPv6"),
        Key(
            name="localpref",
            type="uint32",
            default="0",
            meaning="LOCAL_PREF towards peers of our own ASN; 0: the usual 100",
        ),
        Key(
            name="communities",
            type="list",
            meaning="`N:N`, `large:A:B:C`, or a name in `bgp-communities`",
        ),
        Key(name="large-communities", type="list", meaning="`A:B:C`"),
        Key(name="peers", type="list of names", meaning="the peers it goes to; none: all"),
        Key(
            name="node-selectors", type="list of selectors", meaning="the nodes it comes from, any; none: all"
        ),
        Key(name="med", type="uint32", meaning="MULTI_EXIT_DISC"),
        Key(
            name="prepend",
            type=f"0 to {PREPEND_MAX}",
            default="0",
            meaning="how often our ASN is added to the path",
        ),
    ),
)


def read_advertisements(
    pool: Section, entries: Sequence[Entry], aliases: Mapping[str, str], peers: Sequence[str]
) -> tuple[Advertisement, ...]:
    """The advertisements of a bgp pool: one with all defaults where there is none."""
    sections = tuple(pool.sections("bgp-advertisements", ADVERTISEMENT, pool.told + TOLD))
    _check_duplicates(sections)
    known, shortest = frozenset(peers), _shortest(entries)
    found = tuple(_advertisement(section, shortest, aliases, known) for section in sections)
    return found or (Advertisement(),)


def _advertisement(
    section: Section, shortest: Shortest, aliases: Mapping[str, str], peers: frozenset[str]
) -> Advertisement:
    standard, large = read_communities(section, aliases)
    return Advertisement(
        aggregation_length=_length(section, 4, shortest),
        aggregation_length_v6=_length(section, 6, shortest),
        local_preference=section.whole("localpref", UINT32) or 0,
        communities=standard,
        large_communities=large,
        peers=_peers(section, peers),
        node_selectors=read_selectors(section, "node-selectors", "parsing node selector: "),
        med=section.whole("med", UINT32),
        prepend=section.within("prepend", 0, PREPEND_MAX) or 0,
    )


def _length(section: Section, version: int, shortest: Shortest) -> int:
    key, longest, family = LENGTHS[version]
    length = section.whole(key, INT)
    if length is None:
        return longest
    if not 0 <= length <= longest:
        message = f'invalid aggregation length "{length}" for {family}'
        section.fail(message, key=key, hint=f"write a number from 0 to {longest}")
        return longest
    needed, text = shortest.get(version, (0, ""))
    if length < needed:
        message = (
            f'invalid aggregation length {length}: prefix "{needed}" in this pool is more specific than'
            f" the aggregation length for addresses {text}"
        )
        section.fail(message, key=key, hint=f"write a number from {needed} to {longest}")
    return length


def _shortest(entries: Sequence[Entry]) -> Shortest:
    """As in MetalLB a range will do if any prefix in it is wide enough; the worst of all entries counts."""
    found: dict[int, tuple[int, str]] = {}
    for entry in entries:
        length = shortest_prefix(entry.range)
        if length > found.get(entry.range.version, (-1, ""))[0]:
            found[entry.range.version] = (length, entry.text)
    return found


def _peers(section: Section, known: frozenset[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for place, name in section.texts("peers"):
        if name not in known:
            message = f"{section.told}referencing non existing peer {quoted(name)}"
            section.walk.fail(place, message, hint="write a peer's name; one without is peer1, peer2, …")
        elif name in names:
            section.walk.fail(place, f"{section.told}duplicate definition of peers {quoted(name)}")
        names[name] = None
    return tuple(names)


def _check_duplicates(sections: Sequence[Section]) -> None:
    first: dict[object, int] = {}
    for section in sections:
        content = _content(section.place.tree)
        earlier = first.setdefault(content, section.number)
        if earlier != section.number:
            told = f"advertisement {earlier} and {section.number} are equal"
            section.fail(f"duplicate definition of bgpadvertisements. {told}", hint="remove one of them")


def _content(tree: Tree) -> object:
    """What is written, without places: equal for equal values."""
    match tree:
        case Text(value=value):
            return value
        case Null():
            return None
        case Items(values=values):
            return tuple(map(_content, values))
        case Fields(entries=entries):
            pairs = ((entry.key, _content(entry.value)) for entry in entries)
            return frozenset(pair for pair in pairs if pair[1] is not None)
