"""One session against a peer that says exactly what the test has it say: errors, timers, refusals."""

import pytest

from bareway.bgp.capabilities import FourOctetAs, MultiProtocol, RestartCapability
from bareway.bgp.errors import Cease, Code, FsmError, OpenError, Treatment
from bareway.bgp.events import (
    BfdUp,
    Close,
    Closed,
    Connect,
    ConnectFailed,
    ConnectionId,
    Faulty,
    How,
    Received,
    SessionReason,
    SettingsChanged,
    Start,
    Stop,
    StopReason,
    Tick,
    Told,
    Want,
)
from bareway.bgp.fsm import State
from bareway.bgp.messages import Keepalive, Notification, Open, RouteRefresh, Update
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import IPV4, IPV6, Family
from bareway.bgp.updates import MARKER
from bareway.model.configuration import DynamicAsn
from support.bgp import (
    CONNECTION,
    NODE,
    NODE_ASN,
    ROUTER,
    ROUTER_ASN,
    Bench,
    bench,
    kinds,
    notices,
    reasons,
    routes,
    sent,
    settings,
)

OTHER = ConnectionId(2)
BOTH_FAMILIES = (MultiProtocol(IPV4), MultiProtocol(IPV6), FourOctetAs(ROUTER_ASN))


def theirs(**changes: object) -> Open:
    given: dict[str, object] = {"asn": ROUTER_ASN, "hold_time_s": 90, "router_id": ROUTER}
    return Open(**(given | changes))  # type: ignore[arg-type]  # a table of words and values


def last(one: Bench) -> tuple[int, int]:
    notice = one.session.status.last_sent
    assert notice is not None
    return notice.code, notice.subcode


def test_a_start_connects_and_says_who_we_are() -> None:
    one = bench()
    assert kinds(one.do(Start())) == ["Connect", "StateChanged"]
    (message,) = sent(one.connected())
    assert isinstance(message, Open)
    assert (message.asn, message.hold_time_s, message.router_id) == (NODE_ASN, 90, NODE)
    assert one.session.state is State.OPEN_SENT


def test_the_way_up_is_told_step_by_step() -> None:
    one = bench()
    assert reasons(one.established()) == [
        SessionReason.STARTED,
        SessionReason.CONNECTED,
        SessionReason.OPENED,
        SessionReason.ESTABLISHED,
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(theirs(asn=65000), (Code.OPEN, OpenError.BAD_PEER_AS), id="another AS"),
        pytest.param(
            theirs(capabilities=(MultiProtocol(Family(25, 65)),)),
            (Code.OPEN, OpenError.UNSUPPORTED_CAPABILITY),
            id="no family in common",
        ),
    ],
)
def test_an_open_that_is_not_meant_is_refused(message: Open, expected: tuple[int, int]) -> None:
    one = bench()
    one.do(Start())
    one.connected()
    outputs = one.hear(message)
    assert last(one) == expected
    assert SessionReason.REJECTED in reasons(outputs)
    assert kinds(outputs)[-2:] == ["Close", "StateChanged"]


def test_within_an_as_our_own_identifier_is_refused() -> None:
    one = bench(peer_asn=NODE_ASN)
    one.do(Start())
    one.connected()
    one.hear(theirs(asn=NODE_ASN, router_id=NODE))
    assert last(one) == (Code.OPEN, OpenError.BAD_IDENTIFIER)


def test_another_as_may_have_our_identifier() -> None:
    one = bench()
    one.do(Start())
    one.connected()
    one.hear(theirs(router_id=NODE))
    assert one.session.state is State.OPEN_CONFIRM


@pytest.mark.parametrize(
    ("dynamic", "asn", "is_taken"),
    [
        pytest.param(DynamicAsn.INTERNAL, NODE_ASN, True, id="internal, ours"),
        pytest.param(DynamicAsn.INTERNAL, ROUTER_ASN, False, id="internal, another"),
        pytest.param(DynamicAsn.EXTERNAL, ROUTER_ASN, True, id="external, another"),
        pytest.param(DynamicAsn.EXTERNAL, NODE_ASN, False, id="external, ours"),
    ],
)
def test_a_dynamic_as_is_taken_from_open(dynamic: DynamicAsn, asn: int, is_taken: bool) -> None:
    one = bench(peer_asn=None, dynamic_asn=dynamic)
    one.do(Start())
    one.connected()
    one.hear(theirs(asn=asn))
    assert (one.session.state is State.OPEN_CONFIRM) is is_taken


@pytest.mark.parametrize(
    ("at", "message", "expected"),
    [
        pytest.param(State.OPEN_SENT, Keepalive(), FsmError.OPEN_SENT, id="KEEPALIVE in OpenSent"),
        pytest.param(State.OPEN_SENT, Update(), FsmError.OPEN_SENT, id="UPDATE in OpenSent"),
        pytest.param(State.OPEN_CONFIRM, Update(), FsmError.OPEN_CONFIRM, id="UPDATE in OpenConfirm"),
        pytest.param(State.OPEN_CONFIRM, theirs(), FsmError.OPEN_CONFIRM, id="OPEN in OpenConfirm"),
        pytest.param(
            State.OPEN_CONFIRM, RouteRefresh(family=IPV4), FsmError.OPEN_CONFIRM, id="refresh in OpenConfirm"
        ),
        pytest.param(State.ESTABLISHED, theirs(), FsmError.ESTABLISHED, id="OPEN in Established"),
    ],
)
def test_a_message_out_of_place_is_an_fsm_error_of_that_state(
    at: State, message: Open | Update | Keepalive | RouteRefresh, expected: FsmError
) -> None:
    one = bench()
    one.do(Start())
    one.connected()
    for step in (theirs(), Keepalive())[: at - State.OPEN_SENT]:
        one.hear(step)
    assert one.session.state is at
    outputs = one.hear(message)
    assert last(one) == (Code.FSM, expected)
    assert SessionReason.UNEXPECTED in reasons(outputs)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\0" * 19, (1, 1), id="no marker"),
        pytest.param(MARKER + b"\0\x12\4", (1, 2), id="length of 18"),
        pytest.param(MARKER + b"\0\x13\x09", (1, 3), id="type 9"),
        pytest.param(MARKER + b"\0\x1d\1" + b"\3" + bytes(9), (2, 1), id="version 3"),
        pytest.param(MARKER + b"\0\x1d\1\4\xfc\x01\0\2\1\2\3\4\0", (2, 6), id="hold time 2"),
        pytest.param(MARKER + b"\0\x1d\1\4\xfc\x01\0\x5a\0\0\0\0\0", (2, 3), id="identifier 0"),
        pytest.param(MARKER + b"\0\x1d\1\4\0\0\0\x5a\1\2\3\4\0", (2, 2), id="AS 0"),
        pytest.param(MARKER + b"\0\x1f\1\4\xfc\x01\0\x5a\1\2\3\4\2\1\0", (2, 4), id="authentication"),
    ],
)
def test_a_malformed_message_is_answered_and_ends_the_session(data: bytes, expected: tuple[int, int]) -> None:
    one = bench()
    one.do(Start())
    one.connected()
    outputs = one.do(Received(connection=CONNECTION, data=data))
    assert last(one) == expected
    assert SessionReason.MALFORMED in reasons(outputs)
    assert Close(connection=CONNECTION, how=How.FLUSH) in outputs


def test_a_bad_update_ends_the_session_only_where_it_must() -> None:
    one = bench()
    one.established()
    bad_origin = MARKER + b"\0\x1d\2\0\0\0\4\x40\1\1\7" + b"\x10\x0a\x00"
    bad_origin = bad_origin[:16] + len(bad_origin).to_bytes(2) + bad_origin[18:]
    outputs = one.do(Received(connection=CONNECTION, data=bad_origin))
    assert one.session.state is State.ESTABLISHED
    assert next(o.fault.treatment for o in outputs if isinstance(o, Faulty)) is Treatment.WITHDRAW
    assert one.session.status.faults >= 1
    one.do(Received(connection=CONNECTION, data=MARKER + b"\0\x17\2\0\x09\0\0"))
    assert last(one) == (3, 1)


def test_a_notification_is_shown_and_never_answered() -> None:
    one = bench()
    one.established()
    notice = Notification(code=6, subcode=2, data=b"\5hello")
    outputs = one.hear(notice)
    assert Told(notification=notice, is_ours=False) in outputs
    assert SessionReason.NOTIFIED in reasons(outputs)
    assert notices(outputs) == []
    assert str(one.session.status.last_received) == "6/2 cease shutdown: hello"


def test_a_peer_that_refuses_parameters_is_tried_without_capabilities() -> None:
    one = bench()
    one.do(Start())
    one.connected()
    one.hear(Notification(code=2, subcode=4))
    assert Connect() in one.later(2.0)
    (message,) = sent(one.connected(connection=OTHER))
    assert isinstance(message, Open)
    assert message.capabilities == ()


def test_a_refused_connection_is_tried_again_and_the_peers_is_taken_meanwhile() -> None:
    one = bench()
    one.do(Start())
    outputs = one.do(ConnectFailed())
    assert reasons(outputs) == [SessionReason.CONNECT_FAILED]
    assert one.session.state is State.ACTIVE
    assert Connect() in one.later(5.0)
    one.do(ConnectFailed())
    assert kinds(one.connected(is_incoming=True)) == ["Send", "StateChanged"]


def test_idle_takes_no_connection() -> None:
    one = bench()
    assert one.connected(is_incoming=True) == [Close(connection=CONNECTION, how=How.ABORT)]


def test_a_hundred_connections_of_the_peer_are_one() -> None:
    one = bench(is_passive=True)
    one.do(Start())
    closed = 0
    for number in range(1, 101):
        outputs = one.connected(connection=ConnectionId(number), is_incoming=True)
        closed += sum(isinstance(output, Close) for output in outputs)
    assert closed == 99
    assert one.session.state is State.OPEN_SENT
    assert last(one) == (Code.CEASE, Cease.COLLISION)


def test_a_bare_connection_does_not_end_a_session_with_graceful_restart() -> None:
    one = bench(graceful_restart=True)
    restart = RestartCapability(restart_time_s=120, families=((IPV4, True),))
    one.established(theirs(capabilities=(*BOTH_FAMILIES, restart)))
    one.connected(connection=OTHER, is_incoming=True)
    assert one.session.state is State.ESTABLISHED
    one.do(Closed(connection=OTHER))
    assert one.session.state is State.ESTABLISHED


def test_a_refresh_tells_all_of_a_family_again_but_not_without_end() -> None:
    one = bench()
    one.do(Want(routes=routes("198.51.100.7/32", "198.51.100.8/32")))
    one.established(theirs(capabilities=BOTH_FAMILIES))
    one.clear()
    (again,) = sent(one.hear(RouteRefresh(family=IPV4)))
    assert isinstance(again, Update)
    assert len(again.announced[IPV4]) == 2
    one.clear()
    outputs = one.hear(*[RouteRefresh(family=IPV4)] * 50)
    assert sent(outputs) == []
    assert len(sent(one.later(1.0))) == 1
    assert sent(one.hear(RouteRefresh(family=Family(25, 65)), RouteRefresh(family=IPV6))) == []


def test_a_refresh_of_what_was_not_agreed_on_leaves_nothing_behind() -> None:
    one = bench()
    one.established(theirs(capabilities=BOTH_FAMILIES))
    one.hear(*(RouteRefresh(family=Family(25, number)) for number in range(200)))
    (connection,) = one.session._connections.values()  # a router could fill all memory otherwise
    assert (connection.refreshes, connection.refreshed_at) == ({}, {})


def test_parameters_are_refused_in_answer_to_an_open_and_not_later() -> None:
    one = bench()
    one.established(theirs(capabilities=BOTH_FAMILIES))
    one.hear(Notification(code=2, subcode=4))
    assert Connect() in one.later(60.0)
    (message,) = sent(one.connected(connection=OTHER))
    assert isinstance(message, Open)
    assert message.capabilities


def test_routes_wait_until_the_connection_has_room() -> None:
    one = bench()
    one.established()
    one.do(Want(routes=routes("198.51.100.7/32")))
    assert sent(one.do(Want(routes=routes("198.51.100.8/32")))) == []
    messages = sent(one.clear())
    assert [list(m.withdrawn) or list(m.announced) for m in messages if isinstance(m, Update)] == [
        [IPV4],
        [IPV4],
    ]


def test_bfd_that_is_up_again_saves_the_wait() -> None:
    one = bench()
    one.do(Start())
    one.do(ConnectFailed())
    outputs = one.do(BfdUp())
    assert Connect() in outputs
    assert reasons(outputs) == [SessionReason.RETRIED]


def test_settings_that_mend_begin_at_once() -> None:
    one = bench(peer_asn=65000)
    one.do(Start())
    one.connected()
    one.hear(theirs())
    assert one.session.state is State.IDLE
    outputs = one.do(SettingsChanged(settings=settings()))
    assert Connect() in outputs
    assert reasons(outputs) == [SessionReason.SETTINGS_CHANGED]


def test_a_stop_before_there_is_a_connection_gives_the_attempt_up() -> None:
    one = bench()
    one.do(Start())
    assert kinds(one.do(Stop(reason=StopReason.SHUTDOWN))) == ["Abandon", "StateChanged"]
    assert one.later(1000.0) == []


def test_what_is_told_of_connections_that_are_gone_does_nothing() -> None:
    one = bench()
    one.do(Start())
    for event in (Closed(connection=OTHER), Received(connection=OTHER, data=b"x"), Tick()):
        assert one.do(event) == []


def test_status_names_both_ends_and_what_was_told() -> None:
    one = bench()
    one.do(Want(routes=routes("198.51.100.7/32")))
    one.established(theirs(capabilities=BOTH_FAMILIES))
    status = one.session.status
    assert (status.state, status.peer_asn, status.peer_id) == (State.ESTABLISHED, ROUTER_ASN, ROUTER)
    assert (status.told, status.established, status.hold_time_s) == ({IPV4: 1, IPV6: 0}, 1, 90)
    assert status.families == (IPV4, IPV6)
    assert status.updates_sent == 3  # one route, two ends of RIB


def test_a_peer_of_two_octets_gets_as_trans_and_the_path_beside_it() -> None:
    one = bench(local_asn=4_200_000_000)
    one.do(Want(routes=routes("198.51.100.7/32")))
    outputs = one.established(theirs())
    session = Negotiated(has_four_octet_as=False)
    update = next(m for m in sent(outputs, session) if isinstance(m, Update) and m.announced)
    values = {attribute.kind: attribute.value for attribute in update.attributes}
    assert values[2] == bytes((2, 1)) + (23456).to_bytes(2)
    assert values[17] == bytes((2, 1)) + (4_200_000_000).to_bytes(4)


def test_the_last_word_waits_until_the_withdrawals_are_out() -> None:
    one = bench()
    one.do(Want(routes=routes("198.51.100.7/32")))
    one.established()
    one.clear()
    outputs = one.do(Stop(reason=StopReason.LEAVING))
    assert [m.withdrawn for m in sent(outputs) if isinstance(m, Update)] != []
    assert notices(outputs) == []
    assert [notice.code for notice in notices(one.clear())] == [Code.CEASE]


def test_our_attempt_is_given_up_when_the_peers_connection_is_established() -> None:
    one = bench()
    one.do(Start())
    one.connected(is_incoming=True)
    one.hear(theirs())
    assert "Abandon" in kinds(one.hear(Keepalive()))
