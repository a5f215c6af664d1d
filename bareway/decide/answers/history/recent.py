"""The newest of what happened to many addresses: so many in all, so many of each, the oldest goes first."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from bareway.model.names import IPAddress

T = TypeVar("T")

ALL_MAX: Final = 4096
"""Of all addresses together: some 1.5 MB. Where 5,000 move at once the first of them are forgotten."""
EACH_MAX: Final = 64
"""Of one address: one that moves without end must not push out what is known of the others."""


@dataclass(slots=True)
class Recent(Generic[T]):
    """What is remembered; nothing in it costs more the more there is."""

    all_max: int = ALL_MAX
    each_max: int = EACH_MAX
    dropped: int = 0
    """How many were forgotten."""
    _kept: OrderedDict[int, tuple[IPAddress, T]] = field(default_factory=OrderedDict)
    """By number, the oldest first."""
    _numbers: dict[IPAddress, list[int]] = field(default_factory=dict)
    """Those of each address, ascending."""
    _next: int = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, address: IPAddress, event: T) -> None:
        """Remember it, and forget what is too much."""
        numbers = self._numbers.setdefault(address, [])
        if len(numbers) == self.each_max:
            del self._kept[numbers.pop(0)]
            self.dropped += 1
        elif len(self._kept) == self.all_max:
            self._forget_the_oldest()
            numbers = self._numbers.setdefault(address, numbers)  # it may have been this address's only one
        numbers.append(self._next)
        self._kept[self._next] = (address, event)
        self._next += 1

    @property
    def first(self) -> T | None:
        """The oldest of all."""
        return next((event for _, event in self._kept.values()), None)

    def has_enough_of(self, address: IPAddress) -> bool:
        """Whether older ones of this address may have been forgotten for its own sake."""
        return len(self._numbers.get(address, ())) >= self.each_max

    def of(self, address: IPAddress) -> tuple[T, ...]:
        """What is remembered of one address, the oldest first."""
        return tuple(self._kept[number][1] for number in self._numbers.get(address, ()))

    def all(self) -> tuple[T, ...]:
        """Everything, the oldest first."""
        return tuple(event for _, event in self._kept.values())

    def _forget_the_oldest(self) -> None:
        _, (address, _) = self._kept.popitem(last=False)
        numbers = self._numbers[address]
        numbers.pop(0)
        if not numbers:
            del self._numbers[address]
        self.dropped += 1
