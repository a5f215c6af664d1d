"""Which addresses may be given next: what is free, less what is reserved, on hold, or in quarantine.

An address that rests since it was freed in a pool of ``reuse: oldest`` comes after all that were never given,
the one that is free for longest first. Left out: who holds an address (`bareway.decide.allocation.ledger`).
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import TypeAlias

from bareway.decide.allocation.free import FreeAddresses
from bareway.decide.allocation.freed import Rest
from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import IPAddress, PoolName, ServiceKey

Part: TypeAlias = tuple[PoolName, int]
"""A pool's addresses of one family."""


class Stock:
    """The addresses of all pools, held or not."""

    def __init__(self, configuration: Configuration) -> None:
        self.free = FreeAddresses(configuration)
        self._reserved: dict[IPAddress, list[ServiceKey]] = {}
        self._reserved_for: dict[ServiceKey, list[IPAddress]] = {}
        self._rests: dict[IPAddress, Rest] = {}
        self._on_hold_for: dict[ServiceKey, list[IPAddress]] = {}
        self._aged: dict[Part, list[tuple[int, tuple[int, int], IPAddress]]] = {}
        self._exhausted: set[Part] = set()
        self.revision = 0
        """Another one whenever the reason may be another one why a pool gives nothing."""
        self._ends: dict[Part, int] | None = None
        for pool in configuration.pools:
            for key, addresses in pool.reserve.items():
                for address in addresses:
                    self._reserve(key, address)

    def take(self, address: IPAddress) -> None:
        """Somebody holds it."""
        if self._rests and address in self._rests:
            self._unlist(address)
        self.free.take(address)

    def give_back(self, address: IPAddress) -> None:
        """Nobody holds it any longer."""
        self.revision += 1
        rest = self._rests.get(address)
        pool = self.free.pool_of(address)
        if pool is None or address in self._reserved or (rest is not None and rest.ends):
            self.free.take(address)
            return
        part = (pool.name, address.version)
        self._exhausted.discard(part)
        if rest is None or rest.freed_at is None:
            self.free.release(address)
        else:
            self.free.take(address)
            insort(self._aged.setdefault(part, []), (rest.freed_at, self.free.position(address), address))

    def rest(self, address: IPAddress, rest: Rest | None, *, is_held: bool) -> bool:
        """Note what is to be known of an address when nobody holds it; whether that is new."""
        former = self._rests.get(address)
        if former == rest:
            return False
        self.revision += 1
        self._unlist(address)
        if former is not None:
            self._forget(address, former)
        if rest is not None:
            self._rests[address] = rest
            if rest.hold is not None:
                self._on_hold_for.setdefault(rest.hold.service, []).append(address)
        self._ends = None
        if is_held:
            self.take(address)
        else:
            self.give_back(address)
        return True

    def next_free(self, pool: Pool, version: int) -> IPAddress | None:
        """The address that the pool would give now; None = it has none of the family."""
        part = (pool.name, version)
        if part in self._exhausted:
            return None
        found = self.free.lowest(pool, version)
        if found is not None:
            return found
        aged = self._aged.get(part)
        if aged:
            return aged[0][2]
        self._exhausted.add(part)
        return None

    def has_own(self, key: ServiceKey) -> bool:
        """Whether any address is reserved for the Service, or waits for it."""
        return key in self._reserved_for or key in self._on_hold_for

    def reserved_for(self, key: ServiceKey) -> tuple[IPAddress, ...]:
        """In the order of the document."""
        return tuple(self._reserved_for.get(key, ()))

    def on_hold_for(self, key: ServiceKey) -> tuple[IPAddress, ...]:
        """The lowest first."""
        found = self._on_hold_for.get(key, ())
        return tuple(sorted(found, key=lambda address: (address.version, int(address))))

    def not_reserved(self, key: ServiceKey, address: IPAddress, pool: Pool) -> WhyNot | None:
        """Why the Service may not even ask for the address."""
        owners = self._reserved.get(address) if self._reserved else None
        if owners is None or key in owners:
            return None
        message = f'"{address}" is reserved for {",".join(map(str, sorted(owners)))}'
        return WhyNot(word=Refusal.RESERVED, message=message, pool=pool.name, address=address)

    def not_on_hold(self, key: ServiceKey, address: IPAddress, pool: Pool) -> WhyNot | None:
        """Why an address that nobody holds is not given to the Service."""
        rest = self._rests.get(address)
        if rest is None or rest.hold is None or rest.hold.service == key:
            return None
        message = f'"{address}" waits for {rest.hold.service}, which held it last'
        return WhyNot(word=Refusal.ON_HOLD, message=message, pool=pool.name, address=address)

    def hold_ends(self, address: IPAddress) -> int | None:
        """When the address waits no longer for the Service that held it last."""
        rest = self._rests.get(address)
        return rest.hold.until if rest is not None and rest.hold is not None else None

    def earliest_end(self, pool: Pool, version: int) -> int | None:
        """When the pool gets an address back from a hold or a quarantine."""
        if self._ends is None:
            self._ends = self._all_ends()
        return self._ends.get((pool.name, version))

    def _reserve(self, key: ServiceKey, address: IPAddress) -> None:
        self._reserved.setdefault(address, []).append(key)
        self._reserved_for.setdefault(key, []).append(address)
        self.free.take(address)

    def _unlist(self, address: IPAddress) -> None:
        rest = self._rests.get(address)
        pool = self.free.pool_of(address)
        if rest is None or rest.freed_at is None or pool is None:
            return
        aged = self._aged.get((pool.name, address.version), [])
        index = bisect_left(aged, (rest.freed_at, self.free.position(address)))
        if index < len(aged) and aged[index][2] == address:
            del aged[index]

    def _forget(self, address: IPAddress, rest: Rest) -> None:
        del self._rests[address]
        if rest.hold is not None:
            waiting = self._on_hold_for[rest.hold.service]
            waiting.remove(address)
            if not waiting:
                del self._on_hold_for[rest.hold.service]

    def _all_ends(self) -> dict[Part, int]:
        ends: dict[Part, int] = {}
        for part, until in self._each_end():
            ends[part] = min(until, ends.get(part, until))
        return ends

    def _each_end(self) -> Iterator[tuple[Part, int]]:
        for address, rest in self._rests.items():
            pool = self.free.pool_of(address)
            if pool is not None and rest.ends and address not in self._reserved:
                yield (pool.name, address.version), max(rest.ends)
