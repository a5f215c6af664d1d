"""Some controllers that stand for election, an API server, and time: one seed is one story.

Each candidate has a clock of its own, which goes wrong by up to 3 per cent and is a day off. Requests,
watches and writes are late by as much as the rules allow; whoever leads writes all the time. What must never
be is looked for at each write and each list, and kept in ``Story.wrongs``.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

from bareway.model.names import ObjectKey
from bareway.model.objects import Lease
from controller.leading.election import (
    Claim,
    Done,
    Event,
    Lead,
    Look,
    Looked,
    Output,
    Outrun,
    Prepare,
    Prepared,
    Put,
    Resign,
    Seen,
    Tick,
    Timing,
    Unanswered,
    Warm,
    Written,
    Yield,
)
from controller.leading.leadership import Leadership

KEY = ObjectKey("bareway-system", "bareway-controller")
DRIFT = 0.03
TIMING = Timing()
MakeMachine = Callable[[str, Random], Leadership]


def usual(me: str, rng: Random) -> Leadership:
    return Leadership(me=me, rng=rng)


class Candidate:
    """One process: it may freeze, crash, or be asked to end."""

    def __init__(self, story: "Story", name: str, machine: Leadership) -> None:
        self.story = story
        self.name = name
        self.machine = machine
        self.is_alive = True
        self.is_closed = False
        self.frozen_until = 0.0
        self.stalled_until = 0.0
        self.leads = False
        self.listed_at: float | None = None
        """When the lists began by which it leads."""
        self.on_the_way = 0
        self._offset = story.rng.uniform(-1e5, 1e5)
        self._rate = story.rng.uniform(1 - DRIFT, 1 + DRIFT)
        self._watch_free_at = 0.0

    @property
    def clock(self) -> float:
        return self._offset + self._rate * self.story.now

    def real_s(self, local_s: float) -> float:
        """How long it takes for the clock to go on by so much."""
        return local_s / self._rate

    def tell(self, event: Event) -> None:
        """Let something happen to it."""
        if not self.is_alive:
            return
        if self.story.now < self.frozen_until:
            self.story.at(self.frozen_until, lambda: self.tell(event))
            return
        for output in self.machine.handle(event, now=self.clock):
            self._carry_out(output)
        wait_s = self.machine.deadline - self.clock
        if wait_s < 1e6:
            self.story.after(max(self.real_s(wait_s), 1e-6), self._tick)

    def _carry_out(self, output: Output) -> None:
        match output:
            case Put() | Look():
                self.story.ask(self, output)
            case Prepare(term):
                self.listed_at = self.story.now
                self.story.check_list(self)
                lists_s = self.story.rng.uniform(*self.story.lists_s)
                self.story.after(lists_s, lambda: self.tell(Prepared(term)))
            case Lead():
                self.leads = True
                self.story.leaders.append((self.story.now, self.name))
            case Yield():
                self.leads = False
            case Done():
                self.is_alive = False

    def _tick(self) -> None:
        if self.is_alive and self.clock >= self.machine.deadline:
            self.tell(Tick())

    def may_write(self) -> bool:
        return self.is_alive and not self.is_closed and self.machine.may_write(now=self.clock)

    def watch(self, lease: Lease | None) -> None:
        """The watch brings it in order, some time later."""
        delay = self.story.rng.choice(self.story.watch_delays_s)
        at = max(self.story.now + delay, self._watch_free_at, self.stalled_until)
        self._watch_free_at = at
        self.story.at(at, lambda: self.tell(Seen(lease)))

    def pause(self, for_s: float) -> None:
        """As a hypervisor may: the process stops, and its clock with it."""
        self.frozen_until = self.story.now + for_s
        self.story.at(self.frozen_until, lambda: self._set_back(for_s))

    def _set_back(self, by_s: float) -> None:
        self._offset -= self._rate * by_s

    def end(self) -> None:
        """As after SIGTERM: no more writes, then, when all have ended, the resignation."""
        self.is_closed = True
        if self.on_the_way:
            self.story.after(0.02, self.end)
        else:
            self.tell(Resign())


@dataclass(frozen=True, slots=True)
class Write:
    """What a leader writes."""

    by: Candidate
    begun_at: float


class Story:
    """The world of one seed."""

    def __init__(self, seed: str, make: MakeMachine = usual, *, write_every_s: float = 0.07) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.lease: Lease | None = None
        self.candidates: list[Candidate] = []
        self.leaders: list[tuple[float, str]] = []
        self.wrongs: list[str] = []
        self.is_away = False
        self.error_share = 0.0
        self.late_share = 0.1
        self.watch_delays_s: tuple[float, ...] = (0.001, 0.01, 0.3)
        self.lists_s = (0.02, 0.4)
        self._make = make
        self._write_every_s = write_every_s
        self._versions = count(1)
        self._order = count()
        self._is_marked = False
        self._heap: list[tuple[float, int, Callable[[], None]]] = []

    # ------------------------------------------------------------ time

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (max(when, self.now), next(self._order), what))

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        self.at(self.now + delay_s, what)

    def run(self, for_s: float) -> None:
        until = self.now + for_s
        while self._heap and self._heap[0][0] <= until:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        self.now = until

    # ------------------------------------------------------------ candidates

    def start(self, name: str) -> Candidate:
        """A new process; it lists, and is warm some time later."""
        candidate = Candidate(self, name, self._make(name, Random(f"{name}/{self.rng.random()}")))
        self.candidates.append(candidate)
        self.after(self.rng.uniform(0.01, 0.1), lambda: self._list(candidate))
        self.after(self.rng.uniform(0.05, 0.5), lambda: candidate.tell(Warm(is_new=not self.leaders)))
        self.after(self.rng.uniform(0, self._write_every_s), lambda: self._write(candidate))
        return candidate

    def _list(self, candidate: Candidate) -> None:
        if self.is_away:
            self.after(0.1, lambda: self._list(candidate))
        else:
            candidate.watch(self.lease)

    def leader(self) -> Candidate | None:
        """Who leads, and could write now."""
        return next((one for one in self.candidates if one.may_write()), None)

    # ------------------------------------------------------------ the API server

    def delete(self) -> None:
        """Somebody deletes the Lease."""
        self.store(None)

    def store(self, lease: Lease | None) -> None:
        """It is so, and watches will tell."""
        self.lease = lease
        for candidate in self.candidates:
            candidate.watch(lease)

    def ask(self, candidate: Candidate, request: Put | Look) -> None:
        """It arrives, is done and answered; or one of these fails."""
        limit_s = candidate.real_s(TIMING.request_s)
        if self.is_away:
            late = self.rng.choice((0.001, limit_s))
            self.after(late, lambda: candidate.tell(Unanswered()))
            return
        is_late = self.rng.random() < self.late_share
        most_s = limit_s + TIMING.request_s
        arrives_s = self.rng.uniform(0.1, most_s) if is_late else self.rng.uniform(0.001, 0.01)
        fate = self.rng.random() < self.error_share and self.rng.choice(("refused", "lost", "unanswered"))
        if fate == "refused":
            self.after(min(arrives_s, limit_s), lambda: candidate.tell(Unanswered()))
            return
        answers_s = arrives_s + self.rng.uniform(0.001, 0.01)
        is_answered = not fate and answers_s < limit_s

        def arrive() -> None:
            answer = self._answer(request)
            if is_answered:
                self.after(answers_s - arrives_s, lambda: candidate.tell(answer))

        if fate != "lost":
            self.after(arrives_s, arrive)
        if not is_answered:
            self.after(limit_s, lambda: candidate.tell(Unanswered()))

    def _answer(self, request: Put | Look) -> Event:
        if isinstance(request, Look):
            return Looked(self.lease)
        over, present = request.over, self.lease
        if (over.resource_version if over else "") != (present.resource_version if present else ""):
            return Outrun()
        lease = Lease(
            key=KEY,
            resource_version=str(next(self._versions)),
            holder=request.holder,
            duration_s=TIMING.lease_s,
            transitions=request.transitions,
        )
        self.store(lease)
        is_first, self._is_marked = not self._is_marked, self._is_marked or request.claim is Claim.FIRST
        return Written(lease, is_first)

    # ------------------------------------------------------------ what leaders do, and must not

    def _write(self, candidate: Candidate) -> None:
        if not candidate.is_alive:
            return
        if candidate.may_write() and self.now >= candidate.frozen_until:
            others = [one.name for one in self.candidates if one is not candidate and one.may_write()]
            if others:
                self.wrongs.append(f"{self.now:.3f}: {candidate.name} begins a write while {others} lead")
            if candidate.listed_at is None:
                candidate.listed_at = self.now  # the first one of all leads by its first lists
            write = Write(candidate, self.now)
            candidate.on_the_way += 1
            most_s = candidate.real_s(TIMING.request_s) + TIMING.request_s
            is_late = self.rng.random() < self.late_share
            self.after(self.rng.uniform(0, most_s) if is_late else 0.01, lambda: self._arrive(write))
        self.after(self._write_every_s, lambda: self._write(candidate))

    def _arrive(self, write: Write) -> None:
        write.by.on_the_way -= 1
        for other in self.candidates:
            listed = other.listed_at
            if other is not write.by and listed is not None and write.begun_at < listed <= self.now:
                self.wrongs.append(
                    f"{self.now:.3f}: a write of {write.by.name} of {write.begun_at:.3f} arrives"
                    f" after {other.name} listed at {listed:.3f}"
                )

    def check_list(self, candidate: Candidate) -> None:
        """Nobody else may begin to write once somebody lists in order to lead."""
        others = [one.name for one in self.candidates if one is not candidate and one.may_write()]
        if others:
            self.wrongs.append(f"{self.now:.3f}: {candidate.name} lists while {others} lead")
