"""What a Service keeps of the addresses that it shows: each for itself, or the reason why not.

It keeps what its pool, its family, its own request and those that share the address still allow, also in a
pool that assigns nothing by itself. Neither a quota nor a hold takes an address away, nor a mistake in the
request, nor labels of a Namespace that are not known yet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from bareway.decide.allocation.ledger import Ledger
from bareway.decide.allocation.pools import Pools
from bareway.decide.allocation.requests import (
    NOTHING_ASKED,
    Request,
    impossible,
    mismatch,
    quoted,
    read_request,
    wanted_families,
    wrong_family,
)
from bareway.decide.allocation.sharing import Tenant, tenant
from bareway.decide.allocation.stock import Stock
from bareway.decide.allocation.verdicts import Cleared, Refusal, WhyNot
from bareway.model.configuration import Pool
from bareway.model.names import IPAddress
from bareway.model.services import Service


class Place(NamedTuple):
    """An address, and the pool that gives it."""

    address: IPAddress
    pool: Pool


@dataclass(slots=True)
class Claimant:  # not frozen: it is the allocator's own, and there is one of each Service
    """A Service that asks us for addresses, and what it has of them."""

    service: Service
    tenant: Tenant
    request: Request
    """Empty where there is a mistake in it."""
    mistake: WhyNot | None
    never: WhyNot | None
    """Why it can get nothing at all."""
    families: tuple[int, ...]
    """That it wants."""
    kept: tuple[Place, ...] = ()
    """In the order in which they are shown."""
    cleared: Cleared | None = None
    given: tuple[Place, ...] = ()
    """Beside those that are kept; not shown yet."""

    def keeps(self, address: IPAddress) -> bool:
        """Whether it keeps just this one."""
        return any(place.address == address for place in self.kept)

    def keeps_of(self, version: int) -> bool:
        """Whether it keeps one of that family."""
        return any(place.address.version == version for place in self.kept)


def claimant(service: Service) -> Claimant:
    """What the Service asks for."""
    request = read_request(service)
    if isinstance(request, Request):
        unserved = mismatch(service, request.addresses) if request.addresses else None
        if unserved is not None:
            request = unserved
    return Claimant(
        service,
        tenant(service),
        request=request if isinstance(request, Request) else NOTHING_ASKED,
        mistake=request if isinstance(request, WhyNot) else None,
        never=impossible(service),
        families=wanted_families(service),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """The state that decides what is kept."""

    pools: Pools
    stock: Stock
    ledger: Ledger
    is_quarantined: Callable[[IPAddress], bool]

    def adopt(self, one: Claimant) -> None:
        """Let the Service keep what it may; older ones come first."""
        one.kept, one.cleared = (), None
        lost: list[tuple[IPAddress, WhyNot]] = []
        for address in dict.fromkeys(one.service.ingress):
            pool = self._pool_of_kept(one, address)
            if isinstance(pool, WhyNot):
                lost.append((address, _as_of_held(pool)))
            else:
                self.ledger.add(one.tenant, address, pool)
                one.kept += (Place(address, pool),)
        if lost:
            one.cleared = Cleared(
                addresses=tuple(address for address, _ in lost), reasons=tuple(reason for _, reason in lost)
            )

    def _pool_of_kept(self, one: Claimant, address: IPAddress) -> Pool | WhyNot:
        if one.never is not None:
            return one.never
        if self._is_of_no_use(one, address):
            return replace(wrong_family((address,)), address=address)
        pool = self.stock.free.pool_of(address)
        if pool is None:
            return not_in_any_pool(address)
        return next(self._refusals(one, address, pool), pool)

    def _refusals(self, one: Claimant, address: IPAddress, pool: Pool) -> Iterator[WhyNot]:
        if (other := not_requested(one.request, address, pool)) is not None:
            yield other
        if (refusal := self.pools.not_for_holder(one.service, pool)) is not None:
            yield refusal
        if (reserved := self.stock.not_reserved(one.tenant.key, address, pool)) is not None:
            yield reserved
        if self.is_quarantined(address) and not self._is_by_name(one, address):
            message = f'something else answers for "{address}"'
            yield WhyNot(word=Refusal.QUARANTINED, message=message, pool=pool.name, address=address)
        if (conflict := self.ledger.conflict(one.tenant, address, pool)) is not None:
            yield conflict

    def _is_by_name(self, one: Claimant, address: IPAddress) -> bool:
        """Somebody wants this one and no other: asked for, or reserved."""
        return address in one.request.addresses or address in self.stock.reserved_for(one.tenant.key)

    def _is_of_no_use(self, one: Claimant, address: IPAddress) -> bool:
        """A family that the Service lacks, or has an address of already."""
        served = any(cluster.version == address.version for cluster in one.service.cluster_addresses)
        return not served or one.keeps_of(address.version)


def not_in_any_pool(address: IPAddress) -> WhyNot:
    """No pool allows it."""
    message = f"{quoted((address,))} is not allowed in config"
    return WhyNot(word=Refusal.NOT_IN_ANY_POOL, message=message, address=address)


def not_requested(request: Request, address: IPAddress, pool: Pool) -> WhyNot | None:
    """Why the Service's own request excludes the address."""
    if request.pool not in (None, pool.name):
        asked = f"requested loadBalancer IP(s) {quoted((address,))}"
        message = f"{asked} is not compatible with requested address pool {request.pool}"
        return WhyNot(word=Refusal.OTHER_POOL_REQUESTED, message=message, pool=pool.name, address=address)
    if request.addresses and address not in request.addresses:
        message = f"{quoted((address,))} was not requested"
        return WhyNot(word=Refusal.OTHER_ADDRESS_REQUESTED, message=message, address=address)
    return None


def _as_of_held(reason: WhyNot) -> WhyNot:
    """MetalLB's sentences where they differ from those about an address that is yet to be given."""
    match reason.word:
        case Refusal.OTHER_ADDRESS_REQUESTED:
            return replace(reason, message="user requested a different IP than the one currently assigned")
        case Refusal.OTHER_POOL_REQUESTED:
            return replace(reason, message="user requested a different pool than the one currently assigned")
        case _:
            return reason
