"""The ConfigMap ``bareway-state``: what allocation remembers beyond what Services show, as JSON in one key.

Written and read by the controller only. What cannot be read is a Problem: it is then written anew from what
is known. Its size is bounded by whoever makes the memory (`bareway.decide.allocation.remember`).
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.objects import ConfigMap
from bareway.model.problems import Problem
from bareway.resources.fields import read_address

STATE_NAME: Final = "bareway-state"
FIELD: Final = "memory"
VERSION: Final = 1
_HINT: Final[str] = "delete the ConfigMap, and the controller writes it anew"

V = TypeVar("V")


class _Wire(Struct, frozen=True, gc=False):
    version: int
    holders: dict[str, list[str]] = {}
    freed: dict[str, int] = {}
    holds: dict[str, tuple[str, int]] = {}
    quarantine: dict[str, int] = {}


def write_state(memory: AllocationMemory) -> Mapping[str, str]:
    """The ``data`` of the ConfigMap; equal memories give equal texts."""
    body = {
        "version": VERSION,
        "holders": {address: [str(key) for key in keys] for address, keys in _sorted(memory.holders)},
        "freed": dict(_sorted(memory.freed)),
        "holds": {address: (str(hold.service), hold.until) for address, hold in _sorted(memory.holds)},
        "quarantine": dict(_sorted(memory.quarantine)),
    }
    return {FIELD: msgspec.json.encode(body).decode()}


def read_state(config_map: ConfigMap) -> AllocationMemory | list[Problem]:
    """The memory, or why it cannot be used."""
    path = f"data.{FIELD}"
    try:
        wire = msgspec.json.decode(config_map.data.get(FIELD, ""), type=_Wire)
    except msgspec.MsgspecError as error:
        return [Problem(path=path, message=str(error), hint=_HINT)]
    if wire.version != VERSION:
        return [Problem(path=path, message=f"version {wire.version} is not known here", hint=_HINT)]
    problems: list[Problem] = []
    memory = _memory(wire, problems)
    return problems or memory


def _memory(wire: _Wire, problems: list[Problem]) -> AllocationMemory:
    def by_address(texts: Mapping[str, V]) -> Mapping[IPAddress, V]:
        read = ((read_address(text, f"data.{FIELD}", problems), value) for text, value in texts.items())
        return {address: value for address, value in read if address is not None}

    holds = by_address(wire.holds)
    return AllocationMemory(
        holders={one: tuple(map(_service, keys)) for one, keys in by_address(wire.holders).items()},
        freed=by_address(wire.freed),
        holds={one: Hold(service=_service(name), until=until) for one, (name, until) in holds.items()},
        quarantine=by_address(wire.quarantine),
    )


def _service(text: str) -> ServiceKey:
    namespace, _, name = text.rpartition("/")
    return ServiceKey(namespace, name)


def _sorted(facts: Mapping[IPAddress, V]) -> Iterator[tuple[str, V]]:
    for address in sorted(facts, key=lambda one: (one.version, int(one))):
        yield str(address), facts[address]
