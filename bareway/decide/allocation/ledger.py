"""Who holds which address, and what follows from it: what pools and namespaces use, and who may join whom.

An address that Services share is on several tenants; all of them are of one sharing class, and no port is on
two. Finding the lowest address that a Service may join costs no walk over all addresses of its class: those
that were found to be of no use to the same ports are not looked at again until something about them changes.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final, TypeAlias

from bareway.decide.allocation.pools import quota
from bareway.decide.allocation.sharing import Age, PortKey, SharingClass, Tenant, conflict
from bareway.decide.allocation.stock import Stock
from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import IPAddress, PoolName, ServiceKey

BOOKMARKS_MAX: Final = 64  # kinds of ports of a class; more of them only cost a longer search

IPV6: Final = 6
Position: TypeAlias = tuple[int, int]
"""Where a pool has an address: its range, and the number."""


class Ledger:
    """All tenants of all addresses."""

    def __init__(self, configuration: Configuration, stock: Stock) -> None:
        self.holders: dict[IPAddress, tuple[ServiceKey, ...]] = {}
        """Oldest first."""
        self.used: dict[PoolName, int] = {pool.name: 0 for pool in configuration.pools}
        self.used_ipv6: dict[PoolName, int] = dict.fromkeys(self.used, 0)
        """Of these the IPv6 ones."""
        self.crowded: set[IPAddress] = set()
        """Addresses that somebody joined or left while others held them; for the reader to empty."""
        self._stock = stock
        self._tenants: dict[IPAddress, tuple[Tenant, ...]] = {}
        self._ports: dict[IPAddress, dict[PortKey, ServiceKey]] = {}
        self._used_by: dict[tuple[PoolName, str], int] = {}
        self._classes: dict[tuple[PoolName, int, SharingClass], _Class] = {}

    def tenants(self, address: IPAddress) -> tuple[Tenant, ...]:
        """Who is on the address, oldest first."""
        return self._tenants.get(address, ())

    def add(self, tenant: Tenant, address: IPAddress, pool: Pool) -> None:
        """The Service holds the address from now on; ``conflict`` has nothing against it."""
        there = self._tenants.get(address, ())
        if there:
            self.crowded.add(address)
            index = bisect_left(there, tenant.age, key=_age)
            self._tenants[address] = (*there[:index], tenant, *there[index:])
            holders = self.holders[address]
            self.holders[address] = (*holders[:index], tenant.key, *holders[index:])
        else:
            self._tenants[address] = (tenant,)
            self.holders[address] = (tenant.key,)
            self._stock.take(address)
            self._use(pool, address, 1)
        if pool.quota and not _has_namespace(there, tenant):
            self._count(pool, tenant, 1)
        if tenant.sharing_key:
            self._join(pool, address, tenant)

    def remove(self, tenant: Tenant, address: IPAddress, pool: Pool) -> None:
        """The Service holds it no more."""
        there, holders = self._tenants[address], self.holders[address]
        index = bisect_left(there, tenant.age, key=_age)
        rest = (*there[:index], *there[index + 1 :])
        if pool.quota and not _has_namespace(rest, tenant):
            self._count(pool, tenant, -1)
        if tenant.sharing_key:
            self._leave(pool, address, tenant, is_last=not rest)
        if rest:
            self.crowded.add(address)
            self._tenants[address] = rest
            self.holders[address] = (*holders[:index], *holders[index + 1 :])
        else:
            del self._tenants[address], self.holders[address]
            self._use(pool, address, -1)
            self._stock.give_back(address)

    def conflict(self, tenant: Tenant, address: IPAddress, pool: Pool) -> WhyNot | None:
        """Why the Service may not hold the address beside those that do."""
        there = self._tenants.get(address)
        if there is None:
            return None
        return conflict(tenant, there, self._ports.get(address, {}), address=address, pool=pool)

    def over_quota(self, tenant: Tenant, pool: Pool, address: IPAddress | None = None) -> WhyNot | None:
        """Why the Service's namespace gets no further address of the pool; one that it has costs nothing."""
        limit = quota(pool, tenant.key.namespace) if pool.quota else None
        if limit is None or self._used_by.get((pool.name, tenant.key.namespace), 0) < limit:
            return None
        if address is not None and _has_namespace(self._tenants.get(address, ()), tenant):
            return None
        message = (
            f'namespace "{tenant.key.namespace}" holds all {limit} addresses of its quota in pool {pool.name}'
        )
        return WhyNot(word=Refusal.QUOTA_EXHAUSTED, message=message, pool=pool.name, address=address)

    def joinable(self, tenant: Tenant, pool: Pool, version: int) -> Iterator[tuple[Position, IPAddress]]:
        """Addresses of the pool that Services of the same sharing class hold and that fit, in its order."""
        found = self._classes.get((pool.name, version, tenant.sharing_class(pool)))
        if found is None or not tenant.sharing_key:
            return
        is_first = True
        for index in range(found.start(tenant.ports), len(found)):
            position, address = found[index]
            if self.conflict(tenant, address, pool) is None:
                if is_first:
                    found.remember(tenant.ports, position)
                is_first = False
                yield position, address
        if is_first:
            found.remember(tenant.ports, None)

    def _use(self, pool: Pool, address: IPAddress, by: int) -> None:
        self.used[pool.name] += by
        if address.version == IPV6:
            self.used_ipv6[pool.name] += by

    def _count(self, pool: Pool, tenant: Tenant, by: int) -> None:
        self._stock.revision += 1
        part = (pool.name, tenant.key.namespace)
        self._used_by[part] = self._used_by.get(part, 0) + by

    def _join(self, pool: Pool, address: IPAddress, tenant: Tenant) -> None:
        kind = (pool.name, address.version, tenant.sharing_class(pool))
        self._classes.setdefault(kind, _Class()).add(self._stock.free.position(address), address)
        ports = self._ports.setdefault(address, {})
        for port in tenant.ports:
            ports.setdefault(port, tenant.key)

    def _leave(self, pool: Pool, address: IPAddress, tenant: Tenant, *, is_last: bool) -> None:
        kind = (pool.name, address.version, tenant.sharing_class(pool))
        members, ports = self._classes[kind], self._ports[address]
        position = self._stock.free.position(address)
        for port in tenant.ports:
            if ports.get(port) == tenant.key:
                del ports[port]
        if not is_last:
            members.forget(position)
            return
        del self._ports[address]
        members.remove(position)
        if not len(members):
            del self._classes[kind]


class _Class:
    """The addresses of one pool and family that are on one sharing class, in the order of the pool."""

    def __init__(self) -> None:
        self._members: list[tuple[Position, IPAddress]] = []
        self._bookmarks: dict[frozenset[PortKey], Position | None] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, index: int) -> tuple[Position, IPAddress]:
        return self._members[index]

    def add(self, position: Position, address: IPAddress) -> None:
        """Somebody of the class holds the address; it may be there already."""
        index = self._index(position)
        if index == len(self._members) or self._members[index][0] != position:
            insort(self._members, (position, address), key=_position)
            self.forget(position)

    def remove(self, position: Position) -> None:
        """Nobody does any longer."""
        index = self._index(position)
        if index < len(self._members) and self._members[index][0] == position:
            del self._members[index]

    def start(self, ports: frozenset[PortKey]) -> int:
        """Where the search for these ports begins."""
        if ports not in self._bookmarks:
            return 0
        position = self._bookmarks[ports]
        return len(self._members) if position is None else self._index(position)

    def remember(self, ports: frozenset[PortKey], position: Position | None) -> None:
        """Nothing before ``position`` is of use to these ports; None = nothing at all."""
        if len(self._bookmarks) >= BOOKMARKS_MAX and ports not in self._bookmarks:
            self._bookmarks.clear()
        self._bookmarks[ports] = position

    def forget(self, position: Position) -> None:
        """The address at ``position`` may be of use to anybody again."""
        for ports, bookmark in self._bookmarks.items():
            if bookmark is None or bookmark > position:
                self._bookmarks[ports] = position

    def _index(self, position: Position) -> int:
        return bisect_left(self._members, position, key=_position)


def _age(tenant: Tenant) -> Age:
    return tenant.age


def _position(member: tuple[Position, IPAddress]) -> Position:
    return member[0]


def _has_namespace(tenants: tuple[Tenant, ...], tenant: Tenant) -> bool:
    return any(one.key.namespace == tenant.key.namespace for one in tenants)
