"""What the view believes of a death, who is acquitted, and who is waited for as a witness."""

from dataclasses import replace

import pytest

from bareway.gossip.events import MemberChanged
from bareway.gossip.member import Facts, MemberReason, MemberState, Report
from bareway.model.names import NodeName
from support.views import ALIVE, DEAD, LEFT, ME, SUSPECT, A, B, C, S, die, membership, said, state


@pytest.mark.parametrize(
    ("suspected_s", "expected"),
    [
        pytest.param(S / 2, DEAD, id="the trial was half over"),
        pytest.param(S / 2 - 0.01, SUSPECT, id="the trial had just begun"),
    ],
)
def test_a_death_that_is_only_heard_of_is_believed_if_we_suspected_the_member_ourselves(
    suspected_s: float, expected: MemberState
) -> None:
    group = membership(A, B, C)
    group.hear(said(A, SUSPECT, by=B), now=2.0)
    group.hear(said(A, DEAD, by=B), now=2.0 + suspected_s)
    assert state(group, A) is expected


def test_a_death_out_of_the_blue_is_an_accusation_since_halves_that_meet_again_bury_each_other() -> None:
    group = membership(A, B, C)
    group.hear(said(A, DEAD, by=B), now=2.0)
    assert group.take_changes() == [MemberChanged(name=A, state=SUSPECT, reason=MemberReason.ACCUSED)]
    assert group.take_news() == [said(A, SUSPECT, by=B)]
    group.hear(said(A, DEAD, by=C), now=2.0)
    assert state(group, A) is SUSPECT, "the second who says so knows it from the same side"
    group.hear(said(A, incarnation=1), now=2.0)
    assert state(group, A) is ALIVE


def test_a_death_that_is_only_heard_of_is_an_accusation_if_we_hear_the_member() -> None:
    group = membership(A, B, heard=frozenset({A}))
    die(group, A, at=2.0)
    assert group.take_changes() == [MemberChanged(name=A, state=SUSPECT, reason=MemberReason.ACCUSED)]
    assert group.take_news() == [said(A, SUSPECT, by=B)]


def test_who_only_observes_believes_every_death() -> None:
    group = membership(A, B)
    group.believes = True
    group.hear(said(A, DEAD, by=B), now=2.0)
    assert state(group, A) is DEAD
    assert group.take_changes()[-1].reason is MemberReason.REPORTED_DEAD


# ---------------------------------------------------------------- acquittal


def test_fresh_evidence_acquits_a_suspect_here_and_is_no_news_for_others() -> None:
    group = membership(A, B)
    group.accuse(A, crashed=False, now=2.0)
    group.take_news()
    group.acquit(A, now=2.1)
    group.bury(now=99.0)
    assert state(group, A) is ALIVE
    assert group.take_changes()[-1].reason is MemberReason.REFUTED
    assert group.take_news() == []


def test_after_an_acquittal_a_new_accusation_begins_a_new_trial() -> None:
    group = membership(A, B)
    group.accuse(A, crashed=False, now=2.0)
    group.acquit(A, now=2.1)
    group.accuse(A, crashed=False, now=5.0)
    assert group.deadline == pytest.approx(5.0 + 6 * S)


def test_the_dead_are_not_acquitted() -> None:
    group = membership(A, B)
    die(group, A, at=2.0)
    group.acquit(A, now=2.1)
    assert state(group, A) is DEAD


# ---------------------------------------------------------------- who watches whom


def test_the_rings_are_those_that_live_ourselves_included() -> None:
    group = membership(A, B)
    die(group, A, at=2.0)
    assert set(group.rings) == {ME, B}
    group.hear(said(A, epoch=2), now=3.0)
    group.hear(said(B, LEFT), now=3.0)
    assert set(group.rings) == {ME, A}


def test_in_a_large_group_only_its_healthy_watchers_are_waited_for_as_witnesses() -> None:
    names = [NodeName(f"n{number}") for number in range(40)]
    group = membership(*names)
    target = names[0]
    watchers = sorted(group.rings.neighbours(target) - {ME})
    group.accuse(target, crashed=False, now=2.0)
    assert group.deadline == pytest.approx(2.0 + 6 * S)
    for name in watchers[1:]:
        group.hear(said(name, LEFT), now=2.0)
    for name in sorted(group.rings.neighbours(target) - {ME}):
        group.hear(said(name, SUSPECT, by=ME), now=2.0)
    assert group.deadline == pytest.approx(2.0 + S)


@pytest.mark.parametrize(
    ("report", "counts"),
    [
        pytest.param(said(A, SUSPECT, by=B), (0, 0), id="a suspicion"),
        pytest.param(said(A, SUSPECT, by=B, crashed=True), (0, 1), id="a crash protects its claims"),
        pytest.param(replace(said(A, incarnation=1), facts=Facts(able=True)), (0, 1), id="other facts"),
        pytest.param(said(A, incarnation=1), (0, 0), id="a refutation"),
        pytest.param(said(A, LEFT), (1, 1), id="a goodbye"),
        pytest.param(said(C), (1, 1), id="a newcomer"),
    ],
)
def test_versions_grow_with_what_they_stand_for(report: Report, counts: tuple[int, int]) -> None:
    group = membership(A, B)
    before = group.set_version, group.standing_version
    group.hear(report, now=2.0)
    assert (group.set_version - before[0], group.standing_version - before[1]) == counts
