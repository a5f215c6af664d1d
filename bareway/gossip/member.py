"""A member of the group as others see it: its state, its identity in time, and what it says of itself.

``(epoch, incarnation)`` orders everything said about one member. The epoch is new with each start of its
process, so a restarted member beats its old life at once; the incarnation is raised only by the member
itself: to refute an accusation, or because one of its facts changed.

Not covered: observers (the controller) and free metadata; both join as fields of ``Report``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bareway.model.names import NodeName


class MemberState(StrEnum):
    """How a member is held; at one ``(epoch, incarnation)`` a later word beats an earlier one."""

    ALIVE = "Alive"
    SUSPECT = "Suspect"
    DEAD = "Dead"
    LEFT = "Left"


STRENGTH = {MemberState.ALIVE: 0, MemberState.SUSPECT: 1, MemberState.DEAD: 2, MemberState.LEFT: 3}
"""The order of states at equal ``(epoch, incarnation)``."""


class MemberReason(StrEnum):
    """Why a member's state changed."""

    JOINED = "Joined"
    """Never heard of before."""
    RETURNED = "Returned"
    """It was held dead: it may have been cut off, and have announced what we did."""
    REJOINED = "Rejoined"
    """It had said goodbye."""
    REFUTED = "Refuted"
    SILENT = "Silent"
    CRASHED = "Crashed"
    ACCUSED = "Accused"
    NOT_REFUTED = "NotRefuted"
    REPORTED_DEAD = "ReportedDead"
    SAID_GOODBYE = "SaidGoodbye"


class Side(NamedTuple):
    """How much of the group a member saw at least in the last seconds: its weight after a partition."""

    members: int
    lowest: NodeName

    def is_greater_than(self, other: "Side") -> bool:
        """More members; of two equal parts the one with the lowest name."""
        if self.members != other.members:
            return self.members > other.members
        return self.lowest < other.lowest


NO_SIDE = Side(0, NodeName(""))
"""The side of who has not started or was just paused: it outweighs nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a member says of itself; nobody else computes it."""

    started: bool = False
    """It has learnt the claims of others and may take addresses."""
    able: bool = False
    """Its own node may announce: the network is there and a link is usable."""
    leaving: bool = False
    """It is drained or about to stop: others take over, it serves until they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing said about one member, by itself or by another."""

    name: NodeName
    epoch: int
    incarnation: int
    state: MemberState
    facts: Facts = Facts()
    by: NodeName
    """Who says so; for a suspicion each sayer counts once."""
    side: Side | None = None
    """As it last published it, as far as the sender knows; no part of what reports are compared by."""
    crashed: bool = False
    """Its process ended while its node lives on: its port refused a connection."""

    @property
    def version(self) -> tuple[int, int]:
        """What orders reports about one member."""
        return (self.epoch, self.incarnation)


def supersedes(report: Report, known: Report) -> bool:
    """Whether ``report`` says more than what is ``known`` of the same member: a total order."""
    if report.version != known.version:
        return report.version > known.version
    return STRENGTH[report.state] > STRENGTH[known.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as we hold it now."""

    report: Report
    """The best thing said about it."""
    since: float
    """When we began to hold it so."""
    protected_until: float = 0.0
    """Its process crashed: until then its claims stay its own."""
    revived_at: float | None = None
    """When it was last held dead and came back."""

    @property
    def name(self) -> NodeName:
        """The Node's name."""
        return self.report.name

    @property
    def state(self) -> MemberState:
        """How it is held."""
        return self.report.state

    @property
    def lives(self) -> bool:
        """Alive or suspect: a suspect keeps what it has."""
        return self.state in {MemberState.ALIVE, MemberState.SUSPECT}
