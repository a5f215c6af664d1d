"""A client behind a router: spread over nodes by ECMP, and nothing lost on what is planned."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.machine import Machine
from lab.network import Lab
from lab.observations import Attempt, served_again
from lab.routed import Routed
from lab.routers.bird import Bird
from lab.routers.frr import Frr
from lab.stations import Prober
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.host, pytest.mark.timeout(120)]
MOVED_WITHIN_S = 30.0
NOTICED_WITHIN_S = 2.0
"""Three BFD packets, 100 ms apart, are missed; the hold time is 9 s, and graceful restart 120 s."""
ON_THE_WAY = "ConnectionResetError"
"""A connection that was open while the router chose another way; the next node knows nothing of it."""


@pytest.fixture(scope="module", params=[pytest.param(Bird, id="bird"), pytest.param(Frr, id="frr")])
def routed(_prerequisites: None, request: pytest.FixtureRequest) -> Iterator[Routed]:
    with Lab() as lab:
        routed = Routed(lab, request.param, backends=(3, 1), is_weighted=True)
        routed.wait_for_ways(*routed.nodes)
        yield routed
        routed.stop()
        for process in (routed.system.controller, *routed.system.speakers.values()):
            assert process is not None
            assert "Traceback" not in process.output.read_text() + process.errors.read_text()


@pytest.fixture(name="steady")
def all_is_well(routed: Routed) -> Routed:
    """Both nodes carry the address, whatever an earlier test did."""
    routed.wait_for_ways(*routed.nodes)
    return routed


@contextmanager
def asking(routed: Routed, *, name: str, is_ipv6: bool = False) -> Iterator[Prober]:
    """A client that is served already."""
    prober = routed.probe(name=name, is_ipv6=is_ipv6)
    began = time.monotonic()
    what = "a client that is served"
    wait_for(lambda: served_again(prober.attempts, since=began), what=what, within_s=10.0)
    yield prober
    prober.process.kill()


def since(prober: Prober, began: float) -> list[Attempt]:
    return [attempt for attempt in prober.attempts if attempt.sent_at >= began]


def failures(attempts: list[Attempt]) -> Counter[str]:
    return Counter(attempt.failure for attempt in attempts if attempt.body is None)


def watch_on(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > until, what="a while", within_s=2 * seconds)


@pytest.mark.parametrize("is_ipv6", [False, True], ids=["IPv4", "IPv6"])
def test_a_client_reaches_backends_on_both_nodes_by_one_address(steady: Routed, is_ipv6: bool) -> None:
    heeds_weights = steady.router.name == "frr"  # which alone of all four heeds link bandwidth

    def has_weights() -> bool:
        weights = steady.ways(is_ipv6=is_ipv6)
        wanted = 3 if heeds_weights else 1
        return weights.get("node1", 0) == pytest.approx(wanted * weights.get("node2", -1), rel=0.1)

    # A count of endpoints is told once it has stood for some seconds.
    wait_for(has_weights, what="the weights in the router's kernel", within_s=20.0)
    with asking(steady, name=f"spread-{is_ipv6}", is_ipv6=is_ipv6) as prober:
        wait_for(lambda: len(prober.attempts) > 200, what="requests", within_s=20.0)
        pages = Counter(attempt.body for attempt in prober.attempts)
    assert set(pages) == {node.name for node in steady.nodes}
    if heeds_weights:
        assert pages["node1"] > 1.5 * pages["node2"]
    assert has_weights()


def test_a_node_without_endpoints_is_left_and_found_again(steady: Routed) -> None:
    one, other = steady.nodes
    steady.serve({one.name: steady.backends[one.name]})
    steady.wait_for_ways(one)
    with asking(steady, name="one-left") as prober:
        watch_on(0.5)
        assert {attempt.body for attempt in prober.attempts} == {one.name}
    steady.serve(steady.backends)
    steady.wait_for_ways(one, other)


def test_a_drained_node_costs_no_new_connection(steady: Routed) -> None:
    staying, leaving = steady.nodes
    with asking(steady, name="drain") as prober:
        began = time.monotonic()
        steady.mark(leaving)
        steady.wait_for_ways(staying)
        wait_for(
            lambda: steady.router.session(leaving.address) != "established",
            what="the session to end",
            within_s=MOVED_WITHIN_S,
            poll_s=0.1,
        )
        watch_on(0.5)
        attempts = since(prober, began)
        steady.unmark(leaving)
    assert set(failures(attempts)) <= {ON_THE_WAY}
    assert failures(attempts).total() < 5
    assert {attempt.body for attempt in attempts[-20:]} == {staying.name}


def end_and_start(routed: Routed, node: Machine) -> None:
    routed.system.speakers[node.name].stop()
    watch_on(2.0)  # many detection times
    routed.system.start_speaker(node)


def crash(routed: Routed, node: Machine) -> None:
    routed.system.crash(node)


@pytest.mark.parametrize("interrupt", [end_and_start, crash])
def test_a_speaker_that_is_away_for_a_moment_costs_nothing(
    steady: Routed, interrupt: Callable[[Routed, Machine], None]
) -> None:
    node = steady.nodes[0]
    monitor = steady.monitor()
    with asking(steady, name=interrupt.__name__) as prober:
        began = time.monotonic()
        interrupt(steady, node)
        wait_until_back(steady, node, prober, began)
        attempts = since(prober, began)
    assert failures(attempts) == Counter()
    assert deletions(monitor.output) == ""
    monitor.kill()


def wait_until_back(routed: Routed, node: Machine, prober: Prober, began: float) -> None:
    """A new session, with fresh routes."""

    def is_fresh() -> bool:
        route = routed.router.routes().get(routed.prefix)
        path = route.by(node.address) if route is not None else None
        return path is not None and not path.is_stale and routed.router.session(node.address) == "established"

    wait_for(lambda: len(since(prober, began)) > 100, what="requests meanwhile", within_s=MOVED_WITHIN_S)
    wait_for(is_fresh, what=f"{node.name} to be back", within_s=MOVED_WITHIN_S, poll_s=0.1)
    watch_on(1.0)


def deletions(output: Path) -> str:
    return "".join(line for line in output.read_text().splitlines(keepends=True) if "Deleted" in line)


def test_a_node_without_power_is_left_in_bfd_time_although_graceful_restart_was_agreed(
    steady: Routed,
) -> None:
    one, other = steady.nodes
    began = time.monotonic()
    other.power_off()
    wait_for(lambda: set(steady.ways()) == {one.name}, what="the route to go", within_s=MOVED_WITHIN_S)
    assert time.monotonic() - began < NOTICED_WITHIN_S
    with asking(steady, name="power") as prober:
        watch_on(0.5)
        assert failures(prober.attempts) == Counter()
    steady.repair(other)
    steady.wait_for_ways(one, other)
