"""Whose packet it is, and whether it may have come that way."""

from ipaddress import ip_address
from random import Random

import pytest

from bareway.bfd.drops import DropReason, PacketError
from bareway.bfd.packet import Packet, State
from bareway.bfd.register import DISCRIMINATOR_MOST, TTL, Arrival, Entry, Path, Register
from bareway.bfd.session import Session
from support.bfd import FAST, packet

ROUTER, OTHER, NODE = ip_address("192.0.2.1"), ip_address("192.0.2.2"), ip_address("192.0.2.11")
LINK_LOCAL = ip_address("fe80::1")
HERE = Arrival(ROUTER, NODE, "eth0", TTL, is_multihop=False)
FIRST = packet(State.DOWN, your_discriminator=0)


def register(*paths: Path, minimum_ttl: int = TTL) -> Register:
    it = Register(Random("register"))
    for path in paths:
        session = Session(discriminator=it.new_discriminator(), timing=FAST, rng=Random(1), now=0.0)
        it.put(Entry(path, minimum_ttl, session))
    return it


def named(it: Register, path: Path) -> Packet:
    entry = it.get(path)
    assert entry
    return packet(State.UP, your_discriminator=entry.session.discriminator)


@pytest.mark.parametrize(
    "path",
    [
        Path(ROUTER),
        Path(ROUTER, NODE),
        Path(ROUTER, interface="eth0"),
        Path(ROUTER, NODE, "eth0"),
    ],
    ids=["peer alone", "with our address", "with the interface", "with both"],
)
def test_a_first_packet_is_for_whom_the_addresses_say(path: Path) -> None:
    it = register(Path(OTHER), path)
    assert it.select(FIRST, HERE).path == path


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(Path(OTHER), id="another peer"),
        pytest.param(Path(ROUTER, OTHER), id="another address of ours"),
        pytest.param(Path(ROUTER, interface="eth1"), id="another interface"),
        pytest.param(Path(ROUTER, is_multihop=True), id="the port for several hops"),
    ],
)
def test_a_first_packet_that_fits_nobody_is_nobodys(path: Path) -> None:
    with pytest.raises(PacketError) as caught:
        register(path).select(FIRST, HERE)
    assert caught.value.reason is DropReason.UNKNOWN_SESSION


def test_the_path_that_says_most_comes_first() -> None:
    paths = [Path(ROUTER), Path(ROUTER, NODE), Path(ROUTER, interface="eth0")]
    assert register(*paths).select(FIRST, HERE).path == Path(ROUTER, NODE)


def test_link_local_peers_of_two_links_are_two() -> None:
    it = register(Path(LINK_LOCAL, interface="eth0"), Path(LINK_LOCAL, interface="eth1"))
    arrival = Arrival(LINK_LOCAL, ip_address("fe80::2"), "eth1", TTL, is_multihop=False)
    assert it.select(FIRST, arrival).path.interface == "eth1"


def test_who_names_a_session_is_for_that_one_wherever_it_comes_from() -> None:
    it = register(Path(ROUTER), Path(OTHER))
    assert it.select(named(it, Path(OTHER)), HERE).path == Path(OTHER)


def test_a_session_that_we_do_not_have_cannot_be_named() -> None:
    with pytest.raises(PacketError) as caught:
        register(Path(ROUTER)).select(packet(State.UP, your_discriminator=5), HERE)
    assert caught.value.reason is DropReason.UNKNOWN_SESSION


@pytest.mark.parametrize("is_multihop", [False, True])
def test_the_port_must_be_that_of_the_session(is_multihop: bool) -> None:
    path = Path(ROUTER, is_multihop=is_multihop)
    it = register(path, minimum_ttl=1)
    with pytest.raises(PacketError) as caught:
        it.select(named(it, path), HERE._replace(is_multihop=not is_multihop))
    assert caught.value.reason is DropReason.WRONG_PORT


@pytest.mark.parametrize(
    ("least", "ttl", "is_heard"), [(255, 255, True), (255, 254, False), (250, 250, True), (250, 249, False)]
)
def test_what_came_through_too_many_routers_is_not_heard(least: int, ttl: int, is_heard: bool) -> None:
    it = register(Path(ROUTER), minimum_ttl=least)
    arrival = HERE._replace(ttl=ttl)
    if is_heard:
        assert it.select(FIRST, arrival)
    else:
        for told in (FIRST, named(it, Path(ROUTER))):
            with pytest.raises(PacketError) as caught:
                it.select(told, arrival)
            assert caught.value.reason is DropReason.BAD_TTL


class Stubborn(Random):
    """Says the same thing three times before it says another."""

    def __init__(self) -> None:
        super().__init__(1)
        self._told = [7, 7, 7, 9]

    def randint(self, a: int, b: int) -> int:
        assert (a, b) == (1, DISCRIMINATOR_MOST)
        return self._told.pop(0)


def test_no_two_sessions_have_one_discriminator() -> None:
    it = Register(Stubborn())
    for path in (Path(ROUTER), Path(OTHER)):
        session = Session(discriminator=it.new_discriminator(), timing=FAST, rng=Random(1), now=0.0)
        it.put(Entry(path, TTL, session))
    assert [entry.session.discriminator for entry in it] == [7, 9]


def test_who_is_removed_or_replaced_is_named_in_vain() -> None:
    it = register(Path(ROUTER), Path(OTHER))
    former = named(it, Path(ROUTER))
    it.put(Entry(Path(ROUTER), TTL, Session(discriminator=3, timing=FAST, rng=Random(1), now=0.0)))
    it.remove(Path(OTHER))
    it.remove(Path(OTHER))
    assert len(it) == 1
    with pytest.raises(PacketError):
        it.select(former, HERE)
    assert it.select(packet(State.UP, your_discriminator=3), HERE).path == Path(ROUTER)
