"""How often packets go, and when a silence means that the peer is gone (RFC 5880 sections 6.8.2 to 6.8.4).

What is announced and what is in use differ while a change waits for its confirmation: until then we neither
send more seldom nor expect more than the peer knows of.
"""

from random import Random
from typing import Final, NamedTuple

SLOW_US: Final = 1_000_000
"""The least interval of a session that is not up (section 6.8.3)."""
PATIENT_MULTIPLIER: Final = 255
"""So many packets may be missing while we restart: the most that the field holds."""
MICRO: Final = 1e-6
JITTER_LEAST: Final = 0.75
JITTER_MOST: Final = 1.0
JITTER_MOST_OF_SINGLE: Final = 0.9
"""With a multiplier of 1 the packet must come before the interval is over (section 6.8.7)."""
REMOTE_MIN_RX_AT_FIRST_US: Final = 1
"""Before the peer has said anything (section 6.8.1)."""


class Timing(NamedTuple):
    """What one side wishes."""

    desired_min_tx_us: int = 300_000
    required_min_rx_us: int = 300_000
    detect_multiplier: int = 3

    def of_session_that_is(self, *, up: bool) -> "Timing":
        """What may be announced: nothing fast before the session is up."""
        if up or self.desired_min_tx_us >= SLOW_US:
            return self
        return self._replace(desired_min_tx_us=SLOW_US)


def in_use_until_confirmed(before: Timing, announced: Timing) -> Timing:
    """What counts in a session that is up while ``announced`` is not yet confirmed (section 6.8.3)."""
    return announced._replace(
        desired_min_tx_us=min(before.desired_min_tx_us, announced.desired_min_tx_us),
        required_min_rx_us=max(before.required_min_rx_us, announced.required_min_rx_us),
    )


def transmit_interval_us(ours: Timing, remote_min_rx_us: int) -> int:
    """The slower side says how fast we send."""
    return max(ours.desired_min_tx_us, remote_min_rx_us)


def jittered_s(interval_us: int, detect_multiplier: int, rng: Random) -> float:
    """The time to the next packet, up to a quarter shorter, so that systems do not fall in step."""
    most = JITTER_MOST_OF_SINGLE if detect_multiplier == 1 else JITTER_MOST
    return interval_us * MICRO * rng.uniform(JITTER_LEAST, most)


def detection_time_s(ours: Timing, theirs: Timing) -> float:
    """So long without a packet, and the peer is gone (asynchronous mode)."""
    interval_us = max(ours.required_min_rx_us, theirs.desired_min_tx_us)
    return theirs.detect_multiplier * interval_us * MICRO
