"""What operators are told of sessions."""

import logging
from collections.abc import Iterable

import pytest

from bareway.bgp.errors import Cease, Code, Fault
from bareway.bgp.events import Faulty, SessionReason, StateChanged, Told
from bareway.bgp.fsm import State
from bareway.bgp.messages import administrative
from bareway.decide.routing.sessions import sessions_of
from bareway.model.configuration import Configuration
from bareway.model.names import NodeName, ObjectKey
from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from speaker.bgp.telling import Teller
from speaker.settings import Settings
from support.routing import ME, ROUTER

SETTINGS = sessions_of(ME, Configuration(peers=(ROUTER,)), {}).settings["peer1"]
UP = StateChanged(before=State.OPEN_CONFIRM, after=State.ESTABLISHED, reason=SessionReason.ESTABLISHED)


def down(reason: SessionReason, after: State = State.IDLE) -> StateChanged:
    return StateChanged(before=State.ESTABLISHED, after=after, reason=reason)


class Recorder:
    def __init__(self) -> None:
        self.told: list[tuple[EventType, str, str]] = []

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        assert (about.kind, about.key) == ("Node", ObjectKey("", "a"))
        self.told.append((type_, reason, message))


def told(outputs: Iterable[StateChanged | Told | Faulty]) -> list[tuple[EventType, str, str]]:
    recorder = Recorder()
    teller = Teller(Settings(node_name=NodeName("a")), watch=None, recorder=recorder)  # type: ignore[arg-type]  # not asked
    for output in outputs:
        teller.take("peer1", SETTINGS, output)
    return recorder.told


def test_a_session_that_comes_up_is_told_on_the_node() -> None:
    assert told([UP]) == [
        (EventType.NORMAL, "BGPSessionUp", "BGP session with peer1 (10.9.0.1) is up"),
    ]


@pytest.mark.parametrize(
    ("reason", "type_"),
    [
        pytest.param(SessionReason.HOLD_TIMER, EventType.WARNING, id="silent"),
        pytest.param(SessionReason.PEER_CLOSED, EventType.WARNING, id="closed"),
        pytest.param(SessionReason.STOPPED, EventType.NORMAL, id="on purpose"),
        pytest.param(SessionReason.SETTINGS_CHANGED, EventType.NORMAL, id="other settings"),
    ],
)
def test_one_that_goes_down_is_told_with_its_reason(reason: SessionReason, type_: EventType) -> None:
    sentence = f"BGP session with peer1 (10.9.0.1) is down: {reason}"
    assert told([UP, down(reason)])[1:] == [(type_, "BGPSessionDown", sentence)]


@pytest.mark.parametrize(("is_ours", "way"), [(False, "received"), (True, "sent")])
def test_the_notification_is_told_with_its_text(is_ours: bool, way: str) -> None:
    word = Told(notification=administrative(Cease.SHUTDOWN, "maintenance"), is_ours=is_ours)
    last = told([UP, word, down(SessionReason.NOTIFIED)])[-1]
    assert last[2].endswith(f"is down: Notified, {way} 6/2 cease shutdown: maintenance")


def test_a_notification_of_an_earlier_session_is_not_told_again() -> None:
    word = Told(notification=administrative(Cease.SHUTDOWN), is_ours=False)
    assert told([word, UP, down(SessionReason.HOLD_TIMER)])[-1][2].endswith("is down: HoldTimerExpired")


def test_attempts_are_no_news() -> None:
    tries: list[StateChanged | Told | Faulty] = [
        StateChanged(before=State.IDLE, after=State.CONNECT, reason=SessionReason.STARTED),
        StateChanged(before=State.CONNECT, after=State.ACTIVE, reason=SessionReason.CONNECT_FAILED),
        StateChanged(before=State.ESTABLISHED, after=State.ESTABLISHED, reason=SessionReason.REPLACED),
        Faulty(fault=Fault(code=Code.UPDATE, subcode=1)),
    ]
    assert told(tries) == []


def test_the_log_says_the_same(caplog: pytest.LogCaptureFixture) -> None:
    word = Told(notification=administrative(Cease.RESET), is_ours=False)
    with caplog.at_level(logging.INFO, "speaker.bgp"):
        told([UP, word, down(SessionReason.NOTIFIED)])
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines == [
        ("INFO", "BGP session up"),
        ("INFO", "BGP notification received"),
        ("WARNING", "BGP session down"),
    ]
