"""Decides who gets which address again and again, at the cost of what changed since the last time.

Whatever the history, ``settle`` leaves exactly what ``allocate`` decides for the same Services at once:

1. Everybody who shows an address keeps what is still allowed, oldest first. Only Services that changed are
   looked at again, and those that show an address in common with them, directly or through others.
2. Who lacks something stands in line, oldest first, and is served in turn. What those in line were given
   stays if nothing changed before them; from the first place that something changed, all are served anew.

An address that its Service was given, and now shows, changes nothing for the others in line as long as all of
them are *plain*: one family, no sharing key, no address asked for by name or kept back for them.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from bareway.decide.allocation.adopt import Adoption, Claimant, Place, claimant
from bareway.decide.allocation.choose import Chooser, earliest
from bareway.decide.allocation.judgement import lacks_something, of_kept, of_served, sharers
from bareway.decide.allocation.ledger import Ledger
from bareway.decide.allocation.pools import Pools
from bareway.decide.allocation.resting import Resting
from bareway.decide.allocation.sharing import Age, Tenant, stranger
from bareway.decide.allocation.stock import Stock
from bareway.decide.allocation.verdicts import Allocation, Granted, Verdict
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Service, is_ours

_FIRST: Age = ("", ServiceKey("", ""))  # before everybody in line


class Allocator:
    """All Services under one configuration, and who holds what."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        namespaces: Mapping[str, Mapping[str, str]],
        load_balancer_class: str | None = None,
    ) -> None:
        """``namespaces``: labels by name."""
        self._class = load_balancer_class
        pools, self._stock = Pools(configuration, namespaces), Stock(configuration)
        self._ledger = Ledger(configuration, self._stock)
        self._resting = Resting(self._stock)
        shunned = self._resting.is_quarantined
        self._adoption = Adoption(pools=pools, stock=self._stock, ledger=self._ledger, is_quarantined=shunned)
        self._chooser = Chooser(pools, self._stock, self._ledger, shunned)
        self._services: dict[ServiceKey, Service] = {}
        self._touched: set[ServiceKey] = set()
        self._claimants: dict[ServiceKey, Claimant] = {}
        self._strangers: dict[ServiceKey, tuple[Tenant, tuple[Place, ...]]] = {}
        self._shown_by: dict[IPAddress, tuple[ServiceKey, ...]] = {}
        self._line: list[Age] = []
        self._not_plain: set[ServiceKey] = set()  # of those in line
        self._redo_from: Age | None = None
        self._wakes: dict[ServiceKey, int] = {}
        self._verdicts: dict[ServiceKey, Verdict] = {}
        self._former: dict[ServiceKey, Verdict | None] = {}
        self._released: set[ServiceKey] = set()

    def put(self, service: Service) -> None:
        """The Service is there, or is as given here from now on."""
        former = self._services.get(service.key)
        if former is not service and former != service:
            self._services[service.key] = service
            self._touched.add(service.key)

    def remove(self, key: ServiceKey) -> None:
        """The Service is gone."""
        if self._services.pop(key, None) is not None:
            self._touched.add(key)

    def settle(self, *, now: int, memory: AllocationMemory | None = None) -> frozenset[ServiceKey]:
        """Decide, and return the Services whose verdict or release is another one now.

        Args:
            now: Unix seconds.
            memory: what is remembered from now on; None = as before.
        """
        asked, shunned = self._resting.turn(now, memory)
        for address in shunned:
            self._touched.update(self._shown_by.get(address, ()))
        again = self._linked(self._touched)
        before = {key: self._withdraw(key) for key in again}
        self._touched.clear()
        for key in again:
            self._classify(key)
        self._clear_the_way(again)
        self._adopt(again)
        quiet: set[IPAddress] = set()
        for key, former in before.items():
            quiet |= self._compare(key, former)
            if not self._resting.is_empty:
                asked |= self._resting.concerned(key, (*former.kept, *self._kept(key)))
        for address in asked:
            if self._rest(address) and address not in quiet:
                self._redo(_FIRST)
        self._serve()
        self._tell_sharers()
        changed = {key for key, verdict in self._former.items() if self._verdicts.get(key) != verdict}
        changed |= {key for key, former in before.items() if former.is_released != (key in self._released)}
        self._former.clear()
        return frozenset(changed)

    @property
    def allocation(self) -> Allocation:
        """What was settled last; its mappings are live, so look before the next ``settle``."""
        return Allocation(
            verdicts=self._verdicts,
            released=frozenset(self._released),
            used=self._ledger.used,
            used_ipv6=self._ledger.used_ipv6,
            holders=self._ledger.holders,
            wake_at=earliest(self._wakes.values()),
        )

    # ---------------------------------------------------------------- what changed

    def _linked(self, touched: Iterable[ServiceKey]) -> set[ServiceKey]:
        """These Services, and all that show an address in common with one of them."""
        found = set(touched)
        todo = [*found]
        while todo:
            key = todo.pop()
            service = self._services.get(key)
            for address in (*self._shown(key), *(service.ingress if service is not None else ())):
                for other in self._shown_by.get(address, ()) if self._shown_by else ():
                    if other not in found:
                        found.add(other)
                        todo.append(other)
        return found

    def _withdraw(self, key: ServiceKey) -> "_Former":
        """Take all back that the Service holds, as if it were not there."""
        if key not in self._claimants and key not in self._strangers and key not in self._released:
            return _NOTHING
        is_released = key in self._released
        self._released.discard(key)
        for address in self._shown(key):
            showing = tuple(other for other in self._shown_by[address] if other != key)
            if showing:
                self._shown_by[address] = showing
            else:
                del self._shown_by[address]
        if key in self._strangers:
            tenant, shown = self._strangers.pop(key)
            self._take_back(tenant, shown)
            return _Former(tenant=tenant, kept=shown)
        if key not in self._claimants:
            return _Former(is_released=is_released)
        one = self._claimants.pop(key)
        self._take_back(one.tenant, (*one.kept, *one.given))
        self._note(key, None)
        index = bisect_left(self._line, one.tenant.age)
        is_in_line = index < len(self._line) and self._line[index] == one.tenant.age
        if is_in_line:
            del self._line[index]
        is_plain = key not in self._not_plain
        self._not_plain.discard(key)
        self._wakes.pop(key, None)
        return _Former(
            tenant=one.tenant, kept=one.kept, given=one.given, is_in_line=is_in_line, is_plain=is_plain
        )

    def _classify(self, key: ServiceKey) -> None:
        """Find out what the Service is to us."""
        service = self._services.get(key)
        if service is None:
            return
        if is_ours(service, self._class):
            self._claimants[key] = claimant(service)
        elif service.is_load_balancer and not self._is_let_go(service):
            self._strangers[key] = (stranger(service), tuple(self._places(service)))
        elif service.condition is not None or self._shows_ours(service):
            self._released.add(key)
        for address in self._shown(key):
            self._shown_by[address] = (*self._shown_by.get(address, ()), key)

    def _clear_the_way(self, keys: Iterable[ServiceKey]) -> None:
        """Who shows an address comes before who was only given it: take it back from those in line."""
        if not self._line:
            return
        for address in {address for key in keys for address in self._shown(key)}:
            for tenant in self._ledger.tenants(address):
                one = self._claimants.get(tenant.key)
                if one is not None and any(place.address == address for place in one.given):
                    self._take_back(tenant, one.given)
                    one.given = ()
                    self._redo(tenant.age)

    def _adopt(self, keys: Iterable[ServiceKey]) -> None:
        """Strangers hold what they show; ours keep what they may, the oldest first."""
        ours: list[Claimant] = []
        for key in keys:
            if key in self._strangers:
                tenant, shown = self._strangers[key]
                self._give(tenant, shown)
            elif key in self._claimants:
                ours.append(self._claimants[key])
        ours.sort(key=lambda one: one.tenant.age)
        for one in ours:
            self._adoption.adopt(one)
            if lacks_something(one):
                insort(self._line, one.tenant.age)
            else:
                self._note(one.tenant.key, of_kept(one, self._ledger))

    def _compare(self, key: ServiceKey, former: "_Former") -> AbstractSet[IPAddress]:
        """Note from which place on the line is served anew; return what may be overlooked there."""
        one = self._claimants.get(key)
        tenant = one.tenant if one is not None else self._strangers.get(key, (None,))[0]
        kept = self._kept(key)
        is_in_line = one is not None and key not in self._verdicts
        if _same(kept, former.kept) and (tenant == former.tenant or not kept):
            if former.is_in_line and former.tenant is not None:
                self._redo(former.tenant.age)
            if is_in_line and tenant is not None:
                self._redo(tenant.age)
            return frozenset()
        was_given = not former.kept and _same(former.given, kept) and tenant == former.tenant
        if was_given and not is_in_line and former.is_plain and not self._not_plain:
            return {place.address for place in kept}
        self._redo(_FIRST)
        return frozenset()

    def _redo(self, age: Age) -> None:
        self._redo_from = age if self._redo_from is None else min(age, self._redo_from)

    # ---------------------------------------------------------------- the line

    def _serve(self) -> None:
        """Give those in line what they lack, from the first place that something changed."""
        if self._redo_from is None:
            return
        due = [self._claimants[key] for _, key in self._line[bisect_left(self._line, self._redo_from) :]]
        self._redo_from = None
        for one in due:
            self._take_back(one.tenant, one.given)
            one.given = ()
        for one in due:
            self._serve_one(one)

    def _serve_one(self, one: Claimant) -> None:
        key = one.tenant.key
        chosen = self._chooser.choose(one)
        one.given = chosen.places
        self._give(one.tenant, one.given)
        self._note(key, of_served(one, chosen, self._ledger))
        if chosen.wake_at is None:
            self._wakes.pop(key, None)
        else:
            self._wakes[key] = chosen.wake_at
        if self._is_plain(one):
            self._not_plain.discard(key)
        else:
            self._not_plain.add(key)

    def _is_plain(self, one: Claimant) -> bool:
        is_special = one.tenant.sharing_key or one.request.addresses or self._stock.has_own(one.tenant.key)
        return not is_special and len(one.families) == 1

    def _tell_sharers(self) -> None:
        """Who shares with whom, where that changed."""
        crowded = self._ledger.crowded
        for key in {key for address in crowded for key in self._ledger.holders.get(address, ())}:
            verdict = self._verdicts.get(key)
            if isinstance(verdict, Granted):
                told = sharers(key, verdict.addresses, self._ledger)
                if told != verdict.shares_with:
                    self._note(key, replace(verdict, shares_with=told))
        crowded.clear()

    # ---------------------------------------------------------------- small things

    def _rest(self, address: IPAddress) -> bool:
        """Note what is to be known of the address while nobody shows it; whether that is new."""
        tenants = self._ledger.tenants(address)
        is_shown = any(place.address == address for one in tenants for place in self._kept(one.key))
        return self._resting.note(
            address, is_shown=is_shown, is_held=bool(tenants), has_another=self._has_another
        )

    def _has_another(self, version: int) -> Callable[[ServiceKey], bool]:
        return lambda key: any(place.address.version == version for place in self._kept(key))

    def _kept(self, key: ServiceKey) -> tuple[Place, ...]:
        """What the Service holds and shows."""
        one = self._claimants.get(key)
        if one is not None:
            return one.kept
        return self._strangers[key][1] if key in self._strangers else ()

    def _shown(self, key: ServiceKey) -> Iterable[IPAddress]:
        """What the Service shows and a load balancer gave it, as far as we have looked."""
        one = self._claimants.get(key)
        if one is not None:
            ingress = one.service.ingress
            return ingress if len(ingress) <= 1 else dict.fromkeys(ingress)
        return (place.address for place in self._kept(key))

    def _note(self, key: ServiceKey, verdict: Verdict | None) -> None:
        self._former.setdefault(key, self._verdicts.get(key))
        if verdict is not None:
            self._verdicts[key] = verdict
        else:
            self._verdicts.pop(key, None)

    def _give(self, tenant: Tenant, places: Iterable[Place]) -> None:
        for place in places:
            self._ledger.add(tenant, place.address, place.pool)

    def _take_back(self, tenant: Tenant, places: Iterable[Place]) -> None:
        for place in places:
            self._ledger.remove(tenant, place.address, place.pool)

    def _is_let_go(self, service: Service) -> bool:
        """Of another class now, and what it shows came from us: our condition on it says so."""
        is_given = service.condition is not None and service.condition.is_true
        return is_given and self._shows_pooled(service)

    def _shows_ours(self, service: Service) -> bool:
        """Not of type LoadBalancer: what it shows of us goes; what somebody else wrote is left alone."""
        is_marked = service.annotation(ALLOCATED_FROM_ANNOTATION) is not None
        return is_marked or self._shows_pooled(service)

    def _shows_pooled(self, service: Service) -> bool:
        return any(True for _ in self._places(service))

    def _places(self, service: Service) -> Iterator[Place]:
        """What it shows of our pools."""
        for address in dict.fromkeys(service.ingress):
            if (pool := self._stock.free.pool_of(address)) is not None:
                yield Place(address, pool)


def _same(one: tuple[Place, ...], other: tuple[Place, ...]) -> bool:
    """Whether both are the same addresses, in any order."""
    if len(one) != len(other) or not one:
        return len(one) == len(other)
    return one == other or {place.address for place in one} == {place.address for place in other}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Former:
    """What a Service was before it was looked at again."""

    tenant: Tenant | None = None
    kept: tuple[Place, ...] = ()
    given: tuple[Place, ...] = ()
    is_in_line: bool = False
    is_plain: bool = False
    is_released: bool = False


_NOTHING = _Former()
