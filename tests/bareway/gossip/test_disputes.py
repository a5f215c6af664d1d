"""Two sides meet again: who keeps an address that both claimed."""

from dataclasses import replace

import pytest

from bareway.gossip.events import ANYBODY, Announce, Closed, Opened, OwnFacts, Wanted, Wish, Withdraw
from bareway.gossip.member import NO_SIDE, MemberState, Side
from bareway.gossip.message import News
from bareway.gossip.profile import LADDER_STEP_S, SIDE_WINDOW_S
from support.gossip_desk import ADDRESS, ME, UP, A, Desk, Z, beat, claim, desk, holding, report


def apart(
    *,
    side: Side,
    rival_side: Side | None,
    count: int = 7,
    leaving: bool = False,
    generation: int = 0,
    wish: Wish = ANYBODY,
) -> Desk:
    """We hold ADDRESS; Z, held dead until now, comes back with a better claim."""
    made = holding()
    made.give(Closed(peer=Z))
    made.hear(A, News(reports=(report(Z, MemberState.DEAD, by=A),)))
    if leaving:
        made.give(OwnFacts(ready=True, able=True, leaving=True))
    made.wait(1.0, A)
    made.give(Wanted(addresses={ADDRESS: wish}))
    assert made.machine._sides.own(now=made.now) == side
    made.meet(Z, claim(Z, count, generation=generation), side=rival_side, incarnation=3)
    return made


OURS = Side(2, A)


@pytest.mark.parametrize(
    ("rival", "wins"),
    [
        pytest.param(Side(1, Z), True, id="ours is greater"),
        pytest.param(Side(2, ME), True, id="as many, but ours has the lower name"),
        pytest.param(Side(3, A), False, id="theirs is greater"),
        pytest.param(NO_SIDE, True, id="theirs is nothing: it has not started, or was paused"),
        pytest.param(None, False, id="theirs is not known"),
    ],
)
def test_after_a_partition_the_greater_side_claims_anew(rival: Side | None, *, wins: bool) -> None:
    made = apart(side=OURS, rival_side=rival)
    assert made.machine.claims() == ((claim(ME, 8) if wins else claim(Z, 7)),)
    assert bool(made.all(Announce)) is wins
    assert bool(made.all(Withdraw)) is not wins


def test_a_leaving_holder_does_not_claim_anew() -> None:
    made = apart(side=OURS, rival_side=Side(1, Z), leaving=True)
    assert made.machine.claims() == (claim(Z, 7),)


def test_who_was_cut_off_and_knew_of_a_newer_generation_takes_nothing_by_it() -> None:
    made = apart(side=OURS, rival_side=Side(1, Z), generation=1)
    assert made.machine.claims() == (claim(ME, 8, generation=1),)


@pytest.mark.parametrize(
    ("wish", "wins"),
    [
        pytest.param(Wish(generation=1, nodes=(Z, ME)), False, id="to the other"),
        pytest.param(Wish(generation=1, nodes=(ME, Z)), True, id="to us"),
        pytest.param(Wish(generation=0, nodes=(Z, ME)), True, id="but was followed before"),
    ],
)
def test_a_newer_list_that_gives_the_address_away_is_not_disputed(wish: Wish, *, wins: bool) -> None:
    made = apart(side=OURS, rival_side=Side(1, Z), generation=1, wish=wish)
    assert made.machine.claims()[0].node == (ME if wins else Z)


def test_what_a_member_saw_before_it_was_held_dead_says_nothing_of_its_side() -> None:
    made = holding()
    made.hear(Z, beat(side=Side(3, A)))
    made.give(Closed(peer=Z))
    made.hear(A, News(reports=(report(Z, MemberState.DEAD, by=A),)))
    made.wait(1.0, A)
    made.give(Opened(peer=Z))
    back = report(Z, incarnation=3, by=Z, side=Side(1, Z))
    made.hear(A, News(reports=(back,), claims=(claim(Z, 7),)))
    assert made.machine.claims() == (claim(ME, 8),), "another told its side first"


def test_a_members_own_word_of_its_side_weighs_more_than_what_others_say() -> None:
    made = holding()
    made.hear(Z, beat(side=Side(1, Z)))
    made.hear(A, News(reports=(report(Z, incarnation=3, by=Z, side=Side(3, A)),)))
    assert made.machine._sides.outweigh(Z, now=made.now)


def test_who_was_not_dead_is_not_disputed() -> None:
    made = holding()
    made.hear(Z, beat(side=Side(1, Z)))
    made.hear(Z, News(claims=(claim(Z, 7),)))
    assert made.machine.claims() == (claim(Z, 7),)


def test_who_was_dead_long_ago_is_not_disputed() -> None:
    made = apart(side=OURS, rival_side=Side(1, Z), count=1)
    assert made.machine.claims()[0].node == ME
    made.wait(SIDE_WINDOW_S + 0.1, A, Z)
    made.hear(Z, beat(side=Side(1, Z)))
    made.hear(Z, News(claims=(claim(Z, 90),)))
    assert made.machine.claims() == (claim(Z, 90),)


def returned_with(*, leaving: bool) -> Desk:
    """A holds ADDRESS, we would be first to follow; Z, held dead until now, is back with a better claim."""
    made = desk(A, Z)
    made.give(Wanted(addresses={ADDRESS: Wish(generation=0, nodes=(ME, A))}))
    made.hear(A, News(claims=(claim(A, 1),)))
    made.give(Closed(peer=Z))
    made.hear(A, News(reports=(report(Z, MemberState.DEAD, by=A),)))
    made.wait(1.0, A)
    back = replace(report(Z, incarnation=3, by=Z, side=Side(1, Z)), facts=replace(UP, leaving=leaving))
    made.hear(A, News(reports=(back,), claims=(claim(Z, 7),)))
    made.give(Opened(peer=Z))
    return made


def test_what_a_drained_member_of_another_side_brings_back_its_former_holder_may_claim_first() -> None:
    made = returned_with(leaving=True)
    made.wait(LADDER_STEP_S - 0.05, A, Z)
    assert made.machine.claims() == (claim(Z, 7),), "though the drained one hands over, and we are the first"
    made.hear(A, News(claims=(claim(A, 8),)))
    made.wait(2.0, A, Z)
    assert made.machine.claims() == (claim(A, 8),)


def test_what_a_drained_member_brings_back_is_taken_if_nobody_claims_it_anew() -> None:
    made = returned_with(leaving=True)
    made.wait(LADDER_STEP_S + 0.05, A, Z)
    assert made.machine.claims() == (claim(ME, 8),)


def test_who_was_never_away_hands_over_at_once() -> None:
    made = desk(A, Z)
    made.give(Wanted(addresses={ADDRESS: Wish(generation=0, nodes=(ME, A))}))
    made.hear(Z, News(claims=(claim(Z, 7),)))
    leaves = replace(report(Z, incarnation=3, by=Z), facts=replace(UP, leaving=True))
    made.hear(Z, News(reports=(leaves,)))
    assert made.machine.claims() == (claim(ME, 8),)
