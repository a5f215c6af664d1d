"""Waits for the network, the clock and the main program, and lets the desk answer; one turn after another.

What the kernel holds is read before a silence is judged: a process that could not run for a while must not
take its own absence for the peer's.
"""

import os
import select
import socket
import time
from contextlib import suppress
from random import Random
from typing import Final

from speaker.bfd import recall
from speaker.bfd.alarm import alarm
from speaker.bfd.desk import Desk
from speaker.bfd.haste import make_haste
from speaker.bfd.records import REQUEST_BYTES, BadRecord, RequestKind, pack_report, read_request
from speaker.bfd.wires import Wires
from speaker.supervisor import warn

REQUESTS_MOST: Final = 64
"""In one turn; packets are more urgent than what the main program wants next."""
CALLER: Final = "bfd"
NOT_REAL_TIME: Final = (
    "the kernel refuses real time to BFD (capability SYS_NICE is missing, or the control group has no share "
    "of it): on a busy node a session may go down that should not"
)


class Loop:
    """The process's one place of waiting."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._alarm = alarm(self._poll)
        rng = Random(os.urandom(16))  # noqa: TID251, S311 - this is the program; its chance begins here
        self._wires = Wires(self._poll, rng)
        self.desk = Desk(wires=self._wires, rng=rng)
        self.is_restarting = False
        self._program: socket.socket | None = None
        self._hasty = False

    def remember(self, memory: str) -> None:
        """Go on with the sessions that this file tells of."""
        now = monotonic()
        for wanted, what, port in recall.load(memory, now=now):
            self._make_haste()
            self._wires.remember_port(wanted.path, port)
            self.desk.resume(wanted, what, now=now)

    def register(self, descriptor: int) -> None:
        """End a turn when there is something to read here, too."""
        self._poll.register(descriptor, select.POLLIN)

    def serve(self, program: int | None) -> None:
        """From now on this is the main program's socket; None = there is none at the moment."""
        if self._program is not None:
            self._poll.unregister(self._program)
            self._program.close()
            self.desk.leave_alone(now=monotonic())
        self._program = None
        if program is not None:
            self._program = socket.socket(fileno=program)
            self._program.setblocking(False)  # noqa: FBT003 - its only form
            self._poll.register(self._program, select.POLLIN)

    def turn(self, until: float) -> None:
        """Wait for something to do, at most until then, and do it."""
        deadline = min(until, self.desk.deadline)
        self._poll.poll(self._alarm.timeout_ms(deadline, now=monotonic()))
        self._alarm.hush()
        now = monotonic()
        for data, arrival in self._wires.drain():
            self.desk.hear(data, arrival, now=now)
        self.desk.tick(now=now)  # with the time before the last look: what is not there by then did not come
        self._listen()
        self._tell()

    def end(self, memory: str) -> None:
        """Leave: for a moment, where that was said and can be remembered in this file; else with a word."""
        sessions = self.desk.memories() if self.is_restarting and memory else []
        if sessions:
            trouble = recall.save(memory, sessions, self._wires, now=monotonic())
            if trouble:
                warn(CALLER, f"BFD sessions cannot be remembered in {memory}: {trouble}")
        else:
            self.desk.end(now=monotonic())
        self.serve(None)
        self._wires.close()
        self._alarm.close()

    def _listen(self) -> None:
        for _ in range(REQUESTS_MOST):
            if self._program is None:
                return
            try:
                record = self._program.recv(REQUEST_BYTES + 1)
            except BlockingIOError:
                return
            except ConnectionError:
                record = b""
            if not record:
                self.serve(None)
                return
            with suppress(BadRecord):  # the next list is as good as this one should have been
                self._obey(record)

    def _obey(self, record: bytes) -> None:
        request = read_request(record)
        if request.kind is not RequestKind.FIGURES:  # somebody may look at us until the end
            self.is_restarting = request.kind is RequestKind.RESTARTING
        if request.kind is RequestKind.WANT:
            self._make_haste()
        self.desk.obey(request, now=monotonic())

    def _make_haste(self) -> None:
        if not self._hasty:
            self._hasty = True
            self.desk.is_real_time = make_haste()
            if not self.desk.is_real_time:
                warn(CALLER, NOT_REAL_TIME)

    def _tell(self) -> None:
        if self._program is None:
            return
        try:
            for report in self.desk.reports():
                self._program.send(pack_report(report))
        except BlockingIOError:
            self._poll.modify(self._program, select.POLLIN | select.POLLOUT)
        except ConnectionError:
            self.serve(None)
        else:
            self._poll.modify(self._program, select.POLLIN)


def monotonic() -> float:
    """The clock of this process."""
    return time.monotonic()  # noqa: TID251 - bareway.runtime.clock would cost a megabyte here
