"""A witness is told of each change of hands, and decides nothing."""

from bareway.gossip.changes import Change, is_change_of_hands
from bareway.gossip.claims import NOBODY
from bareway.gossip.events import OwnFacts
from bareway.gossip.message import News
from support.gossip_desk import ADDRESS, ME, A, Desk, Z, claim, desk


def witnessed(made: Desk) -> list[Change]:
    seen: list[Change] = []
    made.machine._election._witness = seen.append
    return seen


def test_a_claim_of_ours_is_told_with_what_we_say_of_ourselves() -> None:
    made = desk(A, Z)
    seen = witnessed(made)
    made.hear(A, News(claims=(claim(A),)))
    (heard,) = seen
    assert (heard.former, heard.claim, heard.holder, heard.at) == (None, claim(A), None, made.now)
    assert heard.taker is not None
    assert heard.taker.name == A


def test_who_has_the_address_before_is_told_as_it_is_held_now() -> None:
    made = desk(A, Z)
    made.hear(A, News(claims=(claim(A),)))
    seen = witnessed(made)
    made.hear(Z, News(claims=(claim(Z, count=2),)))
    (heard,) = seen
    assert (heard.former, heard.claim) == (claim(A), claim(Z, count=2))
    assert heard.holder is not None
    assert heard.holder.name == A


def test_what_is_taken_from_us_is_told_with_our_own_facts() -> None:
    made = desk(A, Z, wanted={ADDRESS: frozenset({ME, A})})
    made.wait(1.0, A, Z)
    before = made.machine.claims()
    assert [one.node for one in before] in ([ME], [A])
    seen = witnessed(made)
    made.give(OwnFacts(ready=True, able=True, leaving=True))
    made.hear(A, News(claims=(claim(A, count=9),)))
    assert made.machine.claims() == (claim(A, count=9),)
    (heard,) = seen
    assert heard.wish is not None
    assert heard.holder is not None
    assert (heard.holder.name, heard.holder.report.facts.leaving) == (ME, True)


def test_what_is_beaten_known_or_claimed_again_is_no_change() -> None:
    made = desk(A, Z)
    made.hear(A, News(claims=(claim(A, count=3),)))
    seen = witnessed(made)
    made.hear(Z, News(claims=(claim(Z, count=2), claim(A, count=3), claim(A, count=4))))
    assert seen == []
    assert made.machine.claims() == (claim(A, count=4),)


def test_nobody_and_none_are_the_same_holder() -> None:
    assert not is_change_of_hands(None, claim(NOBODY))
    assert not is_change_of_hands(claim(NOBODY), claim(NOBODY, count=2))
    assert is_change_of_hands(None, claim(A))
    assert is_change_of_hands(claim(A), claim(NOBODY))
    assert is_change_of_hands(claim(A), claim(Z))
    assert not is_change_of_hands(claim(A), claim(A, count=2))
