"""What a connection needs of the process that it belongs to, and what is known of a write on its way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sim.control.api import Api


@dataclass(slots=True)
class Weather:
    """How bad it is between processes and the API server."""

    is_away: bool = False
    """The API server answers nobody."""
    error_share: float = 0.0
    """Of requests that are refused, or whose answer is lost, or that are lost themselves."""
    late_share: float = 0.0
    """Of writes that arrive when nobody expects them any more."""
    lags_s: tuple[float, ...] = (0.001, 0.01)
    """By which an event of a watch may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A write on its way."""

    by: str
    life: int
    begun_at: float
    arrived_at: float
    is_stuck: bool
    """Its process was frozen between the decision to send it and the sending."""
    looked_at: int
    """The revision of Services up to which its process had seen them when it decided."""
    state_at: int
    """The same of what is remembered."""


class Owner(Protocol):
    """What is needed of a process and its world."""

    name: str
    life: int
    is_cut: bool
    """It alone does not reach the API server."""
    looked_at: int
    state_at: int

    @property
    def api(self) -> Api:
        """What it writes to."""

    @property
    def weather(self) -> Weather:
        """On the way there."""

    @property
    def now(self) -> float:
        """The world's time."""

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Let something happen in the world."""

    def wake(self, what: Callable[[], None]) -> None:
        """Give the process a turn that begins with this; later, if it is frozen; never, if it has ended."""

    def chance(self) -> float:
        """From 0 to 1."""

    def between(self, low: float, high: float) -> float:
        """Chance."""

    def real_s(self, local_s: float) -> float:
        """How long it takes for the process's clock to go on by so much."""

    def send(self, what: Callable[[bool], None], *, is_write: bool) -> None:
        """Let a request leave: now, or once the process is not frozen any more (then it is ``stuck``)."""

    def arrives(self, flight: Flight) -> None:
        """A write gets to the API server."""

    def unix(self) -> int:
        """Its own time of day."""
