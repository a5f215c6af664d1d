"""How changed intervals are agreed on: what is announced, what is in use, and the poll between (RFC 5880)."""

import pytest

from bareway.bfd.packet import State
from bareway.bfd.session import Change, Received, Session, Tick
from bareway.bfd.timing import Timing
from support.bfd import FAST, MS, packet, sent, session_in

UP = State.UP
ANSWER = Received(packet(UP, is_final=True))
WORD = Received(packet(UP))


def settled() -> Session:
    """Up, and all that coming up has changed is confirmed."""
    it = session_in(UP)
    it.handle(ANSWER, now=0.0)
    it.handle(WORD, now=0.0)
    assert not it.is_polling
    return it


def test_coming_up_is_polled_for() -> None:
    it = session_in(UP)
    assert it.is_polling
    (packet_of_poll,) = sent(it.handle(Tick(), now=it.deadline))
    assert packet_of_poll.is_poll
    it.handle(ANSWER, now=0.2)
    assert not it.is_polling


def test_each_packet_asks_until_the_answer_comes() -> None:
    it = settled()
    (first,) = sent(it.handle(Change(Timing(50 * MS, 100 * MS, 3)), now=0.01))
    assert first.is_poll
    now = 0.01
    for _ in range(4):
        it.handle(WORD, now=now)
        now = it.deadline
        (asked,) = sent(it.handle(Tick(), now=now))
        assert asked.is_poll
    it.handle(ANSWER, now=now)
    (quiet,) = sent(it.handle(Tick(), now=it.deadline))
    assert not quiet.is_poll


def test_sending_slower_waits_for_the_answer() -> None:
    it = settled()
    (told,) = sent(it.handle(Change(Timing(400 * MS, 100 * MS, 3)), now=0.01))
    assert told.desired_min_tx_us == 400 * MS
    assert it.transmit_interval_us == 100 * MS
    it.handle(ANSWER, now=0.02)
    assert it.transmit_interval_us == 400 * MS


def test_sending_faster_does_not_wait() -> None:
    it = settled()
    it.handle(Change(Timing(50 * MS, 100 * MS, 3)), now=0.01)
    assert it.transmit_interval_us == 100 * MS  # the peer takes no more
    it.handle(Received(packet(UP, required_min_rx_us=10 * MS)), now=0.02)
    assert it.transmit_interval_us == 50 * MS
    assert it.is_polling


def test_expecting_more_waits_for_the_answer() -> None:
    it = settled()
    it.handle(Received(packet(UP, desired_min_tx_us=10 * MS)), now=0.0)
    (told,) = sent(it.handle(Change(Timing(100 * MS, 50 * MS, 3)), now=0.01))
    assert told.required_min_rx_us == 50 * MS
    assert it.detection_time_s == pytest.approx(0.3)
    it.handle(Received(packet(UP, desired_min_tx_us=10 * MS, is_final=True)), now=0.02)
    assert it.detection_time_s == pytest.approx(0.15)


def test_expecting_less_does_not_wait() -> None:
    it = settled()
    it.handle(Change(Timing(100 * MS, 500 * MS, 3)), now=0.01)
    assert it.detection_time_s == pytest.approx(1.5)


@pytest.mark.parametrize("state", [State.DOWN, State.INIT, State.ADMIN_DOWN], ids=lambda state: state.name)
def test_nothing_waits_while_the_session_is_not_up(state: State) -> None:
    it = session_in(state)
    it.handle(Change(Timing(5_000 * MS, 10 * MS, 3)), now=0.01)
    assert it.transmit_interval_us == 5_000 * MS
    assert it.in_use == it.announced == it.wished


def test_the_multiplier_needs_no_poll() -> None:
    it = settled()
    (told,) = sent(it.handle(Change(FAST._replace(detect_multiplier=255)), now=0.01))
    assert (told.detect_multiplier, told.is_poll) == (255, False)
    assert not it.is_polling


def test_the_multiplier_does_not_wait_for_another_question() -> None:
    it = settled()
    it.handle(Change(Timing(400 * MS, 100 * MS, 3)), now=0.01)
    (told,) = sent(it.handle(Change(Timing(400 * MS, 100 * MS, 9)), now=0.02))
    assert (told.detect_multiplier, it.transmit_interval_us) == (9, 100 * MS)


def test_a_second_change_waits_until_answers_cannot_be_confused() -> None:
    it = settled()
    it.handle(Change(Timing(400 * MS, 100 * MS, 3)), now=0.01)
    assert sent(it.handle(Change(Timing(800 * MS, 100 * MS, 3)), now=0.02)) == []
    it.handle(ANSWER, now=0.03)
    assert it.transmit_interval_us == 400 * MS
    assert sent(it.handle(ANSWER, now=0.04)) == []  # a late copy of the same answer
    (told,) = sent(it.handle(WORD, now=0.05))
    assert (told.desired_min_tx_us, told.is_poll) == (800 * MS, True)
    assert it.transmit_interval_us == 400 * MS
    it.handle(ANSWER, now=0.06)
    assert it.transmit_interval_us == 800 * MS


def test_an_answer_to_nothing_confirms_nothing() -> None:
    it = settled()
    it.handle(ANSWER, now=0.01)
    it.handle(Change(Timing(400 * MS, 100 * MS, 3)), now=0.02)
    assert it.is_polling
    assert it.transmit_interval_us == 100 * MS


def test_coming_up_again_asks_again_although_the_former_question_is_open() -> None:
    it = settled()
    (down,) = sent(it.handle(Received(packet(State.DOWN)), now=0.01))
    assert down.is_poll  # about the slow rate
    it.handle(Received(packet(State.DOWN)), now=0.02)
    (up,) = sent(it.handle(Received(packet(State.INIT)), now=0.03))
    assert up.is_poll
    it.handle(ANSWER, now=0.04)  # may have been meant for the former
    (told,) = sent(it.handle(Tick(), now=it.deadline))
    assert not told.is_poll
    it.handle(WORD, now=0.15)
    (told,) = sent(it.handle(Tick(), now=it.deadline))
    assert told.is_poll


def test_a_question_to_a_peer_that_is_gone_is_dropped() -> None:
    it = settled()
    (asked,) = sent(it.handle(Change(Timing(400 * MS, 100 * MS, 3)), now=0.01))
    assert asked.is_poll
    (down,) = sent(it.handle(Tick(), now=100.0))
    assert (down.state, down.is_poll) == (State.DOWN, False)


def test_nobody_is_asked_while_nobody_is_there() -> None:
    it = settled()
    it.handle(Tick(), now=100.0)
    assert it.state is State.DOWN
    assert not it.is_polling
    (told,) = sent(it.handle(Change(Timing(5_000 * MS, 100 * MS, 3)), now=100.1))
    assert not told.is_poll
