"""BFD beside BGP, against a process that says what the test wants."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv6Address, ip_address, ip_interface

import pytest

from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.register import Path
from bareway.bgp.events import BfdDown, BfdUp
from bareway.bgp.peers import PeerSettings
from bareway.model.configuration import BfdProfile
from speaker.bfd.client import wanted
from speaker.bfd.records import (
    REQUEST_BYTES,
    Report,
    ReportKind,
    Request,
    RequestKind,
    pack_report,
    read_request,
)
from speaker.bgp.watching import AWAY, BfdWatch
from speaker.layer2.netlink import AddressMessage
from support.bgp import NODE_ASN, ROUTER, settings

PROFILES = {"fast": BfdProfile(name="fast", transmit_interval_ms=100)}
PATH = Path(ROUTER)
ADDRESSES = [AddressMessage(index=2, address=ip_interface("192.0.2.11/24"))]
UP, DOWN, ADMIN_DOWN = State.UP, State.DOWN, State.ADMIN_DOWN


class Rig:
    def __init__(self) -> None:
        ours, self.process = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process.setblocking(False)
        self.told: list[tuple[str, BfdUp | BfdDown]] = []
        self.watch = BfdWatch(ours, on_change=lambda name, event: self.told.append((name, event)))

    def want(self, *peers: PeerSettings) -> None:
        self.watch.watch(peers, PROFILES, lambda: ADDRESSES)

    def asked(self) -> list[Request]:
        found = []
        while True:
            try:
                found.append(read_request(self.process.recv(REQUEST_BYTES)))
            except BlockingIOError:
                return found

    async def say(self, state: State, *, path: Path = PATH, theirs: State = UP, downs: int = 0) -> None:
        report = Report(ReportKind.CHANGED, path, state, Diagnostic.NONE, theirs, 0, downs=downs)
        self.process.send(pack_report(report))
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    it = Rig()
    yield it
    it.watch.close()
    it.process.close()


def watched(**changes: object) -> PeerSettings:
    return settings(**({"bfd_profile": "fast"} | changes))


async def test_a_session_is_wanted_for_each_peer_with_a_profile_by_that_profile(rig: Rig) -> None:
    rig.want(watched(), settings(name="without", address=ip_address("192.0.2.2")))
    assert rig.asked() == [
        Request(RequestKind.WANT, wanted(PATH, PROFILES["fast"])),
        Request(RequestKind.COMPLETE),
    ]
    rig.want(watched())
    assert rig.asked() == []
    rig.want()
    assert rig.asked() == [Request(RequestKind.COMPLETE)]


async def test_where_no_peer_has_a_profile_the_process_is_not_even_spoken_to(rig: Rig) -> None:
    rig.want(settings())
    rig.watch.announce_restart()
    assert rig.asked() == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param(
            {"source_address": ip_address("192.0.2.11")},
            PATH._replace(local=ip_address("192.0.2.11")),
            id="source",
        ),
        pytest.param({"is_multihop": True}, PATH._replace(is_multihop=True), id="multihop"),
        pytest.param({"peer_asn": NODE_ASN}, PATH, id="ibgp-on-the-link"),
        pytest.param(
            {"peer_asn": NODE_ASN, "address": ip_address("198.51.100.1")},
            Path(ip_address("198.51.100.1"), is_multihop=True),
            id="ibgp-far",
        ),
        pytest.param(
            {"address": ip_address("fe80::1%eth0")},
            Path(IPv6Address("fe80::1"), interface="eth0"),
            id="link-local",
        ),
    ],
)
async def test_the_path_is_the_one_of_the_bgp_session(
    rig: Rig, changes: dict[str, object], path: Path
) -> None:
    rig.want(watched(**changes))
    assert rig.asked()[0] == Request(RequestKind.WANT, wanted(path, PROFILES["fast"]))


async def test_a_session_that_is_lost_ends_that_of_bgp_and_one_that_is_back_hastens_it(rig: Rig) -> None:
    rig.want(watched())
    await rig.say(DOWN)
    assert rig.told == []  # it was never up
    await rig.say(UP)
    await rig.say(DOWN)
    await rig.say(UP)
    assert rig.told == [("router", BfdUp()), ("router", BfdDown()), ("router", BfdUp())]


async def test_a_router_that_takes_bfd_down_on_purpose_says_nothing_of_the_path(rig: Rig) -> None:
    rig.want(watched())
    await rig.say(UP)
    await rig.say(DOWN, theirs=ADMIN_DOWN)
    assert rig.told == [("router", BfdUp())]


async def test_two_peers_of_one_address_share_the_session_and_both_hear_of_it(rig: Rig) -> None:
    rig.want(watched(), watched(name="second", port=1179))
    assert len(rig.asked()) == 2
    await rig.say(UP)
    assert rig.told == [("router", BfdUp()), ("second", BfdUp())]
    assert rig.watch.reports().keys() == {"router", "second"}


async def test_a_session_that_is_wanted_no_more_ends_nothing(rig: Rig) -> None:
    rig.want(watched())
    await rig.say(UP)
    rig.want()
    await rig.say(DOWN)
    rig.want(watched())
    await rig.say(DOWN)
    assert rig.told == [("router", BfdUp())]


async def test_a_restart_is_announced(rig: Rig) -> None:
    rig.want(watched())
    rig.asked()
    rig.watch.announce_restart()
    assert rig.asked() == [Request(RequestKind.RESTARTING)]


async def test_a_process_that_is_away_is_a_problem_as_long_as_sessions_are_wanted(rig: Rig) -> None:
    rig.want(watched())
    assert not rig.watch.problems
    rig.process.close()
    for _ in range(5):
        await asyncio.sleep(0)
    assert list(rig.watch.problems) == [AWAY]
    rig.want()
    assert not rig.watch.problems


async def test_patience_that_is_called_off_asks_for_the_usual_times_again(rig: Rig) -> None:
    rig.want(watched())
    rig.watch.announce_restart()
    rig.watch.call_off_restart()
    usual = [Request(RequestKind.WANT, wanted(PATH, PROFILES["fast"])), Request(RequestKind.COMPLETE)]
    assert rig.asked() == [*usual, Request(RequestKind.RESTARTING), *usual]
