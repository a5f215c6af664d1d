"""Which addresses a Service gets beside those that it keeps, or why none.

What it asks for by name is given as a whole or not at all. Otherwise, for each family: an address reserved
for it; one that waits for it; then the pool that it asks for, or the first pool in order that has both
families, or for each family the first that has it, pinned pools before others. A second family that is only
preferred, or that a Service lacks that holds the first one, may be missing: that takes nothing away.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bareway.decide.allocation.adopt import Claimant, Place, not_in_any_pool, not_requested
from bareway.decide.allocation.ledger import Ledger
from bareway.decide.allocation.pools import Choice, Kind, Pools
from bareway.decide.allocation.stock import Stock
from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.configuration import Pool
from bareway.model.names import IPAddress, PoolName
from bareway.model.services import FamilyPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is given, which may be nothing."""

    places: tuple[Place, ...] = ()
    refusal: WhyNot | None = None
    """Why something is missing; None = nothing is."""
    reasons: tuple[WhyNot, ...] = ()
    """Why each pool was passed over, or each requested address is not given."""
    wake_at: int | None = None
    """When something ends that would help, where something is missing."""


class Chooser:
    """Chooses by the present state, and changes nothing in it."""

    def __init__(
        self, pools: Pools, stock: Stock, ledger: Ledger, is_quarantined: Callable[[IPAddress], bool]
    ) -> None:
        self._pools = pools
        self._stock = stock
        self._ledger = ledger
        self._is_quarantined = is_quarantined
        self._passed: dict[tuple[Kind, int], tuple[int, tuple[WhyNot, ...]]] = {}
        self._told: dict[tuple[PoolName, int, Refusal], WhyNot] = {}  # the same for every Service

    def choose(self, one: Claimant) -> Chosen:
        """For a Service that can have addresses and asks without mistake."""
        if one.request.addresses:
            return self._requested(one)
        if one.request.pool is not None and one.request.pool not in self._pools.by_name:
            name = one.request.pool
            return Chosen(
                refusal=WhyNot(word=Refusal.NO_SUCH_POOL, message=f'unknown pool "{name}"', pool=name)
            )
        if len(one.families) == 1 and not self._stock.has_own(one.tenant.key):
            return self._one_family(one, one.families[0])
        return self._families(one, one.families)

    def _requested(self, one: Claimant) -> Chosen:
        """All of them, or none."""
        missing = tuple(address for address in one.request.addresses if not one.keeps(address))
        judged = [(address, self._pool_of_requested(one, address)) for address in missing]
        reasons = tuple(reason for _, reason in judged if isinstance(reason, WhyNot))
        if not reasons:
            return Chosen(
                places=tuple(Place(address, pool) for address, pool in judged if isinstance(pool, Pool))
            )
        on_hold = (reason.address for reason in reasons if reason.word is Refusal.ON_HOLD)
        ends = (self._stock.hold_ends(address) for address in on_hold if address is not None)
        return Chosen(refusal=reasons[0], reasons=reasons, wake_at=earliest(ends))

    def _pool_of_requested(self, one: Claimant, address: IPAddress) -> Pool | WhyNot:
        pool = self._stock.free.pool_of(address)
        if pool is None:
            return not_in_any_pool(address)
        key = one.tenant.key
        return (
            not_requested(one.request, address, pool)
            or self._pools.choice(one.service).refusals.get(pool.name)
            or self._stock.not_reserved(key, address, pool)
            or self._ledger.conflict(one.tenant, address, pool)
            or (None if self._ledger.tenants(address) else self._stock.not_on_hold(key, address, pool))
            or self._ledger.over_quota(one.tenant, pool, address)
            or pool
        )

    def _one_family(self, one: Claimant, version: int) -> Chosen:
        """Nothing is kept back for this Service: by far the most frequent case."""
        choice = self._pools.choice(one.service)
        is_alike = one.request.pool is None and not one.tenant.sharing_key
        reasons = self._exhausted(choice, version) if is_alike else ()
        for pool in self._to_judge(one)[len(reasons) :]:
            found = self._allowed(one, choice, pool, version)
            if not isinstance(found, WhyNot):
                return Chosen(places=(Place(found, pool),), reasons=reasons)
            reasons = (*reasons, found)
            if is_alike:
                self._passed[choice.kind, version] = self._stock.revision, reasons
        return self._missing(one, (version,), reasons)

    def _exhausted(self, choice: Choice, version: int) -> tuple[WhyNot, ...]:
        """Why not from the first pools: what has nothing for one Service has nothing for the next like it."""
        revision, reasons = self._passed.get((choice.kind, version), (0, ()))
        return reasons if revision == self._stock.revision else ()

    def _families(self, one: Claimant, families: tuple[int, ...]) -> Chosen:
        chosen: dict[int, Place] = {place.address.version: place for place in one.kept}
        for version in families:
            own = self._own(one, version) if version not in chosen else None
            if own is not None:
                chosen[version] = own
        is_required = one.service.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK and not one.kept
        partial: Mapping[int, Place] = {}
        for pools in self._tiers(one, tuple(chosen.values())):
            partial = self._found(one, pools, [version for version in families if version not in chosen])
            if all(version in chosen or version in partial for version in families):
                break
        if not is_required or all(version in chosen or version in partial for version in families):
            chosen.update(partial)
        return self._chosen(one, families, chosen, is_required=is_required)

    def _chosen(
        self, one: Claimant, families: tuple[int, ...], chosen: Mapping[int, Place], *, is_required: bool
    ) -> Chosen:
        """What of it is given, and what there is to say."""
        given = tuple(place for place in chosen.values() if place not in one.kept)
        missing = tuple(version for version in families if version not in chosen)
        if not missing:
            sought = tuple(place.address.version for place in given)
            return Chosen(places=given, reasons=self._passed_over(one, sought, given))
        reasons = self._passed_over(one, missing, ())
        if is_required or not chosen:
            return self._missing(one, missing, reasons)
        message = f"no available IPs of the second family, IPv{missing[0]}"
        return Chosen(
            places=given,
            refusal=WhyNot(word=Refusal.SECOND_FAMILY_NOT_SERVED, message=message),
            reasons=reasons,
            wake_at=self._wake_at(one, missing),
        )

    def _found(self, one: Claimant, pools: tuple[Pool, ...], missing: list[int]) -> Mapping[int, Place]:
        """All that is missing from the first pool that has all, or each family from the first that has it."""
        first: dict[int, Place] = {}
        for pool in pools if missing else ():
            found = {
                version: Place(address, pool)
                for version in missing
                if not isinstance(address := self._in_pool(one, pool, version), WhyNot)
            }
            if len(found) == len(missing):
                return found
            first = {**found, **first}
        return first

    def _tiers(self, one: Claimant, chosen: tuple[Place, ...]) -> Iterator[tuple[Pool, ...]]:
        """Groups of pools to look at, one after the other; the last one is all of them."""
        choice = self._pools.choice(one.service)
        if one.request.pool is not None:
            yield () if one.request.pool in choice.refusals else (self._pools.by_name[one.request.pool],)
            return
        if chosen:
            yield tuple(place.pool for place in chosen)
        yield from choice.tiers

    def _own(self, one: Claimant, version: int) -> Place | None:
        """An address that is reserved for the Service, or waits for it."""
        choice = self._pools.choice(one.service)
        for address in self._stock.reserved_for(one.tenant.key):
            pool = self._pool_of_own(one, choice, address)
            if pool is not None and address.version == version:
                return Place(address, pool)
        for address in self._stock.on_hold_for(one.tenant.key):
            pool = self._pool_of_own(one, choice, address)
            if pool is None or address.version != version or self._is_quarantined(address):
                continue
            if self._manual(one, choice, pool) is None:
                return Place(address, pool)
        return None

    def _pool_of_own(self, one: Claimant, choice: Choice, address: IPAddress) -> Pool | None:
        """None if something else keeps it from the Service."""
        pool = self._stock.free.pool_of(address)
        if pool is None or one.request.pool not in (None, pool.name):
            return None
        refusal = (
            choice.refusals.get(pool.name)
            or self._stock.not_reserved(one.tenant.key, address, pool)
            or self._ledger.conflict(one.tenant, address, pool)
            or self._ledger.over_quota(one.tenant, pool, address)
        )
        return pool if refusal is None else None

    def _allowed(self, one: Claimant, choice: Choice, pool: Pool, version: int) -> IPAddress | WhyNot:
        refusal = choice.refusals.get(pool.name) or self._manual(one, choice, pool)
        return refusal or self._in_pool(one, pool, version)

    def _in_pool(self, one: Claimant, pool: Pool, version: int) -> IPAddress | WhyNot:
        """The pool's next address, or a lower one that the Service may share."""
        if not self._stock.free.has_family(pool, version):
            return self._tell(pool, version, Refusal.WRONG_FAMILY)
        over_quota = self._ledger.over_quota(one.tenant, pool)
        free = None if over_quota is not None else self._stock.next_free(pool, version)
        if one.tenant.sharing_key:
            shared = self._shared(one, pool, version, free)
            if shared is not None:
                return shared
        if free is not None:
            return free
        return over_quota or self._tell(pool, version, Refusal.POOL_EXHAUSTED)

    def _shared(self, one: Claimant, pool: Pool, version: int, free: IPAddress | None) -> IPAddress | None:
        """The first address that the Service may join, if it comes before ``free``."""
        end = None if free is None else self._stock.free.position(free)
        for position, address in self._ledger.joinable(one.tenant, pool, version):
            if end is not None and position > end:
                break
            if (
                self._stock.not_reserved(one.tenant.key, address, pool) is None
                and self._ledger.over_quota(one.tenant, pool, address) is None
                and not self._is_quarantined(address)
            ):
                return address
        return None

    def _missing(self, one: Claimant, versions: tuple[int, ...], reasons: tuple[WhyNot, ...]) -> Chosen:
        wake_at = self._wake_at(one, versions)
        name = one.request.pool
        if name is None:
            refusal = WhyNot(word=Refusal.NO_FREE_ADDRESS, message="no available IPs")
        elif len(one.families) > 1 and name not in self._pools.choice(one.service).refusals:
            message = f"no available IPs in pool {name} for dual IPFamily"
            refusal = WhyNot(word=reasons[0].word, message=message, pool=name)
        else:
            return Chosen(refusal=reasons[0], wake_at=wake_at)
        return Chosen(refusal=refusal, reasons=reasons, wake_at=wake_at)

    def _passed_over(
        self, one: Claimant, versions: tuple[int, ...], given: tuple[Place, ...]
    ) -> tuple[WhyNot, ...]:
        """Why not from each pool that comes before the last one used; of all, where nothing is given."""
        used = {place.pool.name for place in given}
        choice = self._pools.choice(one.service)
        reasons: list[WhyNot] = []
        for pool in self._to_judge(one):
            if pool.name in used:
                used.discard(pool.name)
                if not used:
                    break
                continue
            found = (self._allowed(one, choice, pool, version) for version in versions)
            reasons += [reason for reason in found if isinstance(reason, WhyNot)]
        return tuple(dict.fromkeys(reasons))

    def _to_judge(self, one: Claimant) -> tuple[Pool, ...]:
        return self._pools.order if one.request.pool is None else (self._pools.by_name[one.request.pool],)

    def _manual(self, one: Claimant, choice: Choice, pool: Pool) -> WhyNot | None:
        return None if one.request.pool is not None else choice.manual.get(pool.name)

    def _wake_at(self, one: Claimant, versions: tuple[int, ...]) -> int | None:
        choice = self._pools.choice(one.service)
        return earliest(
            self._stock.earliest_end(pool, version)
            for pool in self._to_judge(one)
            if pool.name not in choice.refusals and self._manual(one, choice, pool) is None
            for version in versions
        )

    def _tell(self, pool: Pool, version: int, word: Refusal) -> WhyNot:
        found = self._told.get((pool.name, version, word))
        if found is None:
            message = f"no available IPs in pool {pool.name}"
            if word is Refusal.WRONG_FAMILY:
                message += f": it has no IPv{version} addresses"
            found = WhyNot(word=word, message=message, pool=pool.name)
            self._told[pool.name, version, word] = found
        return found


def earliest(times: Iterable[int | None]) -> int | None:
    """The lowest of those that there are."""
    return min((one for one in times if one is not None), default=None)
