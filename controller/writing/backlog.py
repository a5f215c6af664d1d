"""Whose turn it is to be written: a pass writes a bounded number, so that it ends soon and leaves early.

Those that were tried least come first, then the oldest Services, which got the lowest addresses: what is
written together was listed together. So a thousand that cannot be written keep nobody else waiting.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from bareway.model.names import ServiceKey
from bareway.model.services import Service

WRITES_MAX: Final = 1_000  # what an API server takes in a second
_NOWHERE: Final = ""  # a Service that is gone has no age, and nothing to be written


class Backlog:
    """The Services that may lack something, and how often each was tried in vain."""

    def __init__(self) -> None:
        self._rest: set[ServiceKey] = set()
        self._tries: dict[ServiceKey, int] = {}

    def order(self, keys: Collection[ServiceKey], services: Mapping[ServiceKey, Service]) -> list[ServiceKey]:
        """These, and all that were left for later, in the order in which they are written."""
        tries = self._tries

        def turn(key: ServiceKey) -> tuple[int, str, ServiceKey]:
            service = services.get(key)
            return tries.get(key, 0), service.created_at if service is not None else _NOWHERE, key

        return sorted(self._rest.union(keys), key=turn)

    def note(
        self,
        *,
        rest: Iterable[ServiceKey],
        missing: Collection[ServiceKey],
        tried: Iterable[ServiceKey],
    ) -> None:
        """What came of it.

        Args:
            rest: nobody looked at them.
            missing: they lack something.
            tried: of these, those that are being written now.
        """
        self._rest = {*rest}
        known = self._rest.union(missing) if self._tries else missing
        self._tries = {key: count for key, count in self._tries.items() if key in known}
        for key in tried:
            self._tries[key] = self._tries.get(key, 0) + 1
