"""Addresses to look at, a bounded number at a time: what just happened first, the rest in order.

One turn of the loop must stay short however many addresses there are: meanwhile no heartbeat is read and no
request answered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import islice
from typing import Final

from bareway.model.names import IPAddress

TURN_MAX: Final = 128
"""Addresses looked at, and claims made, in one turn: some 3 ms, after which the first of them are told of."""


@dataclass(slots=True)
class Backlog:
    """A queue without doubles."""

    _fresh: set[IPAddress] = field(default_factory=set)
    _later: dict[IPAddress, None] = field(default_factory=dict)
    """In order: that of a set differs from process to process, and a story must be told again the same."""

    def __bool__(self) -> bool:
        return bool(self._fresh or self._later)

    def add(self, addresses: Iterable[IPAddress]) -> None:
        """Something happened to these."""
        self._fresh.update(addresses)

    def take(self) -> tuple[IPAddress, ...]:
        """Those to look at in this turn, in order."""
        if len(self._fresh) > TURN_MAX:
            self._later.update(dict.fromkeys(in_order(self._fresh)))
            self._fresh = set()
        taken, self._fresh = self._fresh, set()
        taken.update(islice(self._later, TURN_MAX - len(taken)))
        for address in taken:
            self._later.pop(address, None)
        return in_order(taken)


def in_order(addresses: Iterable[IPAddress]) -> tuple[IPAddress, ...]:
    """Sorted: v4 before v6, then ascending; comparing numbers costs a tenth of comparing addresses."""
    v4: list[IPAddress] = []
    v6: list[IPAddress] = []
    for address in addresses:
        (v4 if isinstance(address, IPv4Address) else v6).append(address)
    v4.sort(key=int)
    v6.sort(key=int)
    return (*v4, *v6)
