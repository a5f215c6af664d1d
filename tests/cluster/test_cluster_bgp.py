"""Nodes that peer with a router: clients behind it are served through all of them, whatever one does."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from cluster.conftest import Tell
from cluster.installation import SETTLED_WITHIN_S, Installation
from cluster.routed import RoutedInstallation
from lab.observations import Attempt, served_again
from lab.stations import Prober
from lab.waiting import pause, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600), pytest.mark.usefixtures("reported")]

NOTICED_WITHIN_S = 2.0
"""Three BFD packets, 100 ms apart; without BFD it would be the hold time, nine seconds."""
ON_THE_WAY = "ConnectionResetError"
"""A connection that was open while the router chose another way."""
OPEN_MOST = 5


@pytest.fixture(scope="module")
def routed(bareway: Installation) -> Iterator[RoutedInstallation]:
    it = RoutedInstallation(bareway)
    try:
        yield it
    finally:
        it.remove()


@pytest.fixture(name="steady")
def all_is_well(routed: RoutedInstallation, address: str) -> RoutedInstallation:
    """Installed, with a route by each node."""
    assert address
    if not routed.address:
        routed.install()
    routed.bareway.settle()
    routed.wait_for_ways(*routed.bareway.ring.nodes)
    return routed


@pytest.fixture
def far(steady: RoutedInstallation, request: pytest.FixtureRequest) -> Iterator[Prober]:
    """A client behind the router that is served already."""
    prober = steady.probe(f"far-{request.node.name[:20]}")
    began = time.monotonic()
    what = "the far client to be served"
    wait_for(lambda: served_again(prober.attempts, since=began), what=what, within_s=SETTLED_WITHIN_S)
    yield prober
    prober.process.kill()


def failures(attempts: list[Attempt], *, since: float) -> Counter[str]:
    return Counter(each.failure for each in attempts if each.body is None and each.sent_at >= since)


def test_a_speaker_that_is_replaced_is_missed_by_no_router_and_no_client(
    steady: RoutedInstallation, far: Prober, tell: Tell
) -> None:
    began, monitor = time.monotonic(), steady.monitor()
    node = steady.bareway.ring.nodes[0]
    steady.bareway.replace(steady.bareway.pod_on(node))
    steady.bareway.settle()
    established = "the new speaker's session"
    wait_for(
        lambda: steady.bird.session(node.machine.host.address) == "established",
        what=established,
        within_s=SETTLED_WITHIN_S,
    )
    pause(1.0)
    told = [line for line in monitor.output.read_text().splitlines() if steady.address in line]
    monitor.kill()
    assert [line for line in told if "Deleted" in line] == []
    assert set(steady.ways()) == {each.name for each in steady.bareway.ring.nodes}
    assert failures(far.attempts, since=began) == Counter()
    tell(f"replaced in {time.monotonic() - began:.1f} s; {len(far.attempts)} pages, none failed")


def test_a_drained_node_is_left_by_its_router_and_costs_no_new_connection(
    steady: RoutedInstallation, far: Prober, tell: Tell
) -> None:
    *staying, leaving = steady.bareway.ring.nodes
    began = time.monotonic()
    steady.mark(leaving, drained=True)
    try:
        steady.wait_for_ways(*staying)
        left_s = time.monotonic() - began
        wait_for(
            lambda: steady.bird.session(leaving.machine.host.address) != "established",
            what="the session to end",
            within_s=SETTLED_WITHIN_S,
        )
        pause(0.5)
        lost = failures(far.attempts, since=began)
    finally:
        steady.mark(leaving, drained=False)
    assert set(lost) <= {ON_THE_WAY}
    assert lost.total() < OPEN_MOST
    steady.wait_for_ways(*staying, leaving)
    tell(f"left after {left_s:.2f} s; {lost.total()} of {len(far.attempts)} pages lost")


def test_a_node_that_is_powered_off_is_left_in_bfd_time(
    steady: RoutedInstallation, far: Prober, tell: Tell
) -> None:
    *staying, victim = steady.bareway.ring.nodes
    began = time.monotonic()
    victim.machine.power_off()
    try:
        steady.wait_for_ways(*staying)
        noticed_s = time.monotonic() - began
        gone = time.monotonic()
        pause(0.5)
        assert failures([each for each in far.attempts if each.sent_at > gone], since=gone) == Counter()
    finally:
        victim.power_on()
        steady.bareway.settle()  # the next story finds all Pods running
    assert noticed_s < NOTICED_WITHIN_S
    tell(f"left after {noticed_s:.2f} s")
