"""What announcer lists, tiers and the link change in who takes an address and when, seen from one member."""

from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address
from math import inf

import pytest

from bareway.gossip.backlog import TURN_MAX
from bareway.gossip.claims import NOBODY, Claim, ClaimTable
from bareway.gossip.events import ANYBODY, Announce, ListsKnown, Wish, Withdraw, WithdrawReason
from bareway.gossip.member import Facts
from bareway.gossip.ownership import Hold, Ownership
from bareway.gossip.profile import LADDER_STEP_S, LISTS_LATE_S, UNLISTED_S
from bareway.model.names import NodeName

ADDRESS = ip_address("192.168.10.0")  # MetalLB's order: node2, node1, node3
FIRST, SECOND, THIRD = NodeName("node2"), NodeName("node1"), NodeName("node3")
READY = Facts(started=True, able=True)
LEAVING = Facts(started=True, able=True, leaving=True)
STARTING = Facts(able=True)
UNABLE = Facts(started=True)
ALL = {FIRST: READY, SECOND: READY, THIRD: READY}
LISTS = ListsKnown(generation=5, exist=True, current=True)


def held(node: NodeName, generation: int = 3, count: int = 2) -> Claim:
    return Claim(address=ADDRESS, generation=generation, count=count, node=node)


def listed(*nodes: NodeName, generation: int = 5) -> Wish:
    return Wish(generation=generation, nodes=nodes)


def ownership(
    me: NodeName = SECOND,
    *,
    standings: Mapping[NodeName, Facts] = ALL,
    claim: Claim | None = None,
    wish: Wish = ANYBODY,
    lists: ListsKnown = LISTS,
    holds: Mapping[NodeName, Hold] | None = None,
) -> Ownership:
    table = ClaimTable(lives=lambda node: node in standings)
    if claim is not None:
        table.hear(claim)
    table.generation = max(table.generation, lists.generation)
    made = Ownership(me=me, table=table)
    made.see(standings, {})
    made.hold(holds or {})
    made.look(made.want({ADDRESS: wish}, lists, now=10.0), now=10.0)
    return made


def turn(of: Ownership) -> float:
    """Seconds until we claim, from the beginning."""
    return of.deadline - 10.0


def without(*gone: NodeName, **changed: Facts) -> dict[NodeName, Facts]:
    return {node: changed.get(node, READY) for node in ALL if node not in gone}


# ---------------------------------------------------------------- rule 2: a newer list moves an address


@pytest.mark.parametrize(
    ("claim", "wish", "standings", "moves"),
    [
        pytest.param(held(THIRD), listed(SECOND, THIRD), ALL, True, id="newer, and we are first"),
        pytest.param(held(THIRD, 5), listed(SECOND, THIRD), ALL, False, id="as old as the claim"),
        pytest.param(held(THIRD, 6), listed(SECOND, THIRD), ALL, False, id="older than the claim"),
        pytest.param(held(THIRD), listed(THIRD, SECOND), ALL, False, id="it confirms the holder"),
        pytest.param(held(THIRD), listed(FIRST, SECOND), ALL, False, id="another is first"),
        pytest.param(held(THIRD), listed(FIRST, SECOND), without(FIRST), True, id="the first is dead"),
        pytest.param(
            held(THIRD), listed(FIRST, SECOND), without(node2=UNABLE), True, id="the first is not eligible"
        ),
        pytest.param(
            held(THIRD), listed(FIRST, SECOND), without(node2=STARTING), True, id="the first has not started"
        ),
        pytest.param(held(THIRD), listed(FIRST, SECOND), without(node2=LEAVING), True, id="the first leaves"),
        pytest.param(held(THIRD), listed(SECOND), without(node1=LEAVING), False, id="we leave"),
        pytest.param(held(THIRD), listed(SECOND), without(node1=UNABLE), False, id="we are not able"),
        pytest.param(
            held(THIRD),
            listed(),
            without(FIRST),
            False,
            id="an entry without us moves nothing here",
        ),
        pytest.param(held(SECOND), listed(SECOND), ALL, False, id="we hold it"),
        pytest.param(
            held(THIRD), listed(SECOND, FIRST), dict.fromkeys(ALL, LEAVING), False, id="we leave as all do"
        ),
        pytest.param(
            held(THIRD),
            Wish(generation=5, nodes=(SECOND,), tiers=(frozenset({FIRST}), frozenset({SECOND, THIRD}))),
            ALL,
            False,
            id="one of a better tier is first",
        ),
    ],
)
def test_a_list_newer_than_the_claim_moves_it_at_once(
    claim: Claim, wish: Wish, standings: Mapping[NodeName, Facts], *, moves: bool
) -> None:
    made = ownership(claim=claim, wish=wish, standings=standings)
    assert turn(made) == (0.0 if moves else inf)
    assert made.due(now=10.0) == ((ADDRESS,) if moves else ())


def test_a_planned_move_claims_with_the_lists_generation_and_count_one() -> None:
    made = ownership(claim=held(THIRD), wish=listed(SECOND))
    made.table.generation = 9
    assert made.claim_for(ADDRESS) == held(SECOND, generation=5, count=1)


def test_what_falls_vacant_is_claimed_with_the_highest_generation_known() -> None:
    made = ownership(claim=held(FIRST), wish=listed(FIRST, SECOND), standings=without(FIRST))
    assert turn(made) == 0.0
    assert made.claim_for(ADDRESS) == held(SECOND, generation=5, count=1)
    made.table.generation = 9
    assert made.claim_for(ADDRESS) == held(SECOND, generation=9, count=1)


def test_within_a_generation_the_count_grows() -> None:
    made = ownership(claim=held(FIRST, generation=5, count=7), wish=listed(FIRST), standings=without(FIRST))
    assert made.claim_for(ADDRESS) == held(SECOND, generation=5, count=8)


def test_from_one_that_leaves_it_is_taken_with_the_highest_generation_known() -> None:
    made = ownership(claim=held(FIRST), wish=listed(SECOND, FIRST), standings=without(node2=LEAVING))
    made.table.generation = 9
    assert made.claim_for(ADDRESS).generation == 9


def test_a_list_written_before_the_claim_that_saved_an_address_moves_nothing_back() -> None:
    made = ownership(FIRST, claim=held(SECOND, generation=5), wish=listed(FIRST, SECOND))
    assert turn(made) == inf
    made.look(made.want({ADDRESS: listed(FIRST, SECOND, generation=6)}, LISTS, now=11.0), now=11.0)
    assert made.due(now=11.0) == (ADDRESS,)


def test_a_move_that_waited_for_the_first_goes_to_the_next_when_that_one_is_gone() -> None:
    made = ownership(claim=held(THIRD), wish=listed(FIRST, SECOND))
    assert turn(made) == inf
    made.look(made.see(without(FIRST), {}), now=11.0)
    assert made.due(now=11.0) == (ADDRESS,)


def test_the_ladder_goes_by_the_list() -> None:
    wish = listed(THIRD, SECOND)
    for node, place in ((THIRD, 0), (SECOND, 1), (FIRST, 2)):
        assert turn(ownership(node, wish=wish)) == pytest.approx(place * LADDER_STEP_S)


def test_the_ladder_goes_by_the_tiers_before_the_list() -> None:
    wish = Wish(generation=5, nodes=(SECOND, THIRD), tiers=(frozenset({THIRD}), frozenset({SECOND})))
    for node, seconds in ((THIRD, 0.0), (SECOND, LADDER_STEP_S), (FIRST, inf)):
        assert turn(ownership(node, wish=wish)) == pytest.approx(seconds)


def test_a_holder_of_a_lesser_tier_keeps_until_a_list_moves_it() -> None:
    tiers = (frozenset({SECOND}), frozenset({THIRD}))
    assert turn(ownership(claim=held(THIRD), wish=Wish(tiers=tiers))) == inf
    wish = Wish(tiers=tiers, generation=5, nodes=(SECOND, THIRD))
    assert turn(ownership(claim=held(THIRD), wish=wish)) == 0.0


# ---------------------------------------------------------------- waiting for a list


@pytest.mark.parametrize(
    ("lists", "heard", "wish", "wait_s"),
    [
        pytest.param(LISTS, 5, ANYBODY, UNLISTED_S, id="lists exist, it is in none"),
        pytest.param(LISTS, 6, ANYBODY, LISTS_LATE_S, id="gossip knows a newer one"),
        pytest.param(LISTS, 6, listed(FIRST), 0.0, id="it is in a list"),
        pytest.param(ListsKnown(), 0, ANYBODY, 0.0, id="there are no lists"),
        pytest.param(ListsKnown(current=True), 6, ANYBODY, 0.0, id="there are none here, though elsewhere"),
        pytest.param(ListsKnown(generation=5, exist=True), 6, ANYBODY, 0.0, id="the API is away"),
    ],
)
@pytest.mark.parametrize(
    "claim", [None, held(THIRD), held(NOBODY)], ids=["never held", "holder dead", "given up"]
)
def test_an_address_in_no_list_waits_for_one(
    lists: ListsKnown, heard: int, wish: Wish, wait_s: float, claim: Claim | None
) -> None:
    made = Ownership(me=FIRST, table=ClaimTable(lives=lambda node: node != THIRD))
    if claim is not None:
        made.table.hear(claim)
    made.table.generation = heard
    made.see(without(THIRD), {})
    made.look(made.want({ADDRESS: wish}, lists, now=10.0), now=10.0)
    assert turn(made) == pytest.approx(wait_s)


def test_the_ladder_begins_after_the_wait() -> None:
    assert turn(ownership(THIRD)) == pytest.approx(UNLISTED_S + 2 * LADDER_STEP_S)
    made = ownership(THIRD)
    assert made.due(now=10.0 + UNLISTED_S + LADDER_STEP_S) == ()
    assert made.due(now=10.001 + UNLISTED_S + 2 * LADDER_STEP_S) == (ADDRESS,)


def test_an_address_known_for_long_does_not_wait_when_its_holder_dies() -> None:
    made = ownership(FIRST, claim=held(THIRD))
    assert turn(made) == inf
    made.look(made.see(without(THIRD), {}), now=20.0)
    assert made.due(now=20.0) == (ADDRESS,)


def test_the_wait_ends_when_the_list_comes() -> None:
    made = ownership(FIRST)
    made.table.generation = 6
    newer = ListsKnown(generation=6, exist=True, current=True)
    made.look(made.want({ADDRESS: listed(FIRST, generation=6)}, newer, now=10.1), now=10.1)
    assert made.due(now=10.1) == (ADDRESS,)


def test_the_long_wait_becomes_short_when_the_newest_lists_are_there_without_it() -> None:
    made = ownership(FIRST)
    made.table.generation = 6
    made.look([ADDRESS], now=10.0)
    assert turn(made) == LISTS_LATE_S
    newer = ListsKnown(generation=6, exist=True, current=True)
    made.look(made.want({ADDRESS: ANYBODY}, newer, now=10.5), now=10.5)
    assert made.due(now=10.5) == (ADDRESS,)


def test_a_newer_generation_heard_while_it_waits_makes_the_wait_long() -> None:
    made = ownership(FIRST)
    made.table.generation = 6
    assert made.due(now=10.0 + UNLISTED_S) == ()
    assert turn(made) == LISTS_LATE_S


def test_when_the_api_goes_away_nobody_waits() -> None:
    made = ownership(FIRST)
    made.look(made.want({ADDRESS: ANYBODY}, ListsKnown(generation=5, exist=True), now=10.1), now=10.1)
    assert made.due(now=10.1) == (ADDRESS,)


# ---------------------------------------------------------------- what the link says


@pytest.mark.parametrize(
    ("hold", "seconds"),
    [
        pytest.param(Hold(10.4, 10.1), 0.4, id="it answers on the link"),
        pytest.param(Hold(-inf, 10.1), 0.1, id="the link was asked and has not answered"),
        pytest.param(Hold(-inf, 9.0), 0.0, id="it does not answer"),
    ],
)
def test_what_a_dead_member_held_is_left_to_it_while_it_answers(hold: Hold, seconds: float) -> None:
    wish = listed(FIRST, SECOND, THIRD)
    made = ownership(FIRST, claim=held(THIRD), wish=wish, standings=without(THIRD), holds={THIRD: hold})
    assert turn(made) == pytest.approx(seconds)


def test_the_ladder_begins_after_the_hold_but_not_after_the_question() -> None:
    for hold, seconds in ((Hold(10.4, 10.1), 0.4 + LADDER_STEP_S), (Hold(-inf, 10.1), LADDER_STEP_S)):
        made = ownership(
            claim=held(THIRD), wish=listed(FIRST, SECOND), standings=without(THIRD), holds={THIRD: hold}
        )
        assert turn(made) == pytest.approx(seconds)


def test_a_hold_that_changes_is_looked_at_and_one_of_the_living_means_nothing() -> None:
    made = ownership(FIRST, claim=held(THIRD), standings=without(THIRD))
    assert made.hold({THIRD: Hold(11.0, 10.1)}) == {ADDRESS}
    assert made.hold({THIRD: Hold(11.0, 10.1)}) == set()
    assert made.hold({}) == {ADDRESS}
    made.see(ALL, {})
    assert made.hold({THIRD: Hold(12.0, 10.1)}) == set()


@pytest.mark.parametrize(
    ("me", "claim", "place"),
    [
        pytest.param(FIRST, held(THIRD), 0, id="first of the rest"),
        pytest.param(SECOND, held(FIRST), 0, id="second, after the holder"),
        pytest.param(THIRD, held(FIRST), 1, id="third"),
        pytest.param(SECOND, None, None, id="nobody holds it"),
    ],
)
def test_who_would_follow_a_holder(me: NodeName, claim: Claim | None, place: int | None) -> None:
    assert ownership(me, claim=claim).succeeds(ADDRESS) == place


def test_what_the_link_withholds_is_not_answered_for() -> None:
    made = ownership(FIRST, claim=held(FIRST))
    withheld = {ADDRESS}
    made.withholds = withheld.__contains__
    assert made.answer_for([ADDRESS], again=set()) == []
    withheld.clear()
    assert made.answer_for([ADDRESS], again=set()) == [Announce(addresses=(ADDRESS,))]
    withheld.add(ADDRESS)
    assert made.answer_for([ADDRESS], again=set()) == [
        Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.YIELDED)
    ]


# ---------------------------------------------------------------- many


def test_what_falls_vacant_together_is_due_in_turns() -> None:
    many = [IPv4Address("10.0.0.0") + number for number in range(TURN_MAX + 10)]
    made = Ownership(me=FIRST, table=ClaimTable(lives=lambda _: True))
    made.see({FIRST: READY}, {})
    made.look(made.want(dict.fromkeys(many, ANYBODY), ListsKnown(), now=10.0), now=10.0)
    due = made.due(now=10.0)
    assert len(due) == TURN_MAX
    assert list(due) == sorted(due)
    for address in due:
        made.table.hear(made.claim_for(address))
    made.taken(due)
    assert made.deadline == 10.0
    rest = made.due(now=10.0)
    assert {*due, *rest} == set(many)
    made.taken(rest)
    assert made.deadline == inf
