"""What must hold of announcer lists: before the status, never split, and with one counter that only grows."""

from collections.abc import Callable, Iterator

from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry
from bareway.model.names import IPAddress
from bareway.model.services import Service
from sim.control.owner import Flight
from sim.control.truth import Truth


class ListChecks:
    """All about lists in one world."""

    def __init__(self, broken: Callable[[str], None]) -> None:
        self._broken = broken
        self._written: list[tuple[float, int, int]] = []
        """When, in which life, and of which generation."""

    def after_shard(self, before: AnnouncerLists, after: AnnouncerLists, flight: Flight) -> None:
        """A shard was written."""
        for number in range(SHARDS):
            old, new = before.shards[number], after.shards[number]
            if old is new:
                continue
            # Who tries again in vain keeps the number; who comes after others counts on.
            known = max(
                (g for at, life, g in self._written if life != flight.life and at < flight.begun_at),
                default=0,
            )
            if new.generation <= max(old.generation, known):
                self._broken(
                    f"generation {new.generation} of shard {number:x} after {old.generation}, {known}"
                )
            for address, entry in new.entries.items():
                former = old.entries.get(address)
                if (
                    former is not None
                    and entry.nodes != former.nodes
                    and entry.generation <= former.generation
                ):
                    self._broken(f"{address} is listed anew with the generation {entry.generation}")
            self._written.append((flight.arrived_at, flight.life, new.generation))

    def look_at_gift(self, truth: Truth, service: Service, address: IPAddress, flight: Flight) -> None:
        """A Service shows an address: all that it shows is listed, and alike."""
        if not any(address in shard.entries for shard in truth.lists.shards):
            self._broken(f"{service.key} shows {address}, which is not listed")

    def when_calm(self, truth: Truth) -> None:
        """Every address is listed, those that Services link alike."""
        for service in truth.services.values():
            verdicts = service.is_load_balancer and service.load_balancer_class is None
            entries = {one: _entry(truth, one) for one in service.ingress if verdicts and truth.pool_of(one)}
            for address, entry in entries.items():
                if entry is None:
                    self._broken(f"{service.key} shows {address}, which is not listed")
            if len({entry.nodes for entry in entries.values() if entry is not None}) > 1:
                self._broken(f"the addresses of {service.key} are listed apart: {entries}")
        shown = {address for service in truth.services.values() for address in service.ingress}
        for address in _listed(truth.lists):
            if address not in shown:
                self._broken(f"{address} is listed, and nobody shows it")


def _entry(truth: Truth, address: IPAddress) -> Entry | None:
    found = (shard.entries.get(address) for shard in truth.lists.shards)
    return next((entry for entry in found if entry is not None), None)


def _listed(lists: AnnouncerLists) -> Iterator[IPAddress]:
    for shard in lists.shards:
        yield from shard.entries
