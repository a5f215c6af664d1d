"""Reads configuration documents beside the loop: a short one at once, a long one in a thread.

A ConfigMap of 1 MiB takes seconds to read. A speaker that stood still so long would be taken for dead, and
all speakers get the same document in the same moment.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Never

from bareway.resources.configurations import ConfigurationReading, read_configuration

AT_ONCE_MAX: Final = 16 * 1024  # characters; read in about 20 ms, and longer than what people write by hand


class DocumentReader:
    """Remembers the last long document, so that it is read once."""

    def __init__(self, on_read: Callable[[], None]) -> None:
        """``on_read`` is called when a long document was read; it must not wait."""
        self._on_read = on_read
        self._wanted = ("", "")
        self._wake = asyncio.Event()
        self._last: tuple[tuple[str, str], ConfigurationReading] | None = None

    def is_ready(self, text: str, extension: str) -> bool:
        """Whether ``read`` answers at once; if it does not, the document is on its way."""
        if len(text) + len(extension) <= AT_ONCE_MAX or self._remembered(text, extension) is not None:
            return True
        self._wanted = (text, extension)
        self._wake.set()
        return False

    def read(self, text: str, extension: str = "") -> ConfigurationReading:
        """What the documents say; ask ``is_ready`` before."""
        return self._remembered(text, extension) or read_configuration(text, extension)

    async def run(self) -> Never:
        """Read what is wanted, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            wanted = self._wanted
            if self._remembered(*wanted) is None:
                self._last = (wanted, await asyncio.to_thread(read_configuration, *wanted))
                self._on_read()

    def _remembered(self, text: str, extension: str) -> ConfigurationReading | None:
        if self._last is None or self._last[0] != (text, extension):
            return None
        return self._last[1]
