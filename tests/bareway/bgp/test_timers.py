"""The timers of a session: hold, keepalive, send hold, another attempt, and the wait after a failure."""

from itertools import pairwise

from bareway.bgp.capabilities import FourOctetAs, MultiProtocol
from bareway.bgp.connection import LARGE_HOLD_S
from bareway.bgp.errors import Code
from bareway.bgp.events import (
    Close,
    Closed,
    Connect,
    ConnectionId,
    How,
    SessionReason,
    Start,
    Want,
)
from bareway.bgp.fsm import State
from bareway.bgp.messages import Keepalive, Open
from bareway.bgp.prefixes import IPV4, IPV6
from support.bgp import (
    CONNECTION,
    ROUTER,
    ROUTER_ASN,
    Bench,
    bench,
    reasons,
    routes,
    sent,
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


def test_a_peer_without_an_open_is_given_four_minutes() -> None:
    one = bench()
    one.do(Start())
    one.connected()
    one.later(LARGE_HOLD_S - 1)
    assert one.session.state is State.OPEN_SENT
    outputs = one.later(2)
    assert last(one) == (Code.HOLD_TIMER, 0)
    assert SessionReason.HOLD_TIMER in reasons(outputs)


def test_a_peer_that_stops_reading_is_given_up_after_eight_minutes() -> None:
    one = bench()
    one.established()
    one.do(Want(routes=routes("198.51.100.7/32")))
    for _ in range(15):
        one.later(30.0)
        one.hear(Keepalive())
    assert one.session.state is State.ESTABLISHED
    outputs = one.later(40.0)
    assert last(one) == (Code.SEND_HOLD_TIMER, 0)
    assert SessionReason.SEND_HOLD_TIMER in reasons(outputs)
    assert Close(connection=CONNECTION, how=How.ABORT) in outputs


def test_keepalives_go_out_three_times_in_a_hold_time() -> None:
    one = bench()
    one.established(theirs(hold_time_s=9))
    count = 0
    for _ in range(10):
        outputs = one.later(9.0 / 3)
        one.hear(Keepalive())
        count += sum(isinstance(message, Keepalive) for message in sent(outputs))
    assert 10 <= count <= 14


def test_keepalives_go_out_once_a_second_at_most_however_short_the_hold_time_is() -> None:
    one = bench(hold_time_s=3)
    one.established(theirs(hold_time_s=3))
    said = []
    for _ in range(200):
        one.hear(Keepalive())
        outputs = one.later(0.05)
        said += [one.now] * sum(isinstance(message, Keepalive) for message in sent(outputs))
    assert len(said) >= 9
    assert all(later - sooner >= 0.99 for sooner, later in pairwise(said))


def test_an_attempt_without_an_answer_is_given_up_for_another() -> None:
    one = bench()
    one.do(Start())
    assert Connect() in one.later(5.0)
    assert one.session.state is State.CONNECT


def test_failures_wait_twice_as_long_each_time_up_to_a_minute() -> None:
    one = bench()
    one.do(Start())
    waits = []
    for number in range(1, 12):
        one.connected(connection=ConnectionId(number))
        one.hear(theirs(asn=65000), connection=ConnectionId(number))
        waits.append(one.session.deadline - one.now)
        one.later(waits[-1])
    expected = [min(60.0, 2.0**place) for place in range(11)]
    assert all(0.75 * most <= wait <= most for wait, most in zip(waits, expected, strict=True))


def test_the_first_loss_after_a_quiet_time_costs_no_wait_and_the_next_one_does() -> None:
    one = bench()
    one.established()
    assert Connect() in one.do(Closed(connection=CONNECTION))
    one.connected(connection=OTHER)
    one.hear(theirs(), Keepalive(), connection=OTHER)
    assert one.session.status.established == 2
    assert Connect() not in one.do(Closed(connection=OTHER))
    assert one.session.state is State.IDLE
