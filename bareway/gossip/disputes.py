"""When two parts of a group meet again: the smaller one yields, nothing moves away from the greater.

While apart both sides claimed what the other had, in the newest generation each knew and with counts that
say nothing about who should keep it. So a holder that is beaten by a member that it held dead a moment ago
claims anew if its side was the greater one, unless a newer list gives the address to that member. Without
this rule a node that was cut off takes everything when it comes back.
"""

from dataclasses import dataclass

from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.membership import Membership
from bareway.gossip.ownership import Ownership
from bareway.gossip.sides import Sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputes:
    """Judges by what the parts of one machine know."""

    membership: Membership
    table: ClaimTable
    ownership: Ownership
    sides: Sides

    def answer_to(self, new: Claim, *, beaten: Claim, now: float) -> Claim | None:
        """The claim by which we keep what ``new`` took from us; None if it stays taken."""
        if not self.membership.is_back(new.node, now=now):
            return None
        if self.ownership.is_listed_for(new.node, new.address, since=beaten.generation):
            return None
        if not self.ownership.may_take(new.address):
            return None
        if self.membership.own.facts.leaving or not self.sides.outweigh(new.node, now=now):
            return None
        return self.table.next_claim(new.address, self.membership.me, generation=new.generation)
