"""Edges between hosts as TCP has them: in order, late when something is lost, silent when cut.

A process that ends sends FIN; a host without power sends nothing, and answers what it does not know with RST
once it is back. A dial is refused (host up, nobody listens), unanswered, or leads to an edge after a round
trip. Messages travel as objects; where ``as_bytes`` is set, as the bytes that they are on a real edge.
"""

from collections.abc import Callable, Mapping

from bareway.gossip.events import (
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    Opened,
    Probe,
    Probed,
    Received,
    Send,
)
from bareway.gossip.message import FRAME_MAX, Message, decode, encode
from bareway.model.names import NodeName
from sim.hosts import Host, Pause
from sim.network import DIAL_TIMEOUT_S, RETRANSMIT_S, Network, Wire
from sim.timeline import Timeline

CROSSED_S = 1.0
"""Two edges of a pair opened within this time crossed: the one dialled by the lower name stays."""


class Transport:
    """All edges between hosts."""

    def __init__(
        self,
        timeline: Timeline,
        network: Network,
        hosts: Mapping[NodeName, Host],
        give: Callable[[Host, Event], None],
        *,
        as_bytes: bool,
    ) -> None:
        self._timeline = timeline
        self._network = network
        self._hosts = hosts
        self._give = give
        self._as_bytes = as_bytes
        self.sent: dict[NodeName, int] = dict.fromkeys(hosts, 0)
        """Messages by sender."""

    def edge(self, one: NodeName, other: NodeName) -> Wire | None:
        """The edge that both ends hold to be theirs."""
        wire = self._hosts[one].wires.get(other)
        return wire if wire is not None and self._hosts[other].wires.get(one) is wire else None

    def talk(self, host: Host, output: Send | Dial | Probe | Hangup) -> None:
        """What a machine asked for."""
        match output:
            case Send():
                wire = host.wires.get(output.peer)
                self.sent[host.name] += 1
                if wire is not None:
                    self._transmit(wire, host.name, self.frame(output.message))
            case Dial():
                self._timeline.at(
                    self._timeline.now + self._network.delay_s(), self._ask, host, host.life, output.peer
                )
            case Probe():
                self._timeline.at(
                    self._timeline.now + self._network.delay_s(), self._probe, host, host.life, output.peer
                )
            case Hangup():
                wire = host.wires.get(output.peer)
                if wire is not None:
                    self._end(wire, host.name)

    def process_ended(self, host: Host) -> None:
        """Its kernel says so to all peers that it reaches."""
        for wire in list(host.wires.values()):
            self._end(wire, host.name)

    def power_lost(self, host: Host) -> None:
        """Nobody is told."""
        for wire in host.wires.values():
            wire.ends.discard(host.name)
        host.wires.clear()

    def go_on(self) -> None:
        """A cut ended: what waited and can go now goes on its way."""
        for host in self._hosts.values():
            for wire in host.wires.values():
                if wire.waiting.get(host.name) and self._network.reaches(host.name, wire.other(host.name)):
                    frames = wire.waiting.pop(host.name)
                    late_s = self._network.rng.uniform(0, 2 * RETRANSMIT_S)
                    now = self._timeline.now
                    wire.last_at[host.name] = max(wire.last_at.get(host.name, 0.0), now + late_s)
                    for frame in frames:
                        self._transmit(wire, host.name, frame)

    # ------------------------------------------------------------ frames

    def frame(self, message: Message) -> Message | bytes:
        """What travels."""
        if not self._as_bytes:
            return message
        frame = encode(message)
        assert len(frame) <= FRAME_MAX
        return frame

    def _transmit(self, wire: Wire, source: NodeName, frame: object) -> None:
        if not self._network.reaches(source, wire.other(source)) or wire.waiting.get(source):
            wire.waiting.setdefault(source, []).append(frame)
            return
        arrival = self._network.arrival(wire, source, self._timeline.now)
        self._timeline.at(arrival, self._arrive, wire, source, frame)

    def _arrive(self, wire: Wire, source: NodeName, frame: Message | bytes) -> None:
        target = self._hosts[wire.other(source)]
        if not self._network.reaches(source, target.name):
            wire.waiting.setdefault(source, []).append(frame)
        elif target.name in wire.ends:
            if target.wires.get(source) is wire:
                self._give(target, Received(peer=source, message=unframed(frame)))
        elif target.powered and self._network.reaches(target.name, source):
            self._reset(wire, source)

    # ------------------------------------------------------------ ends

    def _reset(self, wire: Wire, end: NodeName) -> None:
        """One end learns that the other is gone."""
        last = wire.last_at.get(wire.other(end), 0.0)
        arrives_at = max(self._timeline.now + self._network.delay_s(), last)
        self._timeline.at(arrives_at, self._is_reset, wire, end)

    def _is_reset(self, wire: Wire, end: NodeName) -> None:
        host = self._hosts[end]
        wire.ends.discard(end)
        if host.wires.get(wire.other(end)) is wire:
            del host.wires[wire.other(end)]
            self._give(host, Closed(peer=wire.other(end)))

    def _end(self, wire: Wire, end: NodeName) -> None:
        """One end goes, and its kernel says so if it can."""
        wire.ends.discard(end)
        other = wire.other(end)
        if self._hosts[end].wires.get(other) is wire:
            del self._hosts[end].wires[other]
        if other in wire.ends and self._network.reaches(end, other):
            self._reset(wire, other)

    # ------------------------------------------------------------ dials

    def _failed(self, dialer: Host, life: int, listener: NodeName, refused: bool) -> None:
        if dialer.life == life:
            self._give(dialer, DialFailed(peer=listener, refused=refused))

    def _ask(self, dialer: Host, life: int, name: NodeName) -> None:
        """The dial reaches the other machine, or nothing."""
        network, timeline, listener = self._network, self._timeline, self._hosts[name]
        path = network.reaches(dialer.name, name) and network.reaches(name, dialer.name)
        if path and listener.powered and listener.process is None and listener.pause is not Pause.WHOLE:
            timeline.at(timeline.now + network.delay_s(), self._failed, dialer, life, name, True)
        elif path and listener.running and dialer.life == life:
            self._open(dialer, listener, life)
        else:
            timeline.at(timeline.now + DIAL_TIMEOUT_S, self._failed, dialer, life, name, False)

    def _probe(self, dialer: Host, life: int, name: NodeName) -> None:
        """A connection for a handshake and nothing more."""
        network, listener = self._network, self._hosts[name]
        path = network.reaches(dialer.name, name) and network.reaches(name, dialer.name)
        if path and listener.powered and listener.process is None and listener.pause is not Pause.WHOLE:
            probed, after_s = Probed(peer=name, alive=False, refused=True), network.delay_s()
        elif path and listener.running:
            probed, after_s = Probed(peer=name, alive=True), 3 * network.delay_s()
        else:
            probed, after_s = Probed(peer=name, alive=False), DIAL_TIMEOUT_S
        self._timeline.at(self._timeline.now + after_s, self._probed, dialer, life, probed)

    def _probed(self, dialer: Host, life: int, probed: Probed) -> None:
        if dialer.life == life:
            self._give(dialer, probed)

    def _open(self, dialer: Host, listener: Host, life: int) -> None:
        now = self._timeline.now
        ends = {dialer.name, listener.name}
        wire = Wire(dialer=dialer.name, listener=listener.name, opened_at=now, ends=ends)
        arrival = self._network.arrival(wire, listener.name, now)
        self._timeline.at(arrival, self._opened, wire, dialer, listener, life)
        self._adopt(wire, listener)

    def _opened(self, wire: Wire, dialer: Host, listener: Host, life: int) -> None:
        if dialer.life != life:
            self._end(wire, dialer.name)
        elif listener.name in wire.ends:
            self._adopt(wire, dialer)
        elif listener.name not in dialer.wires:
            self._give(dialer, DialFailed(peer=listener.name, refused=False))

    def _adopt(self, wire: Wire, host: Host) -> None:
        """A new edge takes the place of an older one, unless the two crossed."""
        other = wire.other(host.name)
        old = host.wires.get(other)
        if old is not None:
            crossed = abs(wire.opened_at - old.opened_at) < CROSSED_S and wire.dialer != old.dialer
            if crossed and other in old.ends and old.dialer < wire.dialer:
                self._end(wire, host.name)
                return
            self._end(old, host.name)
        host.wires[other] = wire
        self._give(host, Opened(peer=other))


def unframed(frame: Message | bytes) -> Message:
    """What arrives."""
    return decode(frame) if isinstance(frame, bytes) else frame
