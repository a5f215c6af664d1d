"""Which address each Service gets, or why none: a pure function of the pools and the Services.

Who shows an address keeps it as long as the configuration, its own request and its family allow it, also in a
pool that assigns nothing by itself; of two that show the same the older keeps. Then everybody else, oldest
first, gets what it asks for or the lowest free address of the first pool that has one. The order in which
Services are given does not matter; what other load balancers show in our pools counts as taken. Left out:
shared addresses, and a second family for a dual-stack Service (one that has both keeps both).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bareway.decide.free import FreeAddresses
from bareway.decide.requests import Request, quoted, read_request
from bareway.decide.verdicts import Allocation, Cleared, Granted, Refusal, Refused, Verdict, WhyNot
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import IPAddress, PoolName, ServiceKey
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Service, is_ours


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationView:
    """What the decision looks at, at one moment."""

    configuration: Configuration
    services: Iterable[Service]
    load_balancer_class: str | None = None


def allocate(view: AllocationView) -> Allocation:
    """Decide for every Service that asks us for an address."""
    pass_ = _Pass(view.configuration)
    ours: list[Service] = []
    for service in view.services:
        if is_ours(service, view.load_balancer_class):
            ours.append(service)
        elif service.is_load_balancer:
            pass_.take_for_stranger(service)
        else:
            pass_.release(service)
    ours.sort(key=lambda service: (service.created_at, service.key))
    for service in ours:
        pass_.adopt(service)
    for service in ours:
        pass_.serve(service)
    return pass_.allocation()


class _Pass:
    """One run of ``allocate``: what is taken grows, what is decided stays."""

    def __init__(self, configuration: Configuration) -> None:
        self._pools: Mapping[PoolName, Pool] = {pool.name: pool for pool in configuration.pools}
        self._order = configuration.pools
        self._free = FreeAddresses(configuration)
        self._holders: dict[IPAddress, ServiceKey] = {}
        self._verdicts: dict[ServiceKey, Verdict] = {}
        self._cleared: dict[ServiceKey, Cleared] = {}
        self._released: set[ServiceKey] = set()
        self._passed_over: dict[int, tuple[WhyNot, ...]] = {}  # by family: the first pools, all of them full

    def take_for_stranger(self, service: Service) -> None:
        """Another load balancer shows these addresses; they may be in our pools, and are in use."""
        for address in service.ingress:
            self._take(address, service.key)

    def release(self, service: Service) -> None:
        """Not of type LoadBalancer: what it shows of us goes; what somebody else wrote is left alone."""
        is_marked = service.annotation(ALLOCATED_FROM_ANNOTATION) is not None
        if is_marked or any(self._free.pool_of(address) is not None for address in service.ingress):
            self._released.add(service.key)

    def adopt(self, service: Service) -> None:
        """Let the Service keep what it shows, or note why it may not."""
        if not service.ingress:
            return
        request = read_request(service)
        # A mistake in the request takes nothing away: a typo must not cost a Service its address.
        mistakes, wanted = ((request,), Request()) if isinstance(request, WhyNot) else ((), request)
        found = self._allowed(service, service.ingress, wanted)
        if isinstance(found, WhyNot):
            message = _TOLD_OF_HELD.get(found.word, found.message)
            reason = replace(found, message=message)
            self._cleared[service.key] = Cleared(addresses=service.ingress, reason=reason)
            return
        granted = Granted(addresses=service.ingress, pool=found.name, kept=True, reasons=mistakes)
        self._grant(service, granted)

    def serve(self, service: Service) -> None:
        """Give the Service an address, unless it kept what it has."""
        if service.key in self._verdicts:
            return
        request = read_request(service)
        if not service.cluster_addresses:
            self._refuse(service, _NO_CLUSTER_ADDRESS)
        elif isinstance(request, WhyNot):
            self._refuse(service, request)
        elif request.addresses:
            self._serve_addresses(service, request)
        elif request.pool is not None:
            self._serve_from_pool(service, request.pool)
        else:
            self._serve_from_any(service)

    def allocation(self) -> Allocation:
        """All that was decided."""
        used = dict.fromkeys(self._pools, 0)
        for address in self._holders:
            pool = self._free.pool_of(address)
            if pool is not None:
                used[pool.name] += 1
        return Allocation(verdicts=self._verdicts, released=frozenset(self._released), used=used)

    def _serve_addresses(self, service: Service, request: Request) -> None:
        found = self._allowed(service, request.addresses, request)
        if isinstance(found, WhyNot):
            self._refuse(service, found)
        else:
            self._grant(service, Granted(addresses=request.addresses, pool=found.name, kept=False))

    def _serve_from_pool(self, service: Service, name: PoolName) -> None:
        pool = self._pools.get(name)
        if pool is None:
            message = f'unknown pool "{name}"'
            self._refuse(service, WhyNot(word=Refusal.NO_SUCH_POOL, message=message, pool=name))
            return
        found = self._lowest(service, pool)
        if isinstance(found, WhyNot):
            self._refuse(service, found)
        else:
            self._grant(service, self._granted(service, found, pool, ()))

    def _serve_from_any(self, service: Service) -> None:
        version = service.cluster_addresses[0].version
        passed_over = self._passed_over.get(version, ())
        # What was full for one Service of a family is full for the next: nothing is given back meanwhile.
        for pool in self._order[len(passed_over) :]:
            found = self._lowest(service, pool) if pool.auto_assign else _not_automatic(pool)
            if not isinstance(found, WhyNot):
                self._grant(service, self._granted(service, found, pool, passed_over))
                return
            passed_over = self._passed_over[version] = (*passed_over, found)
        reason = WhyNot(word=Refusal.NO_FREE_ADDRESS, message="no available IPs")
        self._refuse(service, reason, passed_over)

    def _lowest(self, service: Service, pool: Pool) -> IPAddress | WhyNot:
        """The lowest free address of the Service's first family."""
        version = service.cluster_addresses[0].version
        address = self._free.lowest(pool, version)
        if address is not None:
            return address
        has_family = any(one.version == version for one in pool.ranges)
        word = Refusal.POOL_EXHAUSTED if has_family else Refusal.WRONG_FAMILY
        return WhyNot(word=word, message=f"no available IPs in pool {pool.name}", pool=pool.name)

    def _allowed(self, service: Service, addresses: tuple[IPAddress, ...], request: Request) -> Pool | WhyNot:
        """The pool that gives the Service exactly these addresses, or why it may not have them."""
        if (mismatch := _family_mismatch(service, addresses)) is not None:
            return mismatch
        told = quoted(addresses)
        pools = [self._free.pool_of(address) for address in addresses]
        pool = pools[0]
        if pool is None or any(other is not pool for other in pools):
            return WhyNot(word=Refusal.NOT_IN_ANY_POOL, message=f"{told} is not allowed in config")
        if request.pool not in (None, pool.name):
            asked = f"requested loadBalancer IP(s) {told}"
            message = f"{asked} is not compatible with requested address pool {request.pool}"
            return WhyNot(word=Refusal.OTHER_POOL_REQUESTED, message=message, pool=pool.name)
        if request.addresses and set(request.addresses) != set(addresses):
            return WhyNot(word=Refusal.OTHER_ADDRESS_REQUESTED, message=f"{told} was not requested")
        holders = {self._holders[address] for address in addresses if address in self._holders}
        if holders:
            told = ",".join(str(key) for key in sorted(holders))
            message = f'can\'t change sharing key for "{service.key}", address also in use by {told}'
            return WhyNot(word=Refusal.HELD_BY_ANOTHER, message=message, pool=pool.name)
        return pool

    def _granted(
        self, service: Service, address: IPAddress, pool: Pool, passed_over: tuple[WhyNot, ...]
    ) -> Granted:
        reasons = passed_over
        if len(service.cluster_addresses) > 1:
            message = f"a dual-stack Service gets its first family only: IPv{address.version}"
            reasons += (WhyNot(word=Refusal.SECOND_FAMILY_NOT_SERVED, message=message),)
        return Granted(addresses=(address,), pool=pool.name, kept=False, reasons=reasons)

    def _grant(self, service: Service, granted: Granted) -> None:
        for address in granted.addresses:
            self._take(address, service.key)
        self._verdicts[service.key] = replace(granted, cleared=self._cleared.get(service.key))

    def _refuse(self, service: Service, reason: WhyNot, passed_over: tuple[WhyNot, ...] = ()) -> None:
        cleared = self._cleared.get(service.key)
        self._verdicts[service.key] = Refused(reason=reason, cleared=cleared, reasons=passed_over)

    def _take(self, address: IPAddress, holder: ServiceKey) -> None:
        self._holders[address] = holder
        self._free.take(address)


_NO_CLUSTER_ADDRESS = WhyNot(word=Refusal.NO_CLUSTER_ADDRESS, message="the Service has no clusterIP")
_TOLD_OF_HELD: Mapping[Refusal, str] = {
    Refusal.OTHER_ADDRESS_REQUESTED: "user requested a different IP than the one currently assigned",
    Refusal.OTHER_POOL_REQUESTED: "user requested a different pool than the one currently assigned",
}
"""MetalLB's sentences where they differ from those about an address that is yet to be given."""


def _family_mismatch(service: Service, addresses: tuple[IPAddress, ...]) -> WhyNot | None:
    """At most one address of each family that the Service has."""
    if not service.cluster_addresses:
        return _NO_CLUSTER_ADDRESS
    families = {address.version for address in addresses}
    served = {address.version for address in service.cluster_addresses}
    if len(families) == len(addresses) and families <= served:
        return None
    message = f"requested loadBalancer IP(s) {quoted(addresses)} does not match the ipFamily of the service"
    return WhyNot(word=Refusal.WRONG_FAMILY, message=message)


def _not_automatic(pool: Pool) -> WhyNot:
    message = f"pool {pool.name} assigns no address by itself"
    return WhyNot(word=Refusal.AUTO_ASSIGN_OFF, message=message, pool=pool.name)
