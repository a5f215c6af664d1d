"""The configuration document in MetalLB's grammar (v0.12.1) as a ``Configuration``, or every mistake in it.

Messages keep MetalLB's words, because people search for them; unlike there, all mistakes are told at once.
Pools are read in full. The keys of BGP are known and accepted, each with a warning that it is not served yet:
what is below them is not read here, and nothing is lost, since the document is kept whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bareway.model.addresses import AddressRange, parse_range
from bareway.model.configuration import Configuration, Pool, Protocol
from bareway.model.names import PoolName
from bareway.model.problems import Problem, Severity
from bareway.resources.document import Fields, Items, Text, Tree, read_document
from bareway.resources.document_values import Found, Walk

PROBLEMS_MAX: Final = 100  # told at once; who has more of them generated the document and needs no more

DOCUMENT_KEYS: Final = ("address-pools", "peers", "bgp-communities", "bfd-profiles")
POOL_KEYS: Final = ("name", "protocol", "addresses", "auto-assign", "avoid-buggy-ips", "bgp-advertisements")
NOT_SERVED: Final[Mapping[str, str]] = {
    "peers": "no BGP session is opened",
    "bgp-communities": "nothing is announced by BGP",
    "bfd-profiles": "no BFD session is opened",
}
ADDRESSES_HINT: Final = "write a prefix like 192.0.2.0/28 or a range like 192.0.2.10-192.0.2.20"
PROTOCOL_HINT: Final = "write layer2 or bgp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReading:
    """What a document says."""

    configuration: Configuration | None
    """None if there is an error among the problems."""
    problems: tuple[Problem, ...] = ()
    """Errors and warnings, in the order of the document's lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of ``addresses``, and where it stands."""

    range: AddressRange
    text: Text
    pool: PoolName
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the list of pools we are, as paths and MetalLB's messages call it."""

    tree: Tree
    path: str
    told: str


def read_configuration(text: str) -> ConfigurationReading:
    """Check a whole document. An empty one is a configuration without pools."""
    document = read_document(text)
    walk = Walk()
    walk.problems.extend(document.problems)
    configuration = None if document.tree is None else _configuration(document.tree, walk)
    problems = sorted(walk.problems, key=lambda problem: problem.line)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return ConfigurationReading(configuration=None if failed else configuration, problems=_bounded(problems))


def _configuration(tree: Tree, walk: Walk) -> Configuration:
    """What could be read of the document; of use only if the walk met no error."""
    found = walk.fields(tree, "", DOCUMENT_KEYS, "config.configFile")
    for key, effect in NOT_SERVED.items():
        if _has_content(found, key):
            walk.warn(key, f"{key} is not served yet: {effect}", found[key])
    pools: dict[PoolName, Pool] = {}
    entries: list[_Entry] = []
    for index, pool_tree in enumerate(walk.items(found, "address-pools", "")):
        place = _Place(
            tree=pool_tree, path=f"address-pools[{index}]", told=f"parsing address pool #{index + 1}: "
        )
        pool = _pool(place, entries, walk)
        if pool is None:
            continue
        if pool.name in pools and pool.name:
            walk.fail(place.path, f'duplicate definition of pool "{pool.name}"', pool_tree)
        pools[pool.name] = pool
    walk.problems.extend(_overlaps(entries))
    return Configuration(pools=tuple(pools.values()))


def _pool(place: _Place, entries: list[_Entry], walk: Walk) -> Pool | None:
    found = walk.fields(place.tree, place.path, POOL_KEYS, "config.addressPool")
    if isinstance(place.tree, Text | Items):
        return None
    name = PoolName(walk.text(found, "name", place.path))
    if not name:
        hint = "add a line like name: office"
        walk.fail(place.path, place.told + "missing pool name", place.tree, hint=hint)
    protocol = _protocol(found, place, walk)
    _check_advertisements(found, protocol, place, walk)
    mine = tuple(_entries(found, name, place, walk))
    entries.extend(mine)
    if not _has_content(found, "addresses"):
        message = place.told + "pool has no prefixes defined"
        walk.fail(place.path, message, place.tree, hint=f"under addresses, {ADDRESSES_HINT}")
    return Pool(
        name=name,
        protocol=protocol or Protocol.LAYER2,
        ranges=tuple(entry.range for entry in mine),
        auto_assign=walk.truth(found, "auto-assign", place.path, default=True),
        avoid_buggy_ips=walk.truth(found, "avoid-buggy-ips", place.path, default=False),
    )


def _protocol(found: Found, place: _Place, walk: Walk) -> Protocol | None:
    text = walk.text(found, "protocol", place.path)
    if text in tuple(Protocol):
        return Protocol(text)
    if not text:
        message = place.told + "address pool is missing the protocol field"
        walk.fail(place.path, message, place.tree, hint=PROTOCOL_HINT)
        return None
    message = f'{place.told}unknown protocol "{text}"'
    walk.fail(f"{place.path}.protocol", message, found["protocol"], hint=PROTOCOL_HINT)
    return None


def _check_advertisements(found: Found, protocol: Protocol | None, place: _Place, walk: Walk) -> None:
    """What asks for BGP is assigned, but not announced yet."""
    key = "bgp-advertisements"
    advertised = _has_content(found, key)
    if protocol is Protocol.BGP:
        message = "protocol bgp is not served yet: addresses are assigned, but not announced"
        walk.warn(f"{place.path}.protocol", place.told + message, found["protocol"])
    if protocol is Protocol.BGP and advertised:
        walk.warn(f"{place.path}.{key}", f"{place.told}{key} is not served yet", found[key])
    if protocol is Protocol.LAYER2 and advertised:
        message = f"{place.told}cannot have {key} configuration element in a layer2 address pool"
        walk.fail(f"{place.path}.{key}", message, found[key])


def _entries(found: Found, pool: PoolName, place: _Place, walk: Walk) -> Iterator[_Entry]:
    for path, text in walk.texts(found, "addresses", place.path):
        try:
            yield _Entry(range=parse_range(text.value), text=text, pool=pool, path=path)
        except ValueError as error:
            message = f'{place.told}invalid CIDR "{text.value}" in pool "{pool}": {error}'
            walk.fail(path, message, text, hint=ADDRESSES_HINT)


def _overlaps(entries: Sequence[_Entry]) -> Iterator[Problem]:
    """A Problem for the later one of two entries with an address in common; one sweep over all, sorted."""
    widest = -1
    order = sorted(range(len(entries)), key=lambda i: (entries[i].range.version, int(entries[i].range.first)))
    for index in order:
        if widest >= 0 and entries[widest].range.overlaps(entries[index].range):
            earlier, later = sorted((widest, index))
            yield _overlap(entries[later], entries[earlier])
            if int(entries[index].range.last) <= int(entries[widest].range.last):
                continue
        widest = index


def _overlap(later: _Entry, earlier: _Entry) -> Problem:
    what, other = f'CIDR "{later.text.value}" in pool "{later.pool}"', f'CIDR "{earlier.text.value}"'
    return Problem(
        path=later.path,
        message=f"{what} overlaps with already defined {other}",
        line=later.text.line,
        hint=f'that one stands in line {earlier.text.line}, in pool "{earlier.pool}"',
    )


def _has_content(found: Found, key: str) -> bool:
    """Whether the key has a value that is not an empty list or mapping."""
    match found.get(key):
        case None:
            return False
        case Items(values=values):
            return bool(values)
        case Fields(entries=entries):
            return bool(entries)
        case _:
            return True


def _bounded(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= PROBLEMS_MAX:
        return tuple(problems)
    errors_first = sorted(problems, key=lambda problem: problem.severity is Severity.WARNING)
    text = f"and {len(problems) - PROBLEMS_MAX} more problems"
    more = Problem(path="", message=text, severity=errors_first[0].severity)
    return (*errors_first[:PROBLEMS_MAX], more)
