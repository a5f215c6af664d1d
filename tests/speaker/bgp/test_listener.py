"""Whose connection it is, and what becomes of one that cannot be used."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from bareway.bgp import codec
from bareway.bgp.peers import PeerSettings
from bareway.model.names import IPAddress
from speaker.bgp import listener as listeners
from speaker.bgp.listener import BgpCounters, ConnectionRefusal, Listener, is_same
from support.bgp_wires import NODE, OTHER, PORT, ROUTER, back, is_listening, router, running, towards
from support.until import until

ANYWHERE = ip_address("0.0.0.0")
UNANSWERED_S = 3.0
"""The kernel drops the SYN of who has to sign and does not."""


class Rig:
    def __init__(self, *peers: PeerSettings) -> None:
        self.counters = BgpCounters()
        self.taken: list[str] = []
        self.listener = Listener(
            port=PORT, is_open_to_all=False, counters=self.counters, on_connection=self._take
        )
        self.listener.serve(peers)

    def _take(self, name: str, it: socket.socket) -> bool:
        self.taken.append(name)
        it.close()
        return True


@pytest.mark.parametrize(
    ("configured", "seen", "expected"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1", "fe80::1%eth0", True),
        ("fe80::1%eth0", "fe80::1%eth0", True),
        ("fe80::1%eth0", "fe80::1%eth1", False),
        ("fe80::1%eth0", "fe80::2%eth0", False),
        ("2001:db8::1", "192.0.2.1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", False),
    ],
)
def test_an_address_of_one_link_is_that_link_s_alone(configured: str, seen: str, expected: bool) -> None:
    assert is_same(ip_address(configured), ip_address(seen)) is expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        pytest.param(NODE, "ours", id="the-one-that-names-our-end"),
        pytest.param(OTHER, "passive", id="the-passive-one-of-those-that-name-none"),
    ],
)
async def test_of_several_entries_for_one_address(local: IPAddress, expected: str) -> None:
    rig = Rig()
    rig.listener._peers = (
        towards(name="dialled", source_address=None),
        towards(name="passive", source_address=None, is_passive=True),
        towards(name="ours", is_passive=True),
        towards(OTHER, name="another", is_passive=True),
    )
    found = rig.listener._peer_of(ROUTER, local)
    assert found is not None
    assert found.name == expected
    assert rig.listener._peer_of(NODE, local) is None


async def test_a_connection_that_ended_before_it_was_taken_is_counted() -> None:
    rig = Rig(towards(is_passive=True))
    gone = socket.socket()
    gone.close()
    rig.listener._take(gone, (str(ROUTER), 1024), ())
    assert rig.counters.refused == {ConnectionRefusal.VANISHED: 1}
    rig.listener.close()


async def test_a_key_that_the_kernel_does_not_take_opens_the_door_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(it: object, peer: object, key: bytes) -> None:
        if key:
            raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(listeners, "RETRY_S", 0.02)
    rig = Rig(towards(is_passive=True))
    assert await is_listening()
    with monkeypatch.context() as patch:
        patch.setattr(listeners, "set_key", refuse)
        rig.listener.serve([towards(is_passive=True, password=b"s3cret")])
        assert not await is_listening()
        (problem,) = rig.listener.problems
        assert "Cannot allocate memory" in problem.message
        await asyncio.sleep(0.05)
        assert rig.listener.problems
    await until(lambda: not rig.listener.problems)
    assert await is_listening()
    rig.listener.close()
    assert not await is_listening()


@pytest.mark.parametrize(
    ("sources", "doors"),
    [
        pytest.param([NODE], {str(NODE)}, id="one-address"),
        pytest.param([NODE, None], {"0.0.0.0"}, id="any-address-includes-the-other"),
        pytest.param([], set(), id="nobody"),
    ],
)
async def test_addresses_are_listened_on_and_all_of_them_only_where_need_be(
    sources: list[object], doors: set[str]
) -> None:
    peers = [
        towards(name=str(number), is_passive=True, source_address=source)
        for number, source in enumerate(sources)
    ]
    rig = Rig(*peers)
    assert {str(address) for address in rig.listener._doors} == doors
    rig.listener.close()


async def test_a_door_is_opened_only_when_its_keys_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else who has to sign could come in without, between the one and the other."""
    order: list[str] = []
    monkeypatch.setattr(listeners, "set_key", lambda _, peer, key: order.append(f"key {key.decode()}"))
    monkeypatch.setattr(listeners, "listen", lambda _: order.append("open"))
    rig = Rig(towards(is_passive=True, password=b"s3cret"))
    assert order == ["key s3cret", "open"]
    rig.listener.close()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([(NODE, b"a"), (OTHER, b"b")], {NODE: b"a", OTHER: b"b"}, id="each-door-its-own"),
        pytest.param([(OTHER, b"b"), (NODE, b"")], {NODE: None, OTHER: b"b"}, id="none-where-none-is-meant"),
        pytest.param([(NODE, b"a"), (None, b"b")], {ANYWHERE: b"a"}, id="one-door-for-both"),
        pytest.param([(None, b"b"), (NODE, b"")], {ANYWHERE: b"b"}, id="rather-a-key-than-none"),
        pytest.param([(None, b"dialled"), (NODE, b"")], {NODE: None}, id="not-that-of-a-peer-we-dial"),
        pytest.param([(None, b"dialled"), (None, b"")], {ANYWHERE: None}, id="nor-anywhere"),
        pytest.param(
            [(NODE, b"dialled"), (None, b"")], {ANYWHERE: None}, id="nor-one-that-we-dial-from-there"
        ),
        pytest.param(
            [(NODE, b"dialled"), (None, b"a")], {ANYWHERE: b"a"}, id="nor-instead-of-that-of-who-calls"
        ),
    ],
)
async def test_a_door_has_the_key_of_the_entry_that_is_meant_there(
    monkeypatch: pytest.MonkeyPatch, entries: list[tuple[IPAddress | None, bytes]], expected: object
) -> None:
    monkeypatch.setattr(listeners, "set_key", lambda *_: None)
    rig = Rig(
        *(
            towards(name=str(place), is_passive=key != b"dialled", source_address=source, password=key)
            for place, (source, key) in enumerate(entries)
        )
    )
    found = {address: door._wanted_keys.get(ROUTER) for address, door in rig.listener._doors.items()}
    assert found == expected
    rig.listener.close()


@pytest.mark.parametrize(
    ("is_open_to_all", "callers", "expected"),
    [
        pytest.param(False, [], b"dialled", id="nobody-else-of-that-router-calls"),
        pytest.param(False, [ROUTER], None, id="another-entry-is-called"),
        pytest.param(True, [ROUTER], b"dialled", id="both-are"),
    ],
)
def test_a_door_for_all_addresses_has_the_key_of_a_peer_we_dial_where_no_other_entry_is_called(
    is_open_to_all: bool, callers: list[IPAddress], expected: bytes | None
) -> None:
    dialled = towards(source_address=None, password=b"dialled")
    others = [towards(router, is_passive=True) for router in (OTHER, *callers)]
    keys = listeners._keys([dialled, *others], ANYWHERE, is_open_to_all=is_open_to_all)
    assert keys.get(ROUTER) == expected


async def test_a_router_comes_in_unsigned_although_another_entry_of_it_is_dialled_with_a_key() -> None:
    dialled = towards(name="dialled", source_address=None, password=b"s3cret", connect_retry_s=100.0)
    async with (
        router(listens=False) as tor,
        running(dialled, towards(name="passive", is_passive=True)) as node,
    ):
        await tor.dial()
        await node.up("passive")


def free_port() -> int:
    """A door for all addresses has it alone on this machine, whoever else tests there."""
    with socket.socket() as it:
        it.bind(("", 0))
        return int(it.getsockname()[1])


@pytest.mark.parametrize(
    ("dialled_from", "called_at", "comes_in", "is_refused"),
    [
        pytest.param(None, NODE, NODE, OTHER, id="dialled-from-anywhere"),
        pytest.param(NODE, None, OTHER, NODE, id="called-at-any-other-address"),
    ],
)
async def test_at_a_door_for_all_addresses_only_who_has_no_key_comes_in_unsigned(
    dialled_from: IPAddress | None, called_at: IPAddress | None, comes_in: IPAddress, is_refused: IPAddress
) -> None:
    """Nobody for an entry with a key, not even by an OPEN that was there before the key was set."""
    dialled = towards(name="dialled", source_address=dialled_from, password=b"s3cret", connect_retry_s=100.0)
    passive = towards(name="passive", source_address=called_at, is_passive=True)
    anybody = towards(OTHER, name="anybody", source_address=None, is_passive=True)
    port = free_port()
    async with (
        router(back(is_refused), listens=False) as stray,
        router(back(comes_in), listens=False) as tor,
        running(dialled, passive, anybody, port=port) as node,
    ):
        with socket.socket() as it:
            it.settimeout(UNANSWERED_S)
            it.bind((str(ROUTER), 0))
            it.connect((str(is_refused), port))
            it.sendall(codec.encode(stray.open))
            await until(lambda: node.refused(ConnectionRefusal.NOT_SIGNED) == 1)
        assert node.driver.counters.accepted == 0
        await tor.dial(port)
        await node.up("passive")
