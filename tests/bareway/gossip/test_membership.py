"""The view: what is believed of whom, what is refuted, and what is told on."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.events import MemberChanged
from bareway.gossip.member import Facts, MemberReason, MemberState, Report, Side, supersedes
from bareway.gossip.membership import OUTBID_WITHIN_S, OUTBIDS_OF_A_TWIN, Membership
from bareway.gossip.profile import COUNTER_MAX, CRASH_GRACE_S, RETRY_FOR_S
from bareway.model.names import NodeName
from support.views import ALIVE, DEAD, LEFT, ME, SUSPECT, A, B, C, S, die, membership, said, state


def test_a_stranger_who_lives_joins_and_is_told_on() -> None:
    group = membership()
    group.hear(said(A, by=B), now=5.0)
    assert state(group, A) is ALIVE
    assert group.take_news() == [said(A, by=B)]
    assert group.take_changes() == [MemberChanged(name=A, state=ALIVE, reason=MemberReason.JOINED)]
    assert group.changed_at == 5.0


@pytest.mark.parametrize("how", [DEAD, LEFT])
def test_a_stranger_who_is_gone_is_not_worth_knowing(how: MemberState) -> None:
    group = membership()
    group.hear(said(A, how, by=B), now=5.0)
    assert group.get(A) is None
    assert group.take_news() == []


def test_a_stranger_who_is_suspect_joins_and_stands_trial() -> None:
    group = membership()
    group.hear(said(A, SUSPECT, by=B), now=5.0)
    assert state(group, A) is SUSPECT
    assert group.deadline == 5.0 + S


def test_a_view_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bareway.gossip.membership.MEMBERS_MAX", 10)
    group = membership(*(NodeName(f"n{number}") for number in range(10)))
    group.hear(said(A), now=2.0)
    assert group.get(A) is None


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(said(A, incarnation=0), DEAD, id="alive again at the same incarnation: an echo"),
        pytest.param(said(A, incarnation=1), ALIVE, id="alive with a higher incarnation: refuted"),
        pytest.param(said(A, epoch=2), ALIVE, id="a new life beats the old one at once"),
        pytest.param(said(A, epoch=0, incarnation=9), DEAD, id="an old life says nothing"),
        pytest.param(said(A, SUSPECT, by=B), DEAD, id="suspicion of the dead"),
        pytest.param(said(A, LEFT), LEFT, id="it had left"),
    ],
)
def test_what_brings_a_dead_member_back(report: Report, expected: MemberState) -> None:
    group = membership(A, B)
    die(group, A, at=2.0)
    group.hear(report, now=3.0)
    assert state(group, A) is expected


def test_who_returns_is_known_to_have_been_dead() -> None:
    group = membership(A, B)
    die(group, A, at=2.0)
    group.hear(said(A, incarnation=1), now=3.0)
    member = group.get(A)
    assert member is not None
    assert member.revived_at == 3.0
    assert group.take_changes()[-1].reason is MemberReason.RETURNED


def test_who_said_goodbye_and_comes_again_rejoins() -> None:
    group = membership(A)
    group.hear(said(A, LEFT), now=2.0)
    group.hear(said(A, epoch=2), now=3.0)
    assert [change.reason for change in group.take_changes()] == [
        MemberReason.SAID_GOODBYE,
        MemberReason.REJOINED,
    ]


# ---------------------------------------------------------------- suspicion


def test_an_alarm_makes_a_suspect_that_still_lives_and_is_told_to_all() -> None:
    group = membership(A, B)
    group.accuse(A, crashed=False, now=2.0)
    assert state(group, A) is SUSPECT
    assert group.lives(A)
    assert group.take_news() == [said(A, SUSPECT, by=ME)]
    assert group.take_changes() == [MemberChanged(name=A, state=SUSPECT, reason=MemberReason.SILENT)]


def test_a_suspect_dies_when_its_time_is_up_and_not_before() -> None:
    group = membership(A)
    group.accuse(A, crashed=False, now=2.0)
    group.bury(now=2.0 + S - 0.001)
    assert state(group, A) is SUSPECT
    group.take_news()
    group.bury(now=2.0 + S)
    assert group.take_changes()[-1] == MemberChanged(name=A, state=DEAD, reason=MemberReason.NOT_REFUTED)
    assert group.take_news() == [said(A, DEAD, by=ME)]
    assert not group.lives(A)


def test_a_refuted_suspicion_is_over() -> None:
    group = membership(A)
    group.accuse(A, crashed=False, now=2.0)
    group.hear(said(A, incarnation=1), now=2.1)
    group.bury(now=9.0)
    assert state(group, A) is ALIVE
    assert group.take_changes()[-1].reason is MemberReason.REFUTED


def test_a_suspicion_that_nobody_shares_lasts_six_times_longer() -> None:
    group = membership(A, B, C)
    group.accuse(A, crashed=False, now=2.0)
    assert group.deadline == pytest.approx(2.0 + 6 * S)
    group.hear(said(A, SUSPECT, by=B), now=2.1)
    group.hear(said(A, SUSPECT, by=C), now=2.1)
    assert group.deadline == pytest.approx(2.0 + S)


def test_who_is_suspect_itself_is_not_waited_for_as_a_witness() -> None:
    group = membership(A, B)
    group.accuse(A, crashed=False, now=2.0)
    group.accuse(B, crashed=False, now=2.0)
    assert group.deadline == pytest.approx(2.0 + S)


def test_each_accuser_is_told_on_once_and_only_the_first_three() -> None:
    group = membership(A, B, C, NodeName("d"), NodeName("e"))
    accusers = [ME, B, B, C, NodeName("d"), NodeName("e")]
    for by in accusers:
        group.hear(said(A, SUSPECT, by=by), now=2.0)
    assert [report.by for report in group.take_news()] == [ME, B, C]
    assert len(group.take_changes()) == 1


def test_an_old_accusation_is_ignored() -> None:
    group = membership()
    group.hear(said(A, incarnation=3), now=1.0)
    group.hear(said(A, SUSPECT, by=B, incarnation=2), now=2.0)
    assert state(group, A) is ALIVE


def test_a_newer_accusation_begins_a_new_trial() -> None:
    group = membership(A, B)
    group.accuse(A, crashed=False, now=2.0)
    group.hear(said(A, SUSPECT, by=B, incarnation=1), now=3.0)
    assert group.deadline == pytest.approx(3.0 + 6 * S)


def test_trials_wait_while_we_do_not_listen() -> None:
    group = membership(A)
    group.accuse(A, crashed=False, now=2.0)
    group.delay_by(5.0)
    group.bury(now=7.0)
    assert state(group, A) is SUSPECT
    group.bury(now=7.0 + S)
    assert state(group, A) is DEAD


# ---------------------------------------------------------------- crashes


def test_a_crashed_member_keeps_its_claims_for_a_while_also_after_its_death() -> None:
    group = membership(A)
    group.accuse(A, crashed=True, now=2.0)
    assert group.take_changes()[-1].reason is MemberReason.CRASHED
    group.bury(now=2.0 + S)
    assert group.protected(now=2.5) == {A: 2.0 + CRASH_GRACE_S}
    assert group.protected(now=2.0 + CRASH_GRACE_S) == {}


def test_a_silent_member_is_not_protected() -> None:
    group = membership(A)
    group.accuse(A, crashed=False, now=2.0)
    group.bury(now=2.0 + S)
    assert group.protected(now=2.3) == {}


def test_a_crash_that_is_learnt_during_a_suspicion_protects_and_is_told_on() -> None:
    group = membership(A, B)
    group.accuse(A, crashed=False, now=2.0)
    group.take_news()
    crashed = said(A, SUSPECT, by=ME, crashed=True)
    group.hear(crashed, now=2.1)
    assert group.take_news() == [crashed]
    assert group.protected(now=2.2) == {A: 2.1 + CRASH_GRACE_S}


def test_the_protection_outlives_the_return() -> None:
    group = membership(A)
    group.accuse(A, crashed=True, now=2.0)
    group.hear(said(A, epoch=2), now=2.4)
    assert A in group.protected(now=2.5)


# ---------------------------------------------------------------- ourselves


@pytest.mark.parametrize("how", [SUSPECT, DEAD, LEFT])
def test_we_refute_what_is_said_of_us_with_a_higher_incarnation(how: MemberState) -> None:
    group = membership(A)
    group.hear(said(ME, how, by=A, incarnation=4), now=2.0)
    assert group.own == said(ME, incarnation=5)
    assert group.take_news() == [said(ME, incarnation=5)]


def test_an_old_accusation_against_us_needs_no_answer() -> None:
    group = membership(A)
    group.hear(said(ME, SUSPECT, by=A), now=2.0)
    group.take_news()
    group.hear(said(ME, SUSPECT, by=A), now=2.0)
    assert group.take_news() == []


def test_an_earlier_life_with_a_later_epoch_is_outdone() -> None:
    group = membership(A)
    group.hear(said(ME, epoch=7, incarnation=2), now=2.0)
    assert group.own.version == (7, 3)


def test_our_own_echo_is_ignored() -> None:
    group = membership(A)
    group.hear(said(ME), now=2.0)
    assert group.own == said(ME)


def test_new_facts_of_ours_raise_the_incarnation_and_the_same_facts_do_not() -> None:
    group = membership(A)
    group.say(Facts(able=True))
    group.say(Facts(able=True))
    assert group.take_news() == [replace(said(ME, incarnation=1), facts=Facts(able=True))]
    assert group.standings()[ME] == Facts(able=True)


def test_after_our_goodbye_nothing_is_refuted() -> None:
    group = membership(A)
    group.leave()
    group.take_news()
    group.hear(said(ME, LEFT), now=2.0)
    group.hear(said(ME, DEAD, by=A), now=2.0)
    assert group.own.state is LEFT
    assert group.take_news() == []


# ---------------------------------------------------------------- the whole view


def test_the_view_counts_the_living_and_names_the_lowest() -> None:
    group = membership(A, B)
    assert group.view == Side(3, A)
    die(group, A, at=2.0)
    assert group.view == Side(2, B)


def test_a_long_dead_member_is_forgotten_and_a_living_one_is_not() -> None:
    group = membership(A, B)
    die(group, A, at=2.0)
    group.forget_the_dead(now=2.0 + RETRY_FOR_S - 1)
    assert group.get(A) is not None
    group.forget_the_dead(now=2.0 + RETRY_FOR_S)
    assert group.get(A) is None
    assert group.get(B) is not None


def test_the_digest_is_that_of_the_living_whatever_the_way_there() -> None:
    direct = Membership(
        own=said(A), hears=lambda _: False, suspicion_s=lambda _: S, born_at=0.0, changed_at=0.0
    )
    direct.hear(said(ME), now=0.0)
    direct.hear(said(B, incarnation=2), now=0.0)
    detour = membership(A, B, C)
    die(detour, C, at=2.0)
    detour.hear(said(B, SUSPECT, by=A), now=2.0)
    detour.hear(said(B, incarnation=2), now=2.0)
    assert detour.digest == direct.digest
    detour.hear(said(A, SUSPECT, by=B), now=3.0)
    assert detour.digest == direct.digest, "a suspicion is no difference, it will end one way or the other"


REPORTS = st.builds(
    said,
    st.just(A),
    st.sampled_from(MemberState),
    by=st.just(B),
    epoch=st.integers(0, 1),
    incarnation=st.integers(0, 2),
)


@given(st.lists(REPORTS, min_size=1, max_size=4, unique=True))
def test_the_order_in_which_reports_come_does_not_matter_once_trials_have_ended(
    reports: list[Report],
) -> None:
    ends = set()
    for order in permutations(reports):
        group = membership(B)
        group.hear(said(A, epoch=0), now=1.0)
        for report in order:
            group.hear(report, now=1.0)
        group.bury(now=99.0)
        member = group.get(A)
        assert member is not None
        ends.add((member.report.version, member.state))
    assert len(ends) == 1


@given(REPORTS, REPORTS)
def test_of_two_reports_that_differ_one_supersedes_the_other(one: Report, other: Report) -> None:
    if (one.version, one.state) == (other.version, other.state):
        assert not supersedes(one, other)
    else:
        assert supersedes(one, other) is not supersedes(other, one)


def test_two_processes_of_one_name_do_not_outbid_each_other_without_end_and_it_is_seen() -> None:
    made = membership()
    raised = 0
    for step in range(400):
        before = made.own.version
        twin = replace(made.own, incarnation=made.own.incarnation + 1)
        made.hear(twin, now=10.0 + step * 0.01)
        raised += made.own.version > before
        assert made.has_twin(now=10.0 + step * 0.01) is (raised >= OUTBIDS_OF_A_TWIN)
    assert raised == 4
    assert not made.has_twin(now=14.0 + OUTBID_WITHIN_S), "it is over"


def test_a_former_life_is_outbid_at_once_and_is_no_twin() -> None:
    made = membership()
    made.hear(replace(made.own, epoch=made.own.epoch + 5, incarnation=9), now=10.0)
    assert made.own.version == (made.own.epoch, 10)
    assert not made.has_twin(now=10.0)


def test_an_accusation_is_refuted_at_once_however_often_it_comes() -> None:
    made = membership()
    for number in range(1, 20):
        made.hear(replace(made.own, state=SUSPECT, by=A), now=10.0)
        assert made.own.incarnation == number


@pytest.mark.parametrize("name", [ME, A])
def test_a_word_that_nobody_could_supersede_is_not_believed(name: NodeName) -> None:
    made = membership(A)
    before = made.reports()
    made.hear(replace(said(name), state=DEAD, incarnation=COUNTER_MAX + 1), now=1.0)
    made.hear(replace(said(name), state=DEAD, epoch=COUNTER_MAX + 1), now=1.0)
    assert made.reports() == before
