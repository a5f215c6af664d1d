"""The arithmetic of the controller's measures: what is counted, what is promised, what does not count."""

from collections import Counter

import pytest

from bench.controller.allocation import measure_decision
from bench.controller.change import Replacement, Single
from bench.controller.creation import Creation, Writes, written
from bench.controller.figures import Spread, spread
from bench.controller.measures import Measures
from bench.controller.servers import Request, counted
from bench.controller.start import Restart, Start, Starts
from bench.controller.takeover import Takeover
from bench.controller.targets import rows

METRICS = """\
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="services",scope="resource",subresource="status",verb="PATCH"} 990
apiserver_request_total{code="409",resource="services",scope="resource",subresource="status",verb="PATCH"} 10
apiserver_request_total{code="200",resource="services",scope="resource",subresource="status",verb="APPLY"} 1
apiserver_request_total{code="201",resource="events",scope="resource",subresource="",verb="POST"} 1.2e+03
apiserver_request_total{code="200",resource="services",scope="cluster",subresource="",verb="LIST"} 4
apiserver_request_total{code="201",resource="tokenreviews",scope="cluster",subresource="",verb="POST"} 7
apiserver_request_duration_seconds_count{resource="services",subresource="status",verb="PATCH"} 5
"""
NO_WRITES = Writes(status=0, events=0, others=0, leases=0, each={})


def test_the_writes_of_an_api_server_are_counted_whatever_came_of_them() -> None:
    assert counted(METRICS) == {Request("PATCH", "services/status"): 1001, Request("POST", "events"): 1200}


def test_what_people_write_is_not_counted_as_the_controllers() -> None:
    before = Counter({Request("POST", "services"): 3, Request("PUT", "configmaps"): 1})
    after = before + Counter(
        {
            Request("POST", "services"): 10,
            Request("PATCH", "services/status"): 10,
            Request("POST", "events"): 9,
            Request("PATCH", "events"): 1,
            Request("PUT", "configmaps"): 2,
            Request("PATCH", "leases"): 30,
        }
    )
    found = written(before, after)
    assert (found.status, found.events, found.others, found.leases) == (10, 10, 2, 30)
    assert found.each == {
        "PATCH events": 1,
        "PATCH services/status": 10,
        "POST events": 9,
        "PUT configmaps": 2,
    }


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(1, Spread(p50=1.0, p99=1.0, max=1.0, count=1), id="one"),
        pytest.param(100, Spread(p50=50.0, p99=99.0, max=100.0, count=100), id="a hundred"),
    ],
)
def test_middle_and_tail_are_values_that_were_measured(count: int, expected: Spread) -> None:
    assert spread([float(number) for number in range(count, 0, -1)]) == expected


def test_every_promise_is_kept_by_measures_that_keep_it() -> None:
    told = rows(measures())
    assert [row.what for row in told if not row.is_met] == []
    assert len(told) == len({row.what for row in told})


def test_a_promise_that_is_not_kept_is_named() -> None:
    missed = [row for row in rows(measures(lag_s=0.6, single_p99_s=0.051)) if not row.is_met]
    assert [row.what for row in missed] == [
        "created while running: lag of the last address, s",
        "a single Service: p99 above the API's own, s",
    ]
    assert all("MISSED" in str(row) for row in missed)


def test_creations_that_came_too_slowly_prove_nothing() -> None:
    told = {row.what: row.is_met for row in rows(measures(rate_per_s=129.0))}
    assert not told["created while running: lag of the last address, s"]


def test_the_decision_is_measured_by_services_that_all_have_an_address() -> None:
    found = measure_decision(60, 3)
    assert (found.services, found.one_more_s.count, found.one_less_s.count) == (60, 200, 200)
    assert min(found.all_s, found.all_named_s, found.again_s) >= 0


def measures(*, lag_s: float = 0.4, rate_per_s: float = 200.0, single_p99_s: float = 0.04) -> Measures:
    """What keeps every promise, unless told otherwise."""
    short = Spread(p50=0.0005, p99=single_p99_s, max=1.0, count=100)
    some, many = (starts(1_000, last_s=1.9, pss_mb=59), starts(5_000, last_s=7.9, pss_mb=74))
    creation = Creation(
        services=1_000,
        rate_per_s=rate_per_s,
        lag_s=lag_s,
        writes=Writes(status=1_000, events=1_000, others=20, leases=99, each={}),
        told_s=20.0,
        cpu_s=2.0,
        load=1.0,
    )
    return Measures(
        decision=[measure_decision(20, 2)],
        creation=[creation],
        starts_of_some=[some],
        starts_of_many=[many],
        replacement=[Replacement(services=1_000, replaced=100, rate_per_s=300.0, waited_s=short, load=1.0)],
        single=[Single(services=100, created_to_address_s=short, own_write_s=short, above_s=short, load=1.0)],
        takeover=[
            Takeover(end="crash", services=1_000, served_s=4.9, load=1.0),
            Takeover(end="clean stop", services=1_000, served_s=0.4, load=1.0),
        ],
    )


def starts(services: int, *, last_s: float, pss_mb: float) -> Starts:
    start = Start(
        services=services,
        first_status_s=1.0,
        last_status_s=last_s,
        status_cpu_s=2.0,
        cpu_s=4.9,
        told_s=100.0,
        writes=NO_WRITES,
        pss_mb=pss_mb,
        load=1.0,
    )
    again = Restart(services=services, settled_s=1.9, writes=NO_WRITES, cpu_s=1.0, pss_mb=pss_mb, load=1.0)
    return Starts(start=start, restart=again)
