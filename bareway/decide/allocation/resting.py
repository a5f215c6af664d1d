"""Keeps what is known of addresses that nobody holds in step with the memory and the time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from bareway.decide.allocation.adopt import Place
from bareway.decide.allocation.freed import rest
from bareway.decide.allocation.stock import Stock
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, ServiceKey

Value = TypeVar("Value")


class Resting:
    """The memory, as of one moment."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._memory = AllocationMemory()
        self._now = 0
        self._timed: set[IPAddress] = set()  # what is known of them changes with the time
        self._waited_for: dict[ServiceKey, set[IPAddress]] = {}

    def turn(self, now: int, memory: AllocationMemory | None) -> tuple[set[IPAddress], set[IPAddress]]:
        """Another moment, and another memory unless it is None.

        Returns:
            The addresses to ``note`` again, and those that entered or left quarantine.
        """
        shunned = {address for address in self._memory.quarantine if self.is_quarantined(address)}
        changed = set(self._timed) if now != self._now else set[IPAddress]()
        if memory is not None and memory is not self._memory:
            differing = _differing(self._memory, memory)
            for address in differing:
                self._expect(address, memory)
            changed |= differing
            self._memory = memory
        self._now = now
        shunned ^= {address for address in self._memory.quarantine if self.is_quarantined(address)}
        return changed | shunned, shunned

    def is_quarantined(self, address: IPAddress) -> bool:
        """Whether a stranger answers for it."""
        quarantine = self._memory.quarantine
        return bool(quarantine) and quarantine.get(address, self._now) > self._now

    def concerned(self, key: ServiceKey, held: Iterable[Place]) -> set[IPAddress]:
        """Which addresses to ``note`` again when a Service begins or ceases to hold some."""
        return {*self._waited_for.get(key, ()), *(place.address for place in held)}

    def note(
        self,
        address: IPAddress,
        *,
        is_shown: bool,
        is_held: bool,
        has_another: Callable[[int], Callable[[ServiceKey], bool]],
    ) -> bool:
        """Find out what is to be known of the address now; whether that is something new.

        Args:
            address: any.
            is_shown: a Service holds and shows it.
            is_held: a Service holds it, or was given it just now.
            has_another: of a family, whether a Service holds and shows an address of that family.
        """
        self._timed.discard(address)
        pool = self._stock.free.pool_of(address)
        if pool is None:
            return False
        found = None
        if not is_shown:
            has = has_another(address.version)
            found = rest(address, pool, memory=self._memory, now=self._now, has_another=has)
        if found is not None and (found.ends or address in self._memory.holders):
            self._timed.add(address)
        return self._stock.rest(address, found, is_held=is_held)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is remembered."""
        memory = self._memory
        return not (memory.holders or memory.freed or memory.holds or memory.quarantine)

    def _expect(self, address: IPAddress, memory: AllocationMemory) -> None:
        """Note whose release or return matters to the address."""
        for key in _named(self._memory, address):
            self._waited_for[key].discard(address)
            if not self._waited_for[key]:
                del self._waited_for[key]
        for key in _named(memory, address):
            self._waited_for.setdefault(key, set()).add(address)


def _named(memory: AllocationMemory, address: IPAddress) -> set[ServiceKey]:
    hold = memory.holds.get(address)
    return {*memory.holders.get(address, ())[:1], *(() if hold is None else (hold.service,))}


def _differing(one: AllocationMemory, other: AllocationMemory) -> set[IPAddress]:
    return {
        *_differences(one.holders, other.holders),
        *_differences(one.freed, other.freed),
        *_differences(one.holds, other.holds),
        *_differences(one.quarantine, other.quarantine),
    }


def _differences(one: Mapping[IPAddress, Value], other: Mapping[IPAddress, Value]) -> Iterator[IPAddress]:
    if one is other:
        return
    yield from (address for address in one if address not in other)
    yield from (address for address, value in other.items() if one.get(address) != value)
