"""The controller's measures in small, on the embedded API server: whether they count right, not how fast."""

import pytest

from bench.controller.change import measure_replacement, measure_single
from bench.controller.creation import measure_creation
from bench.controller.servers import embedded
from bench.controller.start import measure_starts
from bench.controller.takeover import measure_takeovers

pytestmark = pytest.mark.slow

FEW = 12


async def test_one_status_and_one_event_are_written_for_each_service_that_is_created() -> None:
    found = await measure_creation(embedded, FEW)
    assert (found.writes.status, found.writes.events) == (FEW, FEW)
    assert found.writes.others <= 20
    assert found.cpu_s > 0


async def test_a_start_writes_each_service_once_and_a_restart_none() -> None:
    found = await measure_starts(embedded, FEW)
    assert found.start.writes.status == FEW
    assert found.start.writes.each["POST events"] == FEW + 1  # and one on the configuration
    assert (found.restart.writes.status, found.restart.writes.events) == (0, 0)
    assert 0 < found.start.first_status_s <= found.start.last_status_s < found.start.told_s
    assert min(found.start.pss_mb, found.restart.pss_mb, found.restart.settled_s) > 0


async def test_only_the_new_ones_of_those_replaced_are_waited_for() -> None:
    found = await measure_replacement(embedded, FEW, 5)
    assert found.waited_s.count == 5
    assert found.waited_s.p50 > 0


async def test_each_single_service_is_waited_for() -> None:
    found = await measure_single(embedded, 3)
    assert (found.created_to_address_s.count, found.own_write_s.count) == (3, 3)
    assert found.own_write_s.p50 > 0
    assert found.above_s.max == pytest.approx(found.created_to_address_s.max - found.own_write_s.p50)


async def test_who_stands_by_serves_what_comes_after_the_end_of_the_leader() -> None:
    (found,) = await measure_takeovers(embedded, FEW, ["clean stop"])
    assert (found.end, found.services) == ("clean stop", FEW)
    assert found.served_s > 0
