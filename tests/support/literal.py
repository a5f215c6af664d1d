"""Allocation told as plainly as can be: it walks over every address of every pool, and remembers nothing.

An independent second reading of the rules, for small clusters; slow on purpose.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from bareway.decide.allocation.allocate import AllocationView
from bareway.decide.allocation.requests import read_request
from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.configuration import Pool, Reuse
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import FamilyPolicy, Service, TrafficPolicy, is_ours


@dataclass
class Outcome:
    """Of one Service."""

    addresses: tuple[IPAddress, ...] = ()
    lost: dict[IPAddress, Refusal] = field(default_factory=dict)
    refusal: Refusal | None = None
    """Where it has no address."""


class Literal:
    """One View, decided; read ``outcomes``."""

    def __init__(self, view: AllocationView) -> None:
        self.view = view
        self.holders: dict[IPAddress, list[Service]] = {}
        self.outcomes: dict[ServiceKey, Outcome] = {}
        load_balancers = [one for one in view.services if one.is_load_balancer]
        ours = [one for one in load_balancers if is_ours(one, view.load_balancer_class)]
        ours.sort(key=lambda one: (one.created_at, one.key))
        for one in load_balancers:
            if one not in ours and not (one.condition and any(self.pool(shown) for shown in one.ingress)):
                for address in {*one.ingress}:
                    self.holders.setdefault(address, []).append(one)
        self.strangers = [one for one in load_balancers if one not in ours]
        for one in ours:
            self.outcomes[one.key] = self.adopted(one)
        self.shown = {address: [*there] for address, there in self.holders.items()}
        for one in ours:
            self.serve(one)

    # ------------------------------------------------------------ pools

    def walk(self, pool: Pool, version: int) -> Iterator[IPAddress]:
        for one in pool.ranges:
            for number in range(int(one.first), int(one.last) + 1):
                address = ip_address(number)
                is_avoided = pool.avoid_buggy_ips and version == 4 and number % 256 in {0, 255}
                if one.version == version and not is_avoided:
                    yield address

    def pool(self, address: IPAddress) -> Pool | None:
        pools = self.view.configuration.pools
        return next((pool for pool in pools if address in self.walk(pool, address.version)), None)

    def pools(self) -> tuple[list[Pool], list[Pool]]:
        """Pinned ones, then all, in order."""
        pinned = [
            pool
            for pool in self.view.configuration.pools
            if pool.priority or pool.namespaces or pool.namespace_selectors or pool.service_selectors
        ]
        pinned.sort(key=lambda pool: pool.priority or 10**9)
        return pinned, pinned + [pool for pool in self.view.configuration.pools if pool not in pinned]

    def not_for(self, one: Service, pool: Pool, *, is_holder: bool = False) -> Refusal | None:
        """Why the pool is not for the Service; a holder has the benefit of the doubt."""
        namespace = one.key.namespace
        labels = self.view.namespaces.get(namespace)
        is_doubtful = is_holder and labels is None and bool(pool.namespace_selectors)
        everybody = not pool.namespaces and not pool.namespace_selectors
        selected = any(selector.matches(labels or {}) for selector in pool.namespace_selectors)
        if not (is_doubtful or everybody or namespace in pool.namespaces or selected):
            return Refusal.NAMESPACE_NOT_ALLOWED
        is_selected = any(selector.matches(one.labels) for selector in pool.service_selectors)
        return Refusal.SERVICE_NOT_SELECTED if pool.service_selectors and not is_selected else None

    def owners(self, address: IPAddress) -> set[ServiceKey]:
        return {
            key
            for pool in self.view.configuration.pools
            for key, addresses in pool.reserve.items()
            if address in addresses
        }

    # ------------------------------------------------------------ memory

    def is_quarantined(self, address: IPAddress) -> bool:
        return self.view.memory.quarantine.get(address, 0) > self.view.now

    def freed(self, address: IPAddress, pool: Pool) -> int | None:
        if pool.reuse is not Reuse.OLDEST:
            return None
        is_new = address in self.view.memory.holders
        return self.view.now if is_new else self.view.memory.freed.get(address)

    def waits_for(self, address: IPAddress, pool: Pool) -> ServiceKey | None:
        memory = self.view.memory
        if address in self.shown or not pool.hold_after_delete_s:
            return None
        hold = memory.holds.get(address)
        if address in memory.holders:
            name = memory.holders[address][0]
        elif hold is not None and hold.until > self.view.now:
            name = hold.service
        else:
            return None
        has_another = any(
            other.version == address.version and any(one.key == name for one in there)
            for other, there in self.shown.items()
        )
        return None if has_another else name

    # ------------------------------------------------------------ sharing, quota

    def conflict(self, one: Service, address: IPAddress, pool: Pool) -> Refusal | None:
        others = [other for other in self.holders.get(address, ()) if other.key != one.key]
        sharing = one.annotation("allow-shared-ip")
        if not others:
            return None
        if any(not sharing or self.sharing(other) != sharing for other in others):
            return Refusal.HELD_BY_ANOTHER
        if any(backends(other, pool) != backends(one, pool) for other in others):
            return Refusal.OTHER_BACKENDS
        taken = {(port.protocol, port.number) for other in others for port in other.ports}
        return Refusal.PORT_IN_USE if taken & {(port.protocol, port.number) for port in one.ports} else None

    def sharing(self, one: Service) -> str | None:
        return None if one in self.strangers else one.annotation("allow-shared-ip")

    def is_over_quota(self, one: Service, address: IPAddress | None, pool: Pool) -> bool:
        namespace = one.key.namespace
        limit = pool.quota.get(namespace, pool.quota.get("*"))
        held = {
            other
            for other, there in self.holders.items()
            if any(holder.key.namespace == namespace for holder in there) and self.pool(other) is pool
        }
        return limit is not None and address not in held and len(held) >= limit

    # ------------------------------------------------------------ what is shown

    def adopted(self, one: Service) -> Outcome:
        outcome = Outcome()
        for address in dict.fromkeys(one.ingress):
            refusal = self.not_kept(one, address, outcome.addresses)
            if refusal is None:
                outcome.addresses += (address,)
                self.holders.setdefault(address, []).append(one)
            else:
                outcome.lost[address] = refusal
        return outcome

    def not_kept(self, one: Service, address: IPAddress, kept: tuple[IPAddress, ...]) -> Refusal | None:
        families = [cluster.version for cluster in one.cluster_addresses]
        if (never := impossible(one)) is not None:
            return never
        if address.version not in families or address.version in [other.version for other in kept]:
            return Refusal.WRONG_FAMILY
        pool = self.pool(address)
        return (
            Refusal.NOT_IN_ANY_POOL if pool is None else next(self.reasons_to_lose(one, address, pool), None)
        )

    def reasons_to_lose(self, one: Service, address: IPAddress, pool: Pool) -> Iterator[Refusal]:
        wanted_addresses, asked_pool = asked(one)
        if asked_pool not in (None, pool.name):
            yield Refusal.OTHER_POOL_REQUESTED
        if wanted_addresses and address not in wanted_addresses:
            yield Refusal.OTHER_ADDRESS_REQUESTED
        if (not_for := self.not_for(one, pool, is_holder=True)) is not None:
            yield not_for
        owners = self.owners(address)
        if owners and one.key not in owners:
            yield Refusal.RESERVED
        if self.is_quarantined(address) and address not in wanted_addresses and one.key not in owners:
            yield Refusal.QUARANTINED
        if (conflict := self.conflict(one, address, pool)) is not None:
            yield conflict

    # ------------------------------------------------------------ what is given

    def serve(self, one: Service) -> None:
        outcome = self.outcomes[one.key]
        request = read_request(one)
        mistake = request.word if isinstance(request, WhyNot) else mismatch(one, request.addresses)
        if impossible(one) or mistake:
            outcome.refusal = None if outcome.addresses else impossible(one) or mistake
        elif asked(one)[0]:
            self.serve_request(one, outcome)
        else:
            self.serve_families(one, outcome)
        outcome.addresses = in_order(outcome.addresses, one.ingress)

    def serve_request(self, one: Service, outcome: Outcome) -> None:
        missing = [address for address in asked(one)[0] if address not in outcome.addresses]
        refusals = [refusal for address in missing if (refusal := self.not_given(one, address)) is not None]
        if refusals:
            outcome.refusal = None if outcome.addresses else refusals[0]
        else:
            self.give(one, outcome, missing)

    def not_given(self, one: Service, address: IPAddress) -> Refusal | None:
        pool = self.pool(address)
        return Refusal.NOT_IN_ANY_POOL if pool is None else next(self.reasons_not(one, address, pool), None)

    def reasons_not(self, one: Service, address: IPAddress, pool: Pool) -> Iterator[Refusal]:
        if asked(one)[1] not in (None, pool.name):
            yield Refusal.OTHER_POOL_REQUESTED
        if (not_for := self.not_for(one, pool)) is not None:
            yield not_for
        if self.owners(address) and one.key not in self.owners(address):
            yield Refusal.RESERVED
        if (conflict := self.conflict(one, address, pool)) is not None:
            yield conflict
        if address not in self.holders and self.waits_for(address, pool) not in (None, one.key):
            yield Refusal.ON_HOLD
        if self.is_over_quota(one, address, pool):
            yield Refusal.QUOTA_EXHAUSTED

    def serve_families(self, one: Service, outcome: Outcome) -> None:
        asked_pool = asked(one)[1]
        names = [pool.name for pool in self.view.configuration.pools]
        if asked_pool is not None and asked_pool not in names:
            outcome.refusal = None if outcome.addresses else Refusal.NO_SUCH_POOL
            return
        families = wanted(one)
        if outcome.addresses and one.family_policy is FamilyPolicy.SINGLE_STACK:
            return
        chosen: dict[int, IPAddress] = {address.version: address for address in outcome.addresses}
        for version in families:
            own = self.own(one, version) if version not in chosen else None
            if own is not None:
                chosen[version] = own
        best = self.search(one, [version for version in families if version not in chosen], chosen)
        is_required = one.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK and not outcome.addresses
        found = {**chosen, **best}
        if is_required and any(version not in found for version in families):
            found = {}
        self.give(one, outcome, [found[version] for version in families if version in found])
        if not outcome.addresses:
            outcome.refusal = self.word_of_none(
                one, [version for version in families if version not in chosen]
            )

    def word_of_none(self, one: Service, families: list[int]) -> Refusal:
        asked_pool = asked(one)[1]
        if asked_pool is None:
            return Refusal.NO_FREE_ADDRESS
        pool = next(pool for pool in self.view.configuration.pools if pool.name == asked_pool)
        if (not_for := self.not_for(one, pool)) is not None:
            return not_for
        for version in families:
            if all(one_range.version != version for one_range in pool.ranges):
                return Refusal.WRONG_FAMILY
            if self.next_in(one, pool, version) is None:
                is_over = self.is_over_quota(one, None, pool)
                return Refusal.QUOTA_EXHAUSTED if is_over else Refusal.POOL_EXHAUSTED
        raise AssertionError("something was to be had")

    def search(self, one: Service, missing: list[int], chosen: dict[int, IPAddress]) -> dict[int, IPAddress]:
        best: dict[int, IPAddress] = {}
        for pools in self.tiers(one, chosen):
            found = [
                {
                    version: address
                    for version in missing
                    if (address := self.next_in(one, pool, version)) is not None
                }
                for pool in pools
            ]
            whole = next((each for each in found if len(each) == len(missing)), None)
            if whole is not None:
                return whole
            best = {}
            for each in reversed(found):
                best.update(each)
            if len(best) == len(missing):
                return best
        return best

    def tiers(self, one: Service, chosen: dict[int, IPAddress]) -> list[list[Pool]]:
        asked_pool = asked(one)[1]
        if asked_pool is not None:
            named = [pool for pool in self.view.configuration.pools if pool.name == asked_pool]
            return [[pool for pool in named if self.not_for(one, pool) is None]]
        beside = [pool for address in chosen.values() if (pool := self.pool(address)) is not None]
        usable = [
            [pool for pool in pools if pool.auto_assign and self.not_for(one, pool) is None]
            for pools in self.pools()
        ]
        return [beside, *usable]

    def own(self, one: Service, version: int) -> IPAddress | None:
        for pool in self.view.configuration.pools:
            for address in pool.reserve.get(one.key, ()):
                if address.version == version and self.pool(address) and self.fits_own(one, address):
                    return address
        on_hold = [
            address
            for pool in self.view.configuration.pools
            for address in self.walk(pool, version)
            if self.waits_for(address, pool) == one.key
            and (pool.auto_assign or asked(one)[1] == pool.name)
            and not self.is_quarantined(address)
        ]
        return next((address for address in sorted(on_hold, key=int) if self.fits_own(one, address)), None)

    def fits_own(self, one: Service, address: IPAddress) -> bool:
        pool = self.pool(address)
        return (
            pool is not None
            and asked(one)[1] in (None, pool.name)
            and self.not_for(one, pool) is None
            and (not self.owners(address) or one.key in self.owners(address))
            and self.conflict(one, address, pool) is None
            and not self.is_over_quota(one, address, pool)
        )

    def next_in(self, one: Service, pool: Pool, version: int) -> IPAddress | None:
        """The lowest that is free or may be shared; in line by age where the pool says so."""
        order = [*self.walk(pool, version)]
        free = [
            address
            for address in order
            if address not in self.holders
            and not self.owners(address)
            and not self.is_quarantined(address)
            and self.waits_for(address, pool) is None
            and not self.is_over_quota(one, address, pool)
        ]
        free.sort(key=lambda address: (self.freed(address, pool) or -1, order.index(address)))
        joined = [
            address
            for address in order
            if address in self.holders
            and not self.is_quarantined(address)
            and (not self.owners(address) or one.key in self.owners(address))
            and self.conflict(one, address, pool) is None
            and not self.is_over_quota(one, address, pool)
        ]
        return min([*free[:1], *joined[:1]], key=order.index, default=None)

    def give(self, one: Service, outcome: Outcome, addresses: Iterable[IPAddress]) -> None:
        for address in addresses:
            if address not in outcome.addresses:
                outcome.addresses += (address,)
                self.holders.setdefault(address, []).append(one)


def impossible(one: Service) -> Refusal | None:
    if not one.cluster_addresses:
        return Refusal.NO_CLUSTER_ADDRESS
    families = {address.version for address in one.cluster_addresses}
    is_required = one.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK
    return Refusal.NOT_DUAL_STACK if is_required and len(families) == 1 else None


def wanted(one: Service) -> tuple[int, ...]:
    families = [address.version for address in one.cluster_addresses]
    return tuple(families[:1] if one.family_policy is FamilyPolicy.SINGLE_STACK else families)


def mismatch(one: Service, addresses: tuple[IPAddress, ...]) -> Refusal | None:
    asked_for = {address.version for address in addresses}
    families = {address.version for address in one.cluster_addresses}
    if not asked_for:
        return None
    is_required = one.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK
    return Refusal.WRONG_FAMILY if asked_for - families or (is_required and asked_for != families) else None


def asked(one: Service) -> tuple[tuple[IPAddress, ...], str | None]:
    """Addresses and pool; nothing where there is a mistake."""
    request = read_request(one)
    if isinstance(request, WhyNot) or mismatch(one, request.addresses):
        return (), None
    return request.addresses, request.pool


def backends(one: Service, pool: Pool) -> object:
    if one.traffic_policy is TrafficPolicy.CLUSTER:
        return ()
    return "any" if pool.share_local else one.selector


def in_order(addresses: tuple[IPAddress, ...], shown: tuple[IPAddress, ...]) -> tuple[IPAddress, ...]:
    if sorted(addresses, key=str) == sorted({*shown}, key=str):
        return tuple(dict.fromkeys(shown))
    return tuple(sorted(addresses, key=lambda address: address.version))
