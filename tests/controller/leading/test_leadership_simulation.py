"""Two and three controllers with clocks that disagree: never two at once, and soon one again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from random import Random

import pytest

from bareway.model.objects import Lease
from controller.leading.election import Answer, Claim, Look, Put, Timing, Written
from controller.leading.leadership import Leadership, Stage
from support.elections import KEY, Candidate, Story

TAKE_OVER_S = 5.0
CLEAN_S = 0.5
HEALS_S = 12.0  # a Lease of a third, a pause that grew, a take-over


def two(seed: str) -> tuple[Story, Candidate, Candidate]:
    """One leads, one stands by."""
    story = Story(seed)
    story.late_share, story.watch_delays_s, story.lists_s = 0.0, (0.001, 0.01), (0.02, 0.3)
    story.start("a")
    story.start("b")
    story.run(3.0)
    leader = story.leader()
    assert leader is not None
    (other,) = (one for one in story.candidates if one is not leader)
    return story, leader, other


@pytest.mark.parametrize("seed", range(50))
def test_after_a_crash_the_other_leads_within_five_seconds(seed: int) -> None:
    story, leader, other = two(f"crash/{seed}")
    story.run(story.rng.uniform(0, 2))
    leader.is_alive = False
    story.run(TAKE_OVER_S)
    assert story.leader() is other
    assert story.wrongs == []


@pytest.mark.parametrize("seed", range(50))
def test_after_a_clean_end_the_other_leads_at_once(seed: int) -> None:
    story, leader, other = two(f"clean/{seed}")
    story.run(story.rng.uniform(0, 2))
    leader.end()
    story.run(CLEAN_S)
    assert story.leader() is other
    assert story.wrongs == []


def test_a_quiet_life_has_one_leader_for_ever() -> None:
    story, leader, _ = two("quiet")
    story.run(600.0)
    assert story.leader() is leader
    assert len(story.leaders) == 1


def test_who_starts_again_waits_for_its_own_former_life() -> None:
    story = Story("again")
    story.late_share = 0.0
    first = story.start("a_1")
    story.run(2.0)
    first.is_alive = False
    second = story.start("a_2")
    story.run(2.5)
    assert story.leader() is None
    story.run(TAKE_OVER_S - 2.0)
    assert story.leader() is second
    assert story.wrongs == []


def test_the_first_one_of_all_need_not_wait() -> None:
    story = Story("first")
    story.late_share = 0.0
    story.start("a")
    story.run(0.8)
    assert story.leader() is not None


def test_who_was_frozen_leads_no_more_when_it_thaws() -> None:
    story, leader, other = two("frozen")
    leader.frozen_until = story.now + 10.0
    story.run(TAKE_OVER_S)
    assert story.leader() is other
    story.run(20.0)
    assert not leader.leads
    assert story.leader() is other
    assert story.wrongs == []


@pytest.mark.parametrize("seed", range(20))
def test_who_was_paused_together_with_its_clock_stops_within_its_deadline(seed: int) -> None:
    story, leader, other = two(f"paused/{seed}")
    story.run(story.rng.uniform(0, 2))
    leader.pause(10.0)
    story.run(10.0)
    assert story.leader() is not None
    assert other.leads
    story.run(Timing().renew_deadline_s * 1.1)
    assert not leader.leads, "what it began meanwhile, each write's resourceVersion decides"
    story.run(20.0)
    assert story.leader() is other


def test_who_cannot_reach_the_api_server_stops_by_its_own_clock() -> None:
    story, leader, _ = two("away")
    story.is_away = True
    story.run(Timing().renew_deadline_s * 1.1)
    assert story.leader() is None
    assert not leader.leads
    story.run(60.0)
    story.is_away = False
    story.run(3.0)
    assert story.leader() is not None


def test_an_outage_of_the_api_server_changes_no_leader() -> None:
    story, leader, _ = two("short")
    for _ in range(5):
        story.is_away = True
        story.run(1.0)
        story.is_away = False
        story.run(5.0)
    assert story.leader() is leader
    assert {name for _, name in story.leaders} == {leader.name}
    assert leader.machine.term == 1


def test_a_deleted_lease_ends_the_term_and_a_new_one_is_waited_for() -> None:
    story, _, _ = two("deleted")
    story.delete()
    story.run(0.35)
    assert story.leader() is None
    story.run(TAKE_OVER_S)
    assert story.leader() is not None
    assert story.wrongs == []


def test_a_lease_that_names_a_stranger_for_a_year_is_believed_for_a_minute() -> None:
    story, _, _ = two("stranger")
    story.store(Lease(key=KEY, resource_version="x", holder="s", duration_s=31_536_000))
    story.run(55.0)
    assert story.leader() is None
    story.run(12.0)
    assert story.leader() is not None


# ------------------------------------------------------------ anything may happen


def _switch(story: Story) -> None:
    story.is_away = not story.is_away


def _freeze(story: Story, one: Candidate) -> None:
    one.frozen_until = story.now + story.rng.uniform(0.2, 8.0)


def _stall(story: Story, one: Candidate) -> None:
    one.stalled_until = story.now + story.rng.uniform(0.2, 10.0)


def _err(story: Story) -> None:
    story.error_share = story.rng.choice((0.0, 0.2, 0.6))


def _delay(story: Story) -> None:
    story.late_share = story.rng.choice((0.0, 0.2, 0.8))


def _crash(one: Candidate) -> None:
    one.is_alive = False


FAULTS: Mapping[str, Callable[[Story, Candidate], None]] = {
    "crash": lambda story, one: _crash(one),
    "end": lambda story, one: one.end(),
    "freeze": _freeze,
    "stall": _stall,
    "away": lambda story, one: _switch(story),
    "errors": lambda story, one: _err(story),
    "late": lambda story, one: _delay(story),
    "delete": lambda story, one: story.delete(),
    "none": lambda story, one: None,
}


def live(story: Story, steps: int = 40) -> None:
    """Faults of every kind, drawn from the story's seed, with two or three candidates; then all heals."""
    rng, names = story.rng, count()
    wanted = rng.choice((2, 3))
    for _ in range(steps):
        while sum(one.is_alive and not one.is_closed for one in story.candidates) < wanted:
            story.start(f"c{next(names)}")
        story.run(rng.choice((0.1, 0.5, 1.0, 2.0, 4.0)))
        alive = [one for one in story.candidates if one.is_alive and not one.is_closed]
        if alive:
            FAULTS[rng.choice(sorted(FAULTS))](story, rng.choice(alive))
    story.start(f"c{next(names)}")
    story.is_away, story.error_share, story.late_share = False, 0.0, 0.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150))
def test_whatever_happens_no_two_lead_and_soon_one_does(seed: int) -> None:
    story = Story(f"life/{seed}")
    live(story)
    assert story.wrongs == []
    story.run(HEALS_S)
    assert story.leader() is not None
    assert story.wrongs == []


# ------------------------------------------------------------ planted bugs


class CountsFromTheAnswer(Leadership):
    """The renewal is believed from its answer on."""

    def _acknowledge(self, put: Put, lease: Lease, *, now: float) -> None:
        self._asked_at = now
        super()._acknowledge(put, lease, now=now)


class WaitsForNobody(Leadership):
    """What the former leader sent may arrive after our lists."""

    def _take(self, claim: Claim, *, now: float) -> None:
        super()._take(Claim.RELEASED if claim is not Claim.FIRST else claim, now=now)


class TakesADeletedLeaseForTheFirst(Leadership):
    """Who deletes the Lease of a living leader makes two."""

    def _take(self, claim: Claim, *, now: float) -> None:
        super()._take(Claim.FIRST if claim is Claim.DELETED else claim, now=now)


class LooksForNoMark(Leadership):
    """Who never saw a Lease believes that there never was one."""

    def _hear(self, answer: Answer, asked: Put | Look | None, *, now: float) -> None:
        super()._hear(
            replace(answer, is_first=True) if isinstance(answer, Written) else answer, asked, now=now
        )


class ReleasesWhileItWaits(Leadership):
    """The next one believes that all that was ever written has ended."""

    @property
    def _may_release(self) -> bool:
        return self._stage is not Stage.NONE and not self._must_look


class BelievesItsName(Leadership):
    """A Lease in its name is as good as a renewal."""

    def _learn(self, lease: Lease | None, *, now: float) -> None:
        super()._learn(lease, now=now)
        if lease is not None and lease.holder == self._me:
            self._valid_until = now + self._timing.renew_deadline_s


class NeverStops(Leadership):
    """It leads until somebody tells it otherwise."""

    def may_write(self, *, now: float) -> bool:
        return self._stage is Stage.READY and not self._resigns and self._valid_until > 0 - 1e9


def hasty(me: str, rng: Random) -> Leadership:
    """A Lease that expires before the last write has."""
    timing = Timing()
    object.__setattr__(timing, "renew_deadline_s", 2.9)
    return Leadership(me=me, rng=rng, timing=timing)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda me, rng: CountsFromTheAnswer(me=me, rng=rng), id="counts from the answer"),
        pytest.param(lambda me, rng: WaitsForNobody(me=me, rng=rng), id="waits for nobody"),
        pytest.param(
            lambda me, rng: TakesADeletedLeaseForTheFirst(me=me, rng=rng), id="a deleted Lease is none"
        ),
        pytest.param(lambda me, rng: LooksForNoMark(me=me, rng=rng), id="looks for no mark"),
        pytest.param(lambda me, rng: ReleasesWhileItWaits(me=me, rng=rng), id="releases while it waits"),
        pytest.param(lambda me, rng: BelievesItsName(me=me, rng=rng), id="believes its name"),
        pytest.param(lambda me, rng: NeverStops(me=me, rng=rng), id="never stops"),
        pytest.param(hasty, id="a deadline too late"),
    ],
)
def test_a_planted_bug_is_found(make: Callable[[str, Random], Leadership]) -> None:
    for seed in range(1000):
        story = Story(f"life/{seed}", make)
        live(story)
        if story.wrongs:
            break
    else:
        pytest.fail("not found")
