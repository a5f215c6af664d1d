"""What we yielded to other stations, and when the link is asked whether they still have it.

Of thousands some are asked for each second: what all who yielded ask is heard by every node. Where a
station has half of these no more, twice as many of what it was left are asked for in the next second,
whatever others have: so what can be taken back does not wait for what cannot. Fewer are what an overloaded
link loses, which is asked no more than before, like one whose answers come too late. Each station has its
turn, and each address one question a second.

Not covered: what an answer means for the address (``conflict``).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

ASK_EACH_S: Final = 1.0
"""Who yielded asks so often whether the other is still there."""
ASKED_MAX: Final = 64
"""Addresses that are asked for in that time, of all stations together, if these answer. Thousands, by
every node, would take the time that members need to find each other again: so a group stayed apart."""
GROWTH: Final = 2
"""So many times as many in the next second, if at least one in so many is had no more."""
STATES_MAX: Final = 1024
"""Addresses yielded at a time."""


@dataclass(slots=True)
class _Station:
    """One that we yielded to."""

    ask_at: dict[IPAddress, float] = field(default_factory=dict)
    """What it was left, and when to ask; those to be asked for next come first."""
    asked: set[IPAddress] = field(default_factory=set)
    """Those that were asked for in this round."""
    gone: int = 0
    """How many of these it was found to have no more, within the round."""
    beyond: int = 0
    """How many more may be asked for in this round, though others have taken what all share."""

    @property
    def due(self) -> float:
        """When it is to be asked next."""
        return next(iter(self.ask_at.values()), inf)


@dataclass(slots=True)
class Yielding:
    """All addresses that we hold and leave to others."""

    _to: dict[IPAddress, MacAddress] = field(default_factory=dict)
    _stations: dict[MacAddress, _Station] = field(default_factory=dict)
    """Whose turn is next come first."""
    _left: int = ASKED_MAX
    """How many may be asked for in this round, whosever they are."""
    _until: float = -inf
    """When the next round begins."""
    _is_crowded: bool = False
    """Something due waits for the next round."""

    def __contains__(self, address: IPAddress) -> bool:
        return address in self._to

    @property
    def is_full(self) -> bool:
        """Whether no more can be remembered."""
        return len(self._to) >= STATES_MAX

    @property
    def deadline(self) -> float:
        """When something is to be asked."""
        if self._is_crowded:
            return self._until
        return min((each.due for each in self._stations.values()), default=inf)

    @property
    def all(self) -> tuple[tuple[IPAddress, MacAddress], ...]:
        """Each address, and to whom it was yielded."""
        return tuple(self._to.items())

    def to(self, address: IPAddress) -> MacAddress | None:
        """To whom it was yielded, if it was."""
        return self._to.get(address)

    def add(self, address: IPAddress, mac: MacAddress, *, now: float) -> None:
        """Leave it to that station."""
        self.drop(address)
        self._to[address] = mac
        self._stations.setdefault(mac, _Station()).ask_at[address] = now + ASK_EACH_S

    def drop(self, address: IPAddress) -> None:
        """It is no longer so."""
        mac = self._to.pop(address, None)
        if mac is not None:
            del self._stations[mac].ask_at[address]

    def is_gone_from(self, address: IPAddress) -> None:
        """The station that it was left to does not answer for it any more."""
        station = self._stations[self._to[address]]
        station.gone += address in station.asked
        self.drop(address)

    def due(self, now: float, holds: Callable[[IPAddress], bool]) -> list[IPAddress]:
        """What to ask for now, each station in its turn; what is not ours any more is dropped."""
        if now >= self._until:
            self._begin(now)
        asked: list[IPAddress] = []
        turns = deque(mac for mac, station in self._stations.items() if station.due <= now)
        while turns:
            mac = turns.popleft()
            station = self._stations[mac]
            if station.due > now:
                continue
            if self._left <= 0 and station.beyond <= 0:
                self._is_crowded = True
                continue
            address = next(iter(station.ask_at))
            if holds(address):
                self._ask(mac, station, address, now)
                asked.append(address)
            else:
                self.drop(address)
            turns.append(mac)
        return asked

    def _ask(self, mac: MacAddress, station: _Station, address: IPAddress, now: float) -> None:
        self._left, station.beyond = max(self._left - 1, 0), max(station.beyond - 1, 0)
        station.asked.add(address)
        del station.ask_at[address]
        station.ask_at[address] = now + ASK_EACH_S
        self._stations[mac] = self._stations.pop(mac)

    def _begin(self, now: float) -> None:
        self._until, self._left, self._is_crowded = now + ASK_EACH_S, ASKED_MAX, False
        self._stations = {mac: each for mac, each in self._stations.items() if each.ask_at}
        for each in self._stations.values():
            grows = 0 < len(each.asked) <= GROWTH * each.gone
            each.beyond = GROWTH * len(each.asked) if grows else 0
            each.asked, each.gone = set(), 0
