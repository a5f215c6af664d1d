"""Who takes an address and when, seen from one member."""

from collections.abc import Mapping
from ipaddress import ip_address
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.claims import NOBODY, Claim, ClaimTable
from bareway.gossip.events import ANYBODY, Announce, ListsKnown, Wish, Withdraw, WithdrawReason
from bareway.gossip.member import Facts
from bareway.gossip.ownership import Ownership, differences
from bareway.gossip.profile import LADDER_STEP_S
from bareway.model.names import IPAddress, NodeName
from support.wishes import wish

ADDRESS = ip_address("192.168.10.0")  # MetalLB's order: node2, node1, node3
FIRST, SECOND, THIRD = NodeName("node2"), NodeName("node1"), NodeName("node3")
READY = Facts(started=True, able=True)
LEAVING = Facts(started=True, able=True, leaving=True)
UNABLE = Facts(started=True)
STARTING = Facts(able=True)


def held(node: NodeName, count: int = 1) -> Claim:
    return Claim(address=ADDRESS, generation=0, count=count, node=node)


def ownership(
    me: NodeName,
    standings: Mapping[NodeName, Facts],
    *,
    claim: Claim | None = None,
    permitted: frozenset[NodeName] | None = None,
    protected: Mapping[NodeName, float] | None = None,
    now: float = 10.0,
) -> Ownership:
    table = ClaimTable(lives=lambda node: node in standings)
    if claim is not None:
        table.hear(claim)
    made = Ownership(me=me, table=table)
    made.want({ADDRESS: wish(permitted)}, ListsKnown(), now=now)
    made.look(made.see(standings, protected or {}), now=now)
    return made


def turn(of: Ownership, *, now: float = 10.0) -> float:
    """Seconds until we claim."""
    return of.deadline - now


ALL = {FIRST: READY, SECOND: READY, THIRD: READY}

# ---------------------------------------------------------------- vacancies


@pytest.mark.parametrize(("me", "place"), [(FIRST, 0), (SECOND, 1), (THIRD, 2)])
def test_each_member_waits_by_its_place_in_the_order(me: NodeName, place: int) -> None:
    assert turn(ownership(me, ALL)) == pytest.approx(place * LADDER_STEP_S)


def without(*gone: NodeName, **changed: Facts) -> dict[NodeName, Facts]:
    return {node: changed.get(node, READY) for node in ALL if node not in gone}


@pytest.mark.parametrize(
    ("standings", "claim", "steps"),
    [
        pytest.param(ALL, None, 1, id="nobody holds it"),
        pytest.param(ALL, held(NOBODY), 1, id="its holder gave it up"),
        pytest.param(ALL, held(FIRST), inf, id="its holder serves it"),
        pytest.param(ALL, held(SECOND), inf, id="we hold it"),
        pytest.param(without(FIRST), held(FIRST), 0, id="its holder is dead"),
        pytest.param(without(THIRD), held(THIRD), 1, id="its holder is dead and another comes before us"),
        pytest.param(without(node2=UNABLE), held(FIRST), 0, id="its holder is not able"),
        pytest.param(without(node2=STARTING), held(FIRST), 0, id="its holder has not started"),
        pytest.param(without(node2=LEAVING), held(FIRST), 0, id="its holder leaves"),
        pytest.param(
            without(node2=LEAVING, node1=LEAVING), held(FIRST), inf, id="its holder leaves, so do we"
        ),
        pytest.param(
            dict.fromkeys(ALL, LEAVING), held(THIRD), inf, id="all leave: nobody takes from another"
        ),
        pytest.param(without(node1=LEAVING), None, inf, id="we leave and others may take it"),
        pytest.param(without(FIRST, THIRD, node1=LEAVING), None, 0, id="we leave but are alone"),
        pytest.param(without(FIRST, node1=LEAVING, node3=LEAVING), None, 0, id="we leave as all others do"),
        pytest.param(without(node1=STARTING), None, inf, id="we have not started"),
        pytest.param(without(node1=UNABLE), None, inf, id="we are not able"),
        pytest.param(without(node2=STARTING), None, 1, id="a better one is about to start: never held"),
        pytest.param(
            without(THIRD, node2=STARTING), held(THIRD), 0, id="a better one is about to start: held"
        ),
    ],
)
def test_when_the_second_in_order_takes_an_address(
    standings: Mapping[NodeName, Facts], claim: Claim | None, steps: float
) -> None:
    assert turn(ownership(SECOND, standings, claim=claim)) == pytest.approx(steps * LADDER_STEP_S)


def test_who_is_not_permitted_neither_claims_nor_is_waited_for() -> None:
    permitted = frozenset({SECOND})
    assert turn(ownership(SECOND, ALL, permitted=permitted)) == 0
    assert turn(ownership(FIRST, ALL, permitted=permitted)) == inf
    assert turn(ownership(SECOND, ALL, claim=held(FIRST), permitted=permitted)) == 0


def test_what_is_not_wanted_is_not_claimed() -> None:
    made = ownership(FIRST, ALL)
    made.wanted = {}
    made.look([ADDRESS], now=10.0)
    assert made.deadline == inf


def test_the_claims_of_a_crashed_member_stay_its_own_until_its_grace_is_over() -> None:
    made = ownership(SECOND, without(FIRST), claim=held(FIRST), protected={FIRST: 11.2})
    assert turn(made) == pytest.approx(1.2)
    back = made.see(ALL, {FIRST: 11.2})
    made.look(back, now=10.5)
    assert made.deadline == inf, "it is back and serves"


def test_a_crashed_member_that_is_back_but_has_not_started_is_protected_as_well() -> None:
    made = ownership(SECOND, without(node2=STARTING), claim=held(FIRST), protected={FIRST: 11.2})
    assert turn(made) == pytest.approx(1.2)


def test_our_turn_comes_earlier_when_one_before_us_is_gone() -> None:
    made = ownership(THIRD, ALL)
    made.look(made.see(without(FIRST), {}), now=10.1)
    assert turn(made) == pytest.approx(LADDER_STEP_S), "counted from when it fell vacant"


def test_our_turn_comes_later_when_one_before_us_is_there_again() -> None:
    made = ownership(THIRD, without(FIRST), now=10.0)
    made.look(made.see(ALL, {}), now=10.1)
    assert made.due(now=10.0 + LADDER_STEP_S) == ()
    assert made.due(now=10.0 + 2 * LADDER_STEP_S) == (ADDRESS,)
    assert made.claim_for(ADDRESS).node == THIRD


def test_our_turn_comes_later_by_the_time_we_did_not_listen() -> None:
    made = ownership(SECOND, ALL)
    made.delay_by(5.0)
    assert turn(made) == pytest.approx(5.0 + LADDER_STEP_S)


def test_a_claim_that_arrives_ends_the_vacancy() -> None:
    made = ownership(SECOND, ALL)
    made.table.hear(held(FIRST))
    made.look([ADDRESS], now=10.1)
    assert made.deadline == inf


def test_what_is_due_is_claimed_above_everything_heard_in_the_order_of_addresses() -> None:
    others = [ip_address(text) for text in ("2001:db8::1", "10.0.0.9", "192.0.2.1")]
    made = ownership(FIRST, {FIRST: READY}, claim=held(SECOND, count=4))
    made.wanted = dict.fromkeys([ADDRESS, *others], ANYBODY)
    made.look(made.wanted, now=10.0)
    due = made.due(now=10.0)
    assert [str(address) for address in due] == [
        "10.0.0.9", "192.0.2.1", "192.168.10.0", "2001:db8::1"
    ]  # fmt: skip
    assert made.claim_for(due[2]) == held(FIRST, count=5)


# ---------------------------------------------------------------- answering


def serving(
    standings: Mapping[NodeName, Facts] = ALL, permitted: frozenset[NodeName] | None = None
) -> Ownership:
    made = ownership(FIRST, standings, claim=held(FIRST), permitted=permitted)
    made.answer_for([ADDRESS], again=set())
    return made


def told(of: Ownership, *again: IPAddress) -> list[Announce | Withdraw]:
    return of.answer_for([ADDRESS], again=set(again))


def test_what_we_hold_is_announced_once_and_again_if_asked() -> None:
    made = ownership(FIRST, ALL, claim=held(FIRST))
    assert told(made) == [Announce(addresses=(ADDRESS,))]
    assert told(made) == []
    assert told(made, ADDRESS) == [Announce(addresses=(ADDRESS,))]


@pytest.mark.parametrize(
    ("standings", "permitted", "serves"),
    [
        pytest.param(ALL, None, True, id="all is well"),
        pytest.param(without(node2=LEAVING), None, True, id="we leave: until somebody has claimed"),
        pytest.param(without(node2=UNABLE), None, True, id="we are not able, others take over"),
        pytest.param(without(SECOND, THIRD, node2=UNABLE), None, False, id="we are not able and alone"),
        pytest.param(without(node2=STARTING), None, False, id="we have not started"),
        pytest.param(ALL, frozenset({SECOND}), True, id="we are not permitted, another takes over"),
        pytest.param(ALL, frozenset(), False, id="nobody is permitted"),
    ],
)
def test_what_we_hold_we_serve(
    standings: Mapping[NodeName, Facts], permitted: frozenset[NodeName] | None, *, serves: bool
) -> None:
    assert (serving(standings, permitted).answering == {ADDRESS}) is serves


def test_who_is_beaten_stops_and_says_why() -> None:
    made = serving()
    made.table.hear(held(SECOND, count=2))
    assert told(made) == [Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.BEATEN)]
    assert made.answering == set()


@pytest.mark.parametrize("reason", [WithdrawReason.FENCED, WithdrawReason.LEFT])
def test_who_is_silenced_neither_answers_nor_claims(reason: WithdrawReason) -> None:
    made = serving()
    made.silenced = reason
    assert told(made) == [Withdraw(addresses=(ADDRESS,), reason=reason)]
    assert not made.may_take(ADDRESS)


def test_what_is_wanted_no_more_is_withdrawn() -> None:
    made = serving()
    made.wanted = {}
    assert told(made) == [Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.NOT_WANTED)]


def test_who_must_start_anew_is_silent_meanwhile() -> None:
    made = serving()
    made.see(without(node2=STARTING), {})
    assert told(made) == [Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.NOT_STARTED)]


def test_what_nobody_is_permitted_to_serve_is_withdrawn() -> None:
    made = serving()
    made.wanted = {ADDRESS: wish(frozenset())}
    assert told(made) == [Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.NOT_PERMITTED)]


def test_a_view_that_did_not_change_gives_nothing_to_look_at() -> None:
    made = Ownership(me=FIRST, table=ClaimTable(lives=lambda _: True))
    made.want({ADDRESS: ANYBODY}, ListsKnown(), now=0.0)
    standings = {FIRST: READY, SECOND: READY}
    assert made.see(standings, {}) == {ADDRESS}
    assert made.see(dict(standings), {}) == set()
    assert made.see(standings, {SECOND: 9.0}) == set(), "it holds nothing"


@pytest.mark.parametrize(("me", "place"), [(FIRST, 0), (SECOND, 1)])
def test_what_a_drained_member_that_just_came_back_holds_is_left_for_a_step_and_then_goes_by_the_order(
    me: NodeName, place: int
) -> None:
    made = ownership(me, ALL, claim=held(THIRD))
    made.is_back = lambda node, _: node == THIRD
    made.look(made.see({FIRST: READY, SECOND: READY, THIRD: LEAVING}, {}), now=10.0)
    assert turn(made) == pytest.approx((1 + place) * LADDER_STEP_S)


# ---------------------------------------------------------------- what is wished otherwise

SOME = [ip_address("192.0.2.1") + number for number in range(4)]
WISHES = st.dictionaries(st.sampled_from(SOME), st.builds(Wish, generation=st.integers(0, 2)))


@given(before=WISHES, changes=WISHES, anew=st.booleans())
def test_what_differs_is_what_one_lacks_or_wishes_otherwise(
    before: dict[IPAddress, Wish], changes: dict[IPAddress, Wish], *, anew: bool
) -> None:
    wanted = changes if anew else {**before, **changes}
    expected = {each for each in {**before, **wanted} if before.get(each) != wanted.get(each)}
    assert differences(before, wanted) == expected
    assert differences(wanted, before) == expected
