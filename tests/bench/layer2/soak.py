"""Hours on a network that loses frames, ended by cuts: nobody may be held dead who lives.

    make bench ONLY=layer2 SCENARIO=soak LOSS=1 HOURS=1

Eight nodes, eight Services with an address of each family. Little is asked meanwhile, so that the hours show
the members and not the bench; the cuts are measured as ``cut`` is, first while frames are still lost, then
without loss. Ctrl-C or SIGTERM ends it early, and what was found by then is the result.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from bench.layer2.chronicle import Fault, Judgement, LogReader, judge
from bench.layer2.conditions import Conditions
from bench.layer2.failover import join, reports, strike_once
from bench.layer2.loss import Lost, lose, lose_nothing, lost
from bench.layer2.stage import Stage
from bench.layer2.upkeep import Cost, Upkeep
from bench.summary import Report
from bench.trials import say
from lab.apis import EmbeddedApi
from lab.commands import LabError
from lab.machine import Machine
from lab.network import Lab
from lab.observations import longest_stall, two_answerers
from lab.site import Site
from lab.stations import NeighbourWatch, StallWatch
from lab.system import System
from lab.trial import Trial
from lab.waiting import pause, wait_for

SERVICES = 8
"""One for each node, more or less: whoever is held dead loses something."""
ASKED_EVERY_MS = 50.0
"""Of each address: the longest that two may answer, and less work than the members make when idle."""
LOOKS_S = 60.0
LOOKS_MIN = 3
"""In short forms it is looked more often."""
ASSIGNED_WITHIN_S = 30.0
QUIET_S = 5.0
"""After the start, before the first frame is lost."""


class Soak(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it."""

    loss_percent: float
    minutes_wanted: float
    minutes: float
    """That it lasted, the cuts not counted."""
    interrupted: bool
    broken: str
    """Why the cuts could not be finished; empty if they were."""
    nodes: int
    addresses: int
    asked_every_ms: float
    false_deaths: int
    """In the whole run, the cuts included."""
    frames: Lost
    """Between the nodes, before the cuts."""
    two_answerers_s: float
    """The longest of any address, before the cuts."""
    stall_s: float
    meanwhile: Judgement
    """Before the cuts, when every death is a false one and every move too many."""
    whole: Judgement
    """The cuts included."""
    begin: dict[str, Cost]
    """Of each speaker: CPU over the first stretch, memory after it."""
    end: dict[str, Cost]
    restarts: dict[str, int]
    """Main programs that were started anew."""
    faults: list[Fault]
    cuts_in_loss: list[Report]
    """For each family; while frames are lost."""
    cuts_after_loss: list[Report]


class _Run:
    """All that is known of one, also when it is interrupted."""

    def __init__(self, system: System, conditions: Conditions, addresses: list[str]) -> None:
        site = system.site
        self.system, self.conditions, self.addresses = system, conditions, addresses
        self.logs = [LogReader(name, process.output) for name, process in system.speakers.items()]
        self.upkeep = {name: Upkeep(process) for name, process in system.speakers.items()}
        self.wires = [
            NeighbourWatch(site.observer, *some, every_ms=ASKED_EVERY_MS, evenly=True, turns=True)
            for is_6 in (False, True)
            if (some := [address for address in addresses if (":" in address) is is_6])
        ]
        self.stalls = StallWatch(site.observer, name="stalls")
        self.began = time.monotonic()
        self.ended = 0.0
        self.frames = Lost(frames=0, lost=0)
        self.meanwhile = judge(())
        self.two_answerers_s = 0.0
        self.begin: dict[str, Cost] = {}
        self.end: dict[str, Cost] = {}
        self.struck: list[tuple[str, float]] = []
        self.ends: list[float] = []
        self.done: dict[bool, list[list[Trial]]] = {True: [], False: []}
        self.stage: Stage | None = None
        self.interrupted, self.broken = False, ""

    # -- the time of loss

    def last(self, seconds: float) -> None:
        """Let it last, and say each minute how it stands."""
        stretch_s = min(LOOKS_S, seconds / LOOKS_MIN)
        lose(self.system.site.nodes, self.conditions.loss)
        for log in self.logs:
            log.skip()
        self._costs()
        self.began = time.monotonic()
        try:
            while (left_s := self.began + seconds - time.monotonic()) > 0:
                pause(min(stretch_s, left_s))
                self._look()
        finally:
            self.ended = time.monotonic()
            with suppress(LabError):  # an interrupted look; the one before it stands
                self.read()

    def _look(self) -> None:
        self.read()
        self.end = self._costs()
        self.begin = self.begin or self.end
        cpu = sum(cost.cpu_percent for cost in self.end.values())
        found = self.meanwhile
        say(
            f"  {(time.monotonic() - self.began) / 60:.1f} of {self.conditions.minutes:g} minutes:"
            f" {found.alarms} alarms, {found.refuted} refuted, {len(found.false_deaths)} false deaths,"
            f" {found.moves} moves, two answerers {self.two_answerers_s:.3f} s;"
            f" {self.frames.percent:.2f} % of {self.frames.frames} frames lost;"
            f" {len(self.end)} speakers {cpu:.1f} % of a core,"
            f" {max(cost.pss_mb for cost in self.end.values()):.1f} MB the largest"
        )

    def read(self) -> None:
        """Take in what the members wrote and the observer saw."""
        for log in self.logs:
            log.read()
        self.meanwhile = judge(entry for log in self.logs for entry in log.entries)
        self.two_answerers_s = max(
            two_answerers(wire.frames, address) for wire in self.wires for address in self.addresses
        )
        self.frames = lost(self.system.site.nodes)

    def _costs(self) -> dict[str, Cost]:
        return {name: upkeep.look() for name, upkeep in self.upkeep.items()}

    # -- its end

    def cut(self, *, in_loss: bool) -> None:
        """As many cuts as wanted, one after the other, each repaired."""
        if self.stage is None:
            for wire in self.wires:
                wire.process.kill()
            self.stage = Stage(self.system, self.conditions)
        if not in_loss:
            lose_nothing(self.system.site.nodes)
        fault = "cable cut, frames lost" if in_loss else "cable cut, loss over"
        for _ in range(self.conditions.trials):
            self.done[in_loss] += strike_once(self.stage, fault, self._cut, self._join)

    def _cut(self, node: Machine) -> None:
        self.struck.append((node.name, time.time()))
        node.cut()

    def _join(self, stage: Stage, node: Machine) -> None:
        join(stage, node)
        self.system.settle()
        self.ends.append(time.time())

    @property
    def faults(self) -> list[Fault]:
        """Each lasts until all know each other again; the last one until now, if that did not happen."""
        spans = zip(self.struck, [*self.ends, time.time()], strict=False)
        return [Fault(node=node, began=began, ended=end) for (node, began), end in spans]

    def told(self) -> Soak:
        """The result, whatever there is of it."""
        for log in self.logs:
            log.read()
        whole = judge((entry for log in self.logs for entry in log.entries), self.faults)
        return Soak(
            loss_percent=self.conditions.loss,
            minutes_wanted=self.conditions.minutes,
            minutes=round((self.ended - self.began) / 60, 2),
            interrupted=self.interrupted,
            broken=self.broken,
            nodes=len(self.system.site.nodes),
            addresses=len(self.addresses),
            asked_every_ms=ASKED_EVERY_MS,
            false_deaths=len(whole.false_deaths),
            frames=self.frames,
            two_answerers_s=round(self.two_answerers_s, 4),
            stall_s=round(longest_stall(self.stalls.stalls, since=self.began), 4),
            meanwhile=self.meanwhile,
            whole=whole,
            begin=self.begin,
            end=self.end,
            restarts={name: upkeep.restarts for name, upkeep in self.upkeep.items()},
            faults=self.faults,
            cuts_in_loss=self._reports(in_loss=True),
            cuts_after_loss=self._reports(in_loss=False),
        )

    def _reports(self, *, in_loss: bool) -> list[Report]:
        return reports(self.done[in_loss], self.stage) if self.stage and self.done[in_loss] else []


def soak(conditions: Conditions) -> Soak:
    """So many minutes at such a loss, and then the cuts."""
    with _settled(conditions) as run:
        say(
            f"losing {conditions.loss:g} % of the frames between {len(run.system.site.nodes)} nodes"
            f" for {conditions.minutes:g} minutes, then {conditions.trials} cuts"
        )
        with _ended_early(run):
            run.last(60 * conditions.minutes)
            run.cut(in_loss=True)
            run.cut(in_loss=False)
        return run.told()


@contextmanager
def _ended_early(run: _Run) -> Iterator[None]:
    """What is broken off is told all the same."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, SIGTERM by the lab
        run.interrupted = True
        say("  interrupted: this is what was found until now")
    except LabError as error:
        run.broken = str(error)
        say(f"  broken off: {error}")


@contextmanager
def _settled(conditions: Conditions) -> Iterator[_Run]:
    with Lab() as lab:
        say(f"building the site with {SERVICES} Services on {conditions.nodes} nodes")
        system = System(Site(lab, nodes=conditions.nodes), EmbeddedApi)
        system.speaker_flags = ("--profile", conditions.profile)
        system.start_cluster()
        system.start_all()
        system.configure()
        names = ["web", *(f"web-{number}" for number in range(1, SERVICES))]
        for name in names:
            system.publish(name, families=conditions.families)
        addresses = wait_for(
            _assigned(system, len(names) * len(conditions.families)),
            what="the addresses of all Services",
            within_s=ASSIGNED_WITHIN_S,
            poll_s=0.2,
        )
        system.settle()
        pause(QUIET_S)
        yield _Run(system, conditions, addresses)


def _assigned(system: System, many: int) -> Callable[[], list[str]]:
    path = "jsonpath={.items[*].status.loadBalancer.ingress[*].ip}"

    def assigned() -> list[str]:
        found = system.kubectl("get", "services", "-o", path).split()
        return found if len(found) == many else []

    return assigned
