"""BFD every 50 ms, three of them missed at most, while every core is busy: does a session go down by mistake?

    make bench ONLY=bfd MINUTES=10

Our node against BIRD, one session by IPv4 and one by IPv6. BIRD runs at SCHED_FIFO, so that it keeps its pace
and all lateness is ours; a program on each core does nothing but count. Ctrl-C ends it early, and what was
found by then is the result.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from bench.arguments import EXIT_COULD_NOT_TRY, EXIT_MISSED
from bench.burners import busy_cores
from bench.trials import STALL_MAX_S, heed_interrupts, say
from lab.bfd_routers import Bird, Neighbour
from lab.commands import LabError, what_is_missing
from lab.machine import Machine
from lab.network import Lab
from lab.observations import Stand, longest_stall
from lab.process import Process
from lab.stations import IMPORTABLE, StallWatch
from lab.waiting import pause, wait_for

EVERY_MS = 50
MULTIPLIER = 3
UP_WITHIN_S = 30.0
"""Both sides begin at one packet a second."""
FIGURES_WITHIN_S = 20.0
"""The main program has no priority, and the cores are busy."""
LOOKS_S = 60.0
MORE_S = 120.0
"""The cores are freed so long after the time at last, should this program be killed."""
ROUTER_PRIORITY = 30


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, as our side counts."""

    peer: str
    false_downs: int
    packets_in: int
    detection_time_ms: float
    transmit_interval_ms: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What happened."""

    minutes_wanted: float
    minutes: float
    interrupted: bool
    cores_busy: int
    router_is_real_time: bool
    we_are_real_time: bool
    sessions: list[Session]
    downs: list[Stand]
    """Each one, with its diagnostic."""
    router_saw_downs: bool
    """The time since when a session is up changed at the router's side."""
    stall_s: float
    """The longest that the host itself stood still."""
    stalls: int
    """How often it did so for more than 50 ms."""
    load: float


class Pair:
    """A node and a router, and what the node's main program says."""

    def __init__(self, lab: Lab) -> None:
        lan = lab.switch("lan")
        self._node = lab.machine("node1", lan, "192.0.2.11/24")
        self._router_machine = lab.machine("router", lan, "192.0.2.1/24")
        ends = [
            (self._node.address, self._router_machine.address),
            (self._node.address_6, self._router_machine.address_6),
        ]
        self.peers = [its for _, its in ends]
        self.router = Bird(self._router_machine, [Neighbour(address=ours, local=its) for ours, its in ends])
        lab.at_end(self.router.stop)
        self.router.configure(EVERY_MS, MULTIPLIER)
        self.router_is_real_time = hurry(self.router.process)
        sessions = [f"{its},{ours},{self._node.cable.interface},single" for ours, its in ends]
        self.process = self._start(sessions)
        self.stalls = StallWatch(self._node)

    def _start(self, sessions: Sequence[str]) -> Process:
        program = (sys.executable, "-m", "lab.tools.bfd_node", "--every-ms", str(EVERY_MS), *sessions)
        command = (sys.executable, "-m", "speaker.bfd", *program)
        return self._node.start("bfd", *command, environment=IMPORTABLE)

    @property
    def node(self) -> Machine:
        """Where our side runs."""
        return self._node

    def stands(self, kind: str) -> list[Stand]:
        """All that was told of this kind."""
        self.process.must_run()
        lines = self.process.output.read_text().splitlines(keepends=True)
        told = [line for line in lines if line.startswith('{"at"') and line.endswith("\n")]
        return [stand for line in told if (stand := msgspec.json.decode(line, type=Stand)).kind == kind]

    def figures(self) -> dict[str, Stand]:
        """Of each session, now."""
        before = len(self.stands("figures"))
        self.process.signal(signal.SIGUSR1)

        def told() -> list[Stand] | None:
            new = self.stands("figures")[before:]
            return new if {stand.peer for stand in new} == set(self.peers) else None

        found = wait_for(told, what="the figures of both sessions", within_s=FIGURES_WITHIN_S)
        return {stand.peer: stand for stand in found}

    def agree(self) -> None:
        """Return when both sessions are up at the fast pace, both ways."""

        def fast() -> bool:
            seen = [self.router.session(each) for each in (self._node.address, self._node.address_6)]
            return all(one is not None and one.is_up and one.interval_ms == EVERY_MS for one in seen) and all(
                stand.detection_time_us == EVERY_MS * MULTIPLIER * 1000 for stand in self.figures().values()
            )

        wait_for(fast, what="both sessions at 50 ms", within_s=UP_WITHIN_S, poll_s=0.5)


def hurry(process: Process) -> bool:
    """Let all its threads run before everything else; False where it may not be."""
    try:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(ROUTER_PRIORITY))
    except PermissionError:
        return False
    return True


def measure(minutes: float) -> Report:
    """So long."""
    with Lab() as lab:
        say("building a node and a router")
        pair = Pair(lab)
        pair.agree()
        before, ups = pair.figures(), pair.router.times_up()
        began, interrupted = time.monotonic(), False
        try:
            with busy_cores(seconds=60 * minutes + MORE_S):
                _wait(pair, 60 * minutes, began)
                ended = time.monotonic()
        except (KeyboardInterrupt, SystemExit):
            ended, interrupted = time.monotonic(), True
            say("  interrupted: this is what was found until now")
        after = pair.figures()
        downs = [stand for stand in pair.stands("changed") if stand.at >= began and stand.state != "UP"]
        stalls = [stall for stall in pair.stalls.stalls if began <= stall.at <= ended]
        return Report(
            minutes_wanted=minutes,
            minutes=round((ended - began) / 60, 2),
            interrupted=interrupted,
            cores_busy=os.cpu_count() or 1,
            router_is_real_time=pair.router_is_real_time,
            we_are_real_time=_is_real_time(pair.process),
            sessions=[
                Session(
                    peer=peer,
                    false_downs=after[peer].downs - before[peer].downs,
                    packets_in=after[peer].packets_in - before[peer].packets_in,
                    detection_time_ms=after[peer].detection_time_us / 1000,
                    transmit_interval_ms=after[peer].transmit_interval_us / 1000,
                )
                for peer in pair.peers
            ],
            downs=downs,
            router_saw_downs=pair.router.times_up() != ups,
            stall_s=round(longest_stall(stalls), 4),
            stalls=sum(stall.late_s > STALL_MAX_S for stall in stalls),
            load=round(os.getloadavg()[0], 2),
        )


def _wait(pair: Pair, seconds: float, began: float) -> None:
    while (left_s := began + seconds - time.monotonic()) > 0:
        pause(min(LOOKS_S, left_s))
        downs = sum(stand.at >= began and stand.state != "UP" for stand in pair.stands("changed"))
        say(f"  {(time.monotonic() - began) / 60:.1f} of {seconds / 60:g} minutes: {downs} false downs")


def _is_real_time(process: Process) -> bool:
    with suppress(ProcessLookupError):
        policy = os.sched_getscheduler(process.pid) & ~os.SCHED_RESET_ON_FORK
        return policy in {os.SCHED_FIFO, os.SCHED_RR}
    return False


def main(arguments: Sequence[str]) -> int:
    """Measure and print it; 1 if a session went down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args(arguments)
    if sentence := what_is_missing():
        say(sentence)
        return EXIT_COULD_NOT_TRY
    heed_interrupts()
    try:
        report = measure(given.minutes)
    except LabError as error:
        say(f"not measured: {error}")
        return EXIT_COULD_NOT_TRY
    print(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    return EXIT_MISSED if report.downs or report.router_saw_downs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
