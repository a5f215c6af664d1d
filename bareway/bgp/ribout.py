"""All that one session tells its peer of our routes, in portions that the driver has room for.

Withdrawals of every family come first, then announcements, then End-of-RIB once the caller's routes are
complete (RFC 4724 section 4.1), also of a family that has none (section 2). Without a next hop a family is
told nothing. Its End-of-RIB waits for one while there are routes: it would have a router throw away those of
our former life. It does not wait for ever, since a router that restarts itself waits for us.
"""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv6Address
from typing import Final

from bareway.bgp import updates
from bareway.bgp.adjacency import Adjacency
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.outbound import Style, next_hop_of
from bareway.bgp.prefixes import IPV4, IPV6, Family
from bareway.bgp.routes import RouteSet
from bareway.model.names import IPAddress

NO_ROUTES: Final = RouteSet()


def styles(
    session: Negotiated,
    *,
    local_asn: int,
    local: IPAddress,
    link_local: IPv6Address | None = None,
    other_family: IPAddress | None = None,
) -> Mapping[Family, Style | None]:
    """How each negotiated family is told; None = without a next hop it cannot be."""
    return {
        family: _style(
            family,
            session,
            local_asn,
            next_hop_of(
                family,
                local=local,
                link_local=link_local,
                other_family=other_family,
                session=session,
            ),
        )
        for family in (IPV4, IPV6)
        if family in session.families
    }


def _style(family: Family, session: Negotiated, local_asn: int, next_hop: bytes | None) -> Style | None:
    if next_hop is None:
        return None
    return Style(
        family=family,
        local_asn=local_asn,
        is_internal=session.is_internal,
        has_four_octet_as=session.has_four_octet_as,
        next_hop=next_hop,
        is_classic=len(next_hop) == IPV4.bits // 8,
    )


class RibOut:
    """Of one session, from Established to its end."""

    def __init__(self, told_as: Mapping[Family, Style | None], *, limit: int, message_max: int) -> None:
        self._styles = dict(told_as)
        self._adjacencies = {family: Adjacency(limit=limit, message_max=message_max) for family in told_as}
        self._routes = NO_ROUTES
        self._is_complete = False
        self._is_leaving = False
        self._ends_due = list(told_as)
        self._waits_for_next_hops = True
        self.messages = 0
        """UPDATEs that were handed out."""

    def want(self, routes: RouteSet, *, is_complete: bool) -> None:
        """Plan the way to ``routes``; what waited for a former wish is dropped."""
        self._routes = routes
        self._is_complete = is_complete
        for family, adjacency in self._adjacencies.items():
            style = self._styles[family]
            if style is not None:
                adjacency.want(routes, style)
            else:
                adjacency.take_all_back()

    def drain(self, *, is_leaving: bool) -> None:
        """Mark all routes with GRACEFUL_SHUTDOWN, or none."""
        self._is_leaving = is_leaving
        self.restyle(self._styles)

    def restyle(self, told_as: Mapping[Family, Style | None]) -> None:
        """Next hops came, went or changed, of families that were agreed on before."""
        self._styles = {
            family: style and replace(style, is_leaving=self._is_leaving) for family, style in told_as.items()
        }
        self.want(self._routes, is_complete=self._is_complete)

    @property
    def is_waiting(self) -> bool:
        """An End-of-RIB waits for a next hop."""
        return self._is_complete and any(not self._may_end(family) for family in self._ends_due)

    def wait_no_longer(self) -> None:
        """Next hops did not come."""
        self._waits_for_next_hops = False

    def _may_end(self, family: Family) -> bool:
        is_told = self._styles[family] is not None or not self._routes.table(family)
        return is_told or not self._waits_for_next_hops

    def limit(self, prefixes: int) -> None:
        """Tell no more of a family than so many."""
        for adjacency in self._adjacencies.values():
            adjacency.limit = prefixes
        self.want(self._routes, is_complete=self._is_complete)

    def refresh(self, family: Family) -> None:
        """Tell all of ``family`` again; of another one there is nothing to tell."""
        if family in self._adjacencies:
            self._adjacencies[family].refresh()

    def next_chunk(self, budget_bytes: int) -> bytes:
        """Whole messages, in all not much more than the budget; empty when nothing is owed."""
        found: list[bytes] = []
        room = budget_bytes
        while room > 0 and (message := self._next()):
            found.append(message)
            self.messages += 1
            room -= len(message)
        return b"".join(found)

    def _next(self) -> bytes | None:
        for withdrawing in (True, False):
            for adjacency in self._adjacencies.values():
                message = adjacency.take(withdrawing=withdrawing)
                if message is not None:
                    return message
        return self._end()

    def _end(self) -> bytes | None:
        due = filter(self._may_end, self._ends_due if self._is_complete else ())
        family = next(due, None)
        if family is None:
            return None
        self._ends_due.remove(family)
        return updates.end_of_rib(family)

    @property
    def is_settled(self) -> bool:
        """Nothing is owed, End-of-RIB neither, but one that waits for a next hop."""
        return self.owed == 0 and not (self._is_complete and any(map(self._may_end, self._ends_due)))

    @property
    def has_ended(self) -> bool:
        """Every End-of-RIB is out: the peer has all of us."""
        return not self._ends_due

    @property
    def owed(self) -> int:
        """Prefixes that wait to be told or taken back."""
        return sum(adjacency.owed for adjacency in self._adjacencies.values())

    @property
    def told(self) -> Mapping[Family, int]:
        """Prefixes that the peer has of us, once all is sent."""
        return {family: adjacency.told for family, adjacency in self._adjacencies.items()}

    @property
    def held_back(self) -> int:
        """Routes wanted and not told: beyond the limit, too long for a message, or without a next hop."""
        untold = [family for family in (IPV4, IPV6) if self._styles.get(family) is None]
        return sum(adjacency.held_back for adjacency in self._adjacencies.values()) + sum(
            len(self._routes.table(family)) for family in untold
        )
