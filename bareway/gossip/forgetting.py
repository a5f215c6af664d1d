"""What becomes of claims to addresses that nobody wants any more.

The holder gives such an address up, so that others who still want it may take it; and a minute after the API
named it last everybody forgets it, so that the table stays as small as what is in use. Members forget at
slightly different times: what was just forgotten is not learnt again from one who is slower.
"""

from collections.abc import Container
from dataclasses import dataclass, field

from bareway.gossip.claims import ClaimTable
from bareway.gossip.profile import FORGET_S, RELEASE_S
from bareway.model.names import IPAddress, NodeName


@dataclass(slots=True, kw_only=True)
class Forgetting:
    """Goes through the table now and then."""

    me: NodeName
    table: ClaimTable
    _unwanted_since: dict[IPAddress, float] = field(default_factory=dict)

    def sweep(self, wanted: Container[IPAddress], *, now: float) -> list[IPAddress]:
        """Forget what is due, and return what we hold but do not want: to be given up."""
        self.table.learn_again(now - FORGET_S)
        unwanted = [claim for claim in self.table if claim.address not in wanted]
        self._unwanted_since = {
            claim.address: self._unwanted_since.get(claim.address, now) for claim in unwanted
        }
        released: list[IPAddress] = []
        for claim in unwanted:
            unwanted_s = now - self._unwanted_since[claim.address]
            if unwanted_s >= FORGET_S:
                self.table.forget(claim.address, now=now)
            elif unwanted_s >= RELEASE_S and claim.node == self.me:
                released.append(claim.address)
        return released
