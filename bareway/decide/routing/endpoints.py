"""Where each Service is served, kept up to date slice by slice; the facts are those of ``serving``."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from bareway.model.endpoints import EndpointSlice
from bareway.model.names import NodeName, ObjectKey, ServiceKey


class Backing(NamedTuple):
    """What stands behind a Service, as one node sees it."""

    is_anywhere: bool
    here: int
    """IPv4 endpoints on this node."""
    here_v6: int

    @property
    def is_here(self) -> bool:
        """Whether an endpoint of any family serves on this node."""
        return self.here + self.here_v6 > 0


NOTHING: Final = Backing(is_anywhere=False, here=0, here_v6=0)


class Endpoints:
    """Slices, and which Service each belongs to: a slice that is gone no longer says so."""

    def __init__(self) -> None:
        self._slices: dict[ObjectKey, EndpointSlice] = {}
        self._of: dict[ServiceKey, tuple[ObjectKey, ...]] = {}

    def take(self, slices: Mapping[ObjectKey, EndpointSlice], keys: Iterable[ObjectKey]) -> set[ServiceKey]:
        """Take the slices ``keys`` as they are now, or are not; the Services that this may matter to."""
        touched: set[ServiceKey] = set()
        for key in keys:
            before, now = self._slices.pop(key, None), slices.get(key)
            if before is not None and before.service is not None:
                touched.add(before.service)
                if now is None or now.service != before.service:
                    self._forget(before.service, key)
            if now is not None and now.service is not None:
                touched.add(now.service)
                self._slices[key] = now
                known = self._of.get(now.service, ())
                if key not in known:
                    self._of[now.service] = (*known, key)
        return touched

    @property
    def keys(self) -> Iterable[ObjectKey]:
        """The slices that are known."""
        return self._slices.keys()

    def behind(self, service: ServiceKey, node: NodeName | None) -> Backing:
        """What serves ``service``, seen from ``node``."""
        is_anywhere, here, here_v6 = False, 0, 0
        for key in self._of.get(service, ()):
            for endpoint in self._slices[key].endpoints:
                if not endpoint.can_serve or not endpoint.addresses:
                    continue
                is_anywhere = True
                if endpoint.node == node and node is not None:
                    is_v4 = endpoint.addresses[0].version == 4  # noqa: PLR2004 - a slice is of one family
                    here, here_v6 = (here + 1, here_v6) if is_v4 else (here, here_v6 + 1)
        return Backing(is_anywhere, here, here_v6) if is_anywhere else NOTHING

    def _forget(self, service: ServiceKey, key: ObjectKey) -> None:
        left = tuple(one for one in self._of.get(service, ()) if one != key)
        if left:
            self._of[service] = left
        else:
            self._of.pop(service, None)
