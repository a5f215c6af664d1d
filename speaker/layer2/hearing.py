"""Frames of one kind from one port: waits for them, and keeps its filter that of a set of addresses."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final, Generic, TypeVar

from bareway.layer2.bpf import Program
from bareway.layer2.filter import STEPS_MAX, STEPS_MIN
from bareway.model.names import IPAddress
from speaker.layer2.counters import Counters
from speaker.layer2.sockets import PacketPort

DRAIN_MAX: Final = 64
"""Frames read before the loop gets its turn; a storm cannot starve the rest of the program."""
DRAIN_S: Final = 0.005
"""The same in time, for all ports together: a frame that costs us an answer, a question and an announcement
takes a hundred times as long as one that is dropped, and members that hear nothing from us for a quarter of a
second hold us dead."""
NARROW_AFTER_S: Final = 0.05
"""How long the filter stays wide after a change: making an exact one takes up to some milliseconds."""

AddressT = TypeVar("AddressT", bound=IPAddress)


class Turns:
    """The time that all ports together may take in one turn of the loop; those that need it share it.

    How many need it is known from the turn before. Each may take one frame in any case.
    """

    def __init__(self) -> None:
        self._until: float | None = None
        """When the time of this turn is over; None while no port took more than a frame."""
        self._busy = 0
        self._busy_before = 1

    def until(self, now: float) -> float:
        """How long a port may be read that has frames now."""
        share = now + DRAIN_S / self._busy_before
        return share if self._until is None else min(share, self._until)

    def took_some(self, since: float) -> None:
        """A port that is read since then has more than one frame, or one that costs much."""
        self._busy += 1
        if self._until is None:
            self._until = since + DRAIN_S
            # It runs in the next turn, before any port is read there.
            asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self._busy_before, self._busy, self._until = self._busy, 0, None


class Ear:
    """Hands over each frame that comes in, until it is closed."""

    def __init__(
        self,
        port: PacketPort,
        on_frame: Callable[[bytes], None],
        counters: Counters,
        *,
        clock: Callable[[], float],
        turns: Turns,
    ) -> None:
        """``turns`` is shared by all ports that may not take more than their time together."""
        self._port = port
        self._on_frame = on_frame
        self._counters = counters
        self._clock = clock
        self._turns = turns
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._drain)

    def close(self) -> None:
        """Hear nothing more; the port stays open."""
        self._loop.remove_reader(self._port.fileno())

    def _drain(self) -> None:
        began = self._clock()
        until = self._turns.until(began)
        for number in range(DRAIN_MAX):
            try:
                frame = self._port.receive()
            except OSError as error:  # ENETDOWN: told once when the link goes down
                self._counters.failed(error)
                return
            if frame is None:
                return
            self._counters.frames += 1
            self._on_frame(frame)
            is_over = self._clock() >= until
            if number == 1 or (is_over and number == 0):
                self._turns.took_some(began)
            if is_over:  # what waits wakes us again, after everything else
                return


class Sieve(Generic[AddressT]):
    """The filter of one port: opened at once when the set grows, and made exact a little later."""

    def __init__(
        self,
        port: PacketPort,
        counters: Counters,
        *,
        everything: Program,
        make: Callable[[Collection[AddressT], int], Program],
    ) -> None:
        self.addresses: dict[AddressT, None] = {}
        """Changed by ``add`` and ``remove`` only."""
        self.is_wide = False
        self._port = port
        self._counters = counters
        self._everything = everything
        self._make = make
        self._narrowing: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def add(self, addresses: Collection[AddressT]) -> None:
        """Let these through too, from this call on."""
        before = len(self.addresses)
        self.addresses.update(dict.fromkeys(addresses))
        if len(self.addresses) == before:
            return
        if not self.is_wide:
            self._port.attach(self._everything)
            self.is_wide = True
        self._narrow_soon()

    def remove(self, addresses: Collection[AddressT]) -> None:
        """These need not come through any more."""
        for address in addresses:
            self.addresses.pop(address, None)
        self._narrow_soon()

    def close(self) -> None:
        """Leave the filter as it is."""
        if self._narrowing is not None:
            self._narrowing.cancel()

    def _narrow_soon(self) -> None:
        if self._narrowing is None:
            self._narrowing = self._loop.call_later(NARROW_AFTER_S, self._narrow)

    def _narrow(self) -> None:
        self._narrowing = None
        for steps_max in (STEPS_MAX, STEPS_MIN):
            try:
                self._port.attach(self._make(self.addresses.keys(), steps_max))
            except OSError as error:  # no memory for it: the one in place lets through more, not less
                self._counters.failed(error)
            else:
                self.is_wide = False
                return
