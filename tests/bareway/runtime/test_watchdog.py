import asyncio
import os
import subprocess
import sys
from itertools import count
from threading import Event

import pytest

from bareway.runtime.watchdog import EXIT_STUCK, LOOKS_MAX, Patience, watched

LOOK_S = 0.005
WITHIN_S = 10.0


async def test_a_loop_that_does_not_turn_is_given_up() -> None:
    gave_up = Event()
    with watched(asyncio.get_running_loop(), look_s=LOOK_S, give_up=gave_up.set):
        assert gave_up.wait(WITHIN_S)  # and meanwhile this loop stands still


async def test_a_loop_that_turns_is_left_alone() -> None:
    gave_up, turns = Event(), count(1)
    loop = asyncio.get_running_loop()
    # A look lasts as long as many turns here, and more looks pass than would be forgiven.
    with watched(loop, look_s=0.05, give_up=gave_up.set):
        until = loop.time() + 0.05 * (LOOKS_MAX + 4)
        while loop.time() < until:
            next(turns)
            await asyncio.sleep(0)
    assert not gave_up.is_set()
    assert next(turns) > LOOKS_MAX


async def test_nothing_is_watched_any_more_when_the_work_is_done() -> None:
    gave_up = Event()
    with watched(asyncio.get_running_loop(), look_s=LOOK_S, give_up=gave_up.set):
        pass
    assert not gave_up.wait(LOOK_S * LOOKS_MAX * 4)


STUCK = """
import asyncio, threading
from bareway.runtime.watchdog import watched

async def main():
    with watched(asyncio.get_running_loop(), look_s=0.005):
        threading.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_program_that_is_stuck_says_where_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == EXIT_STUCK
    assert "in main" in done.stderr
    assert "the loop has not turned" in done.stderr.splitlines()[-1]


UNREAD = """
import asyncio, sys
from bareway.runtime.watchdog import watched

async def main():
    with watched(asyncio.get_running_loop(), look_s=0.005):
        while True:
            sys.stderr.write("words" * 1000)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_program_ends_that_is_stuck_because_nobody_reads_what_it_writes() -> None:
    unread, written = os.pipe()
    try:
        done = subprocess.run([sys.executable, "-c", UNREAD], stderr=written, timeout=30, check=False)
    finally:
        os.close(unread)
        os.close(written)
    assert done.returncode == EXIT_STUCK


def test_a_loop_that_turns_now_and_then_is_forgiven_each_time() -> None:
    patience = Patience()
    still = [False] * (LOOKS_MAX - 1)
    assert not any(patience.is_over(turned=turned) for turned in [*still, True, *still, True, *still])
    assert patience.is_over(turned=False)
