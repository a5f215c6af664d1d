"""Which one of several controllers leads, by one Lease (coordination.k8s.io/v1); no sockets, clock or chance.

Who leads stops by its own clock: what it writes begins before ``renew_deadline_s`` after the last renewal
*began*. Who stands by counts from the moment it *saw* the Lease change, so clocks need not agree and a
``renewTime`` is never believed. Between the two lies more than one request; after taking over, one request
more is waited out (none after a clean release), and everything is listed afresh before anything is written.

Feed it what the watch shows and how requests ended; it says what to ask for next. Not covered: a machine that
stops without its clock showing it. Then each write's resourceVersion decides, and duplicates are healed.
"""

import math
from dataclasses import replace
from enum import Enum, auto
from random import Random

from bareway.model.objects import Lease
from bareway.runtime.backoff import Backoff
from controller.leading.election import (
    LEASE_MAX_S,
    NOBODY,
    TRANSITIONS_MAX,
    Answer,
    Claim,
    Done,
    Event,
    Lead,
    Look,
    Looked,
    Loss,
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


class Stage(Enum):
    """How far we are with a Lease that is ours."""

    NONE = auto()
    WAITING = auto()
    """What the former holder sent may still arrive."""
    PREPARING = auto()
    READY = auto()


class Leadership:
    """One candidate."""

    def __init__(self, *, me: str, rng: Random, timing: Timing | None = None) -> None:
        """``me`` is no other process's name, also not of an earlier one in the same Pod."""
        self._me = me
        self._rng = rng
        self._timing = timing or Timing()
        self.term = 0
        """Counts how often we took over: what was decided in another term is not written in this one."""
        self._backoff = Backoff(rng=rng, first_s=self._timing.retry_s, cap_s=self._timing.retry_cap_s)
        self._is_warm = False
        self._lease: Lease | None = None
        self._is_known = False
        """Whether ``_lease`` was ever read, be it None."""
        self._was_there = False
        """Whether there ever was a Lease, as far as we can tell."""
        self._changed_at = -math.inf
        """When we saw ``_lease`` become what it is."""
        self._asked: Put | Look | None = None
        """One request at a time; the answer is on its way."""
        self._asked_at = -math.inf
        self._must_look = False
        """What we know of the Lease may be old."""
        self._not_before = -math.inf
        self._renew_at = -math.inf
        self._stage = Stage.NONE
        self._wait_until = math.inf
        self._valid_until = -math.inf
        self._leads = False
        self._loss = Loss.RENEWAL_OVERDUE
        """Why ``_valid_until`` is over."""
        self._resigns = False
        self._is_done = False

    # ------------------------------------------------------------ views

    @property
    def holder(self) -> str:
        """Who holds the Lease, as far as we know; NOBODY if nobody."""
        return self._lease.holder if self._lease is not None else NOBODY

    def may_write(self, *, now: float) -> bool:
        """Whether a write may begin at this moment; ask at each one."""
        return self._stage is Stage.READY and now < self._valid_until and not self._resigns

    @property
    def deadline(self) -> float:
        """When a Tick is wanted, at the latest."""
        return min(
            self._due_at(),
            self._wait_until if self._may_prepare else math.inf,
            self._valid_until if self._leads else math.inf,
        )

    # ------------------------------------------------------------ events

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """What to do about it."""
        match event:
            case Warm(is_new):
                self._is_warm = True
                self._was_there = self._was_there or not is_new
            case Seen(lease):
                self._see(lease, now=now)
            case Looked() | Written() | Outrun() | Unanswered():
                asked, self._asked = self._asked, None
                self._hear(event, asked, now=now)
            case Prepared(term):
                if self._stage is Stage.PREPARING and term == self.term:
                    self._stage = Stage.READY
            case Resign():
                self._resigns = True
                self._not_before = now
            case Tick():
                pass
        return self._act(now=now)

    def _hear(self, answer: Answer, asked: Put | Look | None, *, now: float) -> None:
        match answer:
            case Looked(lease):
                self._must_look = False
                # Never at once: two that look and write in step would keep each other from it.
                self._not_before = now + self._timing.retry_s * self._rng.uniform(0.5, 1.0)
                self._learn(lease, now=now)
            case Written(lease, is_first):
                assert isinstance(asked, Put)  # noqa: S101 - our mistake
                if asked.claim is Claim.FIRST and not is_first:
                    asked = replace(asked, claim=Claim.DELETED)
                self._acknowledge(asked, lease, now=now)
            case Outrun():
                self._must_look = True
            case Unanswered():
                self._must_look = True
                self._not_before = now + self._backoff.next_s()

    def _see(self, lease: Lease | None, *, now: float) -> None:
        if self._stage is Stage.NONE or not self._is_known:
            self._learn(lease, now=now)
        elif lease is None or lease.holder != self._me:
            # It may be an old sight of the Lease, or the end of our term: a look tells. Until then, silence.
            self._valid_until, self._loss = -math.inf, Loss.LEASE_CHANGED
            self._must_look, self._not_before, self._renew_at = True, now, now

    def _learn(self, lease: Lease | None, *, now: float) -> None:
        if self._is_known and _version(lease) == _version(self._lease):
            return
        self._lease, self._is_known, self._changed_at = lease, True, now
        self._was_there = self._was_there or lease is not None
        if self._stage is not Stage.NONE and (lease is None or lease.holder != self._me):
            self._stage, self._valid_until = Stage.NONE, -math.inf
            self._loss = Loss.LEASE_DELETED if lease is None else Loss.LEASE_TAKEN

    def _acknowledge(self, put: Put, lease: Lease, *, now: float) -> None:
        self._lease, self._changed_at, self._was_there = lease, now, True
        self._backoff.reset()
        if put.holder == NOBODY:
            self._stage = Stage.NONE
            return
        if not self._must_look:
            # The server did it after we asked: counted from there, we are never the later one to stop.
            self._valid_until = self._asked_at + self._timing.renew_deadline_s
            self._renew_at = self._asked_at + self._timing.renew_every_s
            self._loss = Loss.RENEWAL_OVERDUE
        if self._stage is Stage.NONE:
            self.term += 1
            self._take(put.claim, now=now)

    def _take(self, claim: Claim, *, now: float) -> None:
        match claim:
            case Claim.FIRST:
                self._stage = Stage.READY
            case Claim.RELEASED:
                self._stage, self._wait_until = Stage.WAITING, now
            case Claim.DELETED:
                # What is not there has no version, so nobody can tell since when: all is waited out only now.
                waits_s = self._timing.lease_s + self._timing.request_s
                self._stage, self._wait_until = Stage.WAITING, now + waits_s
            case Claim.EXPIRED | Claim.OURS:  # ours, but we never saw how that came
                self._stage, self._wait_until = Stage.WAITING, now + self._timing.request_s

    # ------------------------------------------------------------ what is to be done

    def _act(self, *, now: float) -> list[Output]:
        outputs: list[Output] = []
        if self._is_done:
            return outputs
        if now >= self._valid_until:
            self._valid_until = -math.inf
        if self._may_prepare and now >= self._wait_until:
            self._stage = Stage.PREPARING
            outputs.append(Prepare(self.term))
        if self._leads != self.may_write(now=now):
            self._leads = not self._leads
            loss = Loss.RESIGNED if self._resigns else self._loss
            outputs.append(Lead(self.term) if self._leads else Yield(loss))
        if self._resigns and self._asked is None and not self._may_release:
            self._is_done = True
            outputs.append(Done())
        elif now >= self._due_at():
            self._asked, self._asked_at = self._next(), now
            outputs.append(self._asked)
        return outputs

    @property
    def _may_prepare(self) -> bool:
        """Once the wait is over, if we hold the Lease until then."""
        return self._stage is Stage.WAITING and self._wait_until < self._valid_until and not self._resigns

    @property
    def _may_release(self) -> bool:
        """Nobody need wait for us; not so while we still wait ourselves for the one before us."""
        return self._stage in {Stage.PREPARING, Stage.READY} and not self._must_look

    def _due_at(self) -> float:
        """When the next request is due."""
        if self._asked is not None or not self._is_known or self._is_done:
            return math.inf
        if self._must_look or self._resigns:
            return self._not_before
        if self._stage is not Stage.NONE:
            return max(self._not_before, self._renew_at)
        return max(self._not_before, self._free_at()) if self._is_warm else math.inf

    def _free_at(self) -> float:
        """When the Lease is, or was, anybody's."""
        if self._lease is None:
            return -math.inf
        if self._lease.holder in {NOBODY, self._me}:
            return -math.inf
        told_s = min(self._lease.duration_s, LEASE_MAX_S)
        return self._changed_at + max(told_s, self._timing.lease_s)

    def _next(self) -> Put | Look:
        if self._must_look:
            return Look()
        transitions = self._lease.transitions if self._lease is not None else 0
        if self._resigns:
            return Put(over=self._lease, holder=NOBODY, transitions=transitions, claim=Claim.OURS)
        claim = self._claim()
        if claim in {Claim.RELEASED, Claim.EXPIRED} and self._lease is not None:
            transitions = min(transitions + 1, TRANSITIONS_MAX)
        return Put(over=self._lease, holder=self._me, transitions=transitions, claim=claim)

    def _claim(self) -> Claim:
        if self._lease is None:
            return Claim.DELETED if self._was_there else Claim.FIRST
        if self._lease.holder == self._me:
            return Claim.OURS
        return Claim.RELEASED if self._lease.holder == NOBODY else Claim.EXPIRED


def _version(lease: Lease | None) -> str:
    return lease.resource_version if lease is not None else ""
