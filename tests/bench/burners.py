"""Keeps every core busy for a bounded time, as other work on a node does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BURN = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"


@contextmanager
def busy_cores(*, seconds: float) -> Iterator[None]:
    """A program that only counts, for each core; it ends with the block, or by itself after ``seconds``."""
    command = [sys.executable, "-I", "-c", BURN, str(seconds)]
    burning = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()
