"""What the bench measures with thousands of addresses, in short: who answers, and what is written."""

import time
from collections.abc import Iterator

import pytest

from lab.machine import Machine
from lab.multitude import FIRST, Multitude, Wire, addresses_of
from lab.network import Lab
from lab.waiting import pause, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.crowd, pytest.mark.timeout(240)]
BOTH = ("IPv4", "IPv6")
COUNT = 60
DARK_S = 0.5
ANSWERED_WITHIN_S = 30.0
SWEPT_OVER_S = 1.0
PSS_MAX_KB = 70_000_000 // 1024


@pytest.fixture(name="crowd")
def with_sixty_addresses(lab: Lab) -> Iterator[Multitude]:
    """Everything runs, is announced, told and written down."""
    crowd = Multitude(lab, count=COUNT, nodes=3, families=BOTH)
    wire, began = Wire(crowd.site), time.monotonic()
    crowd.start_speakers()
    crowd.wait_told(wire, crowd.addresses, since=began)
    wire.stop()
    crowd.wait_quiet()
    yield crowd
    for process in (crowd.system.controller, *crowd.system.speakers.values()):
        assert process is not None
        assert "Traceback" not in process.output.read_text() + process.errors.read_text()


def answerers(crowd: Multitude) -> dict[str, Machine]:
    """The one machine that answers for each address."""
    found = crowd.answerers(crowd.addresses, over_s=SWEPT_OVER_S)
    assert all(len(macs) == 1 for macs in found.values()), found
    return {
        address: machine
        for address, macs in found.items()
        if (machine := crowd.site.lab.machine_with(next(iter(macs)))) is not None
    }


def test_addresses_are_parted_between_the_families() -> None:
    five = addresses_of(5, BOTH)
    assert [":" in address for address in five] == [False, False, True, True, True]
    assert five[0] == str(FIRST["IPv4"])
    assert five[-1] == str(FIRST["IPv6"] + 2)


def test_a_lost_node_s_addresses_are_all_taken_over_and_nothing_but_events_is_written(
    crowd: Multitude,
) -> None:
    before = answerers(crowd)
    struck = max(crowd.site.nodes, key=list(before.values()).count)
    lost = [address for address, machine in before.items() if machine is struck]
    wire = Wire(crowd.site)
    began = time.monotonic()
    struck.power_off()
    told = crowd.wait_told(wire, lost, since=began, but=struck.mac)
    meanwhile = crowd.writes(since=began) - crowd.writes(since=max(told.values()))
    assert set(meanwhile) <= {"events"}
    assert struck not in answerers(crowd).values()
    crowd.wait_quiet()
    assert crowd.writes(since=began)["services"] == 0


def test_when_all_start_at_once_each_address_has_one_answerer(crowd: Multitude) -> None:
    wire = Wire(crowd.site, crowd.addresses)
    for node in crowd.site.nodes:
        node.power_off()
    pause(DARK_S)
    for node in crowd.site.nodes:
        node.power_on()
    began = time.monotonic()
    crowd.start_speakers()

    def answered() -> bool:
        return len({frame.sender_ip for frame in wire.answers(since=began)}) == COUNT

    wait_for(answered, what="an answer for each address", within_s=ANSWERED_WITHIN_S)
    assert set(answerers(crowd)) == set(crowd.addresses)


def test_a_pod_that_nobody_asked_for_its_status_stays_small(crowd: Multitude) -> None:
    for node in crowd.site.nodes:
        assert crowd.speaker(node).pod_memory_kb()["Pss"] <= PSS_MAX_KB
