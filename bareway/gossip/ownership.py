"""Who takes an address whose holder cannot serve it, and when: the order and the ladder.

An address is vacant when nobody holds it, or its holder is dead, not eligible, or leaving while we are not.
The eligible members stand in order; each waits 300 ms longer than the one before it after the address fell
vacant, and claims unless a claim arrived. So a first one that lags delays the others, but never blocks them.

Not covered yet: announcer lists. Their order enters as ``wish`` of ``in_order``; that a newer list moves an
address from a living holder (its second use) joins ``Ownership.due``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.events import Announce, Withdraw, WithdrawReason
from bareway.gossip.member import Facts
from bareway.gossip.profile import LADDER_STEP_S
from bareway.model.names import IPAddress, NodeName
from bareway.model.rank import rank


class Candidate(NamedTuple):
    """One who may take an address."""

    node: NodeName
    leaving: bool


def in_order(
    candidates: Iterable[Candidate], address: IPAddress, wish: Sequence[NodeName] = ()
) -> tuple[NodeName, ...]:
    """All candidates, first the one that should announce; total and equal on every node."""
    ordered = sorted(candidates, key=lambda candidate: order_key(candidate, address, wish))
    return tuple(candidate.node for candidate in ordered)


def order_key(
    candidate: Candidate, address: IPAddress, wish: Sequence[NodeName] = ()
) -> tuple[bool, int, bytes, NodeName]:
    """Who leaves comes last; then the position in the list of wishes; then MetalLB's rank."""
    place = wish.index(candidate.node) if candidate.node in wish else len(wish)
    return (candidate.leaving, place, rank(candidate.node, address), candidate.node)


class Vacancy(NamedTuple):
    """An address that we may take when our turn comes."""

    since: float
    due: float
    seen: float
    """When we looked last."""


@dataclass(slots=True, kw_only=True)
class Ownership:
    """What we see vacant, and what we answer for. ``look`` must be told of everything that changed."""

    me: NodeName
    table: ClaimTable
    wanted: Mapping[IPAddress, frozenset[NodeName] | None] = field(default_factory=dict)
    standings: Mapping[NodeName, Facts] = field(default_factory=dict)
    """Of all living members, ourselves included."""
    protected: Mapping[NodeName, float] = field(default_factory=dict)
    """Crashed members and until when their claims stay their own."""
    silenced: WithdrawReason | None = None
    """A fence has tripped, or we have left: nothing is answered and nothing claimed."""
    answering: set[IPAddress] = field(default_factory=set)
    """What we answer for, as told to the speaker."""
    _vacant: dict[IPAddress, Vacancy] = field(default_factory=dict)
    _next_due: float = inf

    @property
    def deadline(self) -> float:
        """When our next turn comes."""
        return self._next_due

    def see(self, standings: Mapping[NodeName, Facts], protected: Mapping[NodeName, float]) -> set[IPAddress]:
        """Take a new view; returns the addresses to look at because of it."""
        old, self.standings = self.standings, standings
        old_protected, self.protected = self.protected, protected
        changed = {
            node
            for node in old.keys() | standings.keys() | old_protected.keys() | protected.keys()
            if old.get(node) != standings.get(node) or old_protected.get(node) != protected.get(node)
        }
        if self.me in changed:
            return set(self.wanted)
        if not changed:
            return set()
        look = set[IPAddress]().union(*(self.table.held_by(node) for node in (self.me, *changed)))
        if any(_stood_before(old.get(node), standings.get(node)) for node in changed):
            look.update(self._vacant)  # our turns may come earlier; later ones are seen when they are due
        return look

    def look(self, addresses: Iterable[IPAddress], *, now: float) -> None:
        """See anew whether these are vacant and when our turn is."""
        for address in addresses:
            since = self._vacant_from(address, now=now)
            place = None if since is None else self._place(address)
            if since is None or place is None:
                self._vacant.pop(address, None)
                continue
            known = self._vacant.get(address)
            if known is not None and known.since <= now:
                since = known.since
            self._vacant[address] = Vacancy(since, since + place * LADDER_STEP_S, now)
        self._next_due = min((vacancy.due for vacancy in self._vacant.values()), default=inf)

    def due(self, *, now: float) -> list[Claim]:
        """The claims whose turn it is, in the order of their addresses."""
        if now < self._next_due:
            return []
        self.look([address for address in self._due(now) if self._vacant[address].seen < now], now=now)
        return [self.table.next_claim(address, self.me) for address in sorted(self._due(now), key=by_family)]

    def _due(self, now: float) -> list[IPAddress]:
        return [address for address, vacancy in self._vacant.items() if vacancy.due <= now]

    def delay_by(self, lag_s: float, *, now: float) -> None:
        """We did not listen for ``lag_s``: a claim may wait unread, so our turns come later."""
        self._vacant = {
            address: Vacancy(vacancy.since + lag_s, vacancy.due + lag_s, vacancy.seen)
            for address, vacancy in self._vacant.items()
        }
        self.look((), now=now)

    def serves(self, address: IPAddress) -> bool:
        """Whether we are to answer for an address now."""
        claim = self.table.get(address)
        if claim is None or claim.node != self.me or self.silenced or address not in self.wanted:
            return False
        own = self.standings[self.me]
        if not own.started:
            return False
        return self._eligible(self.me, address) or bool(self._candidates(address, started_only=True))

    def answer_for(
        self, addresses: Iterable[IPAddress], *, again: set[IPAddress]
    ) -> list[Announce | Withdraw]:
        """Tell the speaker what changed; what is in ``again`` is announced also if we answered before."""
        taken: list[IPAddress] = []
        lost: dict[WithdrawReason, list[IPAddress]] = {}
        for address in sorted(again.union(addresses), key=by_family):
            if self.serves(address):
                if address in again or address not in self.answering:
                    taken.append(address)
            elif address in self.answering:
                lost.setdefault(self._why_not(address), []).append(address)
        self.answering.update(taken)
        self.answering.difference_update(*lost.values())
        outputs: list[Announce | Withdraw] = [Announce(addresses=tuple(taken))] if taken else []
        return outputs + [Withdraw(addresses=tuple(some), reason=reason) for reason, some in lost.items()]

    def may_take(self, address: IPAddress) -> bool:
        """Whether we are one of those who may claim an address at all."""
        return not self.silenced and address in self.wanted and self._eligible(self.me, address)

    # ------------------------------------------------------------ private

    def _why_not(self, address: IPAddress) -> WithdrawReason:
        claim = self.table.get(address)
        if self.silenced:
            return self.silenced
        if address not in self.wanted:
            return WithdrawReason.NOT_WANTED
        if claim is None or claim.node != self.me:
            return WithdrawReason.BEATEN
        return WithdrawReason.NOT_PERMITTED if self.standings[self.me].started else WithdrawReason.NOT_STARTED

    def _permits(self, address: IPAddress, node: NodeName) -> bool:
        permitted = self.wanted.get(address)
        return permitted is None or node in permitted

    def _eligible(self, node: NodeName, address: IPAddress) -> bool:
        standing = self.standings.get(node)
        return standing is not None and standing.started and standing.able and self._permits(address, node)

    def _candidates(self, address: IPAddress, *, started_only: bool) -> list[Candidate]:
        return [
            Candidate(node, standing.leaving)
            for node, standing in self.standings.items()
            if standing.able and (standing.started or not started_only) and self._permits(address, node)
        ]

    def _vacant_from(self, address: IPAddress, *, now: float) -> float | None:
        """Since when, or from when on, an address is vacant for us; None while it is not."""
        if not self.may_take(address):
            return None
        claim = self.table.get(address)
        if claim is None:
            return now
        if claim.node == self.me:
            return None
        if self._eligible(claim.node, address):
            takes_over = self.standings[claim.node].leaving and not self.standings[self.me].leaving
            return now if takes_over else None
        return max(now, self.protected.get(claim.node, now))

    def _place(self, address: IPAddress) -> int | None:
        """Our position in the order; None if others are to take it, however long they need.

        Where nobody ever claimed, members that are about to start keep their place: so a group that starts
        together shares the addresses by rank, instead of giving all to whoever started first.
        """
        claimed = self.table.get(address) is not None
        candidates = self._candidates(address, started_only=claimed)
        if self.standings[self.me].leaving and not all(candidate.leaving for candidate in candidates):
            return None
        mine = order_key(Candidate(self.me, self.standings[self.me].leaving), address)
        return sum(
            order_key(candidate, address) < mine for candidate in candidates if candidate.node != self.me
        )


def _stood_before(old: Facts | None, new: Facts | None) -> bool:
    """Whether a member that could have been before us in an order perhaps no longer is."""
    return old is not None and (
        new is None
        or (old.able and not new.able)
        or (old.started and not new.started)
        or (new.leaving and not old.leaving)
    )


def by_family(address: IPAddress) -> tuple[int, int]:
    """Sort key of addresses: v4 before v6, then ascending."""
    return (address.version, int(address))
