"""Long documents are read beside the loop: one of 1 MiB takes seconds, and the Lease is lost in less.

What was read is remembered by ``read_once``, so that the look which follows finds it. Somebody who writes
another long one meanwhile has it read beside the loop too, but not for ever: what then comes is read in it.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from bareway.model.objects import ConfigMap
from bareway.resources.configurations import DOCUMENT_KEY, EXTENSION_KEY, ConfigurationReading
from bareway.runtime.documents import AT_ONCE_MAX
from controller.allocation.acceptance import Offer, read_once

ROUNDS_MAX: Final = 3


class LongDocuments:
    """The documents that the next look will read."""

    def __init__(
        self,
        offer: Callable[[], Offer | None],
        in_force: Callable[[], ConfigMap | None],
        *,
        read: Callable[[str, str], ConfigurationReading] = read_once,
    ) -> None:
        """What is offered, and what is in force, as of now; ``read`` remembers."""
        self._offer = offer
        self._in_force = in_force
        self._read = read
        self._known: frozenset[tuple[str, str]] = frozenset()

    async def prepare(self) -> None:
        """Return once they were read; at once if none is long, or none is new."""
        for _ in range(ROUNDS_MAX):
            found = frozenset(self._long())
            for text, extension in sorted(found - self._known):
                await asyncio.to_thread(self._read, text, extension)
            is_old, self._known = found <= self._known, found
            if is_old:
                return

    def _long(self) -> Iterator[tuple[str, str]]:
        offer, in_force = self._offer(), self._in_force()
        pairs = [(offer.document, offer.extension)] if offer is not None else []
        if in_force is not None:
            pairs.append((in_force.data.get(DOCUMENT_KEY, ""), in_force.data.get(EXTENSION_KEY, "")))
        for text, extension in pairs:
            if len(text) + len(extension) > AT_ONCE_MAX:
                yield text, extension
