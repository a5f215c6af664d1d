"""An observer beside a simulated group: it draws from a chance of its own, so that the group's story stays.

Its edges are simpler than those between hosts: one that loses a frame is dead in both directions until its
ends give it up. It hears what hosts say to it by looking at their outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bareway.gossip.events import (
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    Opened,
    Output,
    PeersKnown,
    Received,
    Send,
    Tick,
)
from bareway.gossip.message import Message, Pull
from bareway.gossip.observer import Observer, Picture
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.roles import observer_name
from bareway.model.names import NodeName
from sim.hosts import Host
from sim.transport import unframed
from sim.world import World
from support.wishes import wanted as wanting

ME = observer_name("bareway-controller-0")


@dataclass(slots=True, eq=False)
class Line:
    """One connection to a host's process."""

    host: Host
    life: int
    is_whole: bool = True
    arrives_at: float = 0.0


class Watcher:
    """Connects one observer with a world."""

    def __init__(self, world: World, name: NodeName = ME) -> None:
        self.name = name
        self.world = world
        self.observer = Observer(
            me=name,
            profile=PROFILES[ProfileName.DEFAULT],
            rng=Random(f"observer/{world.seed}"),
            now=world.now,
        )
        self.changed: list[Output] = []
        self.pulls = 0
        self._rng = Random(f"watcher/{world.seed}")
        self._lines: dict[NodeName, Line] = {}
        world.after_event.append(self.look)
        self.give(PeersKnown(peers=frozenset(world.names)))

    def picture(self) -> Picture | None:
        """What the observer knows now."""
        return self.observer.picture(now=self.world.now)

    def look(self, host: Host, event: Event | None, outputs: Sequence[Output]) -> None:
        """What a host said to us; or it ended, and its kernel says so."""
        line = self._lines.get(host.name)
        if line is not None and line.host.life != line.life:
            self._end(line)
            return
        for output in outputs:
            if isinstance(output, Send | Hangup) and output.peer == self.name and line is not None:
                match output:
                    case Send(message=message):
                        self._to_us(line, message)
                    case Hangup():
                        self._end(line)

    def give(self, event: Event) -> None:
        """One event for the observer, and what follows."""
        for output in self.observer.handle(event, now=self.world.now):
            match output:
                case Dial(peer=peer):
                    self.world.at(self._soon(), self._open, peer)
                case Hangup(peer=peer):
                    self._hang_up(peer)
                case Send(peer=peer, message=message) if peer in self._lines:
                    self.pulls += isinstance(message, Pull)
                    self._to_host(self._lines[peer], message)
                case Send():
                    pass
                case _:
                    self.changed.append(output)
        deadline = self.observer.deadline
        self.world.at(max(deadline, self.world.now), lambda: self._tick(deadline))

    def want(self) -> None:
        """It is told what is wanted."""
        self.give(wanting(self.world.wanted))

    # ------------------------------------------------------------ private

    def _soon(self) -> float:
        return self.world.now + self._rng.uniform(0.0002, 0.002)

    def _tick(self, deadline: float) -> None:
        if self.observer.deadline == deadline:
            self.give(Tick())

    def _reaches(self, host: Host) -> bool:
        return host.powered and host.name not in self.world.away

    def _open(self, peer: NodeName) -> None:
        host = self.world.hosts[peer]
        if not self._reaches(host) or not host.running:
            refused = self._reaches(host) and host.process is None
            self.world.at(self._soon(), lambda: self.give(DialFailed(peer=peer, refused=refused)))
            return
        line = self._lines[peer] = Line(host=host, life=host.life)
        self.give(Opened(peer=peer))
        if self._lines.get(peer) is line:
            self.world.give(host, Opened(peer=self.name))

    def _carry(self, line: Line) -> float | None:
        """When a frame sent now arrives, if ever."""
        if not self._reaches(line.host):
            line.is_whole = False
        if not line.is_whole:
            return None
        line.arrives_at = max(line.arrives_at, self._soon())
        return line.arrives_at

    def _to_us(self, line: Line, message: Message) -> None:
        at, frame = self._carry(line), self.world.transport.frame(message)

        def arrives() -> None:
            if self._lines.get(line.host.name) is line:
                self.give(Received(peer=line.host.name, message=unframed(frame)))

        if at is not None:
            self.world.at(at, arrives)

    def _to_host(self, line: Line, message: Message) -> None:
        at, frame = self._carry(line), self.world.transport.frame(message)

        def arrives() -> None:
            if line.host.life == line.life and self._lines.get(line.host.name) is line:
                self.world.give(line.host, Received(peer=self.name, message=unframed(frame)))

        if at is not None:
            self.world.at(at, arrives)

    def _end(self, line: Line) -> None:
        """The host's end goes."""

        def arrives() -> None:
            if self._lines.get(line.host.name) is line:
                del self._lines[line.host.name]
                self.give(Closed(peer=line.host.name))

        if self._carry(line) is not None:
            self.world.at(line.arrives_at, arrives)

    def _hang_up(self, peer: NodeName) -> None:
        line = self._lines.pop(peer, None)
        if line is not None and line.is_whole and self._reaches(line.host):
            self.world.at(self._soon(), lambda: self._closed(line))

    def _closed(self, line: Line) -> None:
        if line.host.life == line.life:
            self.world.give(line.host, Closed(peer=self.name))
