"""The best claim of each address, in whatever order they come."""

from ipaddress import ip_address
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.claims import CLAIMS_MAX, NOBODY, Claim, ClaimTable, Outcome, beats
from bareway.gossip.profile import COUNTER_MAX
from bareway.model.names import NodeName

ADDRESS = ip_address("192.0.2.1")
A, B, C = (NodeName(name) for name in ("node1", "node2", "node3"))
CLAIMS = st.builds(
    Claim,
    address=st.sampled_from([ADDRESS, ip_address("192.0.2.2"), ip_address("2001:db8::1")]),
    generation=st.integers(0, 2),
    count=st.integers(0, 3),
    node=st.sampled_from([A, B, C, NOBODY]),
)


def claim(generation: int, count: int, node: NodeName) -> Claim:
    return Claim(address=ADDRESS, generation=generation, count=count, node=node)


def table(*claims: Claim, dead: frozenset[NodeName] = frozenset()) -> ClaimTable:
    made = ClaimTable(lives=lambda node: node not in dead)
    for each in claims:
        made.hear(each)
    return made


def content(of: ClaimTable) -> set[Claim]:
    return set(of)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(claim(1, 1, A), claim(0, 9, B), id="newer generation"),
        pytest.param(claim(1, 3, A), claim(1, 2, B), id="higher count"),
        pytest.param(claim(1, 2, C), claim(1, 2, A), id="better rank for this address"),
    ],
)
def test_the_better_claim_stands_whichever_came_first(better: Claim, worse: Claim) -> None:
    assert beats(better, worse)
    assert not beats(worse, better)
    assert content(table(better, worse)) == content(table(worse, better)) == {better}


@given(st.lists(CLAIMS, max_size=6))
def test_merging_is_commutative_and_idempotent(claims: list[Claim]) -> None:
    once = table(*claims)
    twice = table(*reversed(claims), *claims)
    assert content(once) == content(twice)
    assert once.digest == twice.digest


@given(st.lists(CLAIMS, max_size=4), st.lists(CLAIMS, max_size=4), st.lists(CLAIMS, max_size=4))
def test_merging_is_associative(first: list[Claim], second: list[Claim], third: list[Claim]) -> None:
    left = table(*table(*first, *second), *third)
    right = table(*first, *table(*second, *third))
    assert content(left) == content(right)
    assert left.digest == right.digest


def test_equal_digests_mean_equal_tables_and_unequal_ones_differ() -> None:
    claims = [claim(0, 1, A), claim(0, 1, B), claim(0, 2, A), claim(1, 1, A)]
    digests = {table(each).digest for each in claims}
    assert len(digests) == len(claims)
    assert 0 not in digests
    assert {table(*order).digest for order in permutations(claims)} == {table(claims[-1]).digest}


@pytest.mark.parametrize("dead_first", [True, False])
def test_a_claim_of_the_dead_never_displaces_one_of_the_living(*, dead_first: bool) -> None:
    of_dead, of_living = claim(5, 9, A), claim(0, 1, B)
    order = (of_dead, of_living) if dead_first else (of_living, of_dead)
    assert content(table(*order, dead=frozenset({A}))) == {of_living}


def test_between_two_dead_the_better_claim_is_kept_for_their_return() -> None:
    assert content(table(claim(0, 2, A), claim(0, 1, B), dead=frozenset({A, B}))) == {claim(0, 2, A)}


def test_every_claim_that_is_heard_is_named_by_what_became_of_it() -> None:
    made = table(claim(0, 2, B), dead=frozenset({C}))
    assert made.hear(claim(0, 2, B)) is Outcome.KNOWN
    assert made.hear(claim(0, 1, A)) is Outcome.BEATEN
    assert made.hear(claim(9, 9, C)) is Outcome.HOLDER_DEAD
    assert made.hear(claim(0, 3, A)) is Outcome.KEPT


def test_a_new_claim_is_above_all_that_was_heard_even_of_claims_that_did_not_stand() -> None:
    made = table(claim(0, 2, B), claim(0, 7, C), dead=frozenset({C}))
    assert made.next_claim(ADDRESS, A) == claim(0, 8, A)


def test_a_new_claim_takes_the_newest_generation_heard_anywhere() -> None:
    made = table(claim(1, 4, B))
    made.hear(Claim(address=ip_address("192.0.2.9"), generation=3, count=1, node=C))
    assert made.next_claim(ADDRESS, A) == claim(3, 1, A)
    assert made.next_claim(ADDRESS, A, generation=1) == claim(1, 5, A)


def test_addresses_are_found_by_their_holder() -> None:
    made = table(claim(0, 1, A))
    assert made.held_by(A) == {ADDRESS}
    made.hear(claim(0, 2, B))
    assert made.held_by(A) == frozenset()
    assert made.held_by(B) == {ADDRESS}


def test_what_nobody_holds_any_more_is_a_claim_like_any_other() -> None:
    given_up = claim(0, 2, NOBODY)
    assert content(table(claim(0, 1, A), given_up, dead=frozenset({NOBODY}))) == {given_up}
    assert content(table(given_up, claim(0, 3, B))) == {claim(0, 3, B)}


def test_what_was_forgotten_is_not_learnt_from_a_slower_member_but_from_a_newer_claim() -> None:
    made = table(claim(0, 2, A))
    made.forget(ADDRESS, now=10.0)
    assert (len(made), made.digest, made.held_by(A)) == (0, 0, frozenset())
    assert made.hear(claim(0, 2, A)) is Outcome.FORGOTTEN
    assert made.hear(claim(0, 3, B)) is Outcome.KEPT


@pytest.mark.parametrize("wanted", [True, False])
def test_what_was_forgotten_is_learnt_again_when_it_is_wanted_or_after_a_while(*, wanted: bool) -> None:
    made = table(claim(0, 2, A))
    made.forget(ADDRESS, now=10.0)
    if wanted:
        made.want(ADDRESS)
    else:
        made.learn_again(9.0)
        assert made.hear(claim(0, 2, A)) is Outcome.FORGOTTEN
        made.learn_again(10.0)
    assert made.hear(claim(0, 2, A)) is Outcome.KEPT


def test_a_full_table_learns_no_new_address_but_still_who_holds_the_known_ones() -> None:
    made = ClaimTable(lives=lambda _: True)
    first = ip_address("10.0.0.0")
    for number in range(CLAIMS_MAX):
        made.hear(Claim(address=first + number, generation=0, count=1, node=A))
    assert made.hear(claim(0, 1, A)) is Outcome.TABLE_FULL
    assert made.hear(Claim(address=first, generation=0, count=2, node=B)) is Outcome.KEPT
    assert len(made) == CLAIMS_MAX


def test_what_was_never_known_can_be_forgotten() -> None:
    made = ClaimTable(lives=lambda _: True)
    made.forget(ip_address("192.0.2.77"), now=1.0)
    assert len(made) == 0


@pytest.mark.parametrize(
    ("generation", "count", "outcome"),
    [
        pytest.param(COUNTER_MAX, 1, Outcome.KEPT, id="as far as one may count"),
        pytest.param(COUNTER_MAX + 1, 1, Outcome.ABSURD, id="a generation that no list can beat"),
        pytest.param(1, COUNTER_MAX + 1, Outcome.ABSURD, id="a count that no claim can beat"),
    ],
)
def test_what_nobody_counts_up_to_is_not_believed(generation: int, count: int, outcome: Outcome) -> None:
    made = ClaimTable(lives=lambda _: True)
    address = ip_address("192.0.2.77")
    claim = Claim(address=address, generation=generation, count=count, node=NodeName("liar"))
    assert made.hear(claim) is outcome
    kept = outcome is Outcome.KEPT
    assert (made.get(address) is claim, made.generation) == (kept, generation if kept else 0)


def test_a_generation_that_is_heard_of_counts_unless_it_is_garbage() -> None:
    made = ClaimTable(lives=lambda _: True)
    for generation, known in ((7, 7), (5, 7), (COUNTER_MAX + 1, 7), (COUNTER_MAX, COUNTER_MAX)):
        made.hear_generation(generation)
        assert made.generation == known
