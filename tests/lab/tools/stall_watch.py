"""A control timer: tells when it woke much later than it asked, that is when the host itself stood still.

Writes JSON lines of ``Lateness``; runs beside every measure, so that no product is blamed for a stalled host.
"""

import sys
import time

import msgspec

from lab.observations import Lateness

PERIOD_S = 0.005
TELL_FROM_S = 0.02
"""Less is ordinary scheduling on a machine with few cores."""


def tell(lateness: Lateness) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(lateness) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    tell(Lateness(at=time.monotonic(), late_s=0.0))  # from here on it watches
    while True:
        asked = time.monotonic() + PERIOD_S
        time.sleep(PERIOD_S)
        now = time.monotonic()
        if now - asked >= TELL_FROM_S:
            tell(Lateness(at=now, late_s=now - asked))


if __name__ == "__main__":
    main()
