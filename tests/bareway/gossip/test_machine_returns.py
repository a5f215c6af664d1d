"""Who comes back, or comes first: what we have is announced again if it may have announced it too."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.gossip.events import Announce, Closed, MemberChanged
from bareway.gossip.member import MemberReason, MemberState, Side
from bareway.gossip.message import News, Pull, State
from bareway.gossip.profile import SIDE_WINDOW_S
from bareway.model.names import NodeName
from support.gossip_desk import ADDRESS, ME, PROFILE, UP, A, Desk, Z, claim, holding, report
from support.wishes import wanted as wanting

B = NodeName("b")
OTHER = ip_address("192.0.2.2")


def returning(*, held_s: float, epoch: int = 1) -> Desk:
    """We have held an address for so long when a member is held dead; two seconds later it is back."""
    made = holding()
    made.wait(SIDE_WINDOW_S, A, Z)
    made.meet(B)
    made.give(wanting({ADDRESS: None, OTHER: frozenset({ME})}))
    assert made.answers(OTHER)
    made.wait(held_s, A, B, Z)
    made.give(Closed(peer=B))
    made.hear(A, News(reports=(report(B, MemberState.SUSPECT),)))
    made.wait(PROFILE.suspicion_s, A, Z)
    made.hear(A, News(reports=(report(B, MemberState.DEAD),)))
    made.wait(2.0, A, Z)
    made.hear(A, News(reports=(replace(report(B, incarnation=1), epoch=epoch),)))
    assert made.all(MemberChanged)[-1].reason is MemberReason.RETURNED
    return made


@pytest.mark.parametrize("epoch", [1, 2])
def test_what_we_claimed_shortly_before_one_was_lost_is_announced_again_when_it_returns(epoch: int) -> None:
    """It may have claimed that too, and announced it; if it has begun anew, its former life has."""
    assert returning(held_s=1.0, epoch=epoch).all(Announce) == [Announce(addresses=(OTHER,))]


def test_what_we_had_for_long_it_cannot_have_claimed_without_a_better_claim() -> None:
    assert returning(held_s=SIDE_WINDOW_S + 1.0).all(Announce) == []


def test_a_rival_claim_of_the_one_that_returns_makes_us_announce_again_in_any_case() -> None:
    made = returning(held_s=SIDE_WINDOW_S + 1.0)
    made.meet(B, claim(B, 0, OTHER))
    assert made.all(Announce) == [Announce(addresses=(OTHER,))]


@pytest.mark.parametrize("started", [True, False])
def test_whom_we_never_knew_makes_us_announce_all_unless_it_has_just_begun(*, started: bool) -> None:
    made = holding()
    made.wait(2 * SIDE_WINDOW_S, A, Z)
    made.hear(A, News(reports=(replace(report(B), facts=replace(UP, started=started)),)))
    assert made.all(MemberChanged)[-1].reason is MemberReason.JOINED
    assert made.all(Announce) == [Announce(addresses=(ADDRESS,))] * started


def died_and_back() -> Desk:
    """Of a member that says of itself what it saw."""
    made = holding()
    made.hear(A, News(reports=(report(B),)))
    made.hear(A, News(reports=(report(B, MemberState.SUSPECT),)))
    made.wait(PROFILE.suspicion_s, A, Z)
    made.hear(A, News(reports=(report(B, MemberState.DEAD),)))
    made.hear(A, News(reports=(report(B, incarnation=1),)))
    return made


def test_what_one_saw_before_its_death_says_nothing_about_the_side_on_which_it_returns() -> None:
    b, made = B, died_and_back()
    before, after = Side(9, A), Side(1, b)
    for told in (report(b, side=before), report(b, incarnation=1, side=after), report(b, side=before)):
        made.hear(A, News(reports=(told,)))
    made.hear(A, Pull(number=1))
    (state,) = made.sent(A, State)
    assert {each.name: each.side for each in state.reports}[b] == after


def test_while_one_is_held_dead_nobody_says_anything_about_its_side() -> None:
    made = holding()
    b = report(B)
    made.hear(A, News(reports=(b, replace(b, state=MemberState.SUSPECT))))
    made.wait(PROFILE.suspicion_s, A, Z)
    made.hear(A, News(reports=(replace(b, state=MemberState.DEAD),)))
    made.hear(A, News(reports=(replace(b, side=Side(9, A)),)))
    made.hear(A, News(reports=(replace(b, incarnation=1),)))
    made.hear(A, Pull(number=1))
    (state,) = made.sent(A, State)
    assert {each.name: each.side for each in state.reports}[b.name] is None
