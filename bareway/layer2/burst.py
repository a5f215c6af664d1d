"""When to tell a link, unasked, where our addresses are: the paced rounds of gratuitous frames.

One machine for each link. An address that is announced gets one frame at once (round 0), so that caches
and switches turn over as early as possible; then all its forms at growing distances, for frames that were
lost, for receivers that refuse a change within the first second (Linux: locktime) and for those that
heed one form only; then all once every interval, for a switch that forgot. What is withdrawn stops at
once, what is announced anew begins anew, with fewer repeats. Thousands of addresses taken over together
stay below the rates below: first rounds go before repeats, and all addresses' second round before anybody's
third.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple, TypeAlias

from bareway.layer2.forms import FORMS, Form
from bareway.layer2.pace import Pace
from bareway.model.names import IPAddress

FIRST_PER_S: Final = 20_000
"""First-round frames a second and link: a thousand addresses in 50 ms, and no switch's CPU port overrun."""
FIRST_AT_ONCE: Final = 200
"""First-round frames back to back; well under the 1,000 frames that a Linux receiver queues for a core."""
REPEAT_PER_S: Final = 2_000
"""Frames of all later rounds together, a second and link."""
REPEAT_AT_ONCE: Final = 40
CHUNK: Final = 20
"""Frames worth a wake-up while there is more to send than the rate allows."""
REPEATS_S: Final = (0.1, 0.3, 1.0, 2.0, 4.0)
"""Times of the repeats after the announcement …"""
REPEATS_ANEW_S: Final = (1.1, 4.0)
"""… and of one that says anew what was told before, to switches and caches that others led astray: the first
just after Linux's locktime. What is left of the first announcement's repeats goes before these. Where two of
us contend, each defends what the other said a second ago; members that tell it five times meanwhile have no
time to find each other again."""
INTERVAL_S: Final = 60.0
"""Distance of the rounds after those (configuration key gratuitous-interval)."""
FORMS_MAX: Final = max(map(len, FORMS.values()))
STALE_MAX: Final = 64
"""Entries of what was withdrawn that the schedule may carry beyond the number of live ones."""


@dataclass(frozen=True, slots=True)
class Announced:
    """These addresses are ours from now on, or anew."""

    addresses: tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """These are ours no more."""

    addresses: tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come."""


Event: TypeAlias = Announced | Withdrawn | Tick


class Gratuitous(NamedTuple):
    """One frame to send."""

    address: IPAddress
    form: Form


@dataclass(slots=True, eq=False)
class _Entry:
    """One announcement; identity tells it from a later one of the same address."""

    address: IPAddress
    announced_at: float
    repeats_s: tuple[float, ...]
    rounds: int = 0

    def repeats_anew_s(self, now: float) -> tuple[float, ...]:
        """Those of an announcement that takes the place of this one."""
        since_s = now - self.announced_at
        first_s = self.repeats_s if self.repeats_s is REPEATS_S else self.repeats_s[: -len(REPEATS_ANEW_S)]
        left_s = [repeat_s - since_s for repeat_s in first_s[max(self.rounds - 1, 0) :]]
        return (*(repeat_s for repeat_s in left_s if 0 < repeat_s < REPEATS_ANEW_S[0]), *REPEATS_ANEW_S)


class Burst:
    """The schedule of one link; see the module's text."""

    def __init__(self, *, interval_s: float = INTERVAL_S, now: float) -> None:
        self._interval_s = interval_s
        self._live: dict[IPAddress, _Entry] = {}
        self._first: deque[_Entry] = deque()
        self._repeats: list[tuple[float, int, _Entry]] = []
        self._sequence = 0
        self._first_pace = Pace(per_second=FIRST_PER_S, depth=FIRST_AT_ONCE, now=now)
        self._repeat_pace = Pace(per_second=REPEAT_PER_S, depth=REPEAT_AT_ONCE, now=now)

    def repeat_every(self, interval_s: float, *, now: float) -> None:
        """The user wants another interval, infinity for none: no next round is further off than that."""
        self._interval_s = interval_s
        self._repeats = [(min(due, now + interval_s), order, entry) for due, order, entry in self._repeats]
        heapq.heapify(self._repeats)

    def handle(self, event: Event, *, now: float) -> list[Gratuitous]:
        """What to send now, in this order."""
        match event:
            case Announced(addresses):
                self._announce(addresses, now=now)
            case Withdrawn(addresses):
                self._withdraw(addresses)
                self._forget_stale()
            case Tick():
                pass
        return self._first_round(now=now) + self._later_rounds(now=now)

    @property
    def deadline(self) -> float:
        """When it wants a Tick; infinity when nothing is announced."""
        first = repeat = inf
        if self._first:
            first = self._first_pace.ready_at(min(CHUNK, len(self._first)))
        if self._repeats:
            repeat = max(self._repeats[0][0], self._repeat_pace.ready_at(CHUNK))
        return min(first, repeat)

    def _announce(self, addresses: Iterable[IPAddress], *, now: float) -> None:
        for address in dict.fromkeys(addresses):
            before = self._live.get(address)
            entry = _Entry(address, now, REPEATS_S if before is None else before.repeats_anew_s(now))
            self._live[address] = entry
            self._first.append(entry)
        self._forget_stale()

    def _withdraw(self, addresses: Iterable[IPAddress]) -> None:
        for address in addresses:
            self._live.pop(address, None)

    def _first_round(self, *, now: float) -> list[Gratuitous]:
        frames: list[Gratuitous] = []
        available = self._first_pace.available(now=now)
        while self._first and len(frames) < available:
            entry = self._first.popleft()
            if self._live.get(entry.address) is entry:
                frames.append(Gratuitous(entry.address, FORMS[entry.address.version][0]))
                self._schedule(entry, now=now)
        self._first_pace.take(len(frames))
        return frames

    def _later_rounds(self, *, now: float) -> list[Gratuitous]:
        frames: list[Gratuitous] = []
        available = self._repeat_pace.available(now=now)
        while self._repeats and self._repeats[0][0] <= now and len(frames) + FORMS_MAX <= available:
            _, _, entry = heapq.heappop(self._repeats)
            if self._live.get(entry.address) is entry:
                frames += [Gratuitous(entry.address, form) for form in FORMS[entry.address.version]]
                self._schedule(entry, now=now)
        self._repeat_pace.take(len(frames))
        return frames

    def _schedule(self, entry: _Entry, *, now: float) -> None:
        """Note when the next round of ``entry`` is due; a late one shifts none of the early rounds."""
        early = entry.rounds < len(entry.repeats_s)
        due = entry.announced_at + entry.repeats_s[entry.rounds] if early else now + self._interval_s
        entry.rounds += 1
        self._sequence += 1  # equal times go in order, and entries are never compared
        heapq.heappush(self._repeats, (due, self._sequence, entry))

    def _forget_stale(self) -> None:
        """Keep withdrawn entries from gathering, at a cost that each of them has paid for when it came."""
        if len(self._first) + len(self._repeats) > 2 * len(self._live) + STALE_MAX:
            self._first = deque(entry for entry in self._first if self._is_live(entry))
            self._repeats = [item for item in self._repeats if self._is_live(item[2])]
            heapq.heapify(self._repeats)

    def _is_live(self, entry: _Entry) -> bool:
        return self._live.get(entry.address) is entry
