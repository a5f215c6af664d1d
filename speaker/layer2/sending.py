"""Every frame that we send as the owner of an address passes here, and the fence is asked for each of them.

Where the fence says to ask first, the frame waits until the link was asked whether anybody else has the
address, and goes only if nobody has. A probe is answered at once even then: its sender puts the answer into
no cache, and two of us who ask each other must not both find silence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from bareway.gossip.events import Permission
from bareway.layer2.drops import DropReason
from bareway.layer2.forms import telling
from bareway.layer2.held import Held, Waiting
from bareway.layer2.responder import Question, Sighting
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress
from speaker.layer2.counters import Counters
from speaker.layer2.hearing import Turns
from speaker.layer2.lately import Lately
from speaker.layer2.links import Link
from speaker.layer2.sockets import PacketPort

Fence: TypeAlias = Callable[[IPAddress, float], Permission]
"""Whether the address may be answered for at this time; asked before every single frame."""
Answer: TypeAlias = Callable[[frozenset[MacAddress]], None]
"""Called with the stations that have the address; none of ours, nobody if empty."""


class Ask(Protocol):
    """Asks every link of an address who has it."""

    def __call__(self, address: IPAddress, probes: int, on_answer: Answer) -> None:
        """``on_answer`` is called 30 ms after the last probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all stations of a driver share."""

    may_answer: Fence
    ask: Ask
    allows: Callable[[IPAddress, InterfaceName], bool]
    """Whether the address may be announced on the link of this name."""
    sighted: Callable[[Sighting], None]
    clock: Callable[[], float]
    counters: Counters = field(default_factory=Counters)
    turns: Turns = field(default_factory=Turns)
    lately: Lately = field(default_factory=Lately)
    own_macs: set[MacAddress] = field(default_factory=set)
    """Of all usable links; kept by the driver."""


class Sender:
    """Sends for one link."""

    def __init__(self, ports: Mapping[int, PacketPort], link: Link, around: Surroundings) -> None:
        """``ports`` by the version of IP whose addresses they carry."""
        self._ports = ports
        self._link = link
        self._around = around
        self._held = Held()
        self._is_closed = False

    def follow(self, link: Link) -> None:
        """The link has another MAC or name now."""
        self._link = link

    def close(self) -> None:
        """Send nothing more, also of what waits."""
        self._is_closed = True

    def send(self, address: IPAddress, what: Waiting) -> None:
        """Send it if the fence lets it through, or ask the link first."""
        now = self._around.clock()
        match self._around.may_answer(address, now):
            case Permission.YES:
                self._send(address, what, is_sure=True, now=now)
            case Permission.ASK_FIRST if isinstance(what, Question) and what.is_probe:
                self._send(address, what, is_sure=False, now=now)
            case Permission.ASK_FIRST:
                self._hold(address, what)
            case Permission.NO:
                self._around.counters.drops[DropReason.FENCED] += 1

    def _hold(self, address: IPAddress, what: Waiting) -> None:
        is_asked = self._held.is_asked(address)
        if not self._held.add(address, what):
            self._around.counters.drops[DropReason.TOO_MANY_WAIT] += 1
        if not is_asked:
            self._around.ask(address, 1, lambda macs: self._asked(address, macs))

    def _asked(self, address: IPAddress, macs: frozenset[MacAddress]) -> None:
        waiting = self._held.release(address)
        if self._is_closed:
            return
        for mac in sorted(macs):
            self._around.sighted(Sighting(address, mac, is_solicited=True))
        # Sightings may have cost us the address just now; the fence knows.
        now = self._around.clock()
        may_answer = self._around.may_answer(address, now)
        for what in waiting:
            if macs:
                self._around.counters.drops[DropReason.HELD_ELSEWHERE] += 1
            elif may_answer is Permission.NO:
                self._around.counters.drops[DropReason.FENCED] += 1
            else:
                self._send(address, what, is_sure=True, now=now)

    def _send(self, address: IPAddress, what: Waiting, *, is_sure: bool, now: float) -> None:
        counters, lately = self._around.counters, self._around.lately
        if isinstance(what, Question):
            frame, sent = what.reply(my_mac=self._link.mac, is_sure=is_sure), counters.responses
            sent_at = lately.answered
        else:
            frame, sent = telling(address, what, my_mac=self._link.mac), counters.gratuitous
            sent_at = lately.told
        try:
            self._ports[address.version].send(frame)
        except OSError as error:
            counters.failed(error)
        else:
            sent[address] += 1
            sent_at[address] = now
