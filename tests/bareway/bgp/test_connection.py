"""Two connections of one session: which one stays, and what follows when one of them fails."""

import pytest

from bareway.bgp.capabilities import FourOctetAs, MultiProtocol, RestartCapability
from bareway.bgp.connection import LARGE_HOLD_S
from bareway.bgp.errors import Cease, Code
from bareway.bgp.events import (
    Close,
    Closed,
    Connect,
    ConnectionId,
    How,
    SessionReason,
    SettingsChanged,
    Start,
    Stop,
    StopReason,
    Want,
)
from bareway.bgp.fsm import State
from bareway.bgp.messages import Keepalive, Message, Notification, Open, Update, hard_reset
from bareway.bgp.prefixes import IPV4, IPV6
from support.bgp import (
    CONNECTION,
    ROUTER,
    ROUTER_ASN,
    Bench,
    bench,
    notices,
    reasons,
    routes,
    sent,
    settings,
)

OTHER = ConnectionId(2)
THIRD = ConnectionId(3)
RESTART = RestartCapability(restart_time_s=120, families=((IPV4, True), (IPV6, True)))
COMMON = (MultiProtocol(IPV4), MultiProtocol(IPV6), FourOctetAs(ROUTER_ASN))


def theirs(**changes: object) -> Open:
    given: dict[str, object] = {
        "asn": ROUTER_ASN,
        "hold_time_s": 90,
        "router_id": ROUTER,
        "capabilities": (*COMMON, RESTART),
    }
    return Open(**(given | changes))  # type: ignore[arg-type]  # a table of words and values


STRANGER = theirs(asn=65000, capabilities=(MultiProtocol(IPV4), FourOctetAs(65000)))


def restarting() -> Bench:
    """Up, with a router that knows graceful restart."""
    one = bench(graceful_restart=True)
    one.do(Start())
    return one


def incoming(one: Bench, number: ConnectionId, *messages: Message) -> bool:
    """A connection of the router's that says this; whether it was taken at all."""
    outputs = one.connected(connection=number, is_incoming=True)
    if Close(connection=number, how=How.ABORT) in outputs:
        return False
    one.hear(*messages, connection=number)
    return True


# ------------------------------------------------------------ which one stays


def test_a_router_that_restarted_replaces_its_session_by_what_it_opens_then() -> None:
    one = restarting()
    incoming(one, CONNECTION, theirs(), Keepalive())
    one.now += 5.0
    one.connected(connection=OTHER, is_incoming=True)
    assert SessionReason.REPLACED in reasons(one.hear(theirs(), connection=OTHER))


def test_a_late_open_on_our_own_dial_ends_no_session() -> None:
    one = restarting()
    one.connected()  # our dial, on which the router says nothing yet
    incoming(one, OTHER, theirs(), Keepalive())
    assert one.session.state is State.ESTABLISHED
    one.now += 5.0
    outputs = one.hear(theirs())
    assert one.session.state is State.ESTABLISHED
    assert SessionReason.REPLACED not in reasons(outputs)
    assert [(n.code, n.subcode) for n in notices(outputs)] == [(Code.CEASE, Cease.COLLISION)]


def test_a_connection_of_the_router_that_was_there_before_ends_no_session() -> None:
    one = restarting()
    one.connected()
    one.connected(connection=OTHER, is_incoming=True)
    one.hear(theirs(), Keepalive())
    assert one.session.state is State.ESTABLISHED
    one.now += 5.0
    outputs = one.hear(theirs(), connection=OTHER)
    assert SessionReason.REPLACED not in reasons(outputs)
    assert one.session.state is State.ESTABLISHED


@pytest.mark.parametrize(
    ("waited_s", "reason"),
    [
        pytest.param(0.0, SessionReason.COLLISION, id="in the same turn"),
        pytest.param(0.9, SessionReason.COLLISION, id="it waited to be accepted"),
        pytest.param(1.1, SessionReason.REPLACED, id="it was opened later"),
    ],
)
def test_a_dial_of_the_router_s_that_crossed_ours_ends_no_session(
    waited_s: float, reason: SessionReason
) -> None:
    one = restarting()
    one.connected()
    one.hear(theirs(), Keepalive())
    assert one.session.state is State.ESTABLISHED
    one.now += waited_s
    one.connected(connection=OTHER, is_incoming=True)
    outputs = one.hear(theirs(), connection=OTHER)
    assert (SessionReason.REPLACED in reasons(outputs)) is (reason is SessionReason.REPLACED)
    said = [(Code.CEASE, Cease.COLLISION)] if reason is SessionReason.COLLISION else []
    assert [(n.code, n.subcode) for n in notices(outputs)] == said


# ------------------------------------------------------------ damping


def test_who_fails_on_a_second_connection_is_not_heard_for_a_while() -> None:
    one = bench()
    one.established()
    assert incoming(one, OTHER, STRANGER)
    assert not incoming(one, THIRD, STRANGER)
    assert one.session.state is State.ESTABLISHED
    one.later(1.0)
    assert incoming(one, THIRD, STRANGER)


def test_failures_beside_our_own_attempt_wait_twice_as_long_each_time() -> None:
    one = bench(connect_retry_s=1000.0)
    one.do(Start())  # our attempt hangs: the router drops what we send
    waits = []
    for number in range(1, 9):
        began = one.now
        while not incoming(one, ConnectionId(number), STRANGER):
            one.later(0.25)
        waits.append(one.now - began)
    assert waits[0] == 0
    assert all(0.75 * 2**place <= wait <= 2**place for place, wait in enumerate(waits[1:7]))


def test_when_the_other_connection_ends_too_the_wait_of_the_first_counts() -> None:
    one = bench()
    one.do(Start())
    one.connected()
    for number in range(2, 7):
        while not incoming(one, ConnectionId(number), STRANGER):
            one.later(1.0)
    outputs = one.hear(STRANGER)
    assert Connect() not in outputs
    assert one.session.deadline - one.now > 0.75 * 2**5


def test_a_collision_is_nobodys_fault() -> None:
    one = bench()
    one.do(Start())
    one.connected()
    incoming(one, OTHER, Notification(code=Code.CEASE, subcode=Cease.COLLISION))
    assert incoming(one, THIRD)


def test_settings_that_mend_open_the_ear_again() -> None:
    one = bench(connect_retry_s=1000.0)
    one.do(Start())
    incoming(one, CONNECTION, STRANGER)
    assert not incoming(one, OTHER)
    one.do(SettingsChanged(settings=settings(peer_asn=65000, connect_retry_s=1000.0)))
    assert incoming(one, THIRD)


# ------------------------------------------------------------ one alone


def test_without_a_hold_time_who_never_confirms_is_given_up_all_the_same() -> None:
    one = bench(is_passive=True)
    one.do(Start())
    incoming(one, CONNECTION, theirs(hold_time_s=0))
    assert one.session.state is State.OPEN_CONFIRM
    outputs = one.later(LARGE_HOLD_S)
    assert SessionReason.HOLD_TIMER in reasons(outputs)


def test_without_a_hold_time_a_session_lasts_in_silence() -> None:
    one = bench(is_passive=True)
    one.do(Start())
    incoming(one, CONNECTION, theirs(hold_time_s=0), Keepalive())
    one.later(100_000.0)
    assert one.session.state is State.ESTABLISHED


@pytest.mark.parametrize("has_notification", [True, False])
def test_settings_that_change_while_we_leave_do_not_change_the_last_word(*, has_notification: bool) -> None:
    one = bench(graceful_restart=True, notification_support=True)
    one.do(Start())
    one.do(Want(routes=routes("198.51.100.7/32")))  # so that leaving takes a moment
    restart = RestartCapability(
        restart_time_s=120, has_notification=has_notification, families=((IPV4, True), (IPV6, True))
    )
    one.connected()
    one.hear(theirs(capabilities=(*COMMON, restart)), Keepalive())
    one.clear()
    one.clear()
    outputs = one.do(Stop(reason=StopReason.LEAVING))
    assert any(isinstance(message, Update) and message.withdrawn for message in sent(outputs))
    (said,) = notices(one.do(SettingsChanged(settings=settings(hold_time_s=30))))
    plain = Notification(code=Code.CEASE, subcode=Cease.SHUTDOWN, data=b"\0")
    assert str(said) == str(hard_reset(plain) if has_notification else plain)
    assert one.session.state is State.IDLE


def test_a_stop_forgets_whom_we_did_not_hear() -> None:
    one = bench(connect_retry_s=1000.0)
    one.do(Start())
    incoming(one, CONNECTION, STRANGER)
    one.do(Stop(reason=StopReason.RESET))
    one.do(Start())
    assert incoming(one, OTHER)
    one.do(Closed(connection=OTHER))
