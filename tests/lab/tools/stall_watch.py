"""A control timer: tells when it woke much later than it asked, that is when the host itself stood still.

Writes JSON lines of ``Lateness``; runs beside every measure, so that no product is blamed for a stalled host.
It takes SCHED_FIFO if it may, and sleeps nearly all the time: what makes it late is no program but the host.
"""

import os
import sys
import time
from contextlib import suppress

import msgspec

from lab.observations import Lateness

PERIOD_S = 0.005
TELL_FROM_S = 0.02
"""Less is ordinary scheduling on a machine with few cores."""


PRIORITY = 50


def tell(lateness: Lateness) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(lateness) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    with suppress(PermissionError):  # root of a user namespace only: it waits its turn as the others do
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    tell(Lateness(at=time.monotonic(), late_s=0.0))  # from here on it watches
    while True:
        asked = time.monotonic() + PERIOD_S
        time.sleep(PERIOD_S)
        now = time.monotonic()
        if now - asked >= TELL_FROM_S:
            tell(Lateness(at=now, late_s=now - asked))


if __name__ == "__main__":
    main()
