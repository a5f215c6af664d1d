"""Waits for signals and for the main program's first word; BFD is loaded when that word comes.

On a node whose routers speak no BFD, or that has none, process 1 costs what a supervisor alone costs: most of
what the loop needs is not even imported.
"""

import math
import os
import select
from typing import Final

from speaker.supervisor import now

MILLI: Final = 1000


class Idle:
    """The place of waiting as long as there is no session; the loop of BFD has the same methods."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._program: int | None = None

    def register(self, descriptor: int) -> None:
        """End a turn when there is something to read here, too."""
        self._poll.register(descriptor, select.POLLIN)

    def serve(self, program: int | None) -> None:
        """From now on this is the main program's socket; None = there is none at the moment."""
        if self._program is not None:
            self._poll.unregister(self._program)
            os.close(self._program)
        self._program = program
        if program is not None:
            self._poll.register(program, select.POLLIN)

    def let_go(self) -> int | None:
        """Hand the main program's socket over, with what it said."""
        program, self._program = self._program, None
        return program

    def turn(self, until: float) -> bool:
        """Wait for something to do, at most until then; whether the main program has said something."""
        timeout_ms = None if until == math.inf else max(0, math.ceil((until - now()) * MILLI))
        ready = dict(self._poll.poll(timeout_ms))
        found = 0 if self._program is None else ready.get(self._program, 0)
        if found & ~select.POLLIN:  # it has ended, or closed its end: nobody waits for an answer
            self.serve(None)
            return False
        return bool(found)
