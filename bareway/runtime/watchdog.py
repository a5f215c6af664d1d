"""Ends a program whose loop no longer turns, so that whoever supervises it starts it anew.

It needs no port: a probe by HTTP would restart, again and again, a speaker that is well on a node where
something else holds the port. A process that was stopped for a while, or a whole machine, is not blamed: the
watchdog stood still with it. Left out: a loop that is stuck in C code that keeps every Python thread waiting.
"""

import asyncio
import faulthandler
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Final

LOOK_S: Final = 10.0  # a loop that is well turns hundreds of times between two looks
LOOKS_MAX: Final = 6  # a minute: beyond help; the other nodes took over long before
EXIT_STUCK: Final = 1
STDERR: Final = 2
SENTENCE: Final = b"the loop has not turned for a minute; ending\n"


def give_up() -> None:
    """Say where every thread stands, and end; nothing that needs the loop can be done any more.

    It may be stuck because nobody reads what it writes: nothing here waits for a reader, or for the lock of
    ``sys.stderr``. What ended the program is its last line.
    """
    with suppress(OSError):
        os.set_blocking(STDERR, False)
        faulthandler.dump_traceback(STDERR)
        os.write(STDERR, SENTENCE)
    os._exit(EXIT_STUCK)


class Patience:
    """Counts the looks in a row that found a loop where it was."""

    def __init__(self) -> None:
        self._missed = 0

    def is_over(self, *, turned: bool) -> bool:
        """Whether this look was the last that is forgiven."""
        self._missed = 0 if turned else self._missed + 1
        return self._missed == LOOKS_MAX


@contextmanager
def watched(
    loop: asyncio.AbstractEventLoop, *, look_s: float = LOOK_S, give_up: Callable[[], None] = give_up
) -> Iterator[None]:
    """Call ``give_up`` from a thread once the loop has not turned during LOOKS_MAX looks in a row."""
    over, turned = Event(), Event()
    timer: asyncio.Handle | None = None

    def turn() -> None:
        nonlocal timer
        turned.set()
        timer = loop.call_later(look_s / 2, turn)

    def look() -> None:
        patience = Patience()
        while not over.wait(look_s):
            has_turned = turned.is_set()
            turned.clear()
            if patience.is_over(turned=has_turned):
                give_up()

    turn()
    thread = Thread(target=look, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        if timer is not None:
            timer.cancel()
        thread.join()
