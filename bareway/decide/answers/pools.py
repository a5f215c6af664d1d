"""How full each pool is, from what the leader counts, or else from the addresses that Services show."""

from collections.abc import Iterable
from dataclasses import dataclass

from bareway.decide.allocation.free import usable_count
from bareway.model.cluster import Cluster
from bareway.model.configuration import Pool
from bareway.model.names import PoolName
from bareway.model.status import PoolStatus

IPV6 = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """One pool, as the configuration in force has it and as it is used."""

    name: PoolName
    protocol: str = ""
    """Empty where the configuration is not known."""
    ranges: tuple[str, ...] = ()
    auto_assign: bool = True
    priority: int = 0
    total: int | None = None
    """None = could not be found out; for these four alike."""
    used: int | None = None
    total_ipv6: int | None = None
    used_ipv6: int | None = None
    is_counted_by_leader: bool = False
    """Else by what Services show, which knows nothing of addresses that are held or in quarantine."""

    @property
    def free(self) -> int | None:
        """What is left."""
        return None if self.total is None or self.used is None else self.total - self.used


def pools_of(cluster: Cluster) -> tuple[PoolView, ...]:
    """Every pool, in the order of the document; those that only a controller names come last."""
    counted = {one.name: one for one in _counts(cluster)}
    configured = cluster.configuration.pools if cluster.configuration is not None else ()
    known = {pool.name for pool in configured}
    views = [_configured(pool, counted.get(pool.name), cluster) for pool in configured]
    views += [_only_counted(one) for name, one in counted.items() if name not in known]
    return tuple(views)


def _counts(cluster: Cluster) -> tuple[PoolStatus, ...]:
    """The leader's; one that stands by may have some too, and they are older."""
    ordered = sorted(cluster.controllers, key=lambda one: (not one.leads, one.identity))
    return next((one.pools for one in ordered if one.pools), ())


def _configured(pool: Pool, counted: PoolStatus | None, cluster: Cluster) -> PoolView:
    used, used_ipv6 = _shown(pool, cluster)
    return PoolView(
        name=pool.name,
        protocol=pool.protocol,
        ranges=tuple(map(str, pool.ranges)),
        auto_assign=pool.auto_assign,
        priority=pool.priority,
        total=counted.total if counted else usable_count(pool),
        used=counted.used if counted else used,
        total_ipv6=counted.total_ipv6 if counted else usable_count(pool, IPV6),
        used_ipv6=counted.used_ipv6 if counted else used_ipv6,
        is_counted_by_leader=counted is not None,
    )


def _shown(pool: Pool, cluster: Cluster) -> tuple[int | None, int | None]:
    """Addresses of the pool that Services show; None where the Services are not known."""
    if not cluster.services:
        return None, None
    shown = {
        address
        for service in cluster.services.values()
        if service.is_load_balancer
        for address in service.ingress
        if any(address in one for one in pool.ranges)
    }
    return len(shown), sum(address.version == IPV6 for address in shown)


def _only_counted(counted: PoolStatus) -> PoolView:
    return PoolView(
        name=counted.name,
        total=counted.total,
        used=counted.used,
        total_ipv6=counted.total_ipv6,
        used_ipv6=counted.used_ipv6,
        is_counted_by_leader=True,
    )


def full(pools: Iterable[PoolView]) -> tuple[PoolName, ...]:
    """Those with nothing left."""
    return tuple(one.name for one in pools if one.free == 0 and one.total)
