"""What a speaker measures of itself: told by changes, decisions and announcements at known times."""

from collections.abc import Iterable

import pytest

from bareway.gossip.events import MemberChanged
from bareway.gossip.member import MemberReason, MemberState
from bareway.model.names import IPAddress, NodeName
from bareway.runtime.histograms import Histogram
from speaker.measuring import NEW_S, TAKEOVER_S, Measuring
from support.builders import ips

A, B = ips("192.0.2.1", "192.0.2.2")
NODE, OTHER = NodeName("node2"), NodeName("node3")


class Story:
    """A Measuring whose clock is told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.measuring = Measuring(clock=lambda: self.now)
        self.measuring.last_heard = {NODE: 99.4}.get

    def decide(self, *keys: IPAddress, announced: Iterable[IPAddress] = (), after_s: float = 0.0) -> None:
        since = self.measuring.took_in()
        self.now += after_s
        self.measuring.decided(dict.fromkeys(keys), {*announced}, since=since)

    def held(self, name: NodeName, state: MemberState, reason: MemberReason) -> None:
        self.measuring.member_changed(MemberChanged(name=name, state=state, reason=reason))

    def dies(self, name: NodeName = NODE, *, after_s: float = 0.25) -> None:
        self.held(name, MemberState.SUSPECT, MemberReason.SILENT)
        self.now += after_s
        self.held(name, MemberState.DEAD, MemberReason.NOT_REFUTED)


def seen(histogram: Histogram) -> tuple[int, object]:
    """How many, and the sum of their seconds."""
    measured = histogram.measured()
    return measured.count, pytest.approx(measured.sum_s)


def test_a_new_address_is_measured_from_the_first_change_to_its_first_frames() -> None:
    story = Story()
    story.measuring.changed()
    story.now += 0.1
    story.measuring.changed()
    story.decide(A, B, after_s=0.2)
    story.now += 0.3
    story.measuring.announced([A], 1)
    assert seen(story.measuring.convergence) == (1, 0.6)


def test_an_address_that_joins_one_announced_here_is_measured_when_it_is_decided() -> None:
    story = Story()
    story.measuring.changed()
    story.decide(A, announced=[A], after_s=0.2)
    assert seen(story.measuring.convergence) == (1, 0.2)


def test_a_look_that_no_change_called_for_is_measured_from_its_beginning() -> None:
    story = Story()
    story.now += 500
    story.decide(A, after_s=0.2)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.convergence) == (1, 0.2)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda story: story.measuring.announced([A], 1), id="announced a moment ago"),
        pytest.param(lambda story: story.decide(B), id="gone again"),
        pytest.param(lambda story: setattr(story, "now", story.now + NEW_S), id="announced elsewhere"),
    ],
)
def test_an_address_that_is_not_new_here_is_not_measured(meanwhile: object) -> None:
    story = Story()
    story.decide(A)
    assert callable(meanwhile)
    meanwhile(story)
    before = seen(story.measuring.convergence)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.convergence) == before


def test_who_is_decided_anew_is_not_new() -> None:
    story = Story()
    story.decide(A)
    story.now += 1
    story.decide(A)
    story.now += 1
    story.measuring.announced([A], 1)
    assert seen(story.measuring.convergence) == (1, 2.0)


def test_a_failover_is_measured_from_the_last_sign_of_life_for_each_address() -> None:
    story = Story()
    story.dies()
    story.now += 0.01
    story.measuring.announced([A, B], 2)
    assert seen(story.measuring.failover) == (2, 2 * (100.26 - 99.4))


def test_a_member_that_was_never_heard_itself_is_lost_when_that_is_told() -> None:
    story = Story()
    story.dies(OTHER)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.failover) == (1, 0.25)


def test_a_death_without_suspicion_counts_too() -> None:
    story = Story()
    story.held(NODE, MemberState.DEAD, MemberReason.REPORTED_DEAD)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.failover) == (1, 0.6)


def test_of_two_that_die_together_the_one_silent_for_longer_counts() -> None:
    story = Story()
    story.dies(NODE, after_s=0)
    story.dies(OTHER, after_s=0)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.failover) == (1, 0.6)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param((MemberState.ALIVE, MemberReason.REFUTED), id="refuted"),
        pytest.param((MemberState.LEFT, MemberReason.SAID_GOODBYE), id="said goodbye"),
    ],
)
def test_what_moves_while_everybody_lives_is_no_failover(end: tuple[MemberState, MemberReason]) -> None:
    story = Story()
    story.held(NODE, MemberState.SUSPECT, MemberReason.ACCUSED)
    story.held(NODE, *end)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.failover) == (0, 0.0)


@pytest.mark.parametrize(
    ("after_s", "new"), [pytest.param(TAKEOVER_S, 1, id="much later"), pytest.param(0.1, 0, id="held before")]
)
def test_what_has_nothing_to_do_with_a_death_is_no_failover(after_s: float, new: int) -> None:
    story = Story()
    story.dies()
    story.now += after_s
    story.measuring.announced([A], new)
    assert seen(story.measuring.failover) == (0, 0.0)


def test_changes_of_members_are_counted_by_state_and_reason() -> None:
    story = Story()
    story.dies()
    story.dies(OTHER)
    assert story.measuring.changes == {("Suspect", "Silent"): 2, ("Dead", "NotRefuted"): 2}


def test_a_suspicion_that_is_said_again_counts_from_the_first_time() -> None:
    story = Story()
    story.held(OTHER, MemberState.SUSPECT, MemberReason.ACCUSED)
    story.now += 0.2
    story.held(OTHER, MemberState.SUSPECT, MemberReason.SILENT)
    story.measuring.announced([A], 1)
    assert seen(story.measuring.failover) == (1, 0.2)
