"""Why an address changed hands, and for how long nobody answered, as one speaker can tell from its gossip.

Whoever claims knows best: it decided by the same facts. Others hear the claim, at times before they see what
led to it, and then say so (``UNEXPLAINED``); ``merging`` puts together what several saw.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from bareway.gossip.changes import Change
from bareway.gossip.claims import NOBODY, Claim
from bareway.gossip.events import Wish
from bareway.gossip.member import Member, MemberState
from bareway.gossip.order import tier
from bareway.model.names import IPAddress, NodeName


class HandoverReason(StrEnum):
    """Why an address went from one node to another."""

    FIRST_CLAIM = "FirstClaim"
    """Nobody had it before."""
    HOLDER_DIED = "HolderDied"
    """The former holder fell silent, and did not answer the accusation in time."""
    HOLDER_CRASHED = "HolderCrashed"
    """The former holder's speaker ended while its node lived on, and did not come back in time."""
    HOLDER_LEFT = "HolderLeft"
    """The former holder's speaker said goodbye before somebody had taken over."""
    HOLDER_GONE = "HolderGone"
    """The former holder is no member that is known any more."""
    HOLDER_DRAINED = "HolderDrained"
    """The former holder handed over: its Node is marked, or tainted."""
    HOLDER_STOPPING = "HolderStopping"
    """The former holder handed over: its speaker was told to end, as in an upgrade."""
    HOLDER_LOST_LINK = "HolderLostLink"
    """The former holder said that it may announce nothing: no usable link, or its network is unavailable."""
    HOLDER_NOT_STARTED = "HolderNotStarted"
    """The former holder's speaker had begun anew, or had fallen silent by itself."""
    HOLDER_NOT_PERMITTED = "HolderNotPermitted"
    """Endpoints, node selectors or interfaces no longer allow the former holder to announce it."""
    MOVED_BY_LIST = "MovedByList"
    """The controller placed it elsewhere: preferred nodes, balance, a node that is better suited."""
    MOVED_BY_OPERATOR = "MovedByOperator"
    """A Service names the node that shall announce it (``bareway move``)."""
    PARTITION_HEALED = "PartitionHealed"
    """Two parts of the group met again in which both had claimed it; the better claim counts."""
    GIVEN_UP = "GivenUp"
    """No Service has it any more."""
    UNEXPLAINED = "Unexplained"
    """Whoever told us of it heard the claim, and not what led to it."""


SILENT: Final = frozenset(
    {HandoverReason.HOLDER_DIED, HandoverReason.HOLDER_CRASHED, HandoverReason.HOLDER_LEFT}
)
"""The former holder was heard until some moment, and answered nobody after it."""
SEAMLESS: Final = frozenset(
    {
        HandoverReason.HOLDER_DRAINED,
        HandoverReason.HOLDER_STOPPING,
        HandoverReason.MOVED_BY_LIST,
        HandoverReason.MOVED_BY_OPERATOR,
    }
)
"""The former holder answers until it sees the claim."""


class Remembered(NamedTuple):
    """One change of hands, as it is kept: thousands of them."""

    at: float
    claim: Claim
    former: NodeName | None
    reason: HandoverReason
    gap_s: float | None
    detail: str


class Background(NamedTuple):
    """What a speaker knows besides gossip; asked for planned handovers alone."""

    why_leaving: Callable[[NodeName], str | None]
    """What people or Kubernetes say about a node that hands over; None: nothing."""
    named_for: Callable[[IPAddress], NodeName | None]
    """Which node the Services of an address name."""


def remember(seen: Change, *, heard_at: float | None, background: Background) -> Remembered:
    """What is kept of a change; ``heard_at``: when the former holder spoke last, on an edge of our own."""
    former = None if seen.former is None or seen.former.node == NOBODY else seen.former.node
    reason, detail = _reason(seen, background)
    gap_s: float | None = None
    if reason in SEAMLESS:
        gap_s = 0.0
    elif reason in SILENT and heard_at is not None:
        gap_s = max(0.0, seen.at - heard_at)
    return Remembered(seen.at, seen.claim, former, reason, gap_s, detail)


def _reason(seen: Change, background: Background) -> tuple[HandoverReason, str]:
    if seen.claim.node == NOBODY:
        return HandoverReason.GIVEN_UP, ""
    if seen.former is None or seen.former.node == NOBODY:
        return HandoverReason.FIRST_CLAIM, ""
    if seen.holder is None:
        return HandoverReason.HOLDER_GONE, ""
    cannot = _cannot(seen.holder, seen.wish)
    if cannot is not None:
        return cannot, ""
    return _taken(seen, seen.former, seen.holder, background)


def _cannot(holder: Member, wish: Wish | None) -> HandoverReason | None:
    """Why a member may not announce; None: it may."""
    facts = holder.report.facts
    if not holder.lives:
        return _end_of(holder)
    if not facts.able:
        return HandoverReason.HOLDER_LOST_LINK
    if not facts.started:
        return HandoverReason.HOLDER_NOT_STARTED
    if wish is not None and tier(holder.name, wish) is None:
        return HandoverReason.HOLDER_NOT_PERMITTED
    return None


def _taken(seen: Change, former: Claim, holder: Member, background: Background) -> tuple[HandoverReason, str]:
    """Why it was taken from who could have gone on."""
    if holder.report.facts.leaving:
        why = background.why_leaving(holder.name)
        return (HandoverReason.HOLDER_STOPPING, "") if why is None else (HandoverReason.HOLDER_DRAINED, why)
    if _is_listed(seen.claim, former, seen.wish):
        is_named = background.named_for(seen.claim.address) == seen.claim.node
        return (HandoverReason.MOVED_BY_OPERATOR if is_named else HandoverReason.MOVED_BY_LIST), ""
    if holder.is_back(seen.at) or (seen.taker is not None and seen.taker.is_back(seen.at)):
        return HandoverReason.PARTITION_HEALED, ""
    is_suspect = holder.state is MemberState.SUSPECT
    return (_end_of(holder) if is_suspect else HandoverReason.UNEXPLAINED), ""


def _is_listed(claim: Claim, former: Claim, wish: Wish | None) -> bool:
    """Whether it was taken because a newer list says so: such a claim has the list's generation."""
    if wish is None or claim.node not in wish.nodes:
        return False
    return former.generation < claim.generation == wish.generation


def _end_of(holder: Member) -> HandoverReason:
    if holder.state is MemberState.LEFT:
        return HandoverReason.HOLDER_LEFT
    return HandoverReason.HOLDER_CRASHED if holder.report.crashed else HandoverReason.HOLDER_DIED
