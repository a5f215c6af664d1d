"""What the election of the leading controller is about: its times, what happens to it, what it asks for.

The Lease is the one of coordination.k8s.io/v1; the rules live in ``controller.leading.leadership``.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Final, TypeAlias

from bareway.model.objects import Lease

NOBODY: Final = ""
"""The holder of a Lease that was released."""
LEASE_NAME: Final = "bareway-controller"
LEASE_MAX_S: Final = 60
"""How long another's Lease is believed at most, whatever it says: somebody may have written a year."""

TRANSITIONS_MAX: Final = 2**31 - 1
"""What the API holds in ``leaseTransitions``; it refuses more, and then nobody could lead any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How soon is too late. A crash is followed by ``lease_s + request_s``, and the time to list anew."""

    lease_s: int = 3
    """A Lease that has not changed for so long is anybody's; whole seconds, since the API knows no others."""
    renew_deadline_s: float = 1.75
    """Without a renewal for so long nothing is written any more."""
    request_s: float = 1.0
    """How long a request may take, and the server to end one that nobody waits for."""
    renew_every_s: float = 0.8
    """Two attempts fit into the deadline."""
    retry_s: float = 0.2
    """Pause before another attempt; a random half to all of it, so that two do not go in step."""
    retry_cap_s: float = 2.0
    """What it grows to while the API server is away."""

    def __post_init__(self) -> None:
        assert self.request_s + self.renew_deadline_s < self.lease_s, "two could write at once"  # noqa: S101


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Warm:
    """Everything that decisions need was listed once: we may stand."""

    is_new: bool
    """There is no trace of a controller that ever led: a Lease that is missing was not deleted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The watch shows the Lease, or that there is none; perhaps late."""

    lease: Lease | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A Look was answered: so it is, at a moment since it was asked."""

    lease: Lease | None


@dataclass(frozen=True, slots=True)
class Written:
    """A Put was done; the Lease as it is then."""

    lease: Lease
    is_first: bool = True
    """Of a Put for the very first Lease: whether we alone could leave the mark that says so. Who finds it
    there comes after another, whose Lease was deleted."""


@dataclass(frozen=True, slots=True)
class Outrun:
    """A Put was not done: somebody wrote, created or deleted the Lease before."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A Put or Look failed; a Put may have been done."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that ``Prepare(term)`` asked for was done."""

    term: int


@dataclass(frozen=True, slots=True)
class Resign:
    """We shall end; the last request that wrote anything has ended."""


@dataclass(frozen=True, slots=True)
class Tick:
    """It may be time."""


Answer: TypeAlias = Looked | Written | Outrun | Unanswered
Event: TypeAlias = Warm | Seen | Answer | Prepared | Resign | Tick


# ---------------------------------------------------------------- outputs


class Loss(StrEnum):
    """Why we lead no more."""

    RENEWAL_OVERDUE = "RenewalOverdue"
    LEASE_CHANGED = "LeaseChanged"
    """The watch shows the Lease as not ours; we look, and write nothing until then."""
    LEASE_TAKEN = "LeaseTaken"
    LEASE_DELETED = "LeaseDeleted"
    RESIGNED = "Resigned"


class Claim(Enum):
    """Over what a Put is made, which says what the successor owes to who led before."""

    OURS = auto()
    FIRST = auto()
    """There was no Lease and no other trace: nobody led before."""
    DELETED = auto()
    """There is none any more, or was none when a controller of before knew no Lease; one may still lead."""
    RELEASED = auto()
    """All that its holder ever wrote had ended."""
    EXPIRED = auto()
    """Something of its holder may still be on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write the Lease, if nobody has since ``over`` was read; create it if that is None."""

    over: Lease | None
    holder: str
    """NOBODY = release."""
    transitions: int
    claim: Claim = field(repr=False)

    @property
    def is_new_holder(self) -> bool:
        """Whether the holder changes, and with it the time of acquisition."""
        return self.over is None or self.over.holder != self.holder


@dataclass(frozen=True, slots=True)
class Look:
    """Read the Lease from the API server, not from the watch."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """List everything afresh, forget what was assumed, then say ``Prepared(term)``."""

    term: int


@dataclass(frozen=True, slots=True)
class Lead:
    """We lead: again in the same term if nobody else did in between."""

    term: int


@dataclass(frozen=True, slots=True)
class Yield:
    """We lead no more, for now."""

    loss: Loss


@dataclass(frozen=True, slots=True)
class Done:
    """After Resign: there is nothing left to do."""


Output: TypeAlias = Put | Look | Prepare | Lead | Yield | Done
