"""The main program's side, against a process that says what the test wants."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address

import pytest

from bareway.bfd.drops import DropReason
from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.register import TTL, Path
from bareway.bfd.timing import Timing
from bareway.model.configuration import BfdProfile
from speaker.bfd.client import BfdClient, inherited, wanted
from speaker.bfd.records import (
    DESCRIPTOR_VARIABLE,
    MINIMUM_TTL_OF_MULTIHOP,
    REQUEST_BYTES,
    Report,
    ReportKind,
    Request,
    RequestKind,
    Totals,
    Wanted,
    pack_report,
    read_request,
)

PATH, OTHER = Path(ip_address("192.0.2.1")), Path(ip_address("2001:db8::1"))
UP, DOWN = State.UP, State.DOWN
DOWN_REPORT = Report(ReportKind.CHANGED, PATH, DOWN, 0, DOWN, 0)
UP_REPORT = Report(ReportKind.CHANGED, PATH, UP, 0, UP, 0, ups=1)


class Rig:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        self.process = theirs
        self.told: list[tuple[Path, State, Diagnostic]] = []
        self.troubles: list[tuple[Path, int]] = []
        self.lost = asyncio.Event()
        self.client = BfdClient(
            ours,
            on_state=lambda *told: self.told.append(told),
            on_trouble=lambda *told: self.troubles.append(told),
            on_lost=self.lost.set,
        )

    async def asked(self) -> list[Request]:
        """What the client has said since."""
        await self.settle()
        found = []
        while True:
            try:
                found.append(read_request(self.process.recv(REQUEST_BYTES)))
            except BlockingIOError:
                return found

    async def tell(self, *reports: Report | Totals) -> None:
        for report in reports:
            self.process.send(pack_report(report))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):  # turns of the loop: a reader, a callback, a task that waits for it
            await asyncio.sleep(0)

    def close(self) -> None:
        self.client.close()
        self.process.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    it = Rig()
    yield it
    it.close()


async def test_the_whole_list_is_said_each_time(rig: Rig) -> None:
    sessions = [Wanted(PATH), Wanted(OTHER)]
    rig.client.want(sessions)
    assert await rig.asked() == [
        *(Request(RequestKind.WANT, one) for one in sessions),
        Request(RequestKind.COMPLETE),
    ]
    rig.client.want(sessions[:1])
    assert [request.kind for request in await rig.asked()] == [RequestKind.WANT, RequestKind.COMPLETE]


async def test_how_a_session_stands_is_told_first_and_then_each_change(rig: Rig) -> None:
    rig.client.want([Wanted(PATH)])
    await rig.tell(UP_REPORT)
    await rig.tell(UP_REPORT)
    await rig.tell(DOWN_REPORT._replace(diagnostic=Diagnostic.DETECTION_TIME_EXPIRED, downs=1))
    assert rig.told == [(PATH, UP, Diagnostic.NONE), (PATH, DOWN, Diagnostic.DETECTION_TIME_EXPIRED)]
    assert rig.client.sessions[PATH].downs == 1


async def test_a_session_that_was_down_while_nobody_read_is_told_as_down_and_up(rig: Rig) -> None:
    rig.client.want([Wanted(PATH)])
    await rig.tell(UP_REPORT)
    await rig.tell(UP_REPORT._replace(ups=2, downs=1))
    assert [state for _, state, _ in rig.told] == [UP, DOWN, UP]


async def test_what_is_wanted_no_more_is_not_told_of(rig: Rig) -> None:
    rig.client.want([Wanted(PATH)])
    await rig.tell(UP_REPORT)
    rig.client.want([])
    await rig.tell(DOWN_REPORT)
    assert [state for _, state, _ in rig.told] == [UP]
    assert dict(rig.client.sessions) == {}


async def test_what_is_wanted_again_is_told_anew(rig: Rig) -> None:
    for _ in range(2):
        rig.client.want([Wanted(PATH)])
        await rig.tell(UP_REPORT)
        rig.client.want([])
    assert [state for _, state, _ in rig.told] == [UP, UP]


async def test_trouble_is_told_when_it_changes(rig: Rig) -> None:
    rig.client.want([Wanted(PATH)])
    for trouble in (0, 98, 98, 0):
        await rig.tell(DOWN_REPORT._replace(trouble=trouble))
    assert rig.troubles == [(PATH, 98), (PATH, 0)]
    assert len(rig.told) == 1


async def test_figures_are_asked_for_and_come(rig: Rig) -> None:
    rig.client.want([Wanted(PATH)])
    await rig.tell(UP_REPORT)
    await rig.asked()
    asking = asyncio.create_task(rig.client.figures())  # noqa: TID251 - awaited below
    assert await rig.asked() == [Request(RequestKind.FIGURES)]
    totals = Totals(is_real_time=True, drops=dict.fromkeys(DropReason, 7))
    await rig.tell(UP_REPORT._replace(kind=ReportKind.FIGURES, packets_in=55), totals)
    assert await asking == totals
    assert rig.client.sessions[PATH].packets_in == 55
    assert len(rig.told) == 1


async def test_a_restart_is_announced(rig: Rig) -> None:
    rig.client.announce_restart()
    assert await rig.asked() == [Request(RequestKind.RESTARTING)]


async def test_a_process_that_is_gone_is_noticed_and_waited_for_by_nobody(rig: Rig) -> None:
    asking = asyncio.create_task(rig.client.figures())  # noqa: TID251 - awaited below
    await rig.asked()
    rig.process.close()
    await rig.lost.wait()
    with pytest.raises(ConnectionError):
        await asking
    with pytest.raises(ConnectionError):
        await rig.client.figures()
    assert not rig.client.is_open
    rig.client.want([Wanted(PATH)])  # says nothing to nobody


async def test_a_process_that_does_not_read_gets_the_last_list_and_blocks_nobody(rig: Rig) -> None:
    for count in range(2000):
        rig.client.want([Wanted(PATH, Timing(10_000 + count, 10_000, 3))])
    heard: list[Request] = []
    while more := await rig.asked():
        heard += more
    assert len(heard) < 4000
    wishes = [request.wanted for request in heard if request.wanted is not None]
    assert wishes[-1].timing.desired_min_tx_us == 10_000 + 1999
    assert heard[-1].kind is RequestKind.COMPLETE


async def test_who_closes_while_it_is_told_hears_no_more(rig: Rig) -> None:
    told: list[State] = []

    def close(path: Path, state: State, diagnostic: Diagnostic) -> None:
        told.append(state)
        client.close()

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        client = BfdClient(ours, on_state=close)
        client.want([Wanted(PATH)])
        for report in (UP_REPORT, DOWN_REPORT):
            theirs.send(pack_report(report))
        await rig.settle()
    assert told == [UP]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        pytest.param(
            BfdProfile(name="p"), Wanted(PATH, Timing(300_000, 300_000, 3), minimum_ttl=TTL), id="empty"
        ),
        pytest.param(
            BfdProfile(
                name="p",
                receive_interval_ms=50,
                transmit_interval_ms=60,
                detect_multiplier=5,
                passive_mode=True,
                minimum_ttl=10,
                echo_mode=True,
                echo_interval_ms=50,
            ),
            Wanted(PATH, Timing(60_000, 50_000, 5), is_passive=True, minimum_ttl=TTL),
            id="full",
        ),
    ],
)
def test_a_profile_becomes_a_session_over_one_hop(profile: BfdProfile, expected: Wanted) -> None:
    assert wanted(PATH, profile) == expected


@pytest.mark.parametrize(("minimum_ttl", "expected"), [(None, MINIMUM_TTL_OF_MULTIHOP), (10, 10)])
def test_over_several_hops_the_profile_says_how_many(minimum_ttl: int | None, expected: int) -> None:
    path = PATH._replace(is_multihop=True)
    assert wanted(path, BfdProfile(name="p", minimum_ttl=minimum_ttl)).minimum_ttl == expected


@pytest.fixture
def descriptor() -> Iterator[int]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield ours.detach()
    theirs.close()


def test_the_socket_is_found_in_the_environment(descriptor: int) -> None:
    connection = inherited({DESCRIPTOR_VARIABLE: str(descriptor)})
    assert connection is not None
    with connection:
        assert connection.type == socket.SOCK_SEQPACKET


@pytest.mark.parametrize(
    "environ",
    [{}, {DESCRIPTOR_VARIABLE: ""}, {DESCRIPTOR_VARIABLE: "4095"}, {DESCRIPTOR_VARIABLE: "x"}],
    ids=str,
)
def test_where_nobody_keeps_sessions_there_is_nobody_to_ask(environ: dict[str, str]) -> None:
    assert inherited(environ) is None
