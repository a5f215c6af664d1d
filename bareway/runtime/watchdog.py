"""Ends a program whose loop no longer turns, so that whoever supervises it starts it anew.

It needs no port: a probe by HTTP would restart, again and again, a speaker that is well on a node where
something else holds the port. A process that was stopped for a while, or a whole machine, is not blamed: the
watchdog stood still with it. Left out: a loop that is stuck in C code that keeps every Python thread waiting.
"""

import asyncio
import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

LOOK_S: Final = 10.0  # a loop that is well turns hundreds of times between two looks
LOOKS_MAX: Final = 6  # a minute: beyond help; the other nodes took over long before
EXIT_STUCK: Final = 1


def give_up() -> None:
    """Say where every thread stands, and end; nothing that needs the loop can be done any more."""
    sys.stderr.write("the loop has not turned for a minute; ending\n")
    faulthandler.dump_traceback()
    os._exit(EXIT_STUCK)


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
        missed = 0
        while not over.wait(look_s):
            missed = 0 if turned.is_set() else missed + 1
            turned.clear()
            if missed == LOOKS_MAX:
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
