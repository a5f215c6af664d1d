"""The driver on real sockets: sessions come up, routes arrive, all follows the configuration."""

import asyncio
from ipaddress import IPv4Address, IPv6Address

import pytest

from bareway.bgp.errors import Cease, Code
from bareway.bgp.events import SessionReason, Stage, StopReason
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification, Update
from bareway.bgp.routes import RouteSet
from support.bgp import hosts, routes
from support.bgp_wires import NODE, OTHER, PORT, back, router, running, towards
from support.until import until

GRACEFUL_SHUTDOWN = bytes.fromhex("ffff0000")


async def test_a_router_that_listens_learns_the_routes_and_then_that_they_are_all() -> None:
    async with router() as tor, running(towards()) as node:
        node.driver.want({"router": routes("198.51.100.1/32", "198.51.100.2/32")}, is_complete=True)
        await node.up()
        await until(lambda: len(tor.routes) == 2 and tor.ends == 2)
        status = node.driver.statuses()["router"]
        assert status.local == NODE
        assert status.owed == 0
        assert node.driver.troubles() == {}


async def test_nothing_is_ended_before_caches_are_synced() -> None:
    async with router() as tor, running(towards()) as node:
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=False)
        await until(lambda: len(tor.routes) == 1)
        assert tor.ends == 0
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: tor.ends == 2)


async def test_a_peer_that_is_new_is_not_told_that_it_has_everything_before_its_routes_are_known() -> None:
    async with router() as tor, running() as node:
        node.driver.want({}, is_complete=True)
        node.configure(towards())
        await node.up()
        assert tor.ends == 0
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: tor.ends == 2)
        assert len(tor.routes) == 1


async def test_changes_are_told_as_they_come() -> None:
    async with router() as tor, running(towards()) as node:
        for wanted in (hosts(3), hosts(1), hosts(2)):
            node.driver.want({"router": routes(*map(str, wanted))}, is_complete=True)
            await tor.has(*wanted)


async def test_a_passive_peer_is_waited_for() -> None:
    async with router(listens=False) as tor, running(towards(is_passive=True)) as node:
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        assert node.state() is State.ACTIVE
        await tor.dial()
        await node.up()
        await until(lambda: len(tor.routes) == 1)
        assert node.driver.counters.accepted == 1


async def test_two_drivers_that_dial_each_other_end_with_one_session() -> None:
    async with (
        running(towards(), listens=True) as node,
        running(back(is_passive=False), listens=True) as tor,
    ):
        await node.up()
        await tor.up("node")
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: tor.driver.statuses()["node"].messages_received > 3)
        assert node.losses() == tor.losses("node") == []


async def test_a_peer_that_leaves_the_configuration_is_told_so() -> None:
    async with router() as tor, running(towards()) as node:
        await node.up()
        node.configure()
        await until(lambda: tor.last.is_over)
        assert [(n.code, n.subcode) for n in tor.last.notices] == [(Code.CEASE, Cease.DECONFIGURED)]
        assert node.driver.statuses() == {}
        await until(lambda: not node.driver._parting)


async def test_settings_that_stand_in_open_begin_the_session_anew() -> None:
    async with router() as tor, running(towards()) as node:
        await node.up()
        node.configure(towards(hold_time_s=30))
        await until(lambda: len(tor.conversations) == 2 and node.state() is State.ESTABLISHED)
        assert [(n.code, n.subcode) for n in tor.conversations[0].notices] == [
            (Code.CEASE, Cease.CONFIGURATION_CHANGE)
        ]
        assert node.driver.statuses()["router"].hold_time_s == 30


async def test_a_drain_marks_all_routes_and_can_be_called_off() -> None:
    async with router() as tor, running(towards()) as node:
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: len(tor.routes) == 1)
        (prefix,) = tor.routes
        node.driver.drain(Stage.BEGIN)
        await until(lambda: marked(tor.routes[prefix]))
        node.driver.drain(Stage.END)
        await until(lambda: not marked(tor.routes[prefix]))


async def test_what_is_withheld_is_told_nobody_and_then_to_all() -> None:
    async with router() as tor, running() as node:
        node.driver.withhold(Stage.BEGIN)
        node.configure(towards())
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: tor.ends == 2)  # so that what it kept of a former life is thrown away
        assert tor.routes == {}
        node.driver.withhold(Stage.END)
        await until(lambda: len(tor.routes) == 1)
        node.driver.withhold(Stage.BEGIN)
        await until(lambda: tor.routes == {})


async def test_a_peer_that_is_configured_during_a_drain_hears_of_it() -> None:
    async with router() as tor, running() as node:
        node.driver.drain(Stage.BEGIN)
        node.configure(towards())
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: len(tor.routes) == 1)
        assert marked(next(iter(tor.routes.values())))


async def test_who_leaves_withdraws_first_and_then_says_so() -> None:
    async with router() as tor, running(towards()) as node:
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: len(tor.routes) == 1)
        await node.driver.leave(StopReason.LEAVING, "node leaves")
        assert node.driver.is_quiet
        assert tor.routes == {}
        assert tor.last.notices == [Notification(code=6, subcode=2, data=b"\x0bnode leaves")]


async def test_who_restarts_says_nothing() -> None:
    async with router(back(graceful_restart=True)) as tor, running(towards(graceful_restart=True)) as node:
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        await until(lambda: len(tor.routes) == 1)
        await node.driver.leave(StopReason.RESTART)
        assert node.driver.is_quiet
        await until(lambda: tor.last.is_over)
        assert tor.last.notices == []
        assert len(tor.routes) == 1


@pytest.mark.parametrize("is_restart", [True, False], ids=["after-a-restart", "first-life"])
async def test_the_first_sessions_of_a_life_say_whether_there_was_one_before(is_restart: bool) -> None:
    settings = towards(graceful_restart=True)
    async with router() as tor, running(settings, is_restart=is_restart) as node:
        await node.up()
        (ours,) = (one for one in node.driver.statuses()["router"].our_capabilities if "Restart" in repr(one))
        assert f"is_restarted={is_restart}" in repr(ours)
        assert tor.conversations


async def test_who_has_left_takes_no_new_peer_until_it_stays_after_all() -> None:
    async with router() as tor, running(towards()) as node:
        await node.up()
        await node.driver.leave(StopReason.LEAVING)
        node.configure(towards(), towards(OTHER, name="other"))
        assert node.state("other") is State.IDLE
        node.driver.want({"router": routes("198.51.100.1/32")}, is_complete=True)
        node.driver.stay()
        await node.up()
        await until(lambda: len(tor.routes) == 1)


async def test_a_router_that_is_not_there_is_named_and_tried_again() -> None:
    async with running(towards()) as node:
        await until(lambda: node.driver.troubles() == {"router": "Connection refused"})
        assert node.state() is State.ACTIVE  # open to the router's own attempt meanwhile
        async with router():
            await node.up()
            assert node.driver.troubles() == {}


async def test_a_source_address_that_is_not_ours_is_named() -> None:
    elsewhere = towards(source_address=IPv4Address("192.0.2.77"))
    async with running(elsewhere) as node:
        await until(lambda: node.driver.troubles() == {"router": "Cannot assign requested address"})


async def test_a_router_that_is_away_and_back_gets_everything_again() -> None:
    async with running(towards()) as node:
        node.driver.want({"router": routes(str(hosts(1)[0]))}, is_complete=True)
        for _ in range(2):
            async with router() as tor:
                await tor.has(*hosts(1))
            await node.down()
        assert node.losses() == [SessionReason.PEER_CLOSED, SessionReason.PEER_CLOSED]


async def test_a_router_of_the_wrong_as_is_refused_and_the_others_do_not_notice() -> None:
    async with (
        router(back(local_asn=64999)) as wrong,
        router(back(source_address=OTHER)),
        running(towards(), towards(OTHER, name="other")) as node,
    ):
        await node.up("other")
        await until(node.notices)
        assert {(n.code, n.subcode) for n in node.notices()} == {(Code.OPEN, 2)}
        await until(lambda: wrong.conversations[0].notices)
        assert node.losses("other") == []


async def test_all_of_it_ends_with_the_task_and_nothing_is_said() -> None:
    async with router() as tor:
        async with running(towards()) as node:
            await node.up()
        await until(lambda: tor.last.is_over)
        assert tor.last.notices == []


async def test_ipv6_sessions_tell_routes_of_both_families() -> None:
    here = IPv6Address("::1")
    port = PORT + 1
    async with (
        running(towards(here, source_address=here, port=port)) as node,
        running(back(here, source_address=here), port=port),
    ):
        await node.up()
        node.driver.want({"router": routes("198.51.100.1/32", "2001:db8:1::1/128")}, is_complete=True)
        await until(lambda: sum(node.driver.statuses()["router"].told.values()) == 2)


async def test_routes_that_did_not_change_are_not_planned_again() -> None:
    async with router() as tor, running(towards()) as node:
        wanted: RouteSet = routes("198.51.100.1/32")
        node.driver.want({"router": wanted}, is_complete=True)
        await until(lambda: tor.ends == 2)
        before = dict(node.driver._told)
        node.driver.want({"router": wanted}, is_complete=True)
        await asyncio.sleep(0)
        assert node.driver._told["router"] is before["router"]


def marked(update: Update) -> bool:
    return any(GRACEFUL_SHUTDOWN in attribute.value for attribute in update.attributes)
