"""What one peer has been told of one family, and the way from there to what it shall be told.

The way is planned at once and walked in messages: first all that is taken back, then the rest, packed by
equal attributes. Who has walked it shares the table of the routes it was planned from; so a peer costs memory
only while it lags behind. A wish that changes on the way stops it where it is and plans anew from there: what
a peer that does not read is owed never grows beyond its prefixes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bareway.bgp.outbound import Style
from bareway.bgp.prefixes import Nlri
from bareway.bgp.routes import Attributes, RouteSet

NEVER: Final = -1
"""Equal to the number of no attributes."""
UNKNOWN: Final = b""
"""In place of attributes: equal to none that are sent."""


class Batch:
    """Prefixes that go into the same kind of message; those before ``done`` have gone."""

    __slots__ = ("attributes", "done", "longest", "routes")

    def __init__(self, attributes: bytes | None, routes: Sequence[Nlri]) -> None:
        self.attributes = attributes
        """None = they are taken back."""
        self.routes = routes
        self.longest = max(map(len, routes))
        self.done = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Prefixes with a number each, and the encoded attributes that it stands for."""

    numbers: Mapping[Nlri, int] = field(default_factory=dict)
    encoded: tuple[bytes, ...] = ()


class Adjacency:
    """Of one family in one session."""

    def __init__(self, *, limit: int, message_max: int) -> None:
        self.limit = limit
        """How many prefixes the peer is told at most."""
        self._message_max = message_max
        self._told = Table()
        self._target = Table()
        self._style: Style | None = None
        self._encoded_by: Style | None = None
        self._batches: list[Batch] = []
        self._next = 0
        self._encodings: dict[Attributes, bytes] = {}
        self.held_back = 0
        """Routes that are wanted and not told: beyond the limit, or too long for a message."""

    @property
    def is_settled(self) -> bool:
        """Nothing is owed."""
        return self._next == len(self._batches)

    @property
    def owed(self) -> int:
        """Prefixes that wait to be told or taken back."""
        return sum(len(batch.routes) - batch.done for batch in self._batches[self._next :])

    @property
    def told(self) -> int:
        """Prefixes that the peer has of us once all is sent."""
        return len(self._target.numbers)

    def want(self, routes: RouteSet, style: Style) -> None:
        """Plan the way to ``routes``, as ``style`` writes them."""
        self._told = self._reached()
        if self._style is not None and style.next_hop != self._style.next_hop:
            self._told = _with_unknown_attributes(self._told)  # it need not stand in what is encoded
        self._style = style
        self._target = self._aim(routes, style)
        self._plan()

    def refresh(self) -> None:
        """Tell all again (RFC 2918 section 4): as if nobody knew with which attributes the peer has it."""
        self._told = _with_unknown_attributes(self._reached())
        self._plan()

    def take_all_back(self) -> None:
        """There is no style any more in which routes could be told."""
        self._told = self._reached()
        self._target = Table()
        self.held_back = 0
        self._plan()

    def _plan(self) -> None:
        self._batches = [*self._withdrawals(), *self._announcements()]
        self._next = 0
        if not self._batches:
            self._told = self._target

    def take(self, *, withdrawing: bool) -> bytes | None:
        """The next message of one of both kinds, or None if there is none (any more)."""
        batch = self._batches[self._next] if not self.is_settled else None
        if batch is None or self._style is None or (batch.attributes is None) != withdrawing:
            return None
        message = self._message(self._style, batch)
        if batch.done >= len(batch.routes):
            self._next += 1
        if self.is_settled:
            self._told, self._batches, self._next = self._target, [], 0
        return message

    def _message(self, style: Style, batch: Batch) -> bytes:
        """As many of the batch as one message holds, by the longest of its prefixes."""
        empty = style.withdraw([]) if batch.attributes is None else None
        overhead = len(empty) + 1 if empty is not None else style.overhead(batch.attributes or b"")
        count = (self._message_max - overhead) // batch.longest
        part = list(batch.routes[batch.done : batch.done + count])
        batch.done += len(part)
        return style.withdraw(part) if batch.attributes is None else style.announce(batch.attributes, part)

    def _aim(self, routes: RouteSet, style: Style) -> Table:
        """``routes`` without those that cannot be told."""
        numbers = routes.table(style.family)
        known = self._encodings if style == self._encoded_by else {}
        self._encodings = {one: known.get(one) or style.encode(one) for one in routes.sets}
        self._encoded_by = style
        encoded = tuple(self._encodings.values())
        room = self._message_max - style.overhead(b"") - max(map(len, numbers), default=0)
        unfit = {place for place, data in enumerate(encoded) if len(data) > room}
        wanted = len(numbers)
        if unfit:
            numbers = {prefix: number for prefix, number in numbers.items() if number not in unfit}
        if len(numbers) > self.limit:
            numbers = dict(self._within_limit(numbers))
        self.held_back = wanted - len(numbers)
        return Table(numbers, encoded)

    def _within_limit(self, numbers: Mapping[Nlri, int]) -> Iterator[tuple[Nlri, int]]:
        """Those that the peer has stay, then the others in their order: the limit takes nothing away."""
        told = self._told.numbers
        ordered = sorted(numbers, key=lambda prefix: prefix not in told)
        for prefix in ordered[: self.limit]:
            yield prefix, numbers[prefix]

    def _withdrawals(self) -> Iterator[Batch]:
        wanted = self._target.numbers
        if wanted is self._told.numbers:
            return
        gone = [prefix for prefix in self._told.numbers if prefix not in wanted]
        if gone:
            yield Batch(None, gone)

    def _announcements(self) -> Iterator[Batch]:
        """What differs, by its attributes: numbers of both tables are compared by what they stand for."""
        encoded = self._target.encoded
        first: dict[bytes, int] = {}
        same = [first.setdefault(data, place) for place, data in enumerate(encoded)]
        known = [first.get(data, NEVER) for data in self._told.encoded]
        known.append(NEVER)  # found at NEVER, where the peer has nothing
        if self._target.numbers is self._told.numbers and known[:-1] == same:
            return
        told = self._told.numbers.get
        groups: dict[int, list[Nlri]] = {}
        for prefix, number in self._target.numbers.items():
            place = same[number]
            if known[told(prefix, NEVER)] != place:
                groups.setdefault(place, []).append(prefix)
        for place, routes in groups.items():
            yield Batch(encoded[place], routes)

    def _reached(self) -> Table:
        """What has been told of the way so far."""
        started = [batch for batch in self._batches if batch.done]
        if not started:
            return self._told
        numbers = dict(self._told.numbers)
        encoded = list(self._told.encoded)
        for batch in started:
            for prefix in batch.routes[: batch.done]:
                if batch.attributes is None:
                    numbers.pop(prefix, None)
                else:
                    numbers[prefix] = len(encoded)
            if batch.attributes is not None:
                encoded.append(batch.attributes)
        return _without_unused(numbers, encoded)


def _with_unknown_attributes(table: Table) -> Table:
    """Of all its prefixes it is known that the peer has them, and no more."""
    return Table(table.numbers, (UNKNOWN,) * len(table.encoded))


def _without_unused(numbers: dict[Nlri, int], encoded: list[bytes]) -> Table:
    """A way that is planned anew again and again must not pile up what was told on its first steps."""
    used = sorted(set(numbers.values()))
    if len(used) == len(encoded):
        return Table(numbers, tuple(encoded))
    places = {number: place for place, number in enumerate(used)}
    return Table(
        {prefix: places[number] for prefix, number in numbers.items()},
        tuple(encoded[number] for number in used),
    )
