"""How edges are cared for: probes that are no edges, fresh edges beside stuck ones, new keys."""

import pytest

from bareway.gossip.events import Closed, Dial, Opened, Probe, Probed, Send
from bareway.gossip.message import PingAnswer, PingRequest, Pull
from bareway.gossip.sealing import Keyring
from bareway.model.names import NodeName
from bareway.runtime.gossip import driver as gossip
from bareway.runtime.gossip import table
from bareway.runtime.gossip.dialler import Where
from support.gossip import KEYRING, LOOPBACK, Station, impostor, introduce, station, until

ALICE, BOB = NodeName("alice"), NodeName("bob")
OLD, NEW = b"the old key", b"the new key"


async def connect(caller: Station, callee: Station) -> None:
    introduce(caller, callee)
    caller.act(Dial(peer=callee.name))
    await until(lambda: caller.has_opened(callee.name) and callee.has_opened(caller.name))


def probed(station: Station) -> list[Probed]:
    return [event for event in station.machine.events if isinstance(event, Probed)]


# ---------------------------------------------------------------- probes


async def test_a_probe_finds_a_member_alive_and_is_no_edge() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        alice.act(Probe(peer=BOB))
        await until(lambda: probed(alice) == [Probed(peer=BOB, alive=True)])
        assert bob.machine.events == []
        assert alice.driver.counters.sessions == bob.driver.counters.sessions == 0
        assert not bob.refusals


async def test_a_probe_disturbs_no_edge() -> None:
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        alice.act(Probe(peer=BOB))
        await until(lambda: bool(probed(alice)))
        alice.act(Send(peer=BOB, message=Pull(number=1)))
        await until(lambda: bob.machine.messages_from(ALICE) == [Pull(number=1)])
        assert bob.machine.events.count(Opened(peer=ALICE)) == 1


async def test_two_probes_of_one_member_at_once_are_one() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        alice.act(Probe(peer=BOB), Probe(peer=BOB))
        await until(lambda: bool(probed(alice)))
        alice.act(Probe(peer=BOB))
        await until(lambda: len(probed(alice)) == 2)


async def test_a_probe_of_a_port_that_nobody_serves_is_refused() -> None:
    async with station("alice") as alice:
        async with station("bob") as bob:
            introduce(alice, bob)
        alice.act(Probe(peer=BOB))
        await until(lambda: probed(alice) == [Probed(peer=BOB, alive=False, refused=True)])


async def test_a_probe_of_one_that_discovery_does_not_know_is_no_sign_of_life() -> None:
    async with station("alice") as alice:
        alice.act(Probe(peer=BOB))
        await until(lambda: probed(alice) == [Probed(peer=BOB, alive=False)])


async def test_one_that_turns_us_away_lives() -> None:
    async with station("alice") as alice, station("bob", keyring=Keyring([NEW])) as bob:
        introduce(alice, bob)
        alice.act(Probe(peer=BOB))
        await until(lambda: probed(alice) == [Probed(peer=BOB, alive=True)])


# ---------------------------------------------------------------- fresh edges


async def test_a_fresh_edge_takes_the_place_of_a_stuck_one_whoever_dialled_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "CROSSED_S", 0.0)
    async with station("alice") as alice, station("bob") as bob:
        await connect(alice, bob)
        bob.act(Dial(peer=ALICE))
        await until(lambda: alice.machine.events.count(Opened(peer=BOB)) == 2)
        await until(lambda: alice.driver.counters.sessions == bob.driver.counters.sessions == 1)
        bob.act(Send(peer=ALICE, message=Pull(number=1)))
        alice.act(Send(peer=BOB, message=Pull(number=2)))
        await until(lambda: alice.machine.messages_from(BOB) == [Pull(number=1)])
        await until(lambda: bob.machine.messages_from(ALICE) == [Pull(number=2)])
        assert not [event for event in alice.machine.events if isinstance(event, Closed)]


# ---------------------------------------------------------------- versions


async def test_one_that_speaks_an_earlier_version_is_told_nothing_that_it_would_not_understand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with station("bob") as bob:
        bob.driver.locate({ALICE: Where(LOOPBACK, 1)})
        monkeypatch.setattr("bareway.gossip.sealing.VERSION", 1)
        async with impostor(bob.where) as alice:
            session = await alice.prove("alice")
            await until(lambda: bob.has_opened(ALICE))
            bob.act(
                Send(peer=ALICE, message=PingRequest(number=1, target=BOB, wait_ms=1)),
                Send(peer=ALICE, message=PingAnswer(number=1, heard=True)),
                Send(peer=ALICE, message=Pull(number=3)),
            )
            frame = await alice.websocket.receive_bytes()
            assert session.open(frame).endswith(b"\x03\x03"), "the pull came first"


# ---------------------------------------------------------------- keys


async def test_edges_are_opened_anew_when_their_key_counts_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gossip, "RENEW_GAP_S", 0.001)
    async with (
        station("alice", keyring=Keyring([OLD])) as alice,
        station("bob", keyring=Keyring([OLD])) as bob,
    ):
        await connect(alice, bob)
        for both in (alice, bob):
            both.driver.use(Keyring([NEW, OLD]))
        alice.act(Send(peer=BOB, message=Pull(number=1)))
        await until(lambda: bob.machine.messages_from(ALICE) == [Pull(number=1)])
        assert bob.machine.events.count(Opened(peer=ALICE)) == 1, "while both count nothing is opened anew"
        for both in (alice, bob):
            both.driver.use(Keyring([NEW]))
        await until(lambda: bob.machine.events.count(Opened(peer=ALICE)) == 2)
        await until(lambda: alice.driver.counters.sessions == bob.driver.counters.sessions == 1)
        alice.act(Send(peer=BOB, message=Pull(number=2)))
        await until(lambda: bob.machine.messages_from(ALICE) == [Pull(number=1), Pull(number=2)])
        assert not [event for event in bob.machine.events if isinstance(event, Closed)]


async def test_an_edge_whose_other_end_has_only_the_former_key_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gossip, "RENEW_GAP_S", 0.001)
    monkeypatch.setattr(gossip, "RENEW_MAX_S", 0.05)
    async with (
        station("alice", keyring=Keyring([OLD])) as alice,
        station("bob", keyring=Keyring([OLD])) as bob,
    ):
        await connect(alice, bob)
        alice.driver.use(Keyring([NEW]))
        await until(
            lambda: Closed(peer=BOB) in alice.machine.events and Closed(peer=ALICE) in bob.machine.events
        )


async def test_keys_can_be_changed_before_the_driver_runs() -> None:
    async with station("alice") as alice:
        alice.driver.use(KEYRING)
        assert alice.driver.counters.sessions == 0
