"""Waking at a time; where Python has the kernel's timer that one is tried, too."""

import math
import select
import time

import pytest

from speaker.bfd.alarm import TimeoutAlarm, alarm


@pytest.mark.parametrize(
    ("deadline", "timeout_ms"),
    [(math.inf, None), (99.0, 0), (100.0, 0), (100.0001, 1), (100.25, 250), (101.0, 1000)],
    ids=str,
)
def test_a_timeout_is_never_too_short(deadline: float, timeout_ms: int | None) -> None:
    assert TimeoutAlarm().timeout_ms(deadline, now=100.0) == timeout_ms


@pytest.mark.parametrize("again", [1, 3])
def test_it_rings_at_the_time_and_not_before(again: int) -> None:
    poll = select.poll()
    it = alarm(poll)
    now = time.monotonic()  # noqa: TID251 - a timer is about the clock
    for _ in range(again):
        deadline = now + 0.02
        while now < deadline:
            poll.poll(it.timeout_ms(deadline, now=now))
            it.hush()
            now = time.monotonic()  # noqa: TID251 - as above
        assert it.timeout_ms(deadline, now=now) == 0
    it.close()
