"""How full pools are: by the leader's count, or by what Services show."""

from dataclasses import replace

from bareway.decide.answers.pools import PoolView, full, pools_of
from bareway.model.cluster import Cluster
from bareway.model.names import PoolName
from bareway.model.status import ControllerStatus, PoolStatus
from support.builders import configuration, pool, service
from support.statuses import controller_status

PUBLIC, INNER = PoolName("public"), PoolName("inner")
CONFIGURATION = configuration(pool("public", "192.0.2.0/30", "2001:db8::/126"), pool("inner", "10.0.0.0/24"))


def counting(used: int, name: PoolName = PUBLIC, *, leads: bool = True) -> ControllerStatus:
    counted = (PoolStatus(name=name, total=8, used=used, total_ipv6=4, used_ipv6=1),)
    return replace(controller_status(pools=counted), leads=leads, identity=f"c{used}")


def services(*addresses: str, is_load_balancer: bool = True) -> Cluster:
    found = [
        service(f"shop/s{number}", ingress=[address], is_load_balancer=is_load_balancer)
        for number, address in enumerate(addresses)
    ]
    return Cluster(configuration=CONFIGURATION, services={one.key: one for one in found})


def used(cluster: Cluster) -> list[tuple[int | None, int | None]]:
    return [(one.used, one.used_ipv6) for one in pools_of(cluster)]


def test_the_leaders_count_is_taken_before_that_of_one_that_stands_by() -> None:
    cluster = Cluster(configuration=CONFIGURATION, controllers=(counting(3, leads=False), counting(5)))
    public, inner = pools_of(cluster)
    assert (public.total, public.used, public.free, public.is_counted_by_leader) == (8, 5, 3, True)
    assert (inner.name, inner.is_counted_by_leader, inner.used) == (INNER, False, None)


def test_without_a_count_the_addresses_that_services_show_are_counted_each_once() -> None:
    cluster = services("192.0.2.1", "192.0.2.1", "2001:db8::1", "10.0.0.9", "203.0.113.1")
    assert used(cluster) == [(2, 1), (1, 0)]
    assert [one.total for one in pools_of(cluster)] == [8, 256]
    assert [one.total_ipv6 for one in pools_of(cluster)] == [4, 0]


def test_services_that_are_no_load_balancers_use_nothing() -> None:
    assert used(services("192.0.2.1", is_load_balancer=False)) == [(0, 0), (0, 0)]


def test_without_services_and_count_nobody_knows() -> None:
    assert used(Cluster(configuration=CONFIGURATION)) == [(None, None), (None, None)]
    assert pools_of(Cluster(configuration=CONFIGURATION))[0].free is None


def test_without_a_configuration_the_leader_names_the_pools() -> None:
    (only,) = pools_of(Cluster(controllers=(counting(5),)))
    assert (only.name, only.protocol, only.ranges, only.used) == (PUBLIC, "", (), 5)


def test_a_pool_that_the_leader_has_and_the_document_no_longer_has_comes_last() -> None:
    cluster = Cluster(configuration=CONFIGURATION, controllers=(counting(1, PoolName("old")),))
    assert [one.name for one in pools_of(cluster)] == ["public", "inner", "old"]


def test_full_is_what_has_addresses_and_none_left() -> None:
    def view(name: str, total: int | None, used: int | None) -> PoolView:
        return PoolView(name=PoolName(name), total=total, used=used)

    pools = [view("a", 4, 4), view("b", 4, 3), view("c", 0, 0), view("d", None, None), view("e", 4, None)]
    assert full(pools) == ("a",)


def test_nothing_is_nothing() -> None:
    assert pools_of(Cluster()) == ()
