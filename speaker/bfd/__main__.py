"""PID 1 of the speaker's container: the supervisor, which keeps the BFD sessions while it waits.

``python -I -m speaker.bfd [--memory FILE] PROGRAM [ARGUMENT…]``. All of ``speaker.supervisor`` holds. The
main program finds a socket in its environment (``speaker.bfd.records``). Before its first word there BFD is
not loaded; until it wants a first session there is no socket to the network and no haste. With a file the
sessions outlive a planned restart of the container.
"""

import math
import os
import signal
import sys
from _socket import AF_UNIX, SOCK_SEQPACKET, socketpair  # socket has 400 KB of names that nobody needs here
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

from speaker.bfd.idle import Idle
from speaker.supervisor import CANNOT_WORK_HERE, PAUSES_S, STANDARD_ERROR, WAITED_FOR, Supervisor, now

if TYPE_CHECKING:
    from speaker.bfd.loop import Loop

DESCRIPTOR_VARIABLE: Final = "BAREWAY_BFD_DESCRIPTOR"
"""The one of ``speaker.bfd.records``, which would bring BFD with it."""
SIGNALS_MOST: Final = 64
"""Read at once; more than there are kinds."""
MEMORY_FLAG: Final = "--memory"


class KeepingSupervisor(Supervisor):
    """A supervisor that waits in the loop of BFD, once there is something to wait for."""

    def __init__(
        self, command: list[str], *, memory: str = "", pauses_s: tuple[float, ...] = PAUSES_S
    ) -> None:
        super().__init__(command, pauses_s=pauses_s)
        self._memory = memory
        self._idle = Idle()
        self._loop: Loop | None = None
        self._signals, self._ringing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._pending = b""

    def run(self) -> int:
        """Until it need not run any more; the exit code."""
        if self._memory and os.path.exists(self._memory):  # noqa: PTH110 - pathlib would cost a megabyte here
            self._begin().remember(self._memory)
        code = super().run()
        if self._loop is not None:
            self._loop.end(self._memory)
        return code

    def _begin(self) -> "Loop":
        """From now on sessions are kept."""
        from speaker.bfd.loop import Loop  # noqa: PLC0415 - 1.4 MB that nodes without BFD do without

        self._loop = Loop()
        self._loop.register(self._signals)
        self._loop.serve(self._idle.let_go())
        return self._loop

    def _take_over(self) -> None:
        self._idle.register(self._signals)
        signal.set_wakeup_fd(self._ringing, warn_on_full_buffer=False)
        for number in WAITED_FOR:
            signal.signal(number, _ring)

    def _let_go(self) -> None:
        for number in WAITED_FOR:
            signal.signal(number, signal.SIG_DFL)  # nothing rings in the parent's pipe
        super()._let_go()

    def _next_signal(self, until: float | None = None) -> int | None:
        until = math.inf if until is None else until
        while not self._pending:
            if now() >= until:
                return None
            self._turn(until)
            with suppress(BlockingIOError):
                self._pending = os.read(self._signals, SIGNALS_MOST)
        number, self._pending = self._pending[0], self._pending[1:]
        return number

    def _turn(self, until: float) -> None:
        if self._loop is not None:
            self._loop.turn(until)
        elif self._idle.turn(until):
            self._begin().turn(until)

    def _start(self) -> None:
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)  # noqa: FBT003 - its only form
        os.environ[DESCRIPTOR_VARIABLE] = str(theirs.fileno())  # noqa: TID251 - the program's, not ours
        # Until it has let go, the child would ring with us for a signal that is its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        super()._start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR)
        theirs.close()
        (self._loop or self._idle).serve(ours.detach())


def _ring(number: int, frame: FrameType | None) -> None:
    """The number is in the pipe already."""


def main() -> None:
    """Run what the arguments say."""
    arguments = sys.argv[1:]
    memory = ""
    if arguments[:1] == [MEMORY_FLAG]:
        memory = arguments[1] if len(arguments) > 1 else ""
        arguments = arguments[2:]
    if not arguments:
        os.write(STANDARD_ERROR, b"speaker.bfd: which program? Write it as arguments.\n")
        sys.exit(CANNOT_WORK_HERE)
    sys.exit(KeepingSupervisor(arguments, memory=memory).run())


if __name__ == "__main__":
    main()
