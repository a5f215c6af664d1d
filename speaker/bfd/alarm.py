"""Wakes the process at a time: by the kernel's timer where Python has it (3.13), else by poll's own timeout.

poll(2) counts from now, in whole milliseconds; a timer is set once, to a moment of the clock itself.
"""

import math
import os
import select
import sys
from contextlib import suppress
from typing import Final

MILLI: Final = 1000
NANO: Final = 1_000_000_000
EARLIEST_NS: Final = 1
"""A moment long past: it rings at once. 0 would disarm."""


class TimeoutAlarm:
    """No timer of its own."""

    def timeout_ms(self, deadline: float, *, now: float) -> int | None:
        """What to give to poll: rounded up, so that one wake is enough."""
        if deadline == math.inf:
            return None
        return max(0, math.ceil((deadline - now) * MILLI))

    def hush(self) -> None:
        """Nothing rings."""

    def close(self) -> None:
        """Nothing is held."""


if sys.version_info >= (3, 13):

    class TimerAlarm:
        """A timerfd, armed with absolute deadlines of CLOCK_MONOTONIC."""

        def __init__(self, poll: select.poll) -> None:
            self._descriptor = os.timerfd_create(1, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
            self._armed_for = math.inf
            poll.register(self._descriptor, select.POLLIN)

        def timeout_ms(self, deadline: float, *, now: float) -> int | None:
            """Ring at ``deadline``; what to give to poll meanwhile."""
            if deadline <= now:
                return 0
            if deadline != self._armed_for:
                self._armed_for = deadline
                at_ns = 0 if deadline == math.inf else max(EARLIEST_NS, int(deadline * NANO))
                os.timerfd_settime_ns(self._descriptor, flags=os.TFD_TIMER_ABSTIME, initial=at_ns)
            return None

        def hush(self) -> None:
            """After each wake: what has rung does not ring again."""
            with suppress(BlockingIOError):
                os.read(self._descriptor, 8)

        def close(self) -> None:
            """Give the timer back."""
            os.close(self._descriptor)

    def alarm(poll: select.poll) -> TimerAlarm:
        """The better one of those that can be had."""
        return TimerAlarm(poll)

else:

    def alarm(_: select.poll) -> TimeoutAlarm:
        """The better one of those that can be had."""
        return TimeoutAlarm()
