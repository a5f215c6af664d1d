"""Sessions that go on in a new process."""

from random import Random

import pytest

from bareway.bfd.memory import Memory, resumed
from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.session import Change, Received, StateChanged, Tick
from bareway.bfd.timing import PATIENT_MULTIPLIER, Timing
from support.bfd import FAST, MS, OURS, Wire, changes, packet, sent, session_in


def test_the_peer_of_a_session_that_goes_on_notices_nothing() -> None:
    wire = Wire()
    wire.run_until_up()
    wire.run(1.0)
    wire.history.clear()
    wire.say(0, Change(FAST._replace(detect_multiplier=PATIENT_MULTIPLIER)))
    memory = Memory.of(wire.sides[0])
    wire.run(0.01)
    wire.is_cut[0] = True  # the process is gone
    wire.run(8.0)
    wire.is_cut[0] = False
    wire.sides[0] = resumed(memory, timing=FAST, is_passive=False, rng=Random("new"), now=wire.now)
    wire.run(30.0)
    assert wire.history == []
    assert wire.states == (State.UP, State.UP)
    assert wire.sides[1].remote.timing == FAST


def test_its_first_packet_says_that_it_is_up_and_what_is_wished_now() -> None:
    memory = Memory.of(session_in(State.UP))
    again = resumed(memory, timing=FAST, is_passive=False, rng=Random("new"), now=50.0)
    assert again.deadline == 50.0
    (first,) = sent(again.handle(Tick(), now=50.0))
    assert (first.state, first.my_discriminator, first.your_discriminator) == (
        State.UP,
        OURS,
        memory.remote.discriminator,
    )
    assert first.detect_multiplier == FAST.detect_multiplier


def test_other_intervals_than_before_are_polled_for() -> None:
    memory = Memory.of(session_in(State.UP))
    again = resumed(
        memory, timing=Timing(400 * MS, 50 * MS, 3), is_passive=False, rng=Random("new"), now=50.0
    )
    (first,) = sent(again.handle(Tick(), now=50.0))
    assert first.is_poll
    assert again.transmit_interval_us == 100 * MS
    again.handle(Received(packet(State.UP, is_final=True)), now=50.1)
    assert again.transmit_interval_us == 400 * MS


def test_a_peer_that_is_gone_meanwhile_is_noticed_in_its_detection_time() -> None:
    again = resumed(
        Memory.of(session_in(State.UP)), timing=FAST, is_passive=False, rng=Random("new"), now=50.0
    )
    again.handle(Tick(), now=50.0)
    assert again.detection_time_s == pytest.approx(0.3)
    assert changes(again.handle(Tick(), now=50.31)) == [
        StateChanged(State.DOWN, Diagnostic.DETECTION_TIME_EXPIRED)
    ]
