"""The simulator against sessions that are wrong on purpose: each fault must be found, or it finds nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from random import Random

import pytest

from bareway.bfd.memory import Memory
from bareway.bfd.session import Session as BfdSession
from bareway.bfd.timing import Timing
from bareway.bgp import opening
from bareway.bgp.adjacency import Adjacency, Table
from bareway.bgp.capabilities import RestartCapability
from bareway.bgp.connection import Connection
from bareway.bgp.damping import Damping
from bareway.bgp.errors import Code
from bareway.bgp.events import BfdDown, Event, Output, Stop, StopReason, Told, Want
from bareway.bgp.fsm import State
from bareway.bgp.ribout import RibOut
from bareway.bgp.session import Session
from bareway.decide.routing.endpoints import Endpoints
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import ObjectKey, ServiceKey
from sim.broken import Broken
from sim.routers.history import RandomRun
from speaker.bfd import desk
from speaker.bfd.desk import Desk

SEEDS = 300

Plant = Callable[[pytest.MonkeyPatch], None]
Handle = Callable[..., list[Output]]


def handling(patch: pytest.MonkeyPatch, change: Callable[[Session, Event], Event | None]) -> None:
    """Sessions hear something else, or nothing (None)."""
    right: Handle = Session.handle

    def handle(self: Session, event: Event, *, now: float) -> list[Output]:
        heard = change(self, event)
        return [] if heard is None else right(self, heard, now=now)

    patch.setattr(Session, "handle", handle)


def a_drain_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RibOut, "drain", lambda *_args, **_names: None)


def who_leaves_only_closes(patch: pytest.MonkeyPatch) -> None:
    def as_restart(_: Session, event: Event) -> Event:
        return Stop(reason=StopReason.RESTART) if isinstance(event, Stop) else event

    handling(patch, as_restart)


def who_leaves_says_no_word_before(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sim.routers.node.NOTICE_S", 0.0)


def who_restarts_says_goodbye(patch: pytest.MonkeyPatch) -> None:
    def as_shutdown(_: Session, event: Event) -> Event:
        is_restart = isinstance(event, Stop) and event.reason is StopReason.RESTART
        return Stop(reason=StopReason.SHUTDOWN) if is_restart else event

    handling(patch, as_shutdown)


def end_of_rib_comes_before_the_routes(patch: pytest.MonkeyPatch) -> None:
    right = RibOut.next_chunk

    def next_chunk(self: RibOut, budget_bytes: int) -> bytes:
        self._is_complete = True
        return right(self, budget_bytes)

    patch.setattr(RibOut, "next_chunk", next_chunk)


def forwarding_is_not_promised(patch: pytest.MonkeyPatch) -> None:
    def forgetful(**names: object) -> object:
        return replace(RestartCapability(**names), families=())  # type: ignore[arg-type]  # as given

    patch.setattr(opening, "RestartCapability", forgetful)


def the_hold_timer_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    def hear(self: Connection, _now: float) -> None:
        self.hold_at = float("inf")

    patch.setattr(Connection, "hear", hear)


def bfd_is_not_listened_to(patch: pytest.MonkeyPatch) -> None:
    def deaf(_: Session, event: Event) -> Event | None:
        return None if isinstance(event, BfdDown) else event

    handling(patch, deaf)


def bfd_dies_with_the_speaker(patch: pytest.MonkeyPatch) -> None:
    right = Desk.leave_alone

    def leave_alone(self: Desk, *, now: float) -> None:
        right(self, now=now)
        self.end(now=now)

    patch.setattr(Desk, "leave_alone", leave_alone)


def a_resumed_session_begins_anew(patch: pytest.MonkeyPatch) -> None:
    def fresh(memory: Memory, *, timing: Timing, is_passive: bool, rng: Random, now: float) -> BfdSession:
        return BfdSession(
            discriminator=memory.discriminator, timing=timing, rng=rng, now=now, is_passive=is_passive
        )

    patch.setattr(desk, "resumed", fresh)


def peers_are_not_asked_for_patience(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desk, "PATIENT_MULTIPLIER", 3)


def what_was_told_half_counts_as_told(patch: pytest.MonkeyPatch) -> None:
    def reached(self: Adjacency) -> Table:
        return self._target

    patch.setattr(Adjacency, "_reached", reached)


def withdrawals_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Adjacency, "_withdrawals", lambda _: iter(()))


def other_attributes_are_no_news(patch: pytest.MonkeyPatch) -> None:
    right = Adjacency._announcements

    def announcements(self: Adjacency) -> object:
        for batch in right(self):
            batch.routes = [one for one in batch.routes if one not in self._told.numbers]
            if batch.routes:
                yield batch

    patch.setattr(Adjacency, "_announcements", announcements)


def a_failure_is_punished_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Damping, "failed", lambda *_args, **_names: 1e6)


def a_session_that_comes_up_says_the_routes_of_before(patch: pytest.MonkeyPatch) -> None:
    def only_up(self: Session, event: Event) -> Event | None:
        is_away = isinstance(event, Want) and self.state is not State.ESTABLISHED and len(self._routes)
        return None if is_away else event

    handling(patch, only_up)


def a_slice_that_changed_is_overlooked(patch: pytest.MonkeyPatch) -> None:
    right = Endpoints.take

    def take(
        self: Endpoints, slices: Mapping[ObjectKey, EndpointSlice], keys: Iterable[ObjectKey]
    ) -> set[ServiceKey]:
        known = set(self.keys)
        return right(self, slices, [key for key in keys if key not in known])

    patch.setattr(Endpoints, "take", take)


def one_peers_trouble_is_everybodys(patch: pytest.MonkeyPatch) -> None:
    """A session that ends on a mistake of the peer ends the program."""
    from sim.routers.tcp import End  # noqa: PLC0415 - of the simulator itself

    right = End._carry_out

    def carry_out(self: End, output: Output) -> None:
        right(self, output)
        if isinstance(output, Told) and output.notification.code == Code.HEADER and output.is_ours:
            for other in list(self.host.ends.values()):
                if other is not self:
                    other.do(Stop(reason=StopReason.RESET))

    patch.setattr(End, "_carry_out", carry_out)


PLANTS = [
    (a_drain_is_not_told, 1),
    (who_leaves_only_closes, 5),
    (who_leaves_says_no_word_before, 10),
    (who_restarts_says_goodbye, 2),
    (end_of_rib_comes_before_the_routes, 1),
    (forwarding_is_not_promised, 1),
    (the_hold_timer_is_forgotten, 16),
    (bfd_is_not_listened_to, 8),
    (bfd_dies_with_the_speaker, 8),
    (a_resumed_session_begins_anew, 16),
    (peers_are_not_asked_for_patience, 26),
    (what_was_told_half_counts_as_told, 173),
    (withdrawals_are_forgotten, 0),
    (other_attributes_are_no_news, 1),
    (a_failure_is_punished_for_ever, 0),
    (a_session_that_comes_up_says_the_routes_of_before, 0),
    (a_slice_that_changed_is_overlooked, 1),
    (one_peers_trouble_is_everybodys, 3),
]
"""Each with a seed that finds it."""


def play_many(first: int) -> None:
    """All seeds, beginning where it was found last, so that it is found soon."""
    for seed in (*range(first, SEEDS), *range(first)):
        RandomRun(seed).play()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("plant", "first"), PLANTS)
def test_a_planted_bug_is_found(plant: Plant, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken, match="replay: make sim WORLD=routers SEED="):
        play_many(first)
