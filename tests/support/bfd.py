"""BFD for tests: packets with defaults, and two sessions in virtual time on a wire that loses packets."""

import heapq
from collections.abc import Callable
from random import Random

from bareway.bfd.packet import Packet, State, decode, encode
from bareway.bfd.session import Event, Output, Received, Send, Session, StateChanged, Tick
from bareway.bfd.timing import Timing

MS = 1000
FAST = Timing(100 * MS, 100 * MS, 3)
OURS, THEIRS = 1, 2
"""Discriminators."""


def packet(state: State = State.DOWN, **changes: object) -> Packet:
    """What a peer with 100 ms times 3 sends that knows us."""
    default = Packet(
        state=state,
        diagnostic=0,
        detect_multiplier=3,
        my_discriminator=THEIRS,
        your_discriminator=OURS,
        desired_min_tx_us=100 * MS,
        required_min_rx_us=100 * MS,
    )
    return default._replace(**changes)  # type: ignore[arg-type] # tests name fields, mypy sees objects


def session(
    timing: Timing = FAST, *, is_passive: bool = False, now: float = 0.0, seed: object = 1
) -> Session:
    return Session(discriminator=OURS, timing=timing, rng=Random(str(seed)), now=now, is_passive=is_passive)


def sent(outputs: list[Output]) -> list[Packet]:
    return [output.packet for output in outputs if isinstance(output, Send)]


def changes(outputs: list[Output]) -> list[StateChanged]:
    return [output for output in outputs if isinstance(output, StateChanged)]


def session_in(state: State, **options: object) -> Session:
    """A session at time 0 that has come to this state by the way that leads there."""
    from bareway.bfd.session import Disable  # noqa: PLC0415 - one row of a table

    it = session(**options)  # type: ignore[arg-type] # as above
    it.handle(Tick(), now=0.0)
    ways: dict[State, list[Event]] = {
        State.DOWN: [Received(packet(State.ADMIN_DOWN))],
        State.INIT: [Received(packet(State.DOWN))],
        State.UP: [Received(packet(State.INIT))],
        State.ADMIN_DOWN: [Disable()],
    }
    for event in ways[state]:
        it.handle(event, now=0.0)
    assert it.state is state
    return it


class Wire:
    """Two sessions, a clock and a wire between them: each packet goes through the codec, or is lost."""

    def __init__(
        self,
        *,
        seed: object = 1,
        loss: float = 0.0,
        timings: tuple[Timing, Timing] = (FAST, FAST),
        passive: tuple[bool, bool] = (False, False),
        delay_s: float = 0.002,
    ) -> None:
        self._rng = Random(f"{seed}/wire")
        self.now = 0.0
        self.loss = loss
        self.delay_s = delay_s
        self.is_cut = [False, False]
        """Nothing gets from this side to the other."""
        self.deaf_to: Callable[[Packet], bool] = lambda packet: False
        self.sides = [
            Session(
                discriminator=17 + 4 * side,
                timing=timings[side],
                rng=Random(f"{seed}/{side}"),
                now=0.0,
                is_passive=passive[side],
            )
            for side in (0, 1)
        ]
        self.log: list[tuple[float, int, Packet]] = []
        """Every packet sent: when, by whom."""
        self.history: list[tuple[float, int, StateChanged]] = []
        self._letters: list[tuple[float, int, int, bytes]] = []
        self._count = 0

    @property
    def states(self) -> tuple[State, State]:
        return self.sides[0].state, self.sides[1].state

    def say(self, side: int, event: Event) -> None:
        self._take(side, self.sides[side].handle(event, now=self.now))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while (at := min(self._next())) <= end:
            self.now = max(self.now, at)
            while self._letters and self._letters[0][0] <= self.now:
                _, _, side, data = heapq.heappop(self._letters)
                self.say(side, Received(decode(data)))
            for side in (0, 1):
                if self.sides[side].deadline <= self.now:
                    self.say(side, Tick())
        self.now = end

    def run_until_up(self, within_s: float = 30.0) -> None:
        end = self.now + within_s
        while self.states != (State.UP, State.UP):
            assert self.now < end, f"{self.states} after {within_s} s"
            self.run(0.01)

    def _next(self) -> list[float]:
        return [side.deadline for side in self.sides] + [letter[0] for letter in self._letters[:1]]

    def _take(self, side: int, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self.log.append((self.now, side, output.packet))
                if (
                    not self.is_cut[side]
                    and self._rng.random() >= self.loss
                    and not self.deaf_to(output.packet)
                ):
                    self._count += 1
                    letter = (self.now + self.delay_s, self._count, 1 - side, encode(output.packet))
                    heapq.heappush(self._letters, letter)
            elif isinstance(output, StateChanged):
                self.history.append((self.now, side, output))
