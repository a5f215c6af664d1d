"""Asks the wire who has an address, without claiming it: some probes, and who answered them.

Probes are 30 ms apart and the result comes 30 ms after the last: what a switch, a sleeping core and a busy
responder take together. RFC 5227 section 2.1.1 has more patience (1 to 2 s); here an address of a dead node
waits for it. Whoever asks for an address that is being asked for joins that inquiry.
"""

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple, TypeAlias

from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

GAP_S: Final = 0.03
"""Between two probes, and after the last."""
INQUIRIES_MAX: Final = 500
"""At once: some 17,000 frames a second and link, less than the first round of an announcement may send."""
MACS_MAX: Final = 8
"""Stations remembered that answer for one address; one would do to know that it is taken."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants to know who has the address."""

    address: IPAddress
    probes: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """A station that is not ours says that it has the address."""

    address: IPAddress
    mac: MacAddress


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come."""


Event: TypeAlias = Asked | Heard | Tick


class Probe(NamedTuple):
    """Ask everybody, on every link of the address."""

    address: IPAddress


class Told(NamedTuple):
    """The inquiry is over."""

    address: IPAddress
    macs: frozenset[MacAddress]
    """Who answered; nobody if empty."""


Output: TypeAlias = Probe | Told


@dataclass(slots=True, eq=False)
class _Inquiry:
    address: IPAddress
    wanted: int
    sent: int = 0
    macs: set[MacAddress] = field(default_factory=set)


class Prober:
    """All inquiries; see the module's text."""

    def __init__(self) -> None:
        self._inquiries: dict[IPAddress, _Inquiry] = {}
        self._due: deque[tuple[float, _Inquiry]] = deque()
        """Ascending, since all wait equally long."""
        self._waiting: deque[_Inquiry] = deque()

    @property
    def deadline(self) -> float:
        """When it wants a Tick; infinity when nothing is asked."""
        return self._due[0][0] if self._due else inf

    @property
    def addresses(self) -> frozenset[IPAddress]:
        """What is being asked for, and what waits for its turn."""
        return frozenset(self._inquiries)

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """What to send and to tell now, in this order."""
        outputs: list[Output] = []
        match event:
            case Asked(address, probes):
                self._ask(address, probes)
            case Heard(address, mac):
                inquiry = self._inquiries.get(address)
                if inquiry is not None and inquiry.sent and len(inquiry.macs) < MACS_MAX:
                    inquiry.macs.add(mac)
            case Tick():
                pass
        while self._due and self._due[0][0] <= now:
            inquiry = self._due.popleft()[1]
            if inquiry.sent < inquiry.wanted:
                outputs.append(self._probe(inquiry, now=now))
            else:
                del self._inquiries[inquiry.address]
                outputs.append(Told(inquiry.address, frozenset(inquiry.macs)))
        while self._waiting and len(self._due) < INQUIRIES_MAX:
            outputs.append(self._probe(self._waiting.popleft(), now=now))
        return outputs

    def _ask(self, address: IPAddress, probes: int) -> None:
        inquiry = self._inquiries.get(address)
        if inquiry is None:
            self._inquiries[address] = inquiry = _Inquiry(address, probes)
            self._waiting.append(inquiry)
        inquiry.wanted = max(inquiry.wanted, probes)

    def _probe(self, inquiry: _Inquiry, *, now: float) -> Probe:
        inquiry.sent += 1
        self._due.append((now + GAP_S, inquiry))
        return Probe(inquiry.address)
