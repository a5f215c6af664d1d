"""The world: one heap of what happens when, the API server, and the processes that come and go.

Everything follows from the seed; the trace of two runs is the same to the last line.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Protocol

from bareway.resources.announcer_lists import NAME
from sim.control.api import Api, Change, Json, Place
from sim.control.owner import Flight, Weather
from sim.control.process import Process
from sim.control.settings import SETTINGS
from sim.control.speakers import NODES, Speakers
from sim.control.truth import lists_of

OURS = SETTINGS.namespace
USER = "a user"
GOSSIP_S = 0.02
"""Until speakers have read a list and followed it."""


class Checks(Protocol):
    """Looks at the world after everything that happens."""

    def after_change(self, change: Change, flight: Flight | None) -> None:
        """Something was written; by a controller if there is a flight."""

    def after_turn(self, process: Process) -> None:
        """A process did something."""

    def on_arrival(self, flight: Flight, process: Process) -> None:
        """A write of a controller gets to the API server, whatever becomes of it."""


class World:
    """A cluster's control plane."""

    def __init__(self, seed: int, *, story: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.rng = Random(f"control/{seed}")
        self.now = 0.0
        self.api = Api()
        self.api.after_change.append(self._changed)
        self.weather = Weather()
        self.speakers = Speakers()
        self.processes: list[Process] = []
        """Those that live."""
        self.last_of_services = 0
        """The revision at which a Service changed last."""
        self.prepared: list[tuple[float, int, int]] = []
        """When somebody began to list in order to lead, in which life, and what its lists must show."""
        self.checks: Checks | None = None
        self.trace: list[str] = []
        self._story = story
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._lives = 0
        self._flight: Flight | None = None
        for name in (OURS, "x", "y"):
            self.api.create(Place("namespaces", ""), {"metadata": {"name": name}}, by=USER, now=self.now)
        for node in NODES:
            self.api.create(Place("nodes", ""), {"metadata": {"name": node}}, by=USER, now=self.now)

    # ------------------------------------------------------------ time

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Let something happen at a time; what is due together happens in the order it was asked for."""
        self._order += 1
        heappush(self._heap, (max(when, self.now), self._order, what))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._heap and self._heap[0][0] <= end:
            self.now, _, what = heappop(self._heap)
            what()
        self.now = end

    def say(self, text: str) -> None:
        """One line of the trace."""
        line = f"{self.now:9.4f} {text}"
        self.trace.append(line)
        if self._story:
            self._story(line)

    # ------------------------------------------------------------ processes

    def next_life(self) -> int:
        """No two processes have the same."""
        self._lives += 1
        return self._lives

    def start(self, name: str, *, skew_s: int = 0) -> Process:
        """A new controller."""
        self.say(f"{name} starts")
        process = Process(self, name, skew_s=skew_s)
        self.processes.append(process)
        return process

    def close(self) -> None:
        """Everything ends."""
        self.checks = None
        for process in [*self.processes]:
            process.die()

    def gone(self, process: Process) -> None:
        """It lives no more."""
        self.processes.remove(process)

    def leader(self) -> Process | None:
        """Who may write at this moment, and has a turn."""
        return next((one for one in self.processes if one.is_running and one.elector.may_write()), None)

    def look_at(self, process: Process) -> None:
        """After each turn of a process."""
        if self.checks is not None:
            self.checks.after_turn(process)

    def gossip(self) -> None:
        """Speakers do what the lists say now; controllers see it."""
        before = self.speakers.version
        self.speakers.follow(lists_of(self.api))
        if self.speakers.version != before:
            self.tell_sights()

    def find_strangers(self) -> None:
        """Speakers answer for what Services show, and notice who else does."""
        self.speakers.shown = {
            address for one in self.api.services().values() for address in one.ingress if one.is_load_balancer
        }
        self.speakers.version += 1
        self.tell_sights()

    def tell_sights(self) -> None:
        """What is seen in gossip is something else now."""
        for process in [*self.processes]:
            process.wake(process.changed.set)

    # ------------------------------------------------------------ writes

    def arrives(self, flight: Flight, process: Process) -> None:
        """A controller's write is about to be done, or refused."""
        self._flight = flight
        if self.checks is not None:
            self.checks.on_arrival(flight, process)

    def put(self, place: Place, body: Json) -> None:
        """A user writes an object: it is created, or the fields given here are changed."""
        if place in self.api.objects:
            self.api.merge_patch(place, body, by=USER)
        else:
            body = {**body, "metadata": {**body.get("metadata", {}), "name": place.name}}
            self.api.create(place._replace(name=""), body, by=USER, now=self.now)

    def delete(self, place: Place) -> None:
        """A user deletes an object."""
        self.api.delete(place, by=USER)

    def _changed(self, change: Change) -> None:
        flight, self._flight = self._flight, None
        if change.place.plural == "services":
            self.last_of_services = change.revision
        if change.place.plural != "leases":
            self.say(f"{change.by}: {_told(change)}")
        for process in self.processes:
            process.client.tell(change)
        if change.place.name.startswith(NAME):
            self.at(self.now + GOSSIP_S, self.gossip)
        if change.place.plural == "services" and self.speakers.strangers:
            self.at(self.now + GOSSIP_S, self.find_strangers)
        if self.checks is not None:
            self.checks.after_change(change, flight if change.by != USER else None)


def _told(change: Change) -> str:
    name = "/".join(part for part in change.place if part)
    if change.after is None:
        return f"{name} deleted"
    body = change.after.body
    told = f"{name} @{change.revision}"
    if change.place.plural == "services":
        status = body.get("status", {})
        shown = [one["ip"] for one in (status.get("loadBalancer", {}).get("ingress") or [])]
        words = [one["reason"] for one in status.get("conditions", [])]
        told += f" {body['spec']['type']} {body['metadata'].get('annotations', {})} shows {shown} {words}"
    elif change.place.plural == "configmaps":
        told += f" {body.get('data')}"
    return told
