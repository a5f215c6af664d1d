"""Keys, distances, routers that misbehave on TCP: trouble stays with the peer that makes it."""

import socket
from asyncio.trsock import TransportSocket

import pytest

from bareway.bgp import codec
from bareway.bgp.errors import Cease, Code
from bareway.bgp.events import SessionReason, StopReason
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification
from bareway.bgp.outbound import Style
from bareway.bgp.prefixes import IPV4, nlri
from bareway.bgp.routes import Attributes, RouteSet
from bareway.model.configuration import BfdProfile
from speaker.bgp.listener import ConnectionRefusal
from speaker.bgp.peering import CONNECTIONS_MOST
from speaker.bgp.sockets import set_key
from support.bgp import ROUTER_ASN, hosts, routes
from support.bgp_wires import (
    NODE,
    OTHER,
    PORT,
    ROUTER,
    back,
    callers,
    is_listening,
    loopback,
    router,
    running,
    towards,
)
from support.until import until

KEY, NEW_KEY = b"s3cret", b"another"
MANY = RouteSet.of((prefix, Attributes()) for prefix in hosts(60_000, first="10.0.0.0"))


def small_buffers(listener: socket.socket) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)


PATIENT = pytest.mark.timeout(180)  # many routes on a machine that may have more to do


# ---------------------------------------------------------------- keys


async def test_a_session_is_signed_with_the_key_that_both_have() -> None:
    async with router(back(password=KEY)), running(towards(password=KEY)) as node:
        await node.up()


@pytest.mark.parametrize(
    ("ours", "theirs"), [(KEY, NEW_KEY), (KEY, b""), (b"", KEY)], ids=["another", "only-ours", "only-theirs"]
)
async def test_without_the_same_key_there_is_no_session_and_other_peers_do_not_notice(
    ours: bytes, theirs: bytes
) -> None:
    async with (
        router(back(password=theirs)) as tor,
        router(back(source_address=OTHER, password=KEY)),
        running(towards(password=ours), towards(OTHER, name="other", password=KEY)) as node,
    ):
        await node.up("other")
        await node.tried_again()
        assert tor.conversations == []
        assert node.driver.troubles().get("router", "").startswith("no answer")
        assert ("password" in node.driver.troubles()["router"]) is bool(ours)
        node.configure(towards(password=theirs), towards(OTHER, name="other", password=KEY))
        await node.up()
        assert node.losses("other") == []


async def test_a_key_changes_while_the_session_lasts() -> None:
    async with router(back(password=KEY)) as tor, running(towards(password=KEY)) as node:
        await node.up()
        node.configure(towards(password=NEW_KEY))
        set_key(tor.last.transport.get_extra_info("socket"), NODE, NEW_KEY)
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: len(tor.routes) == 1)
        assert node.losses() == []


async def test_a_key_that_one_side_alone_changed_stops_the_session_s_bytes() -> None:
    async with router(back(password=KEY)) as tor, running(towards(password=KEY)) as node:
        await node.up()
        node.configure(towards(password=NEW_KEY))
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: node.driver.statuses()["router"].owed == 0)
        with pytest.raises(TimeoutError):
            await until(lambda: tor.routes, within_s=0.3)
        set_key(tor.last.transport.get_extra_info("socket"), NODE, NEW_KEY)
        await until(lambda: len(tor.routes) == 1)


async def test_a_passive_peer_signs_and_its_key_may_change_before_it_calls() -> None:
    settings = towards(is_passive=True, password=KEY)
    async with running(settings) as node:
        node.configure(towards(is_passive=True, password=NEW_KEY))
        tor = back(is_passive=False, name="router", address=NODE, password=NEW_KEY, port=PORT)
        async with running(tor) as caller:
            await node.up()
            await caller.up()


async def test_an_entry_without_a_key_gets_no_connection_that_was_signed_with_another_s() -> None:
    """Two entries for one router, told apart by our end alone; their door has one key for it."""
    ours = towards(name="ours", is_passive=True)
    anywhere = towards(name="router", is_passive=True, source_address=None, password=KEY)
    async with running(ours, anywhere) as node:
        calling = back(is_passive=False, name="router", password=KEY)
        async with running(calling) as caller:
            await until(lambda: node.driver.counters.accepted)
            with pytest.raises(TimeoutError):
                await until(lambda: caller.state() is State.ESTABLISHED, within_s=0.3)


async def test_who_vanishes_is_given_up_by_the_kernel_too_if_there_is_no_hold_time() -> None:
    async with router(back(hold_time_s=0)), running(towards(hold_time_s=0)) as node:
        await node.up()
        (wire,) = node.driver._peerings["router"]._wires.values()
        assert isinstance(wire.options, TransportSocket)
        assert wire.options.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 480_000


async def test_who_calls_with_the_wrong_key_is_not_heard() -> None:
    calling = back(is_passive=False, name="router", password=NEW_KEY)
    async with running(towards(is_passive=True, password=KEY)) as node, running(calling) as caller:
        await caller.tried_again()
        assert node.driver.counters.accepted == 0


async def test_a_peer_s_key_is_forgotten_with_the_peer() -> None:
    calling = back(is_passive=False, name="router")
    async with running(towards(is_passive=True, password=KEY), listens=True) as node:
        node.configure(towards(is_passive=True))
        async with running(calling) as caller:
            await caller.up()


# ---------------------------------------------------------------- distance


async def test_with_ttl_security_on_both_sides_there_is_a_session() -> None:
    async with router(back(ttl_security=True), shape=far), running(towards(ttl_security=True)) as node:
        await node.up()


def far(listener: socket.socket) -> None:
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)


def one_hop_short(listener: socket.socket) -> None:
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 254)


async def test_a_router_behind_another_one_is_not_heard() -> None:
    async with router(shape=one_hop_short) as tor, running(towards(ttl_security=True)) as node:
        await node.tried_again()
        assert node.state() is State.CONNECT
        node.configure(towards())
        await node.up()
        assert tor.conversations


async def test_a_router_that_wants_the_greatest_ttl_gets_it_of_the_first_answer_already() -> None:
    caller = back(is_passive=False, name="router", ttl_security=True)
    async with running(towards(is_passive=True, ttl_security=True)) as node, running(caller) as tor:
        await tor.up()
        await node.up()


async def test_a_caller_behind_a_router_is_connected_but_not_heard() -> None:
    async with (
        router(listens=False) as tor,
        running(towards(is_passive=True, ttl_security=True)) as node,
    ):
        await tor.dial()  # with a TTL of 64
        await until(lambda: node.state() is State.OPEN_SENT)
        with pytest.raises(TimeoutError):
            await until(lambda: node.state() is not State.OPEN_SENT, within_s=0.3)


# ---------------------------------------------------------------- routers that misbehave


@PATIENT
async def test_a_router_that_does_not_read_delays_nobody_and_costs_a_bounded_buffer() -> None:
    async with (
        router(shape=small_buffers) as stuck,
        router(back(source_address=OTHER)) as other,
        running(towards(), towards(OTHER, name="other")) as node,
    ):
        await node.up("router", "other")
        stuck.last.transport.pause_reading()
        node.driver.want({"router": MANY, "other": MANY}, is_complete=True)
        await until(lambda: other.ends == 2, within_s=50.0)
        assert len(other.routes) == len(MANY)
        assert node.driver.statuses()["router"].owed > 0
        (wire,) = node.driver._peerings["router"]._wires.values()
        assert wire._transport is not None
        assert wire._transport.get_write_buffer_size() < 128 * 1024
        node.driver.want({"router": routes("198.51.100.1/32"), "other": MANY}, is_complete=True)
        stuck.last.transport.resume_reading()
        await until(lambda: len(stuck.routes) == 1 and stuck.ends == 2, within_s=50.0)
        assert node.losses() == node.losses("other") == []


@PATIENT
async def test_a_router_that_never_reads_again_is_left_within_seconds() -> None:
    async with router(shape=small_buffers) as stuck, running(towards()) as node:
        await node.up()
        stuck.last.transport.pause_reading()
        node.driver.want({"router": MANY}, is_complete=True)
        await until(lambda: node.driver.statuses()["router"].owed < len(MANY))
        await node.driver.leave(StopReason.LEAVING)  # which waits for 3.5 s at most
        await until(lambda: node.driver.is_quiet)


@PATIENT
async def test_a_router_that_tells_a_million_routes_is_heard_in_between() -> None:
    style = Style(
        family=IPV4,
        local_asn=ROUTER_ASN,
        is_internal=False,
        has_four_octet_as=True,
        next_hop=ROUTER.packed,
        is_classic=True,
    )
    each = 800
    attributes = style.encode(Attributes())
    update = style.announce(attributes, [nlri(prefix) for prefix in hosts(each, first="10.0.0.0")])
    async with (
        router() as flooding,
        router(back(source_address=OTHER)) as other,
        running(towards(), towards(OTHER, name="other")) as node,
    ):
        await node.up("router", "other")
        flooding.last.transport.write(update * (1_000_000 // each))
        before = node.driver.statuses()["router"].messages_received
        node.driver.want({"other": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: len(other.routes) == 1, within_s=50.0)
        assert node.driver.statuses()["router"].messages_received < before + 1_000_000 // each
        assert node.losses() == node.losses("other") == []


async def test_a_hundred_connections_of_a_peer_are_one_session_and_few_sockets() -> None:
    async with router(listens=False) as tor, running(towards(is_passive=True)) as node, callers(100):
        await until(lambda: node.driver.counters.accepted + node.refused(ConnectionRefusal.TOO_MANY) == 100)
        assert node.sockets() <= CONNECTIONS_MOST
        assert node.driver.counters.accepted == CONNECTIONS_MOST
        await until(lambda: node.sockets() == 1)  # the last one; the others were closed for it
        await tor.dial()
        await node.up()


async def test_an_established_session_outlives_a_hundred_bare_connections() -> None:
    async with router(listens=False) as tor, running(towards(is_passive=True)) as node:
        await tor.dial()
        await node.up()
        async with callers(100):
            everybody = 101
            await until(
                lambda: node.driver.counters.accepted + node.refused(ConnectionRefusal.TOO_MANY) == everybody
            )
        assert node.losses() == []


async def test_strangers_are_closed_at_once_and_counted() -> None:
    async with running(towards(is_passive=True)) as node, callers(40, source=OTHER) as strangers:
        await until(lambda: node.refused(ConnectionRefusal.UNKNOWN_SOURCE) == 40)
        for stranger in strangers:
            with pytest.raises(OSError, match=r"not connected|reset|pipe"):
                stranger.send(b"!")
        assert node.driver.counters.accepted == 0


async def test_a_router_that_flaps_is_waited_for_longer_each_time_and_the_others_stay_up() -> None:
    async with (
        router() as tor,
        router(back(source_address=OTHER)),
        running(towards(), towards(OTHER, name="other")) as node,
    ):
        await node.up("router", "other")
        tor.last.transport.abort()
        await node.lost(1)
        await node.up()  # the first loss is free
        tor.last.transport.abort()
        await node.lost(2)
        assert node.state() is State.IDLE
        assert node.losses("other") == []


async def test_garbage_is_answered_by_the_right_word_and_the_connection_ends() -> None:
    async with router() as tor, running(towards()) as node:
        await node.up()
        tor.last.transport.write(b"GET / HTTP/1.1\r\n\r\n" * 3)
        await until(lambda: tor.conversations[0].is_over)
        assert [(n.code, n.subcode) for n in tor.conversations[0].notices] == [(Code.HEADER, 1)]
        assert node.losses() == [SessionReason.MALFORMED]


async def test_the_last_word_arrives_although_the_router_was_still_talking() -> None:
    """With bytes unread, closing a socket sends RST, and the other side may lose what it has not read yet."""
    async with router() as tor, running(towards()) as node:
        await node.up()
        tor.last.transport.pause_reading()
        await node.driver.leave(StopReason.SHUTDOWN)
        tor.last.transport.write(codec.encode(Notification(code=6, subcode=4)) * 2000)
        tor.last.transport.resume_reading()
        await until(lambda: tor.last.notices)
        assert [(n.code, n.subcode) for n in tor.last.notices] == [(Code.CEASE, Cease.SHUTDOWN)]


# ---------------------------------------------------------------- the listener


async def test_a_busy_port_is_told_and_taken_when_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speaker.bgp.listener.RETRY_S", 0.05)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((str(NODE), PORT))
        squatter.listen()
        async with (
            router(back(source_address=OTHER)),
            router(listens=False) as tor,
            running(towards(is_passive=True), towards(OTHER, name="other")) as node,
        ):
            await node.up("other")
            (problem,) = node.driver.problems
            assert "Address already in use" in problem.message
            assert "source-address" in problem.hint
            squatter.close()
            await until(lambda: node.driver.problems == ())
            await tor.dial()
            await node.up()
            assert node.losses("other") == []


async def test_nobody_is_listened_for_where_no_peer_is_passive() -> None:
    async with router(), running(towards()) as node:
        await node.up()
        assert not await is_listening()
        node.configure(towards(), towards(loopback(9), name="waits", is_passive=True))
        assert await is_listening()
        node.configure(towards())
        assert not await is_listening()


async def test_of_two_entries_for_one_router_the_one_with_our_end_of_the_connection_is_meant() -> None:
    second = loopback(4)
    peers = (towards(is_passive=True), towards(name="second", source_address=second, is_passive=True))
    async with running(*peers) as node, router(back(second), listens=False) as tor:
        await tor.dial()
        await node.up("second")
        assert node.state() is State.ACTIVE


async def test_a_peer_without_a_source_address_may_come_to_any_of_ours() -> None:
    peers = (towards(source_address=None, is_passive=True),)
    port = PORT + 2
    async with running(*peers, port=port) as node, router(back(loopback(7)), listens=False) as tor:
        await tor.dial(port)
        await node.up()


# ---------------------------------------------------------------- without BFD


async def test_without_the_process_that_keeps_bfd_sessions_run_and_a_problem_is_told() -> None:
    async with router(), running(towards(bfd_profile="fast")) as node:
        node.driver.configure({"router": towards(bfd_profile="fast")}, {"fast": BfdProfile(name="fast")})
        await node.up()
        (problem,) = node.driver.problems
        assert problem.path == "bfd-profiles"
