"""One session: every event in every state, and the rules of sending (RFC 5880 sections 6.8.4 to 6.8.16)."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.bfd.packet import Diagnostic, Packet, State, decode, encode
from bareway.bfd.session import (
    NEVER,
    Change,
    Disable,
    Enable,
    Ended,
    Event,
    Received,
    Session,
    StateChanged,
    Tick,
)
from bareway.bfd.timing import SLOW_US, Timing
from support.bfd import FAST, MS, OURS, THEIRS, changes, packet, sent, session, session_in

A, D, I, U = State.ADMIN_DOWN, State.DOWN, State.INIT, State.UP  # noqa: E741 - columns of a table
NONE, EXPIRED = Diagnostic.NONE, Diagnostic.DETECTION_TIME_EXPIRED
SIGNALED, BY_US = Diagnostic.NEIGHBOR_SIGNALED_DOWN, Diagnostic.ADMINISTRATIVELY_DOWN
STAYS = None

TABLE: list[tuple[State, str, State, Diagnostic | None]] = [
    # state, event, next state, diagnostic of the change
    (A, "hears AdminDown", A, STAYS),
    (A, "hears Down", A, STAYS),
    (A, "hears Init", A, STAYS),
    (A, "hears Up", A, STAYS),
    (A, "hears nothing", A, STAYS),
    (A, "is changed", A, STAYS),
    (A, "is disabled", A, STAYS),
    (A, "is enabled", D, BY_US),
    (D, "hears AdminDown", D, STAYS),
    (D, "hears Down", I, NONE),
    (D, "hears Init", U, NONE),
    (D, "hears Up", D, STAYS),
    (D, "hears nothing", D, STAYS),
    (D, "is changed", D, STAYS),
    (D, "is disabled", A, BY_US),
    (D, "is enabled", D, STAYS),
    (I, "hears AdminDown", D, SIGNALED),
    (I, "hears Down", I, STAYS),
    (I, "hears Init", U, NONE),
    (I, "hears Up", U, NONE),
    (I, "hears nothing", D, EXPIRED),
    (I, "is changed", I, STAYS),
    (I, "is disabled", A, BY_US),
    (I, "is enabled", I, STAYS),
    (U, "hears AdminDown", D, SIGNALED),
    (U, "hears Down", D, SIGNALED),
    (U, "hears Init", U, STAYS),
    (U, "hears Up", U, STAYS),
    (U, "hears nothing", D, EXPIRED),
    (U, "is changed", U, STAYS),
    (U, "is disabled", A, BY_US),
    (U, "is enabled", U, STAYS),
]
EVENTS: dict[str, Event] = {
    "hears AdminDown": Received(packet(A)),
    "hears Down": Received(packet(D)),
    "hears Init": Received(packet(I)),
    "hears Up": Received(packet(U)),
    "hears nothing": Tick(),
    "is changed": Change(Timing(50 * MS, 50 * MS, 5)),
    "is disabled": Disable(),
    "is enabled": Enable(),
}
LONG_S = 1000.0
"""Longer than any detection time here."""


def test_the_table_has_a_row_for_each_state_and_event() -> None:
    assert sorted((state, event) for state, event, _, _ in TABLE) == sorted(
        (state, event) for state in State for event in EVENTS
    )


@pytest.mark.parametrize(("state", "name", "following", "diagnostic"), TABLE, ids=str)
def test_each_event_in_each_state(
    state: State, name: str, following: State, diagnostic: Diagnostic | None
) -> None:
    it = session_in(state)
    outputs = it.handle(EVENTS[name], now=LONG_S if name == "hears nothing" else 0.01)
    assert it.state is following
    told = [] if diagnostic is STAYS else [StateChanged(following, diagnostic)]
    assert changes(outputs) == told
    if told:
        assert it.diagnostic is diagnostic
        (first, *_) = sent(outputs)
        assert (first.state, first.diagnostic) == (following, diagnostic)


# -- what is sent


def test_the_first_packet_says_all_but_whom_it_is_for() -> None:
    (first,) = sent(session().handle(Tick(), now=0.0))
    assert first == Packet(
        state=D,
        diagnostic=NONE,
        detect_multiplier=3,
        my_discriminator=OURS,
        your_discriminator=0,
        desired_min_tx_us=SLOW_US,
        required_min_rx_us=100 * MS,
        required_min_echo_rx_us=0,
        is_control_plane_independent=True,
    )


@pytest.mark.parametrize("state", [A, D, I])
def test_nothing_fast_before_the_session_is_up(state: State) -> None:
    it = session_in(state)
    assert it.transmit_interval_us == SLOW_US
    assert all(p.desired_min_tx_us == SLOW_US for p in sent(it.handle(Tick(), now=it.deadline)))


def test_who_wishes_to_be_slower_than_slow_may() -> None:
    it = session(Timing(2_000_000, 100 * MS, 3))
    (first,) = sent(it.handle(Tick(), now=0.0))
    assert first.desired_min_tx_us == 2_000_000


def test_coming_up_is_told_at_once_and_the_next_packet_is_fast() -> None:
    it = session_in(I)
    (told,) = sent(it.handle(Received(packet(I)), now=0.5))
    assert (told.state, told.desired_min_tx_us) == (U, 100 * MS)
    assert 0.5 + 0.075 <= it.deadline <= 0.5 + 0.1


@pytest.mark.parametrize(
    ("multiplier", "least", "most"), [(1, 0.075, 0.09), (2, 0.075, 0.1), (3, 0.075, 0.1)]
)
def test_each_interval_is_shortened_by_chance(multiplier: int, least: float, most: float) -> None:
    it = session_in(U, timing=Timing(100 * MS, 100 * MS, multiplier))
    now, pauses = 0.0, []
    for _ in range(300):
        now = it.deadline
        assert sent(it.handle(Tick(), now=now))
        it.handle(Received(packet(U, is_final=it.is_polling)), now=now)
        pauses.append(it.deadline - now)
    assert all(least <= pause <= most for pause in pauses)
    assert max(pauses) - min(pauses) > 0.9 * (most - least)


def test_the_slower_side_says_how_fast_we_send() -> None:
    it = session_in(U)
    it.handle(Received(packet(U, required_min_rx_us=400 * MS)), now=0.01)
    assert it.transmit_interval_us == 400 * MS
    assert 0.3 <= it.deadline <= 0.4
    it.handle(Received(packet(U, required_min_rx_us=10 * MS)), now=0.02)
    assert it.transmit_interval_us == 100 * MS
    assert it.deadline <= 0.1


def test_a_peer_that_wants_no_packets_gets_none() -> None:
    it = session_in(U)
    it.handle(Received(packet(U, required_min_rx_us=0, desired_min_tx_us=1_000_000)), now=0.01)
    assert it.handle(Tick(), now=2.9) == []
    (answer,) = sent(it.handle(Received(packet(U, required_min_rx_us=0, is_poll=True)), now=2.9))
    assert answer.is_final


@pytest.mark.parametrize("state", [D, I, U], ids=lambda state: state.name)
def test_a_poll_is_answered_at_once_and_moves_no_timer(state: State) -> None:
    it = session_in(state)
    asking = packet(U if state is not I else D, is_poll=True)
    if state is U:
        it.handle(Received(packet(U, is_final=True)), now=0.01)
    due = it.deadline
    (answer,) = sent(it.handle(Received(asking), now=0.02))
    assert (answer.is_final, answer.is_poll) == (True, False)
    if state is U:
        assert it.deadline == due


def test_a_poll_is_not_answered_while_we_keep_the_session_down() -> None:
    it = session_in(A)
    assert not any(p.is_final for p in sent(it.handle(Received(packet(D, is_poll=True)), now=0.01)))


def test_poll_and_final_never_come_together() -> None:
    it = session_in(U)
    assert it.is_polling
    (answer,) = sent(it.handle(Received(packet(U, is_poll=True)), now=0.01))
    assert (answer.is_final, answer.is_poll) == (True, False)
    (next_one,) = sent(it.handle(Tick(), now=it.deadline))
    assert (next_one.is_final, next_one.is_poll) == (False, True)


# -- passive


def test_a_passive_session_says_nothing_before_it_is_spoken_to() -> None:
    it = session(is_passive=True)
    assert it.deadline == NEVER
    assert it.handle(Tick(), now=100.0) == []
    (answer,) = sent(it.handle(Received(packet(D, your_discriminator=0)), now=100.0))
    assert (answer.state, answer.your_discriminator) == (I, THEIRS)
    assert it.deadline < 101.0


def test_a_passive_session_whose_peer_is_gone_falls_silent() -> None:
    it = session_in(U, is_passive=True)
    outputs = it.handle(Tick(), now=LONG_S)
    assert changes(outputs) == [StateChanged(D, EXPIRED)]
    assert sent(outputs) == []
    assert it.deadline == NEVER


# -- detection


def test_the_detection_time_is_the_peers_multiplier_times_the_slower_interval() -> None:
    it = session_in(U)
    it.handle(Received(packet(U, detect_multiplier=5, desired_min_tx_us=200 * MS)), now=10.0)
    assert it.detection_time_s == pytest.approx(1.0)
    it.handle(Tick(), now=10.999)
    assert it.state is U
    it.handle(Tick(), now=11.001)
    assert it.state is D
    it = session_in(U, timing=Timing(100 * MS, 300 * MS, 7))
    assert it.detection_time_s == pytest.approx(0.9)


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_who_is_not_heard_for_a_detection_time_is_forgotten(state: State) -> None:
    it = session_in(state)
    it.handle(Received(packet(A)), now=0.01)
    outputs = it.handle(Tick(), now=LONG_S)
    assert it.remote.discriminator == 0
    assert [p.your_discriminator for p in sent(outputs)] == [0]


def test_a_peer_that_returns_with_another_discriminator_is_accepted() -> None:
    it = session_in(U)
    it.handle(Received(packet(D, my_discriminator=99, your_discriminator=0)), now=0.01)
    it.handle(Received(packet(D, my_discriminator=99, your_discriminator=0)), now=0.02)
    (up,) = sent(it.handle(Received(packet(I, my_discriminator=99)), now=0.03))
    assert (up.state, up.your_discriminator) == (U, 99)


# -- demand


def test_a_peer_in_demand_mode_hears_only_polls_and_changes() -> None:
    it = session_in(U)
    it.handle(Received(packet(U, is_final=True, is_demand=True)), now=0.01)
    it.handle(Received(packet(U, is_demand=True, desired_min_tx_us=5_000_000)), now=0.02)
    assert it.deadline == pytest.approx(0.02 + 15.0)  # its silence is still noticed
    assert it.handle(Tick(), now=10.0) == []
    (asked,) = sent(it.handle(Change(Timing(200 * MS, 100 * MS, 3)), now=10.0))
    assert asked.is_poll
    (again,) = sent(it.handle(Tick(), now=it.deadline))
    assert again.is_poll
    it.handle(Received(packet(U, is_final=True, is_demand=True, desired_min_tx_us=5_000_000)), now=10.5)
    assert it.handle(Tick(), now=10.9) == []


@pytest.mark.parametrize("ours", [I, U], ids=lambda state: state.name)
def test_demand_means_nothing_unless_both_sides_are_up(ours: State) -> None:
    it = session_in(ours)
    theirs = packet(D if ours is I else I, is_demand=True, desired_min_tx_us=SLOW_US)
    for is_final in (True, False):  # no poll is open
        it.handle(Received(theirs._replace(is_final=is_final)), now=0.01)
    assert it.state is ours
    (told,) = sent(it.handle(Tick(), now=it.deadline))
    assert (told.state, told.is_poll) == (ours, False)


def test_what_is_told_between_two_packets_moves_the_next_one() -> None:
    it = session_in(U)
    it.handle(Received(packet(U, is_final=True)), now=0.01)
    assert sent(it.handle(Change(FAST._replace(detect_multiplier=4)), now=0.07))
    assert 0.07 + 0.075 <= it.deadline <= 0.07 + 0.1


# -- administratively down


def test_who_is_disabled_says_so_slowly_for_the_peers_detection_time() -> None:
    it = session_in(U)
    now, told = 1.0, []
    outputs = it.handle(Disable(), now=now)
    while Ended() not in outputs:
        told += sent(outputs)
        now = it.deadline
        outputs = it.handle(Tick(), now=now)
    assert now == pytest.approx(1.0 + 3.0)
    assert len(told) >= 3
    assert {(p.state, p.diagnostic, p.desired_min_tx_us) for p in told} == {(A, BY_US, SLOW_US)}


def test_who_is_enabled_again_in_time_does_not_end() -> None:
    it = session_in(A)
    it.handle(Enable(), now=1.0)
    assert Ended() not in it.handle(Tick(), now=LONG_S)


# -- whatever comes

TIMINGS = st.builds(
    Timing,
    desired_min_tx_us=st.integers(10 * MS, 60_000 * MS),
    required_min_rx_us=st.integers(10 * MS, 60_000 * MS),
    detect_multiplier=st.integers(1, 255),
)
HEARD = st.builds(
    packet,
    state=st.sampled_from(State),
    diagnostic=st.integers(0, 31),
    detect_multiplier=st.integers(1, 255),
    my_discriminator=st.integers(1, 3),
    desired_min_tx_us=st.sampled_from([0, 1, 50 * MS, 2**32 - 1]),
    required_min_rx_us=st.sampled_from([0, 1, 50 * MS, 2**32 - 1]),
    is_poll=st.booleans(),
    is_final=st.booleans(),
    is_demand=st.booleans(),
)
HAPPENINGS = st.one_of(
    st.builds(Received, HEARD),
    st.just(Tick()),
    st.builds(Change, TIMINGS, st.booleans()),
    st.just(Disable()),
    st.just(Enable()),
)


@given(
    TIMINGS,
    st.booleans(),
    st.lists(st.tuples(HAPPENINGS, st.floats(0.0, 2.0) | st.just(None))),
    st.integers(),
)
def test_whatever_comes_the_rules_of_sending_hold(
    timing: Timing, is_passive: bool, story: list[tuple[Event, float | None]], seed: int
) -> None:
    it = Session(discriminator=OURS, timing=timing, rng=Random(seed), now=0.0, is_passive=is_passive)
    now = 0.0
    for event, after_s in story:
        if after_s is None:  # exactly when it asks for it
            now = max(now, it.deadline) if it.deadline < NEVER else now
            _checked(it, Tick(), now)
        else:
            now += after_s
        _checked(it, event, now)
        _checked(it, Tick(), now)
        assert it.deadline > now or it.deadline == NEVER


def _checked(it: Session, event: Event, now: float) -> None:
    before = it.state
    outputs = it.handle(event, now=now)
    assert [change.state for change in changes(outputs)] == ([it.state] if it.state is not before else [])
    for told in sent(outputs):
        assert decode(encode(told)) == told  # so its state and discriminators are such as a peer takes
        assert not (told.is_poll and told.is_final)
        assert not told.is_demand
        assert told.required_min_echo_rx_us == 0
        assert told.state is U or told.desired_min_tx_us >= SLOW_US
        assert not it.is_passive or told.your_discriminator
        asked = isinstance(event, Received) and event.packet.is_poll and it.state is not A
        assert told.is_final == asked
    if isinstance(event, Received) and event.packet.is_poll and it.state is not A:
        assert len(sent(outputs)) == 1


def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        it = session(FAST, seed="same")
        now, story = 0.0, []
        for _ in range(20):
            now = it.deadline
            story.append((now, it.handle(Tick(), now=now)))
        stories.append(story)
    assert stories[0] == stories[1]
