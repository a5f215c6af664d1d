"""The whole process on a real cable: its sockets, its haste, its patience with itself; we are the peer."""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path as File

import pytest

from bareway.bfd.drops import DropReason
from bareway.bfd.packet import Packet, State, decode, encode
from bareway.bfd.register import (
    MULTI_HOP_PORT,
    SINGLE_HOP_PORT,
    SOURCE_PORT_LEAST,
    TTL,
    Path,
)
from bareway.bfd.timing import Timing
from speaker.bfd.records import (
    REPORT_BYTES,
    Report,
    Request,
    RequestKind,
    Totals,
    Wanted,
    pack_request,
    read_report,
)
from support.bfd import FAST, MS, THEIRS
from support.netns import Cable, cable

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PATIENCE_MS = 10_000
MEMORY_MAX_KB = 14_000
OURS, PEER = "192.0.2.1", "192.0.2.200"
OURS_6, PEER_6 = "2001:db8::1", "2001:db8::200"
LINK_LOCAL = "fe80::200"
PATIENT = Timing(100 * MS, 2_000 * MS, 3)
"""It takes six seconds before it gives the peer up."""
HERE = (OURS, SINGLE_HOP_PORT)

PASSES_ON = """
import os, socket, sys
ours = socket.socket(fileno=int(os.environ["BAREWAY_BFD_DESCRIPTOR"]))
to_test = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
to_test.connect(sys.argv[1])
import select
poll = select.poll()
for one in (ours, to_test):
    poll.register(one, select.POLLIN)
while True:
    for descriptor, _ in poll.poll():
        source, target = (ours, to_test) if descriptor == ours.fileno() else (to_test, ours)
        record = source.recv(4096)
        if not record:
            sys.exit(0)
        target.send(record)
"""
"""A main program that is the test's mouth and ear."""


class Rig:
    """The process in its namespace, and the test at the other end of its socket and of its cable."""

    def __init__(self, cable: Cable, folder: File, *before: str) -> None:
        self.cable = cable
        self.output = folder / "output"
        self.memory = folder / "remembered"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(folder / "socket"))
        self._listener.listen()
        program = [sys.executable, "-S", "-c", PASSES_ON, str(folder / "socket")]
        remembers = ["--memory", str(self.memory)]
        command = [*before, sys.executable, "-I", "-m", "speaker.bfd", *remembers, *program]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, start_new_session=True, stdout=output)
        self._sockets: list[socket.socket] = [self._listener]
        self.meet()

    def meet(self) -> None:
        """The main program has started."""
        self.main, _ = self._listener.accept()
        self._sockets.append(self.main)

    def program(self) -> int:
        """The main program's pid."""
        (pid,) = File(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(pid)

    def want(self, *wanted: Wanted) -> None:
        requests = [Request(RequestKind.WANT, one) for one in wanted]
        for request in (*requests, Request(RequestKind.COMPLETE)):
            self.main.send(pack_request(request))

    def report(self, fits: Callable[[Report], bool] = lambda report: True) -> Report:
        """The next report that fits."""
        while True:
            report = self._next()
            if isinstance(report, Report) and fits(report):
                return report

    def figures(self) -> tuple[list[Report], Totals]:
        """How each session stands, after all that was told before."""
        self.main.send(pack_request(Request(RequestKind.FIGURES)))
        reports: dict[Path, Report] = {}
        while not isinstance(report := self._next(), Totals):
            reports[report.path] = report
        return list(reports.values()), report

    def peer(self, address: str, port: int = SINGLE_HOP_PORT) -> socket.socket:
        """A socket of the router's, that hears and speaks."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.cable.inside(self.cable.client):
            it = socket.socket(family, socket.SOCK_DGRAM)
            scope = socket.if_nametoindex("eth0") if address.startswith("fe80") else 0
            it.bind((address, port, 0, scope) if family is socket.AF_INET6 else (address, port))
        if family is socket.AF_INET6:
            it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
            it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            it.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
            it.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
            it.setsockopt(socket.IPPROTO_IP, 13, 1)  # IP_RECVTOS
        it.settimeout(PATIENCE_MS / 1000)
        self._sockets.append(it)
        return it

    def _next(self) -> Report | Totals:
        poll = select.poll()
        poll.register(self.main, select.POLLIN)
        assert poll.poll(PATIENCE_MS), "the process says nothing"
        return read_report(self.main.recv(REPORT_BYTES))

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0
        for it in self._sockets:
            it.close()


@pytest.fixture
def wire() -> Iterator[Cable]:
    with cable() as wire:
        wire.ip("-n", wire.node, "address", "add", f"{OURS_6}/64", "dev", "eth0", "nodad")
        wire.ip("-n", wire.client, "address", "add", f"{LINK_LOCAL}/64", "dev", "eth0", "nodad")
        yield wire


@pytest.fixture
def rig(wire: Cable, tmp_path: File) -> Iterator[Rig]:
    it = Rig(wire, tmp_path)
    try:
        yield it
    finally:
        it.close()


def bring_up(rig: Rig, timing: Timing = FAST) -> tuple[socket.socket, bytes]:
    """A peer that has come up with the process, and the packet that keeps the session up."""
    peer = rig.peer(PEER)
    rig.want(Wanted(Path(ip_address(PEER)), timing))
    mine = decode(peer.recv(100)).my_discriminator
    told = Packet(State.INIT, 0, 3, THEIRS, mine, 1_000_000, 100 * MS)
    peer.sendto(encode(told), HERE)
    told = Packet(State.UP, 0, 3, THEIRS, mine, timing.desired_min_tx_us, timing.required_min_rx_us)
    while not decode(peer.recv(100)).is_poll:
        pass
    for is_final in (True, False):
        peer.sendto(encode(told._replace(is_final=is_final)), HERE)
    rig.report(lambda report: report.state is State.UP)
    return peer, encode(told)


def open_ports(pid: int) -> set[int]:
    tables = [File(f"/proc/{pid}/net/{name}").read_text() for name in ("udp", "udp6")]
    lines = [line for table in tables for line in table.splitlines()]
    return {int(line.split()[1].rpartition(":")[2], 16) for line in lines if "local" not in line}


def test_before_the_first_wish_there_is_no_socket_and_no_haste(rig: Rig) -> None:
    _, totals = rig.figures()
    assert open_ports(rig.process.pid) == set()
    assert not totals.is_real_time
    assert os.sched_getscheduler(rig.process.pid) == os.sched_getscheduler(0)
    rig.want(Wanted(Path(ip_address(PEER)), FAST))
    rig.report()
    assert SINGLE_HOP_PORT in open_ports(rig.process.pid)
    assert MULTI_HOP_PORT not in open_ports(rig.process.pid)


def test_its_haste_is_told_and_not_handed_down(rig: Rig) -> None:
    rig.want(Wanted(Path(ip_address(PEER)), FAST))
    _, totals = rig.figures()
    scheduler = os.sched_getscheduler(rig.process.pid) & ~os.SCHED_RESET_ON_FORK
    assert totals.is_real_time == (scheduler == os.SCHED_FIFO)
    os.kill(rig.program(), signal.SIGKILL)
    rig.meet()
    assert os.sched_getscheduler(rig.program()) == os.SCHED_OTHER
    assert os.getpriority(os.PRIO_PROCESS, rig.program()) == 0


@pytest.mark.parametrize(
    ("said", "is_remembered"),
    [
        pytest.param([RequestKind.RESTARTING], True, id="whoever looks meanwhile"),
        pytest.param([RequestKind.RESTARTING, RequestKind.COMPLETE], False, id="and then leaves after all"),
    ],
)
def test_sessions_are_remembered_where_the_program_comes_back(
    wire: Cable, tmp_path: File, said: list[RequestKind], is_remembered: bool
) -> None:
    rig = Rig(wire, tmp_path)
    try:
        bring_up(rig, PATIENT)
        for kind in said:
            rig.main.send(pack_request(Request(kind)))
        rig.figures()
    finally:
        rig.close()
    assert rig.memory.exists() == is_remembered


def test_without_the_capability_it_runs_and_says_so_once(wire: Cable, tmp_path: File) -> None:
    rig = Rig(wire, tmp_path, "setpriv", "--bounding-set", "-sys_nice")
    try:
        for peer in (PEER, "192.0.2.7"):
            rig.want(Wanted(Path(ip_address(peer)), FAST))
            assert not rig.figures()[1].is_real_time
        bring_up(rig)
        os.kill(rig.program(), signal.SIGKILL)
        rig.meet()
        rig.want(Wanted(Path(ip_address(PEER)), FAST))
        rig.figures()
        assert os.sched_getscheduler(rig.program()) == os.sched_getscheduler(0)
    finally:
        rig.close()
    told = [json.loads(line) for line in rig.output.read_text().splitlines()]
    assert [line["caller"] for line in told if "SYS_NICE" in line["msg"]] == ["bfd"]


def test_a_main_program_that_is_killed_finds_its_session_up(rig: Rig) -> None:
    peer, alive = bring_up(rig, PATIENT)
    os.kill(rig.program(), signal.SIGKILL)
    rig.meet()
    peer.sendto(alive, HERE)
    rig.want(Wanted(Path(ip_address(PEER)), PATIENT))
    found = rig.report()
    assert (found.state, found.ups, found.downs) == (State.UP, 1, 0)


@pytest.mark.parametrize(
    ("address", "path", "port"),
    [
        pytest.param(PEER, Path(ip_address(PEER)), SINGLE_HOP_PORT, id="IPv4"),
        pytest.param(
            PEER, Path(ip_address(PEER), ip_address(OURS), "eth0"), SINGLE_HOP_PORT, id="IPv4 by all"
        ),
        pytest.param(PEER_6, Path(ip_address(PEER_6), ip_address(OURS_6)), SINGLE_HOP_PORT, id="IPv6"),
        pytest.param(
            LINK_LOCAL, Path(ip_address(LINK_LOCAL), interface="eth0"), SINGLE_HOP_PORT, id="link-local"
        ),
        pytest.param(PEER, Path(ip_address(PEER), is_multihop=True), MULTI_HOP_PORT, id="IPv4 far away"),
        pytest.param(PEER_6, Path(ip_address(PEER_6), is_multihop=True), MULTI_HOP_PORT, id="IPv6 far away"),
    ],
)
def test_packets_go_as_the_standards_want(rig: Rig, address: str, path: Path, port: int) -> None:
    peer = rig.peer(address, port)
    rig.want(Wanted(path, FAST))
    ports = set()
    for _ in range(3):
        data, ancillary, _, source = peer.recvmsg(100, 100)
        assert decode(data).state is State.DOWN
        numbers = {struct.unpack("=i", value.ljust(4, b"\0"))[0] for _, _, value in ancillary}
        assert numbers == {TTL, 0xC0}
        ports.add(source[1])
    (source_port,) = ports  # always the same one
    assert source_port >= SOURCE_PORT_LEAST


@pytest.mark.parametrize(
    ("ttl", "port", "reason"),
    [
        pytest.param(254, SINGLE_HOP_PORT, DropReason.BAD_TTL, id="through a router"),
        pytest.param(255, MULTI_HOP_PORT, DropReason.UNKNOWN_SESSION, id="by the other port"),
        pytest.param(255, SINGLE_HOP_PORT, None, id="as it must"),
    ],
)
def test_how_a_packet_came_is_seen_on_the_real_wire(
    rig: Rig, ttl: int, port: int, reason: DropReason | None
) -> None:
    peer = rig.peer(PEER)
    far = Wanted(Path(ip_address(PEER_6), is_multihop=True), FAST)
    rig.want(
        Wanted(Path(ip_address(PEER)), FAST),
        far,
        far._replace(path=Path(ip_address("192.0.2.7"), is_multihop=True)),
    )
    peer.recv(100)
    peer.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    hello = Packet(State.DOWN, 0, 3, THEIRS, 0, 1_000_000, 100 * MS)
    peer.sendto(encode(hello), (OURS, port))
    if reason is None:
        assert rig.report(lambda report: report.state is not State.DOWN).state is State.INIT
    else:
        while not (drops := rig.figures()[1].drops)[reason]:
            peer.sendto(encode(hello), (OURS, port))  # that port may not have been open yet
        assert {reason for reason, count in drops.items() if count} == {reason}


def test_a_process_that_stood_still_does_not_blame_the_peer(rig: Rig) -> None:
    """What came meanwhile lies in the kernel; it is read before the silence is judged."""
    peer, alive = bring_up(rig)
    for _ in range(3):
        os.kill(rig.process.pid, signal.SIGSTOP)
        for _ in range(8):  # 0.8 s and more; the detection time is 0.3 s
            assert select.select([], [], [], 0.1) == ([], [], [])
            peer.sendto(alive, HERE)
        os.kill(rig.process.pid, signal.SIGCONT)
        (report,), _ = rig.figures()
        assert (report.state, report.downs) == (State.UP, 0)


def test_a_real_silence_is_noticed_also_by_a_process_that_stood_still(rig: Rig) -> None:
    bring_up(rig)
    os.kill(rig.process.pid, signal.SIGSTOP)
    assert select.select([], [], [], 0.5) == ([], [], [])
    os.kill(rig.process.pid, signal.SIGCONT)
    assert rig.report(lambda report: report.state is State.DOWN).downs == 1


def test_a_flood_from_afar_costs_no_session(rig: Rig) -> None:
    peer, alive = bring_up(rig)
    flood = rig.peer(PEER, 40_000)
    flood.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
    for _ in range(10):
        for _ in range(100):
            flood.sendto(alive, HERE)
        peer.sendto(alive, HERE)
        rig.figures()
    (report,), totals = rig.figures()
    assert (report.state, report.downs) == (State.UP, 0)
    assert totals.drops[DropReason.BAD_TTL] > 0


def test_an_address_that_is_not_there_yet_is_told_and_tried_again(rig: Rig) -> None:
    later = "192.0.2.99"
    rig.want(Wanted(Path(ip_address(PEER), ip_address(later)), FAST))
    assert rig.report(lambda report: report.trouble != 0).trouble == 99  # EADDRNOTAVAIL
    rig.cable.ip("-n", rig.cable.node, "address", "add", f"{later}/24", "dev", "eth0")
    assert rig.report(lambda report: report.trouble == 0).packets_out == 1


def test_a_port_that_another_daemon_holds_is_told(rig: Rig) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", SINGLE_HOP_PORT))
        rig.want(Wanted(Path(ip_address(PEER)), FAST))
        assert rig.report(lambda report: report.trouble != 0).trouble == 98  # EADDRINUSE
    assert rig.report(lambda report: report.trouble == 0)


def test_nonsense_from_the_main_program_changes_nothing(rig: Rig) -> None:
    bring_up(rig)
    for record in (b"?", bytes(500), b"\x01" * 62):
        rig.main.send(record)
    (report,), _ = rig.figures()
    assert report.state is State.UP


def test_with_sessions_it_is_still_small(rig: Rig) -> None:
    rig.want(*(Wanted(Path(ip_address(f"192.0.2.{n}")), FAST) for n in range(100, 150)))
    reports, _ = rig.figures()
    assert len(reports) == 50
    rollup = File(f"/proc/{rig.process.pid}/smaps_rollup").read_text().splitlines()
    (pss_kb,) = (int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    assert pss_kb < MEMORY_MAX_KB
