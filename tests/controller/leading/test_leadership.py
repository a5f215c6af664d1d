"""controller.leading.leadership, step by step; whole stories are told in test_leadership_simulation.py."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from bareway.model.names import ObjectKey
from bareway.model.objects import Lease
from controller.leading.election import (
    Claim,
    Done,
    Lead,
    Look,
    Looked,
    Loss,
    Output,
    Outrun,
    Prepare,
    Prepared,
    Put,
    Resign,
    Seen,
    Tick,
    Timing,
    Unanswered,
    Warm,
    Written,
    Yield,
)
from controller.leading.leadership import Leadership

TIMING = Timing()
LEASE = Lease(
    key=ObjectKey("bareway-system", "bareway-controller"), resource_version="7", duration_s=3, transitions=4
)
OURS = replace(LEASE, holder="me", resource_version="8", transitions=5)
THEIRS = replace(LEASE, holder="other")
RELEASED = replace(LEASE, holder="")


def machine(lease: Lease | None = RELEASED, *, is_new: bool = False) -> tuple[Leadership, list[Output]]:
    """At 100 s it sees ``lease`` and could lead; and what it asks for then."""
    made = Leadership(me="me", rng=Random("me"))
    assert made.handle(Seen(lease), now=100.0) == []
    return made, made.handle(Warm(is_new), now=100.0)


def leading(version: str = "8") -> Leadership:
    """Since 100 s, after a clean release."""
    made, _ = machine()
    made.handle(Written(replace(OURS, resource_version=version)), now=100.0)
    assert made.handle(Prepared(1), now=100.0) == [Lead(1)]
    return made


def put(over: Lease | None, transitions: int, claim: Claim, holder: str = "me") -> Put:
    return Put(over=over, holder=holder, transitions=transitions, claim=claim)


# ------------------------------------------------------------ taking


def test_nothing_is_asked_for_before_the_caches_are_warm() -> None:
    made = Leadership(me="me", rng=Random("me"))
    assert made.handle(Seen(RELEASED), now=100.0) == []
    assert made.handle(Tick(), now=1000.0) == []


def test_nothing_is_asked_for_before_the_lease_was_seen() -> None:
    made = Leadership(me="me", rng=Random("me"))
    assert made.handle(Warm(is_new=True), now=100.0) == []
    assert made.handle(Tick(), now=1000.0) == []


def test_a_released_lease_is_taken_at_once_and_everything_listed_before_anything_is_written() -> None:
    made, outputs = machine(RELEASED)
    assert outputs == [put(RELEASED, 5, Claim.RELEASED)]
    assert made.handle(Written(OURS), now=100.01) == [Prepare(1)]
    assert not made.may_write(now=100.02)
    assert made.handle(Prepared(1), now=100.3) == [Lead(1)]
    assert made.may_write(now=100.3)
    assert (made.term, made.holder) == (1, "me")


def test_a_lease_is_anybodys_when_it_has_not_changed_for_its_time_since_it_was_seen() -> None:
    made, outputs = machine(THEIRS)
    assert outputs == []
    assert made.deadline == 103.0
    assert made.handle(Seen(replace(THEIRS, resource_version="9")), now=102.9) == []
    assert made.handle(Tick(), now=103.0) == []
    assert made.handle(Tick(), now=105.9) == [put(replace(THEIRS, resource_version="9"), 5, Claim.EXPIRED)]


def test_a_count_of_takers_that_the_api_could_not_hold_is_not_written() -> None:
    full = replace(RELEASED, transitions=2**31 - 1)
    _, outputs = machine(full)
    assert outputs == [put(full, 2**31 - 1, Claim.RELEASED)]


def test_who_is_not_the_first_waits_as_if_the_lease_had_been_deleted() -> None:
    made, _ = machine(None, is_new=True)
    assert made.handle(Written(OURS, is_first=False), now=100.0) == []
    assert not made.may_write(now=103.9)
    waits_s = TIMING.lease_s + TIMING.request_s
    renewed = replace(OURS, resource_version="9")
    for number in range(1, 6):
        made.handle(Tick(), now=100.0 + 0.8 * number)
        made.handle(Written(renewed), now=100.0 + 0.8 * number)
    assert made.handle(Tick(), now=100.0 + waits_s)[:1] in ([Prepare(1)], [])
    assert not made.may_write(now=100.0 + waits_s)


def test_what_the_former_leader_sent_is_waited_out_before_everything_is_listed() -> None:
    made, _ = machine(THEIRS)
    made.handle(Tick(), now=103.0)
    assert made.handle(Written(OURS), now=103.1) == []
    assert made.handle(Tick(), now=103.1 + TIMING.request_s - 0.01) == [put(OURS, 5, Claim.OURS)]
    assert made.handle(Tick(), now=103.1 + TIMING.request_s) == [Prepare(1)]


@pytest.mark.parametrize(
    ("is_new", "claim", "waits_s"),
    [
        pytest.param(True, Claim.FIRST, 0.0, id="where nobody ever led"),
        pytest.param(False, Claim.DELETED, 4.0, id="where it was deleted"),
    ],
)
def test_a_lease_that_is_not_there_is_created(is_new: bool, claim: Claim, waits_s: float) -> None:
    made, outputs = machine(None, is_new=is_new)
    assert outputs == [put(None, 0, claim)]
    outputs = made.handle(Written(OURS), now=100.0)
    assert outputs == ([] if waits_s else [Lead(1)])
    assert made.may_write(now=100.0) is not bool(waits_s)


def test_another_is_believed_as_long_as_its_lease_says_but_a_minute_at_most() -> None:
    assert machine(replace(THEIRS, duration_s=20))[0].deadline == 120.0
    assert machine(replace(THEIRS, duration_s=10**9))[0].deadline == 160.0
    assert machine(replace(THEIRS, duration_s=0))[0].deadline == 103.0


def test_who_was_outrun_looks_and_waits_for_the_other() -> None:
    made, _ = machine(RELEASED)
    assert made.handle(Outrun(), now=100.01) == [Look()]
    assert made.handle(Looked(replace(THEIRS, resource_version="8")), now=100.02) == []
    assert made.deadline == pytest.approx(103.02)


def test_a_lease_in_our_name_that_we_did_not_see_become_ours_is_taken_with_care() -> None:
    made, _ = machine(THEIRS)
    made.handle(Tick(), now=103.0)
    made.handle(Unanswered(), now=104.0)
    assert made.handle(Tick(), now=104.2) == [Look()]
    made.handle(Looked(OURS), now=104.21)
    assert not made.may_write(now=104.21)
    assert made.handle(Tick(), now=104.5) == [put(OURS, 5, Claim.OURS)]
    assert made.handle(Written(replace(OURS, resource_version="9")), now=104.51) == []
    assert Prepare(1) in made.handle(Tick(), now=104.51 + TIMING.request_s)


# ------------------------------------------------------------ holding


def test_the_lease_is_renewed_in_time_and_its_transitions_stay() -> None:
    made = leading()
    assert made.deadline == 100.0 + TIMING.renew_every_s
    assert made.handle(Tick(), now=100.8) == [put(OURS, 5, Claim.OURS)]
    assert made.handle(Written(replace(OURS, resource_version="9")), now=101.0) == []
    assert made.deadline == 100.8 + TIMING.renew_every_s


def test_a_renewal_counts_from_the_moment_when_it_was_asked_for() -> None:
    made = leading()
    made.handle(Tick(), now=100.8)
    made.handle(Written(replace(OURS, resource_version="9")), now=101.7)
    assert made.may_write(now=100.8 + TIMING.renew_deadline_s - 0.01)
    assert not made.may_write(now=100.8 + TIMING.renew_deadline_s)


def test_without_a_renewal_the_term_ends_by_our_own_clock_and_goes_on_with_the_next_one() -> None:
    made = leading()
    made.handle(Tick(), now=100.8)
    assert not made.may_write(now=100.0 + TIMING.renew_deadline_s), "also before anybody told it"
    assert made.handle(Tick(), now=100.0 + TIMING.renew_deadline_s) == [Yield(Loss.RENEWAL_OVERDUE)]
    made.handle(Unanswered(), now=101.8)
    assert made.handle(Tick(), now=102.0) == [Look()]
    made.handle(Looked(OURS), now=102.01)
    assert made.handle(Tick(), now=102.3) == [put(OURS, 5, Claim.OURS)]
    assert made.handle(Written(replace(OURS, resource_version="9")), now=102.31) == [Lead(1)]
    assert made.term == 1, "nobody led in between"


def test_our_own_writes_in_the_watch_are_no_news() -> None:
    made = leading()
    assert made.handle(Seen(OURS), now=100.1) == []
    assert made.may_write(now=100.1)


@pytest.mark.parametrize("lease", [None, THEIRS, RELEASED], ids=["deleted", "taken", "emptied"])
def test_a_lease_that_the_watch_shows_as_not_ours_stops_all_writes_until_we_looked(
    lease: Lease | None,
) -> None:
    made = leading()
    assert made.handle(Seen(lease), now=100.1) == [Yield(Loss.LEASE_CHANGED), Look()]
    assert not made.may_write(now=100.1)
    made.handle(Looked(OURS), now=100.11)  # it was an old sight
    assert made.handle(Tick(), now=100.4) == [put(OURS, 5, Claim.OURS)]
    assert made.handle(Written(replace(OURS, resource_version="9")), now=100.41) == [Lead(1)]


def test_a_renewal_that_was_on_its_way_when_the_lease_changed_does_not_count() -> None:
    made = leading()
    made.handle(Tick(), now=100.8)
    assert made.handle(Seen(THEIRS), now=100.81) == [Yield(Loss.LEASE_CHANGED)]
    assert made.handle(Written(replace(OURS, resource_version="9")), now=100.82) == [Look()]
    assert not made.may_write(now=100.82)


def test_who_lost_the_lease_leads_again_in_another_term() -> None:
    made = leading()
    made.handle(Tick(), now=100.8)
    made.handle(Outrun(), now=100.81)
    theirs = replace(THEIRS, resource_version="9", transitions=6)
    assert made.handle(Looked(theirs), now=100.82) == [Yield(Loss.LEASE_TAKEN)]
    released = replace(RELEASED, resource_version="10", transitions=6)
    (claim,) = made.handle(Seen(released), now=101.5)
    assert claim == put(released, 7, Claim.RELEASED)
    assert made.handle(Written(replace(OURS, resource_version="11")), now=101.51) == [Prepare(2)]
    assert made.handle(Prepared(1), now=101.6) == [], "lists of another term"
    assert made.handle(Prepared(2), now=101.7) == [Lead(2)]


def test_while_the_api_server_is_away_pauses_grow() -> None:
    made, _ = machine(RELEASED)
    now, asked_at = 100.0, []
    for _ in range(12):
        made.handle(Unanswered(), now=now)
        now = made.deadline
        assert made.handle(Tick(), now=now) == [Look()]
        asked_at.append(now)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert 0.1 <= pauses[0] <= 0.5
    assert TIMING.retry_cap_s / 2 <= pauses[-1] <= TIMING.retry_cap_s


# ------------------------------------------------------------ ending


def test_who_ends_releases_the_lease() -> None:
    made = leading()
    assert made.handle(Resign(), now=100.3) == [Yield(Loss.RESIGNED), put(OURS, 5, Claim.OURS, holder="")]
    assert made.handle(Written(replace(RELEASED, resource_version="9")), now=100.31) == [Done()]
    assert made.handle(Tick(), now=200.0) == []


def test_who_ends_in_the_middle_of_a_renewal_waits_for_its_answer() -> None:
    made = leading()
    made.handle(Tick(), now=100.8)
    assert made.handle(Resign(), now=100.81) == [Yield(Loss.RESIGNED)]
    renewed = replace(OURS, resource_version="9")
    assert made.handle(Written(renewed), now=100.9) == [put(renewed, 5, Claim.OURS, holder="")]


@pytest.mark.parametrize("answer", [Outrun(), Unanswered()], ids=["outrun", "unanswered"])
def test_a_release_is_tried_once(answer: Outrun | Unanswered) -> None:
    made = leading()
    made.handle(Resign(), now=100.3)
    assert made.handle(answer, now=100.4) == [Done()]


def test_who_only_stands_by_just_ends() -> None:
    made, _ = machine(THEIRS)
    assert made.handle(Resign(), now=100.1) == [Done()]


def test_who_ends_while_it_waits_for_the_one_before_it_releases_nothing() -> None:
    made, _ = machine(THEIRS)
    made.handle(Tick(), now=103.0)
    made.handle(Written(OURS), now=103.1)
    assert made.handle(Resign(), now=103.2) == [Done()], (
        "the next one would believe that nothing is on its way"
    )


def test_times_that_let_two_write_at_once_are_refused() -> None:
    with pytest.raises(AssertionError):
        Timing(lease_s=3, renew_deadline_s=2.0, request_s=1.0)
