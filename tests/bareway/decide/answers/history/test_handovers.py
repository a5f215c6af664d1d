"""Each word is said when it is true, and no other; what was measured is told only where it was."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.decide.answers.history.handovers import (
    SEAMLESS,
    SILENT,
    Background,
    HandoverReason,
    remember,
)
from bareway.gossip.changes import Change
from bareway.gossip.claims import NOBODY, Claim
from bareway.gossip.events import Wish
from bareway.gossip.member import Facts, Member, MemberState, Report
from bareway.model.names import NodeName

A, B = NodeName("a"), NodeName("b")
KEY = ip_address("192.0.2.10")
NOW = 100.0
UP = Facts(started=True, able=True)


def claim(node: NodeName, generation: int = 5, count: int = 1) -> Claim:
    return Claim(address=KEY, generation=generation, count=count, node=node)


def member(
    name: NodeName = A,
    state: MemberState = MemberState.ALIVE,
    facts: Facts = UP,
    *,
    crashed: bool = False,
    back_s: float | None = None,
) -> Member:
    said = Report(name=name, epoch=1, incarnation=0, state=state, facts=facts, by=name, crashed=crashed)
    return Member(report=said, since=0.0, revived_at=None if back_s is None else NOW - back_s)


DEAD = member(state=MemberState.DEAD)
LEAVING = member(facts=replace(UP, leaving=True))
TAKEN = Change(NOW, claim(A), claim(B, count=2), member(), member(B), Wish(generation=5, nodes=(A, B)))
LISTED = TAKEN._replace(claim=claim(B, generation=6), wish=Wish(generation=6, nodes=(B, A)))
NOTHING = Background(why_leaving=lambda _: None, named_for=lambda _: None)
MARKED = Background(why_leaving=lambda name: f"Drained: {name}", named_for=lambda _: B)


@pytest.mark.parametrize(
    ("seen", "background", "word"),
    [
        pytest.param(
            TAKEN._replace(former=None, holder=None), NOTHING, HandoverReason.FIRST_CLAIM, id="first"
        ),
        pytest.param(
            TAKEN._replace(former=claim(NOBODY), holder=None),
            NOTHING,
            HandoverReason.FIRST_CLAIM,
            id="after nobody",
        ),
        pytest.param(TAKEN._replace(claim=claim(NOBODY)), NOTHING, HandoverReason.GIVEN_UP, id="given up"),
        pytest.param(TAKEN._replace(holder=DEAD), NOTHING, HandoverReason.HOLDER_DIED, id="dead"),
        pytest.param(
            TAKEN._replace(holder=member(state=MemberState.DEAD, crashed=True)),
            NOTHING,
            HandoverReason.HOLDER_CRASHED,
            id="dead by a crash",
        ),
        pytest.param(
            TAKEN._replace(holder=member(state=MemberState.LEFT)),
            NOTHING,
            HandoverReason.HOLDER_LEFT,
            id="left",
        ),
        pytest.param(TAKEN._replace(holder=None), NOTHING, HandoverReason.HOLDER_GONE, id="no member"),
        pytest.param(
            TAKEN._replace(holder=member(facts=replace(UP, able=False, started=False))),
            NOTHING,
            HandoverReason.HOLDER_LOST_LINK,
            id="not able",
        ),
        pytest.param(
            TAKEN._replace(holder=member(facts=Facts(able=True))),
            NOTHING,
            HandoverReason.HOLDER_NOT_STARTED,
            id="not started",
        ),
        pytest.param(
            TAKEN._replace(wish=Wish(tiers=(frozenset({B}),))),
            NOTHING,
            HandoverReason.HOLDER_NOT_PERMITTED,
            id="not permitted",
        ),
        pytest.param(TAKEN._replace(holder=LEAVING), MARKED, HandoverReason.HOLDER_DRAINED, id="drained"),
        pytest.param(TAKEN._replace(holder=LEAVING), NOTHING, HandoverReason.HOLDER_STOPPING, id="stopping"),
        pytest.param(
            LISTED._replace(holder=LEAVING),
            MARKED,
            HandoverReason.HOLDER_DRAINED,
            id="drained, and listed anew",
        ),
        pytest.param(LISTED, NOTHING, HandoverReason.MOVED_BY_LIST, id="listed"),
        pytest.param(LISTED, MARKED, HandoverReason.MOVED_BY_OPERATOR, id="named"),
        pytest.param(
            TAKEN._replace(holder=member(back_s=1)),
            MARKED,
            HandoverReason.PARTITION_HEALED,
            id="holder is back",
        ),
        pytest.param(
            TAKEN._replace(taker=member(B, back_s=1)),
            MARKED,
            HandoverReason.PARTITION_HEALED,
            id="taker is back",
        ),
        pytest.param(
            TAKEN._replace(taker=member(B, back_s=60)), MARKED, HandoverReason.UNEXPLAINED, id="back for long"
        ),
        pytest.param(
            TAKEN._replace(holder=member(state=MemberState.SUSPECT)),
            NOTHING,
            HandoverReason.HOLDER_DIED,
            id="suspect here, dead there",
        ),
        pytest.param(TAKEN, MARKED, HandoverReason.UNEXPLAINED, id="not seen"),
        pytest.param(
            TAKEN._replace(taker=None, wish=None), MARKED, HandoverReason.UNEXPLAINED, id="little known"
        ),
        pytest.param(
            LISTED._replace(wish=Wish(generation=7, nodes=(B,))),
            MARKED,
            HandoverReason.UNEXPLAINED,
            id="another list",
        ),
        pytest.param(
            LISTED._replace(wish=Wish(generation=6, nodes=(A,))),
            MARKED,
            HandoverReason.UNEXPLAINED,
            id="not in it",
        ),
    ],
)
def test_why(seen: Change, background: Background, word: HandoverReason) -> None:
    assert remember(seen, heard_at=None, background=background).reason is word


def test_every_word_is_said_by_somebody() -> None:
    said = {case.values[2] for case in test_why.pytestmark[0].args[1]}  # type: ignore[attr-defined]  # pytest puts it there
    assert said == set(HandoverReason)


@pytest.mark.parametrize(
    ("seen", "gap_s"),
    [
        pytest.param(TAKEN._replace(holder=DEAD), 0.75, id="since the last word"),
        pytest.param(TAKEN._replace(holder=LEAVING), 0.0, id="none"),
        pytest.param(LISTED, 0.0, id="none either"),
        pytest.param(TAKEN._replace(holder=member(facts=Facts(able=True))), None, id="nobody can say"),
        pytest.param(TAKEN._replace(former=None, holder=None), None, id="nobody served"),
    ],
)
def test_for_how_long_nobody_answered(seen: Change, gap_s: float | None) -> None:
    assert remember(seen, heard_at=NOW - 0.75, background=NOTHING).gap_s == gap_s


def test_who_never_heard_the_former_holder_cannot_tell() -> None:
    assert remember(TAKEN._replace(holder=DEAD), heard_at=None, background=NOTHING).gap_s is None


def test_a_gap_is_never_negative() -> None:
    assert remember(TAKEN._replace(holder=DEAD), heard_at=NOW + 1, background=NOTHING).gap_s == 0.0


def test_what_people_wrote_is_kept_and_nobody_is_no_former_holder() -> None:
    kept = remember(TAKEN._replace(holder=LEAVING), heard_at=None, background=MARKED)
    assert (kept.former, kept.detail, kept.claim, kept.at) == (A, "Drained: a", TAKEN.claim, NOW)
    nobody = remember(TAKEN._replace(former=claim(NOBODY)), heard_at=None, background=MARKED)
    assert nobody.former is None


def test_no_word_is_both_silent_and_seamless() -> None:
    assert SILENT.isdisjoint(SEAMLESS)
