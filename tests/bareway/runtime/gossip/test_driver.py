import asyncio
import logging
import math
import socket
from contextlib import AsyncExitStack
from ipaddress import ip_address
from random import Random

import pytest

from bareway.gossip.events import (
    Announce,
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    Opened,
    Output,
    Received,
    Send,
    Tick,
    Withdraw,
    WithdrawReason,
)
from bareway.gossip.member import NO_SIDE
from bareway.gossip.message import Heartbeat, Pull, encode
from bareway.model.names import NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip import door
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.door import _listen
from bareway.runtime.gossip.driver import GossipDriver
from bareway.runtime.gossip.report import Drop, Listening, PortBusy
from support.gossip import (
    KEYRING,
    LOOPBACK,
    ScriptedMachine,
    Station,
    impostor,
    introduce,
    running,
    station,
    until,
)

ALICE = NodeName("alice")
BOB = NodeName("bob")
CAROL = NodeName("carol")


async def connect(caller: Station, callee: Station) -> None:
    opened = Opened(peer=callee.name)
    before = caller.machine.events.count(opened)
    introduce(caller, callee)
    caller.act(Dial(peer=callee.name))
    await until(lambda: caller.machine.events.count(opened) > before and callee.has_opened(caller.name))


async def test_a_dial_is_answered_with_opened_at_both_ends() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        assert alice.machine.events == [Tick(), Opened(peer=BOB)]
        assert bob.machine.events == [Opened(peer=ALICE)]
        assert alice.driver.counters.sessions == bob.driver.counters.sessions == 1


async def test_a_tick_is_measured_by_how_late_it_comes() -> None:
    async with station("alice") as alice:

        def rest(event: Event) -> list[Output]:
            alice.machine.deadline = math.inf
            return []

        alice.act()
        alice.machine.deadline = monotonic() - 5.0
        alice.machine.answer = rest
        alice.driver._alarm.set()
        await until(lambda: alice.driver.counters.lateness.measured().count == 1)
        assert alice.driver.counters.lateness.measured().sum_s >= 5.0
        assert alice.machine.events[-1] == Tick()


@pytest.mark.parametrize(
    ("listens", "dialled"),
    [
        pytest.param("", "127.0.0.1", id="all addresses, by IPv4"),
        pytest.param("", "::1", id="all addresses, by IPv6"),
        pytest.param("::1", "::1", id="one IPv6 address"),
        pytest.param("127.0.0.2", "127.0.0.2", id="one IPv4 address"),
    ],
)
async def test_a_peer_is_reached_by_the_address_it_listens_on(listens: str, dialled: str) -> None:
    async with station("alice") as alice, station("bob", host=listens) as bob:
        alice.driver.locate({BOB: Where(dialled, bob.port)})
        bob.driver.locate({ALICE: alice.where})
        alice.act(Dial(peer=BOB))
        await until(lambda: alice.has_opened(BOB) and bob.has_opened(ALICE))


async def test_messages_arrive_in_order_both_ways() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        pulls = [Pull(number=number) for number in range(100)]
        alice.act(*(Send(peer=BOB, message=pull) for pull in pulls))
        bob.act(*(Send(peer=ALICE, message=pull) for pull in pulls))
        await until(lambda: len(alice.machine.messages_from(BOB)) == 100)
        await until(lambda: len(bob.machine.messages_from(ALICE)) == 100)
        assert alice.machine.messages_from(BOB) == bob.machine.messages_from(ALICE) == pulls


async def test_three_members_hear_what_one_says_to_the_others() -> None:
    async with station("alice") as alice, station("bob") as bob, station("carol") as carol:
        introduce(alice, bob, carol)
        alice.act(Dial(peer=BOB), Dial(peer=CAROL))
        bob.act(Dial(peer=CAROL))
        await until(lambda: all(one.driver.counters.sessions == 2 for one in (alice, bob, carol)))
        alice.act(Send(peer=BOB, message=Pull(number=7)), Send(peer=CAROL, message=Pull(number=7)))
        await until(lambda: bool(bob.machine.messages_from(ALICE) and carol.machine.messages_from(ALICE)))
        bob.act(Send(peer=CAROL, message=Pull(number=8)))
        await until(lambda: carol.machine.messages_from(BOB) == [Pull(number=8)])


async def test_a_dial_to_a_port_that_nobody_serves_fails_as_refused() -> None:
    async with station("alice") as alice:
        async with station("bob") as bob:
            introduce(alice, bob)
        alice.act(Dial(peer=BOB))
        await until(lambda: DialFailed(peer=BOB, refused=True) in alice.machine.events)


async def test_a_dial_to_a_name_that_discovery_does_not_know_fails() -> None:
    async with station("alice") as alice:
        alice.act(Dial(peer=BOB))
        await until(lambda: DialFailed(peer=BOB, refused=False) in alice.machine.events)


async def test_a_dial_wanted_before_the_driver_runs_is_made_when_it_does() -> None:
    machine = ScriptedMachine()
    machine.next(Dial(peer=BOB))
    driver = GossipDriver(
        machine,
        me=ALICE,
        keyring=KEYRING,
        host=LOOPBACK,
        port=0,
        rng=Random("alice"),
        on_output=lambda _: None,
        on_notice=lambda _: None,
    )
    driver.tell(Tick())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(driver.run())
        await until(lambda: DialFailed(peer=BOB, refused=False) in machine.events)
        task.cancel()


async def test_a_second_dial_while_the_first_is_under_way_is_not_made() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        alice.act(Dial(peer=BOB), Dial(peer=BOB))
        await until(lambda: bob.has_opened(ALICE))
        await until(lambda: alice.has_opened(BOB))
        assert bob.driver.counters.sessions == 1


async def test_a_driver_that_was_stopped_begins_nothing_any_more() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        async with station("carol") as carol:
            pass
        carol.act(Dial(peer=BOB))
        await connect(alice, bob)
        assert carol.machine.events == [Tick()]


async def test_another_end_that_stops_is_seen_as_closed() -> None:
    async with station("alice") as alice:
        async with station("bob") as bob:
            await connect(alice, bob)
        await until(lambda: Closed(peer=BOB) in alice.machine.events)
        assert alice.driver.counters.sessions == 0


async def test_our_own_hangup_is_not_reported_to_us_but_to_the_other_end() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        alice.act(Hangup(peer=BOB))
        await until(lambda: Closed(peer=ALICE) in bob.machine.events)
        await until(lambda: alice.driver.counters.sessions == 0)
        assert Closed(peer=BOB) not in alice.machine.events


async def test_what_was_said_before_a_hangup_still_arrives() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        alice.act(*(Send(peer=BOB, message=Pull(number=n)) for n in range(50)), Hangup(peer=BOB))
        await until(lambda: Closed(peer=ALICE) in bob.machine.events)
        assert len(bob.machine.messages_from(ALICE)) == 50


async def test_what_was_said_arrives_when_the_driver_is_stopped_after_a_flush() -> None:
    async with station("bob") as bob:
        async with station("alice") as alice:
            await connect(alice, bob)
            alice.act(*(Send(peer=BOB, message=Pull(number=n)) for n in range(50)))
            await alice.driver.flush()
        await until(lambda: Closed(peer=ALICE) in bob.machine.events)
        assert len(bob.machine.messages_from(ALICE)) == 50


async def test_the_program_hears_announcements_before_anything_is_sent() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        address = (ip_address("192.0.2.10"),)
        told: list[tuple[int, object]] = []
        alice.driver._on_output = lambda output: told.append(
            (len(alice.driver._edges.current(BOB)._outbox), output)  # type: ignore[union-attr]  # it is connected
        )
        alice.act(
            Send(peer=BOB, message=Pull(number=1)),
            Withdraw(addresses=address, reason=WithdrawReason.BEATEN),
            Announce(addresses=address),
        )
        assert told == [
            (0, Withdraw(addresses=address, reason=WithdrawReason.BEATEN)),
            (0, Announce(addresses=address)),
        ]


async def test_a_restarted_peer_on_the_same_port_is_reached_again() -> None:
    async with station("alice") as alice:
        async with station("bob") as bob:
            await connect(alice, bob)
            port = bob.port
        await until(lambda: Closed(peer=BOB) in alice.machine.events)
        async with station("bob", port=port) as bob:
            await connect(alice, bob)
            alice.act(Send(peer=BOB, message=Pull(number=1)))
            await until(lambda: bob.machine.messages_from(ALICE) == [Pull(number=1)])


async def test_an_edge_that_is_dialled_anew_takes_the_place_of_the_old_one() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        alice.act(Dial(peer=BOB))
        await until(lambda: alice.machine.events.count(Opened(peer=BOB)) == 2)
        await until(lambda: bob.machine.events.count(Opened(peer=ALICE)) == 2)
        await until(lambda: alice.driver.counters.sessions == bob.driver.counters.sessions == 1)
        bob.act(Send(peer=ALICE, message=Pull(number=1)))
        await until(lambda: alice.machine.messages_from(BOB) == [Pull(number=1)])
        assert not [
            event for one in (alice, bob) for event in one.machine.events if isinstance(event, Closed)
        ]


async def test_of_two_dials_that_cross_one_edge_stays_and_nobody_hears_of_an_end() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        alice.act(Dial(peer=BOB))
        bob.act(Dial(peer=ALICE))
        await until(lambda: alice.has_opened(BOB) and bob.has_opened(ALICE))
        await until(lambda: not alice.driver._dialling and not bob.driver._dialling)
        await until(lambda: alice.driver.counters.sessions == bob.driver.counters.sessions == 1)
        alice.act(Send(peer=BOB, message=Pull(number=1)))
        bob.act(Send(peer=ALICE, message=Pull(number=2)))
        await until(lambda: bob.machine.messages_from(ALICE) == [Pull(number=1)])
        await until(lambda: alice.machine.messages_from(BOB) == [Pull(number=2)])
        assert not [
            event for one in (alice, bob) for event in one.machine.events if isinstance(event, Closed)
        ]
        assert bob.dropped(Drop.DUPLICATE) == 1


async def test_a_dial_whose_edge_gives_way_to_an_open_one_is_answered_with_opened_too() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        bob.act(Dial(peer=ALICE))
        await until(lambda: bob.machine.events.count(Opened(peer=ALICE)) == 2)
        await until(lambda: alice.driver.counters.sessions == bob.driver.counters.sessions == 1)
        assert alice.machine.events.count(Opened(peer=BOB)) == 1


async def test_a_surplus_edge_that_takes_the_place_of_the_first_is_told_as_opened() -> None:
    async with station("alice") as alice, AsyncExitStack() as first:
        bob = await first.enter_async_context(station("bob"))
        await connect(alice, bob)
        async with impostor(alice.where) as second:
            session = await second.prove("bob", callee="alice")
            await until(lambda: alice.driver.counters.sessions == 2)
            assert alice.machine.events.count(Opened(peer=BOB)) == 1
            await first.aclose()
            await until(lambda: alice.machine.events.count(Opened(peer=BOB)) == 2)
            alice.act(Send(peer=BOB, message=Pull(number=1)))
            assert session.open(await second.websocket.receive_bytes()) == encode(Pull(number=1))
            assert Closed(peer=BOB) not in alice.machine.events
        await until(lambda: Closed(peer=BOB) in alice.machine.events)


async def test_a_machine_gets_its_tick_at_its_deadline_and_not_before() -> None:
    async with station("alice") as alice:
        deadline = monotonic() + 0.05
        alice.machine.deadline = deadline - 0.04
        alice.driver._set_timer()
        alice.machine.deadline = deadline

        def answer(event: Event) -> list[Output]:
            assert monotonic() >= deadline
            alice.machine.deadline = float("inf")
            return []

        alice.driver._set_timer()
        alice.machine.answer = answer
        await until(lambda: alice.machine.events == [Tick()])


async def test_an_event_may_bring_the_next_tick_forward() -> None:
    async with station("alice") as alice:

        def answer(event: Event) -> list[Output]:
            ticks = len(alice.machine.events)
            alice.machine.deadline = monotonic() + 0.001 if ticks < 5 else float("inf")
            return []

        alice.machine.answer = answer
        alice.act()
        await until(lambda: len(alice.machine.events) == 5)


async def test_a_busy_port_is_reported_once_and_taken_when_it_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[int] = []

    def listen(host: str, port: int) -> socket.socket:
        attempts.append(port)
        return _listen(host, port)

    monkeypatch.setattr(door, "_listen", listen)
    monkeypatch.setattr(door, "BUSY_CAP_S", 0.01)
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        alice = await first.enter_async_context(station("alice"))
        _, _, notices = await second.enter_async_context(running("bob", ScriptedMachine(), port=alice.port))
        await until(lambda: len(attempts) > 3)
        await first.aclose()
        await until(lambda: len(notices) > 1)
        busy, listening = notices
        assert isinstance(busy, PortBusy)
        assert listening == Listening(host=LOOPBACK, port=busy.port)


async def test_a_driver_whose_port_is_busy_still_reaches_its_peers() -> None:
    async with station("bob") as bob:
        machine = ScriptedMachine()
        async with running("alice", machine, port=bob.port) as (driver, _, notices):
            await until(lambda: bool(notices))
            bob.driver.locate({ALICE: Where(LOOPBACK, 1)})
            driver.locate({BOB: bob.where})
            machine.next(Dial(peer=BOB))
            driver.tell(Tick())
            await until(lambda: Opened(peer=BOB) in machine.events and bob.has_opened(ALICE))


class OurMistake(Exception):
    """What a machine with a fault would raise."""


async def let_bobs_machine_fail() -> None:
    def answer(event: Event) -> list[Output]:
        if isinstance(event, Received):
            raise OurMistake
        return []

    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        bob.machine.answer = answer
        alice.act(Send(peer=BOB, message=Pull(number=1)))
        await until(lambda: False)


async def test_a_machine_that_fails_stops_the_driver_instead_of_being_swallowed() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await let_bobs_machine_fail()
    assert caught.group_contains(OurMistake)


async def test_nothing_of_all_this_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        beat = Heartbeat(
            sequence=1, interval_ms=100, generation=0, view_digest=0, claims_digest=0, side=NO_SIDE
        )
        alice.act(Send(peer=BOB, message=beat), Hangup(peer=BOB))
        await until(lambda: Closed(peer=ALICE) in bob.machine.events)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
