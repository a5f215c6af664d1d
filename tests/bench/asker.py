"""Asks for addresses on a wire, on schedule whatever becomes of the answers, and says how long each took.

From before a question is given to the kernel until the kernel at this end has the answer: how late this
process reads it does not count. Each question bears a number as its sender's address, to which the answer
returns. The process takes SCHED_FIFO if it may, to ask on time while all cores are busy; it sleeps between.
"""

import os
import re
import select
import socket
import statistics
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import msgspec

from bareway.layer2 import ndp
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.model.names import IPAddress
from lab.commands import LabError, run
from support.arp import frame as arp_question
from support.ndp import solicitation
from support.netns import Cable

SO_TIMESTAMPNS = 35
"""Python has no name for it (socket(7)); its message is called as the option is."""
STAMP = struct.Struct("@qq")
NANO = 1e-9
FRAME_MAX = 128
ANSWER_WITHIN_S = 1.0
PRIORITY = 20
ARP_REPLY = b"\x00\x02"
ADVERTISEMENT = 136
"""Types of RFC 826 and RFC 4861 section 4.4."""
ASKER_4 = IPv4Address("10.0.0.0")
ASKER_6 = IPv6Address("2001:db8:ffff::")
"""Plus the number of the question."""
TURN_S = 0.001
"""A storm is sent so often, a part each time."""
CATCH_UP_S = 0.02
"""A storm that the machine held up for longer goes on without what it missed."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Questions at an even pace."""

    requests: int
    lost: int
    """Not answered within a second."""
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    cpu_us_per_reply: float
    """Of the responder."""
    asked_in_time: bool
    """The asker had SCHED_FIFO; without, its own lateness thins the questions."""


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """As many questions a second as wanted."""

    sent: int
    per_s: float
    """That really came out."""
    lost: int
    overflowed: int
    """Frames that found the responder's socket full: where questions were lost, if they were."""
    cpu_percent: float
    """Of one core, of the responder."""
    cpu_us_each: float
    """For each question that its socket had room for."""
    p50_ms: float
    max_ms: float
    """0 where no answer came."""


class Asker:
    """One end of a cable, for one family."""

    def __init__(self, wire: Cable, family: str, pid: int) -> None:
        """``pid`` is the responder's, whose CPU time counts."""
        self.family, self._is_4 = family, family == "IPv4"
        self._mac, self._pid = wire.CLIENT_MAC, pid
        self._wire = wire.client_socket(ethertype=ETHERTYPE_ARP if self._is_4 else ETHERTYPE_IPV6)
        self._wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._to_us = bytes(wire.CLIENT_MAC)
        self._number_at = slice(38, 42) if self._is_4 else slice(50, 54)  # target; destination's last word
        self._sent: list[float] = []
        self._took_s: list[float] = []
        self._sent_at_last = 0.0

    def close(self) -> None:
        """No more."""
        self._wire.close()

    def paced(self, addresses: Sequence[IPAddress], *, requests: int, every_s: float) -> Answered:
        """One question after the other at this pace."""
        frames = self._questions(addresses, requests)
        cpu = cpu_s(self._pid)
        with on_time() as is_on_time:
            self._ask(frames, part=1, step_s=every_s)
        return Answered(
            requests=requests,
            lost=requests - len(self._took_s),
            **percentiles(self._took_s),
            cpu_us_per_reply=round((cpu_s(self._pid) - cpu) / requests * 1e6, 1),
            asked_in_time=is_on_time,
        )

    def storm(self, addresses: Sequence[IPAddress], *, per_s: int, seconds: float) -> Storm:
        """So many a second, a part of them each millisecond."""
        frames = self._questions(addresses, round(per_s * seconds))
        cpu, full, began = cpu_s(self._pid), overflowed(), time.monotonic()
        self._ask(frames, part=round(per_s * TURN_S), step_s=TURN_S, catch_up_s=CATCH_UP_S)
        took_s = self._sent_at_last - began
        used_s, dropped = cpu_s(self._pid) - cpu, overflowed() - full
        return Storm(
            sent=len(frames),
            per_s=round(len(frames) / took_s, 1),
            lost=len(frames) - len(self._took_s),
            overflowed=dropped,
            cpu_percent=round(100 * used_s / took_s, 2),
            cpu_us_each=round(1e6 * used_s / max(1, len(frames) - dropped), 1),
            p50_ms=round(1000 * statistics.median(self._took_s), 3) if self._took_s else 0.0,
            max_ms=round(1000 * max(self._took_s, default=0.0), 3),
        )

    def _questions(self, addresses: Sequence[IPAddress], many: int) -> list[bytes]:
        return [self._question(addresses[number % len(addresses)], number) for number in range(many)]

    def _question(self, address: IPAddress, number: int) -> bytes:
        if isinstance(address, IPv4Address):
            return arp_question(address, sender_mac=self._mac, sender=ASKER_4 + number)
        asked = solicitation(address, source=ASKER_6 + number, frame_source=self._mac, link_address=self._mac)
        return ndp.encode(asked)

    def _ask(self, frames: Sequence[bytes], *, part: int, step_s: float, catch_up_s: float = 0.0) -> None:
        """Send a part each step, and listen between and a while after."""
        self._sent, self._took_s = [], []
        due_at = time.monotonic()
        for begin in range(0, len(frames), part):
            for frame in frames[begin : begin + part]:
                self._sent.append(time.time())
                self._wire.send(frame)
            due_at = max(due_at + step_s, time.monotonic() - catch_up_s)
            self._listen(until=due_at)
        self._sent_at_last = time.monotonic()
        ends_at = self._sent_at_last + ANSWER_WITHIN_S
        while len(self._took_s) < len(frames) and time.monotonic() < ends_at:
            if self._listen(until=time.monotonic() + TURN_S):  # what waits at the other end is not lost
                ends_at = time.monotonic() + ANSWER_WITHIN_S

    def _listen(self, *, until: float) -> int:
        heard = 0
        while True:
            readable, _, _ = select.select([self._wire], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                return heard
            with suppress(BlockingIOError):
                while True:
                    heard += self._take(*self._wire.recvmsg(FRAME_MAX, socket.CMSG_SPACE(STAMP.size))[:2])

    def _take(self, frame: bytes, ancillary: Sequence[tuple[int, int, bytes]]) -> bool:
        if frame[:6] != self._to_us or not self._is_answer(
            frame
        ):  # what is told to everybody; the kernel's own
            return False
        number = int.from_bytes(frame[self._number_at]) & 0xFFFFFF
        (stamp,) = [STAMP.unpack(data) for _, kind, data in ancillary if kind == SO_TIMESTAMPNS]
        self._took_s.append(stamp[0] + stamp[1] * NANO - self._sent[number])
        return True

    def _is_answer(self, frame: bytes) -> bool:
        if self._is_4:
            return frame[20:22] == ARP_REPLY
        return frame[38:50] == ASKER_6.packed[:12] and frame[54] == ADVERTISEMENT


@contextmanager
def asker(wire: Cable, family: str, pid: int) -> Iterator[Asker]:
    """Closed at the end."""
    it = Asker(wire, family, pid)
    try:
        yield it
    finally:
        it.close()


@contextmanager
def on_time() -> Iterator[bool]:
    """This process runs before all others meanwhile; False where it may not."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def percentiles(took_s: Sequence[float]) -> dict[str, float]:
    """The middle and the tail, in milliseconds."""
    if len(took_s) < 2:
        raise LabError("hardly a question was answered")
    cuts = statistics.quantiles(took_s, n=1000)
    marks = {"p50_ms": cuts[499], "p99_ms": cuts[989], "p999_ms": cuts[998], "max_ms": max(took_s)}
    return {name: round(1000 * seconds, 3) for name, seconds in marks.items()}


def overflowed() -> int:
    """Frames that found a packet socket of this namespace full, since it was opened (ss(8))."""
    return sum(map(int, re.findall(r"skmem:\([^)]*,d(\d+)\)", run("ss", "-0", "-n", "-m"))))


def cpu_s(pid: int) -> float:
    """Seconds that ``pid`` has run, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
