"""An address changes hands: what one member sees at that moment, for whoever keeps its history.

Nothing is decided by it. What is told is what lies at hand, so that it costs a failover nothing: why it
happened is for the witness to judge.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from bareway.gossip.claims import NOBODY, Claim
from bareway.gossip.events import Wish
from bareway.gossip.member import Member
from bareway.gossip.membership import Membership
from bareway.model.names import NodeName


class Change(NamedTuple):
    """One claim that displaced another's."""

    at: float
    """When it was made, or heard."""
    former: Claim | None
    """None: nobody is known to have had the address."""
    claim: Claim
    holder: Member | None
    """Of the former claim, as it is held now; None: nobody, or no member that is known."""
    taker: Member | None
    """Of the new claim."""
    wish: Wish | None
    """For the address, as it stands here."""


Witness: TypeAlias = Callable[[Change], None]
"""Must not wait, and not raise: it is called on the path of a failover."""


def is_change_of_hands(former: Claim | None, claim: Claim) -> bool:
    """Whether another node has the address now; who claims anew what it has already changes nothing."""
    return claim.node != (NOBODY if former is None else former.node)


def seen_change(
    former: Claim | None, claim: Claim, membership: Membership, wish: Wish | None, *, now: float
) -> Change:
    """What is to be told of it."""
    holder = None if former is None else _member(membership, former.node)
    return Change(now, former, claim, holder, _member(membership, claim.node), wish)


def _member(membership: Membership, node: NodeName) -> Member | None:
    if node == membership.me:
        return Member(report=membership.own, since=membership.born_at)
    return membership.get(node)
