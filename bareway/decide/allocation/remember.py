"""What allocation remembers from one decision to the next: the content of ConfigMap ``bareway-state``.

Only pools that reuse the oldest or hold after delete are remembered; without one, nothing is, and nothing is
written. Bounded, since it must fit into one ConfigMap: of frees the newest are kept (what is forgotten counts
as never given, so it comes first, as it should), of holds and quarantines those that last longest. Nothing
lasts longer from now on than if it began now: a time that was written by a clock that was ahead, or under
another configuration, would shut an address away for years.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from bareway.decide.allocation.free import FreeAddresses
from bareway.decide.allocation.freed import Rest, remembers, rest
from bareway.decide.allocation.strangers import QUARANTINE_S
from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.configuration import Configuration, Pool
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress, ServiceKey

# A ConfigMap holds 1 MiB; these add up to 832 KiB as JSON, whatever the names are.
HOLDERS_BYTES_MAX: Final = 448 * 1024
HOLDS_BYTES_MAX: Final = 128 * 1024
FREED_BYTES_MAX: Final = 192 * 1024
QUARANTINE_BYTES_MAX: Final = 64 * 1024
_PUNCTUATION_BYTES: Final = 8  # quotes, colon, comma, brackets
_TIME_BYTES: Final = 12

Value = TypeVar("Value")


def remember(
    memory: AllocationMemory, *, allocation: Allocation, configuration: Configuration, now: int
) -> AllocationMemory:
    """The memory after ``allocation``, which was made with ``memory`` at the time ``now``."""
    index = FreeAddresses(configuration)
    rests: dict[IPAddress, Rest] = {}
    for address in {*memory.holders, *memory.freed, *memory.holds}:
        pool = index.pool_of(address)
        if pool is not None and address not in allocation.holders:
            found = rest(address, pool, memory=memory, now=now, has_another=_has_another(allocation, address))
            if found is not None:
                rests[address] = _by_this_clock(found, pool, now)
    holders = {
        address: keys
        for address, keys in allocation.holders.items()
        if (pool := index.pool_of(address)) is not None and remembers(pool)
    }
    holds = {address: one.hold for address, one in rests.items() if one.hold is not None}
    freed = {address: one.freed_at for address, one in rests.items() if one.freed_at is not None}
    quarantine = {
        address: min(until, now + QUARANTINE_S) for address, until in memory.quarantine.items() if until > now
    }
    return AllocationMemory(
        holders=_bounded(holders, HOLDERS_BYTES_MAX, first=lambda _: 0, cost=_keys_bytes),
        holds=_bounded(holds, HOLDS_BYTES_MAX, first=lambda hold: -hold.until, cost=_hold_bytes),
        freed=_bounded(freed, FREED_BYTES_MAX, first=lambda freed_at: -freed_at, cost=_time_bytes),
        quarantine=_bounded(quarantine, QUARANTINE_BYTES_MAX, first=lambda until: -until, cost=_time_bytes),
    )


def _by_this_clock(found: Rest, pool: Pool, now: int) -> Rest:
    """Nothing waits longer than it would if it was freed now, and nothing was freed later than now."""
    hold, freed_at = found.hold, found.freed_at
    if hold is not None and (latest := now + int(pool.hold_after_delete_s)) < hold.until:
        hold = replace(hold, until=latest)
    return replace(found, hold=hold, freed_at=None if freed_at is None else min(freed_at, now))


def _has_another(allocation: Allocation, address: IPAddress) -> Callable[[ServiceKey], bool]:
    def has_another(key: ServiceKey) -> bool:
        verdict = allocation.verdicts.get(key)
        addresses = verdict.addresses if isinstance(verdict, Granted) else ()
        return any(other.version == address.version for other in addresses)

    return has_another


def _bounded(
    entries: Mapping[IPAddress, Value],
    limit: int,
    *,
    first: Callable[[Value], int],
    cost: Callable[[Value], int],
) -> Mapping[IPAddress, Value]:
    """As many entries as fit, those with the lowest ``first`` before others, in the order of addresses."""
    ordered = sorted(entries, key=lambda address: (first(entries[address]), *_place(address)))
    kept: list[IPAddress] = []
    for address in ordered:
        limit -= len(str(address)) + cost(entries[address]) + _PUNCTUATION_BYTES
        if limit < 0:
            break
        kept.append(address)
    return {address: entries[address] for address in sorted(kept, key=_place)}


def _place(address: IPAddress) -> tuple[int, int]:
    return address.version, int(address)


def _keys_bytes(keys: Iterable[ServiceKey]) -> int:
    return sum(len(str(key)) + _PUNCTUATION_BYTES for key in keys)


def _hold_bytes(hold: Hold) -> int:
    return len(str(hold.service)) + _TIME_BYTES + _PUNCTUATION_BYTES


def _time_bytes(_: int) -> int:
    return _TIME_BYTES
