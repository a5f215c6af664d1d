"""The ConfigMaps ``bareway-announcers-0`` … ``-f``: announcer lists, from the controller to the speakers.

One data key holds JSON: ``{"generation": 5, "nodes": ["a", "b"], "addresses": {"192.0.2.10": [5, 1, 0]},
"new": ["192.0.2.10"], "adopted": []}``. An entry is its generation and places in ``nodes``; so 10,000
addresses on 500 nodes take some 40 kB a shard. Equal shards are written alike, byte for byte. Keys that a
reader does not know are left to later versions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeGuard

import msgspec

from bareway.model.addresses import parse_address
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.objects import ConfigMap
from bareway.model.problems import Problem
from bareway.model.steps import Steps, finish, pieces

NAME: Final = "bareway-announcers-"
DATA_KEY: Final = "announcers"
LABEL: Final = {"bareway.io/content": "announcers"}
"""One watch brings all shards, and no other ConfigMap."""
SELECTOR: Final = "bareway.io/content=announcers"
TEXT_MAX: Final = 1024 * 1024  # what the API server lets a ConfigMap hold
ENTRY_NODES_MAX: Final = 16  # far more than are listed; the rest of an entry that was edited by hand
GENERATION_MAX: Final = 2**52  # whole in every reader of JSON, and never reached by counting; as in gossip
PROBLEMS_MAX: Final = 20  # enough to see what happened; the rest is of the same kind


def shard_key(namespace: str, number: int) -> ObjectKey:
    """The ConfigMap of a shard."""
    return ObjectKey(namespace, f"{NAME}{number:x}")


def shard_keys(namespace: str) -> tuple[ObjectKey, ...]:
    """All sixteen, in order."""
    return tuple(shard_key(namespace, number) for number in range(SHARDS))


def write_shard(shard: Shard) -> Mapping[str, str]:
    """The ``data`` of the ConfigMap."""
    nodes = sorted({node for entry in shard.entries.values() for node in entry.nodes})
    place = {node: at for at, node in enumerate(nodes)}
    content = {
        "generation": shard.generation,
        "nodes": nodes,
        "addresses": {
            str(address): [entry.generation, *(place[node] for node in entry.nodes)]
            for address, entry in sorted(shard.entries.items(), key=lambda item: _by_family(item[0]))
        },
        "new": _texts(shard.new),
        "adopted": _texts(shard.adopted),
    }
    return {DATA_KEY: msgspec.json.encode(content).decode()}


def read_shard(config_map: ConfigMap) -> Shard | list[Problem]:
    """What the ConfigMap lists, or what is wrong with it."""
    return finish(read_shard_in_steps(config_map))


def read_shard_in_steps(config_map: ConfigMap) -> Steps[Shard | list[Problem]]:
    """The same, so that hundreds of addresses keep no loop."""
    text = config_map.data.get(DATA_KEY, "")
    hint = f"delete ConfigMap {config_map.key}, and the controller writes it anew"
    if len(text) > TEXT_MAX:
        return [Problem(path=f"data.{DATA_KEY}", message="is longer than 1 MiB", hint=hint)]
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return [Problem(path=f"data.{DATA_KEY}", message=f"is not JSON: {error}", hint=hint)]
    reader = _Reader(hint)
    shard = yield from reader.shard(content)
    return shard if not reader.problems else reader.problems[:PROBLEMS_MAX]


def read_lists(shards: Mapping[int, Shard]) -> AnnouncerLists:
    """All that could be read; a shard that is missing is empty."""
    return AnnouncerLists(tuple(shards.get(number, Shard()) for number in range(SHARDS)))


def _by_family(address: IPAddress) -> tuple[int, int]:
    return (address.version, int(address))


def _texts(addresses: Iterable[IPAddress]) -> list[str]:
    return [str(address) for address in sorted(addresses, key=_by_family)]


class _Reader:
    """Reads one document and notes every mistake."""

    def __init__(self, hint: str) -> None:
        self._hint = hint
        self.problems: list[Problem] = []

    def shard(self, content: object) -> Steps[Shard]:
        if not isinstance(content, dict):
            self._wrong("", "is not an object")
            return Shard()
        generation = self._generation(content.get("generation"), "generation")
        nodes = self._nodes(content.get("nodes"))
        addresses = content.get("addresses")
        if not isinstance(addresses, dict):
            self._wrong("addresses", "is not an object")
            addresses = {}
        entries: dict[IPAddress, Entry] = {}
        for piece in pieces(addresses.items()):
            for text, row in piece:
                address = self._address(text, "addresses")
                entry = self._entry(row, f"addresses[{text}]", nodes)
                if address is not None and entry is not None:
                    entries[address] = entry
            yield
        return Shard(
            generation=max((generation, *(entry.generation for entry in entries.values()))),
            entries=entries,
            new=self._addresses(content.get("new", []), "new") & entries.keys(),
            adopted=self._addresses(content.get("adopted", []), "adopted") & entries.keys(),
        )

    def _wrong(self, path: str, message: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            place = f"data.{DATA_KEY}" + (f".{path}" if path else "")
            self.problems.append(Problem(path=place, message=message, hint=self._hint))

    def _generation(self, value: object, path: str) -> int:
        if _is_number(value) and value <= GENERATION_MAX:
            return value
        self._wrong(path, f"is not a whole number from 0 to {GENERATION_MAX}")
        return 0

    def _nodes(self, value: object) -> Sequence[NodeName]:
        if isinstance(value, list) and all(isinstance(name, str) and name for name in value):
            return [NodeName(name) for name in value]
        self._wrong("nodes", "is not a list of names")
        return []

    def _entry(self, row: object, path: str, nodes: Sequence[NodeName]) -> Entry | None:
        if not isinstance(row, list) or not row or len(row) > 1 + ENTRY_NODES_MAX:
            self._wrong(path, f"is not a generation and up to {ENTRY_NODES_MAX} nodes")
            return None
        generation = self._generation(row[0], path)
        places = [place for place in row[1:] if _is_number(place) and place < len(nodes)]
        if len(places) != len(row) - 1 or len(set(places)) != len(places):
            self._wrong(path, "names a node that is not in the list of nodes, or one twice")
            return None
        return Entry(generation=generation, nodes=tuple(nodes[place] for place in places))

    def _addresses(self, value: object, path: str) -> frozenset[IPAddress]:
        if not isinstance(value, list):
            self._wrong(path, "is not a list of addresses")
            return frozenset()
        found = [self._address(text, path) for text in value]
        return frozenset(address for address in found if address is not None)

    def _address(self, text: object, path: str) -> IPAddress | None:
        address = parse_address(text) if isinstance(text, str) else None
        if address is None:
            self._wrong(path, f'"{str(text)[:60]}" is not an IP address')
        return address


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
