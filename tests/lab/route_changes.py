"""What happened to a router's kernel's routes, and when."""

import msgspec

from lab.machine import Machine
from lab.process import Records
from lab.stations import start_module


class RouteChange(msgspec.Struct, frozen=True, kw_only=True):
    """A route came, became another, or went; ``at`` is CLOCK_MONOTONIC."""

    at: float
    prefix: str
    is_gone: bool
    hops: tuple[str, ...]
    """IPv6 routes of several hops come a hop at a time."""


class RouteWatch:
    """Sees every change of a machine's routes from now on."""

    def __init__(self, machine: Machine, *, name: str = "routes") -> None:
        self.process = start_module(machine, "lab.tools.route_watch", name=name)
        self._records = Records(self.process.output, RouteChange)
        self.process.wait_for_output('"prefix":""')

    def changes(self, prefix: str, *, since: float = 0.0) -> list[RouteChange]:
        """Of one prefix."""
        self.process.must_run()
        return [one for one in self._records.all() if one.prefix == prefix and one.at >= since]

    def last(self, prefix: str) -> RouteChange | None:
        """The latest of one prefix."""
        found = self.changes(prefix)
        return found[-1] if found else None
