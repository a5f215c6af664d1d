"""When a member may act: both policies for partitions, seen from one member."""

import pytest

from bareway.gossip.events import (
    Announce,
    Opened,
    Output,
    OwnFacts,
    PartitionPolicy,
    PeersKnown,
    Permission,
    Send,
    Tick,
    Withdraw,
    WithdrawReason,
)
from bareway.gossip.member import NO_SIDE, MemberState, Side
from bareway.gossip.message import News, Pull, State
from bareway.gossip.profile import FENCE_MAX_S, LADDER_STEP_S, SIDE_WINDOW_S
from bareway.model.configuration import Partition
from bareway.model.names import NodeName
from support.gossip_desk import ADDRESS, ME, PROFILE, A, Desk, Z, beat, claim, desk, holding, report
from support.wishes import wanted as wanting

T, S, H = PROFILE.silence_s, PROFILE.suspicion_s, PROFILE.interval_s
SAFE, AVAILABLE = Partition.SAFE, Partition.AVAILABLE


def permission(made: Desk, *, later_s: float = 0.0) -> Permission:
    return made.machine.may_answer(ADDRESS, now=made.now + later_s)


def withdrawn(made: Desk) -> list[WithdrawReason]:
    return [each.reason for each in made.all(Withdraw)]


def alone() -> Desk:
    made = Desk()
    made.give(PeersKnown(peers=frozenset({ME})))
    made.give(wanting({ADDRESS: None}))
    made.give(OwnFacts(ready=True, able=True))
    made.give(Tick())
    return made


# ---------------------------------------------------------------- available


def test_who_hears_none_of_those_it_knows_asks_the_link_before_each_answer() -> None:
    made = holding()
    made.wait(T / 2)
    assert permission(made) is Permission.YES
    made.wait(T / 2 + H)
    assert permission(made) is Permission.ASK_FIRST
    made.hear(Z, beat())
    assert permission(made) is Permission.YES


def test_who_had_no_turn_for_longer_than_the_silence_answers_nothing_and_asks_nothing() -> None:
    made = holding()
    assert permission(made, later_s=T) is not Permission.NO
    assert permission(made, later_s=T + 0.001) is Permission.NO


def test_one_that_is_heard_is_enough() -> None:
    made = holding()
    made.wait(3 * T, Z)
    assert permission(made) is Permission.YES


def test_the_last_one_left_goes_on_and_asks() -> None:
    made = holding()
    said = made.wait(20.0)
    assert not any(isinstance(each, Withdraw) for each in said)
    assert permission(made) is Permission.ASK_FIRST


def test_who_knows_nobody_asks_nobody() -> None:
    made = alone()
    assert permission(made) is Permission.YES
    assert permission(made, later_s=1000.0) is Permission.YES


def test_who_knows_nobody_and_was_frozen_announces_again() -> None:
    made = alone()
    made.now += T + H
    assert made.give(Tick())[:1] == [Announce(addresses=(ADDRESS,))]
    made.now += H
    made.give(Tick())
    assert made.all(Announce) == []


def test_what_is_not_ours_is_never_answered_for() -> None:
    assert permission(desk(A, Z, wanted={})) is Permission.NO


# ---------------------------------------------------------------- safe


def test_without_a_majority_a_holder_withdraws_after_the_silence_of_its_profile() -> None:
    made = holding(partition=SAFE)
    cut_at = made.now
    made.hear(A, beat(interval_ms=400))
    made.hear(Z, beat(interval_ms=400))
    made.wait(T - 0.01)
    assert permission(made) is Permission.YES
    assert withdrawn(made) == []
    made.wait(0.02)
    assert permission(made) is Permission.NO
    assert withdrawn(made) == [WithdrawReason.NO_QUORUM]
    assert made.now - cut_at < T + S, "before anybody holds us dead"


def test_each_answer_asks_for_the_majority_and_not_the_last_turn_alone() -> None:
    made = holding(partition=SAFE)
    made.hear(A, beat())
    assert permission(made, later_s=T - 0.001) is Permission.YES
    assert permission(made, later_s=T) is Permission.NO


def test_one_of_two_others_is_a_majority() -> None:
    made = holding(partition=SAFE)
    made.wait(20.0, A)
    assert permission(made) is Permission.YES
    assert withdrawn(made) == []


def test_without_a_majority_nothing_is_claimed() -> None:
    made = desk(A, Z, wanted={ADDRESS: None}, partition=SAFE)
    made.hear(Z, News(claims=(claim(Z, 5),)))
    made.wait(20.0)
    assert {member.name: member.state for member in made.machine.members()}[Z] is MemberState.DEAD
    assert made.machine.claims() == (claim(Z, 5),)


def told_of_start(said: list[Output]) -> list[bool]:
    """What we tell A of whether we may take addresses."""
    told = [
        each.message
        for each in said
        if isinstance(each, Send) and each.peer == A and isinstance(each.message, News)
    ]
    return [each.facts.started for news in told for each in news.reports if each.name == ME]


def is_started(made: Desk) -> bool:
    return made.machine.own.facts.started


def test_who_withdraws_for_want_of_a_majority_says_so_to_those_it_reaches() -> None:
    made = holding(partition=SAFE)
    made.give(PeersKnown(peers=frozenset({ME, A, Z, *map(NodeName, "bcd")})))
    said = list(made.out)
    for name in "bcd":
        made.hear(A, News(reports=(report(NodeName(name), by=A),)))
        said += made.out
    assert told_of_start(said + made.wait(T, A)) == [False], "alive by A's word, but nobody waits for it"
    assert not is_started(made)
    made.wait(20.0, A)
    assert not is_started(made)


def test_with_a_majority_again_what_others_hold_is_not_taken_before_a_detection_has_passed() -> None:
    made = desk(A, Z, wanted={ADDRESS: None}, partition=SAFE)
    made.hear(Z, News(claims=(claim(Z, 5),)))
    made.wait(20.0)
    assert not is_started(made)
    made.meet(A, incarnation=5)
    back_at = made.now
    made.hear(A, beat())
    assert is_started(made)
    assert made.machine.claims() == (claim(Z, 5),), "dead as we saw it alone"
    made.wait(T + S - 0.01, A)
    assert made.machine.claims() == (claim(Z, 5),)
    made.wait(0.02 + LADDER_STEP_S, A)
    assert made.machine.claims() == (claim(ME, 6),)
    assert made.now - back_at < 2 * (T + S)


def test_with_a_majority_again_the_side_is_nothing_for_a_window() -> None:
    made = desk(A, Z, partition=SAFE)
    made.wait(20.0)
    made.meet(A, incarnation=5)
    made.hear(A, beat())
    assert is_started(made)
    made.wait(SIDE_WINDOW_S - H, A)
    assert made.machine._sides.own(now=made.now) == NO_SIDE, "who had the majority all the time keeps"
    made.wait(2 * H, A)
    assert made.machine._sides.own(now=made.now) == Side(2, A)


def test_who_restarts_on_the_smaller_side_learns_there_that_it_is_the_smaller() -> None:
    made = Desk(SAFE)
    made.give(PeersKnown(peers=frozenset({ME, A, Z, *map(NodeName, "bc")})))
    made.give(wanting({ADDRESS: None}))
    made.give(OwnFacts(ready=True, able=True))
    dead = tuple(report(NodeName(name), MemberState.DEAD, by=A) for name in "zbc")
    made.give(Opened(peer=A))
    (pull,) = made.sent(A, Pull)
    made.hear(A, State(number=pull.number, last=True, reports=(report(A, by=A), *dead)))
    made.hear(A, News(claims=(claim(Z, 5),)))
    made.wait(20.0, A)
    assert not is_started(made)
    assert permission(made) is Permission.NO


def lost() -> Desk:
    """A holder that lost its majority; the edges never broke."""
    made = holding(partition=SAFE)
    made.wait(T + H / 2)
    assert permission(made) is Permission.NO
    return made


def test_when_the_majority_is_back_we_first_learn_what_is_still_ours() -> None:
    made = holding(partition=SAFE)
    made.wait(T - H / 2)
    pulls: list[Pull] = []
    while not pulls:
        made.now = made.machine.deadline
        made.give(Tick())
        pulls = made.sent(A, Pull)
    made.hear(A, beat())
    assert permission(made) is Permission.NO, "who took over may not have been heard yet"
    made.hear(A, State(number=pulls[-1].number, last=True, reports=(report(A, by=A),)))
    assert made.all(Announce) == [Announce(addresses=(ADDRESS,))]
    assert permission(made) is Permission.YES


def test_when_somebody_took_over_meanwhile_it_stays_taken() -> None:
    made = holding(partition=SAFE)
    made.wait(T - H / 2)
    while not made.sent(A, Pull):
        made.now = made.machine.deadline
        made.give(Tick())
    number = made.sent(A, Pull)[-1].number
    made.hear(A, State(number=number, last=True, reports=(report(A, by=A),), claims=(claim(A, 9),)))
    assert made.all(Announce) == []
    assert permission(made) is Permission.NO


def test_who_reaches_nobody_stays_silent_also_when_its_fence_ends() -> None:
    made = lost()
    made.wait(10 * FENCE_MAX_S)
    assert permission(made) is Permission.NO
    assert made.all(Announce) == []


def test_who_is_the_only_node_needs_nobody() -> None:
    made = alone()
    made.give(PartitionPolicy(partition=SAFE))
    made.wait(20.0)
    assert permission(made) is Permission.YES


# ---------------------------------------------------------------- a policy that changes


@pytest.mark.parametrize(
    ("policy", "others", "told"),
    [
        pytest.param(SAFE, 8, "", id="nine members hear each other"),
        pytest.param(
            SAFE, 9, "layer2.partition: safe is proven for 9 members at most, and there are 10", id="ten"
        ),
        pytest.param(AVAILABLE, 9, "", id="the other policy asks for no majority"),
    ],
)
def test_a_majority_is_not_promised_where_nobody_hears_all_others(
    policy: Partition, others: int, told: str
) -> None:
    made = Desk(policy)
    names = [NodeName(f"n{number}") for number in range(others)]
    made.give(PeersKnown(peers=frozenset({ME, *names})))
    for name in names:
        made.give(Opened(peer=name))
        made.hear(name, News(reports=(report(name, by=name),)))
    problems = [str(problem) for problem in made.machine.problems]
    assert [problem[: len(told)] for problem in problems] == [told] * bool(told)


def test_a_policy_that_becomes_safe_counts_at_once() -> None:
    made = holding()
    made.wait(3 * T)
    assert permission(made) is Permission.ASK_FIRST
    made.give(PartitionPolicy(partition=SAFE))
    assert withdrawn(made) == [WithdrawReason.NO_QUORUM]
    assert permission(made) is Permission.NO


def test_a_policy_that_becomes_available_ends_the_silence_once_nobody_answers() -> None:
    made = lost()
    made.give(PartitionPolicy(partition=AVAILABLE))
    assert permission(made) is Permission.NO
    said = made.wait(4 * FENCE_MAX_S)
    assert Announce(addresses=(ADDRESS,)) in said
    assert permission(made) is Permission.ASK_FIRST


@pytest.mark.parametrize("partition", Partition)
def test_a_pause_longer_than_the_silence_needs_a_pull_begun_after_it(partition: Partition) -> None:
    made = holding(partition=partition)
    made.now += T + 2 * H
    made.give(Tick())
    assert permission(made) is Permission.NO
    (pull,) = made.sent(A, Pull)
    made.now += H
    made.hear(Z, beat())
    assert permission(made) is Permission.NO
    made.hear(A, State(number=pull.number, last=True, reports=(report(A, by=A),)))
    assert permission(made) is Permission.YES
    assert made.all(Announce) == [Announce(addresses=(ADDRESS,))], "clients may have learnt another"


def test_an_edge_that_opens_after_the_loss_brings_the_answer_as_well() -> None:
    made = lost()
    made.wait(3.0)
    made.give(Opened(peer=A))
    pull = made.sent(A, Pull)[-1]
    made.hear(A, State(number=pull.number, last=True, reports=(report(A, by=A, incarnation=5),)))
    made.hear(A, beat())
    assert permission(made) is Permission.YES
