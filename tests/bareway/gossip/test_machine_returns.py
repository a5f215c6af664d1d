"""Who comes back, or comes first: what we hold is told again only if it may have announced it unheard."""

from dataclasses import replace

from bareway.gossip.events import Announce, MemberChanged
from bareway.gossip.member import MemberReason, MemberState, Side
from bareway.gossip.message import News, Pull, State
from bareway.gossip.rings import FULL_MESH_MAX
from bareway.model.names import NodeName
from support.gossip_desk import ADDRESS, PROFILE, UP, A, Desk, Z, claim, holding, report

GROUP = tuple(NodeName(f"node{number}") for number in range(FULL_MESH_MAX))


def returning(*others: NodeName, started: bool = True) -> Desk:
    """A member was held dead and is back, in a group with these."""
    made = holding()
    b = report(NodeName("b"))
    made.hear(A, News(reports=(*map(report, others), b)))
    made.hear(A, News(reports=(replace(b, state=MemberState.SUSPECT),)))
    made.wait(PROFILE.suspicion_s, A, Z)
    made.hear(A, News(reports=(replace(b, state=MemberState.DEAD),)))
    assert made.all(Announce) == []
    made.hear(A, News(reports=(replace(b, incarnation=1, facts=replace(UP, started=started)),)))
    assert made.all(MemberChanged)[-1].reason is MemberReason.RETURNED
    return made


def test_when_one_returns_that_need_not_tell_us_what_it_claimed_what_we_hold_is_announced_again() -> None:
    assert returning(*GROUP).all(Announce) == [Announce(addresses=(ADDRESS,))]


def test_one_that_returns_and_has_claimed_nothing_makes_nobody_announce_again() -> None:
    assert returning(*GROUP, started=False).all(Announce) == []


def test_where_all_gossip_with_each_other_only_what_a_member_claimed_is_announced_again() -> None:
    made = returning()
    assert made.all(Announce) == []
    made.meet(NodeName("b"), claim(NodeName("b"), 0))
    assert made.all(Announce) == [Announce(addresses=(ADDRESS,))]


def test_a_newcomer_makes_nobody_announce_again() -> None:
    made = holding()
    made.hear(A, News(reports=(*map(report, GROUP), report(Z, incarnation=1))))
    new = replace(report(NodeName("new")), facts=replace(UP, started=False))
    made.hear(A, News(reports=(new,)))
    assert made.all(MemberChanged)[-1].reason is MemberReason.JOINED
    assert made.all(Announce) == []


def test_what_one_saw_before_its_death_says_nothing_about_the_side_on_which_it_returns() -> None:
    b = NodeName("b")
    made = returning()
    before, after = Side(9, A), Side(1, b)
    for told in (report(b, side=before), report(b, incarnation=1, side=after), report(b, side=before)):
        made.hear(A, News(reports=(told,)))
    made.hear(A, Pull(number=1))
    (state,) = made.sent(A, State)
    assert {each.name: each.side for each in state.reports}[b] == after


def test_while_one_is_held_dead_nobody_says_anything_about_its_side() -> None:
    made = holding()
    b = report(NodeName("b"))
    made.hear(A, News(reports=(b, replace(b, state=MemberState.SUSPECT))))
    made.wait(PROFILE.suspicion_s, A, Z)
    made.hear(A, News(reports=(replace(b, state=MemberState.DEAD),)))
    made.hear(A, News(reports=(replace(b, side=Side(9, A)),)))
    made.hear(A, News(reports=(replace(b, incarnation=1),)))
    made.hear(A, Pull(number=1))
    (state,) = made.sent(A, State)
    assert {each.name: each.side for each in state.reports}[b.name] is None
