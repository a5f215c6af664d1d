"""BFD against real routers, on real packets: up, changed intervals, a dead peer, down on purpose."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from lab.bfd_routers import Bird, Frr, Neighbour, Router, Seen
from lab.machine import Machine, Switch
from lab.network import Lab
from lab.observations import Stand
from lab.process import Process
from lab.stations import IMPORTABLE
from lab.waiting import pause, wait_for

pytestmark = pytest.mark.lab

UP_WITHIN_S = 15.0
"""Both sides begin at one packet a second, and the machine may be busy."""
NOTICED_WITHIN_S = 1.5
"""Of a detection time of 0.3 s; a session that was not fast would take 3."""


class Node:
    """The node's BFD process with a main program that wants one session to each address of the router."""

    def __init__(self, machine: Machine, *sessions: str, memory: Path | None = None) -> None:
        self._machine = machine
        self._sessions = sessions
        self._memory = memory
        self.start()

    def start(self) -> None:
        memory = ("--memory", str(self._memory)) if self._memory else ()
        program = (sys.executable, "-m", "lab.tools.bfd_node", *self._sessions)
        command = (sys.executable, "-m", "speaker.bfd", *memory, *program)
        self.process: Process = self._machine.start("bfd", *command, environment=IMPORTABLE)

    def stands(self, peer: str, kind: str = "changed") -> list[Stand]:
        self.process.must_run()
        lines = self.process.output.read_text().splitlines(keepends=True)
        told = [
            line for line in lines if line.startswith('{"at"') and line.endswith("\n")
        ]  # not the process's
        stands = [msgspec.json.decode(line, type=Stand) for line in told]
        return [stand for stand in stands if stand.peer == peer and stand.kind == kind]

    def wait(self, peer: str, state: str, *, within_s: float = UP_WITHIN_S) -> Stand:
        def last() -> Stand | None:
            stands = self.stands(peer)
            return stands[-1] if stands and stands[-1].state == state else None

        return wait_for(last, what=f"the session with {peer} to be {state}", within_s=within_s)

    def programs(self) -> list[int]:
        """What the process supervises."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def figures(self, peer: str) -> Stand:
        before = len(self.stands(peer, "figures"))
        self.process.signal(signal.SIGUSR1)
        wait_for(lambda: len(self.stands(peer, "figures")) > before, what="figures", within_s=5.0)
        return self.stands(peer, "figures")[-1]


@pytest.fixture
def router_machine(lab: Lab, lan: Switch) -> Machine:
    return lab.machine("router", lan, "192.0.2.1/24")


ROUTERS = [
    pytest.param(Bird, id="bird"),
    pytest.param(Frr, id="frr", marks=pytest.mark.host),  # its daemons run as a user of their own
]


@pytest.fixture(params=ROUTERS)
def kind(request: pytest.FixtureRequest) -> type[Bird | Frr]:
    chosen: type[Bird | Frr] = request.param
    return chosen


@pytest.fixture(params=[False, True], ids=["one-hop", "several-hops"])
def is_multihop(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def router(
    kind: type[Bird | Frr], is_multihop: bool, router_machine: Machine, node: Machine
) -> Iterator[Router]:
    pairs = [(node.address, router_machine.address), (node.address_6, router_machine.address_6)]
    neighbours = [Neighbour(address=ours, local=its, is_multihop=is_multihop) for ours, its in pairs]
    it = kind(router_machine, neighbours)
    yield it
    it.stop()


@pytest.fixture
def peers(router_machine: Machine) -> tuple[str, str]:
    return router_machine.address, router_machine.address_6


def sessions(node: Machine, peers: tuple[str, str], *, is_multihop: bool) -> list[str]:
    interface, hops = ("", "multi") if is_multihop else (node.cable.interface, "single")
    return [
        f"{peer},{local},{interface},{hops}"
        for peer, local in zip(peers, (node.address, node.address_6), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A node and a router with one session by IPv4 and one by IPv6."""

    node: Node
    router: Router
    peers: tuple[str, str]
    locals: tuple[str, str]

    def router_sees(self, interval_ms: int, timeout_ms: int) -> None:
        for local in self.locals:

            def seen(local: str = local) -> bool:
                it = self.router.session(local)
                return it == Seen(is_up=True, interval_ms=interval_ms, timeout_ms=timeout_ms)

            wait_for(seen, what=f"the router to see {local} up with {interval_ms} ms", within_s=UP_WITHIN_S)

    def we_see(self, transmit_ms: int, detection_ms: int) -> None:
        for peer in self.peers:

            def seen(peer: str = peer) -> bool:
                stand = self.node.figures(peer)
                times_us = (stand.transmit_interval_us, stand.detection_time_us)
                return times_us == (transmit_ms * 1000, detection_ms * 1000)

            wait_for(seen, what=f"us to see {peer} with {transmit_ms} ms", within_s=UP_WITHIN_S)


@pytest.fixture
def agreement(
    router: Router, node: Machine, peers: tuple[str, str], is_multihop: bool, lab: Lab
) -> Agreement:
    memory = lab.logs / "sessions"
    it = Node(node, *sessions(node, peers, is_multihop=is_multihop), memory=memory)
    for peer in peers:
        it.wait(peer, "UP")
    found = Agreement(it, router, peers, (node.address, node.address_6))
    found.router_sees(100, 300)
    found.we_see(100, 300)
    return found


def test_changed_intervals_are_agreed_on_and_nobody_goes_down(agreement: Agreement) -> None:
    agreement.node.process.signal(signal.SIGHUP)  # receive 400 ms, transmit 250 ms, times 4: we ask
    agreement.router_sees(400, 1000)
    agreement.we_see(250, 1200)
    agreement.router.configure(300, 5)  # the router asks
    agreement.we_see(300, 2000)
    agreement.router_sees(400, 1200)
    for peer in agreement.peers:
        stand = agreement.node.figures(peer)
        assert (stand.ups, stand.downs) == (1, 0)


def test_a_router_that_ends_a_session_on_purpose_is_heard(agreement: Agreement) -> None:
    agreement.router.shut()
    for peer in agreement.peers:
        stand = agreement.node.wait(peer, "DOWN")
        if agreement.router.says_when_it_ends_a_session:
            assert (stand.diagnostic, stand.remote_state) == ("NEIGHBOR_SIGNALED_DOWN", "ADMIN_DOWN")
        else:
            assert stand.diagnostic == "DETECTION_TIME_EXPIRED"


def test_a_router_that_stands_still_is_noticed_in_the_detection_time(agreement: Agreement) -> None:
    agreement.router.process.freeze()
    began = time.monotonic()
    for peer in agreement.peers:
        stand = agreement.node.wait(peer, "DOWN", within_s=5.0)
        assert stand.diagnostic == "DETECTION_TIME_EXPIRED"
        assert stand.at - began < NOTICED_WITHIN_S
    agreement.router.process.thaw()
    for peer in agreement.peers:
        agreement.node.wait(peer, "UP")


def test_a_router_that_is_killed_is_noticed_in_the_detection_time(agreement: Agreement) -> None:
    agreement.router.process.kill()
    began = time.monotonic()
    for peer in agreement.peers:
        stand = agreement.node.wait(peer, "DOWN", within_s=5.0)
        assert stand.diagnostic == "DETECTION_TIME_EXPIRED"
        assert stand.at - began < NOTICED_WITHIN_S


def test_a_router_that_we_leave_is_told_so(agreement: Agreement) -> None:
    assert agreement.node.process.stop() == 0
    for local in agreement.locals:

        def down(local: str = local) -> bool:
            seen = agreement.router.session(local)
            return seen is None or not seen.is_up

        wait_for(down, what=f"the router to see {local} down", within_s=NOTICED_WITHIN_S)


def test_a_main_program_that_dies_and_returns_finds_its_sessions_up(agreement: Agreement) -> None:
    (program,) = agreement.node.programs()
    os.kill(program, signal.SIGKILL)
    wait_for(lambda: agreement.node.programs() not in ([], [program]), what="another program", within_s=10.0)
    for peer in agreement.peers:

        def told_again(peer: str = peer) -> bool:
            return [stand.state for stand in agreement.node.stands(peer)].count("UP") == 2

        wait_for(told_again, what="the new program to be told", within_s=10.0)
        stand = agreement.node.figures(peer)
        assert (stand.state, stand.ups, stand.downs) == ("UP", 1, 0)


def test_a_planned_restart_of_the_whole_container_goes_unnoticed(agreement: Agreement) -> None:
    since = [agreement.router.session(local) for local in agreement.locals]
    assert all(since)
    ups = agreement.router.times_up()
    agreement.node.process.signal(signal.SIGUSR2)  # the main program says that it restarts
    for local in agreement.locals:

        def patient(local: str = local) -> bool:
            seen = agreement.router.session(local)
            return seen is not None and seen.timeout_ms == 25_500

        wait_for(patient, what="the router to be patient", within_s=5.0)
    assert agreement.node.process.stop() == 0
    pause(2.0)  # many detection times
    agreement.node.start()
    for peer in agreement.peers:
        agreement.node.wait(peer, "UP")
    agreement.router_sees(100, 300)
    agreement.we_see(100, 300)
    assert agreement.router.times_up() == ups
    for peer in agreement.peers:
        assert agreement.node.figures(peer).downs == 0
