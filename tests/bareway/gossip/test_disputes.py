"""Two sides meet again: who keeps an address that both claimed."""

import pytest

from bareway.gossip.events import Announce, Closed, OwnFacts, Withdraw
from bareway.gossip.member import MemberState, Side
from bareway.gossip.message import News
from bareway.gossip.profile import SIDE_WINDOW_S
from support.gossip_desk import ME, A, Desk, Z, beat, claim, holding, report


def apart(
    *, side: Side, rival_side: Side | None, count: int = 7, leaving: bool = False, generation: int = 0
) -> Desk:
    """We hold ADDRESS; Z, held dead until now, comes back with a better claim."""
    made = holding()
    made.give(Closed(peer=Z))
    made.hear(A, News(reports=(report(Z, MemberState.DEAD, by=A),)))
    if leaving:
        made.give(OwnFacts(ready=True, able=True, leaving=True))
    made.wait(1.0, A)
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
        pytest.param(None, True, id="theirs was nothing when it last spoke of it"),
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


def test_a_newer_generation_is_a_planned_move_and_not_disputed() -> None:
    made = apart(side=OURS, rival_side=Side(1, Z), generation=1)
    assert made.machine.claims() == (claim(Z, 7, generation=1),)


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
