"""The world's clock and its chance, read nowhere else: all below takes ``now`` and ``rng``."""

import secrets
import time
from datetime import UTC, datetime
from random import Random


def monotonic() -> float:
    """Seconds that never go back and mean nothing by themselves: the ``now`` of every machine."""
    return time.monotonic()


def boot_time() -> float:
    """Like ``monotonic``, and counts the time that the machine was suspended: for what others wait out."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def unix_time() -> int:
    """The time of day in whole seconds, for what outlives a process."""
    return int(time.time())


def utc_now() -> datetime:
    """The time of day, for what people read; nothing is decided by it."""
    return datetime.now(UTC)


def random_bytes(count: int) -> bytes:
    """Bytes fit for keys."""
    return secrets.token_bytes(count)


def seed_rng(name: str) -> Random:
    """Chance for the part called ``name``, different in every process; tests pass ``Random("a seed")``."""
    return Random(f"{random_bytes(16).hex()}/{name}")  # noqa: S311 - jitter and order, never keys
