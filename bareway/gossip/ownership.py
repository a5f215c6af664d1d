"""Who takes an address whose holder cannot serve it, and when: the ladder. And what we answer for.

An address is vacant when nobody holds it, or its holder is dead, not eligible, or leaving while we are not.
The eligible members stand in order (``order``); each waits 300 ms longer than the one before it after the
address fell vacant, and claims unless a claim arrived. So a first one that lags delays the others, but never
blocks them. Of a living holder an address is taken only if a newer list says so, at once and by the first in
order alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from operator import is_
from typing import Final, NamedTuple

from bareway.gossip.backlog import TURN_MAX, in_order
from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.events import Announce, ListsKnown, Wish, Withdraw, WithdrawReason
from bareway.gossip.member import Facts
from bareway.gossip.order import Order
from bareway.gossip.profile import LADDER_STEP_S, LISTS_LATE_S, UNLISTED_S
from bareway.model.names import IPAddress, NodeName


class Vacancy(NamedTuple):
    """An address that we may take when our turn comes."""

    since: float
    due: float
    seen: float
    """When we looked last."""


class Hold(NamedTuple):
    """What the link says of a member that is held dead (``evidence``)."""

    until: float
    """It still answers there: until then its addresses do not count as vacant."""
    asked_until: float
    """The link was asked; before this nothing is known."""


NO_HOLD: Final = Hold(-inf, -inf)


def differences(before: Mapping[IPAddress, Wish], wanted: Mapping[IPAddress, Wish]) -> set[IPAddress]:
    """The addresses that only one of them has, or that are wished otherwise."""
    if len(before) == len(wanted) and all(map(is_, before, wanted)):
        # The same addresses in the same order, as ever but when Services change: nothing need be looked up.
        pairs = zip(wanted, before.values(), wanted.values(), strict=True)
        return {address for address, old, new in pairs if old is not new and old != new}
    look = before.keys() ^ wanted.keys()
    look.update(address for address, wish in wanted.items() if before.get(address, wish) != wish)
    return look


@dataclass(slots=True, kw_only=True)
class Ownership:
    """What we see vacant, and what we answer for. ``look`` must be told of everything that changed."""

    me: NodeName
    table: ClaimTable
    wanted: Mapping[IPAddress, Wish] = field(default_factory=dict)
    lists: ListsKnown = field(default_factory=ListsKnown)
    order: Order = field(default_factory=Order)
    """Of all living members, ourselves included."""
    protected: Mapping[NodeName, float] = field(default_factory=dict)
    """Crashed members and until when their claims stay their own."""
    holds: Mapping[NodeName, Hold] = field(default_factory=dict)
    """Members that the link was asked about."""
    withholds: Callable[[IPAddress], bool] = lambda _: False
    """Whether something on the link keeps us from answering for what we hold."""
    is_back: Callable[[NodeName, float], bool] = lambda _node, _now: False
    """Whether a member was held dead a moment ago."""
    silenced: WithdrawReason | None = None
    """A fence has tripped, or we have left: nothing is answered and nothing claimed."""
    waits_until: float = -inf
    """Nothing is taken over before: we had no majority, and may be wrong about who lives."""
    answering: set[IPAddress] = field(default_factory=set)
    """What we answer for, as told to the speaker."""
    _vacant: dict[IPAddress, Vacancy] = field(default_factory=dict)
    _next_due: float = inf
    _ahead: set[IPAddress] = field(default_factory=set)
    """Addresses whose list is newer than the claim: who is first in order may be told to take them."""
    _unlisted: dict[IPAddress, float] = field(default_factory=dict)
    """Addresses that are in no list, and since when we know them so."""

    @property
    def deadline(self) -> float:
        """When our next turn comes."""
        return self._next_due

    # ------------------------------------------------------------ what we are told

    def want(self, wanted: Mapping[IPAddress, Wish], lists: ListsKnown, *, now: float) -> set[IPAddress]:
        """Take new wishes; returns the addresses to look at because of them."""
        before, self.wanted = self.wanted, wanted
        unlisted = self._unlisted
        self._unlisted = {
            address: unlisted.get(address, now) for address, wish in wanted.items() if not wish.generation
        }
        look = differences(before, wanted)
        if lists != self.lists:
            self.lists = lists
            look.update(address for address in unlisted if address in self._vacant)
        return look

    def see(self, standings: Mapping[NodeName, Facts], protected: Mapping[NodeName, float]) -> set[IPAddress]:
        """Take a new view; returns the addresses to look at because of it."""
        old, self.order = self.order.standings, Order(standings)
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
        look = set[IPAddress]().union(
            *(self.table.held_by(node) for node in (self.me, *changed)), self._ahead
        )
        if any(node in old and old[node] != standings.get(node) for node in changed):
            look.update(self._vacant)  # our turns may come earlier; later ones are seen when they are due
        return look

    def hold(self, holds: Mapping[NodeName, Hold]) -> set[IPAddress]:
        """Take what the link says; returns the addresses to look at because of it."""
        if holds == self.holds:
            return set()
        changed = [node for node in {**self.holds, **holds} if self.holds.get(node) != holds.get(node)]
        self.holds = holds
        dead = (node for node in changed if node not in self.order.standings)
        return set[IPAddress]().union(*(self.table.held_by(node) for node in dead))

    # ------------------------------------------------------------ vacancies

    def look(self, addresses: Iterable[IPAddress], *, now: float) -> None:
        """See anew whether these are vacant and when our turn is."""
        is_first_gone = False
        for address in addresses:
            new, old = self._vacancy(address, now), self._vacant.pop(address, None)
            is_first_gone |= old is not None and old.due <= self._next_due
            if new is not None:
                self._vacant[address] = new
                self._next_due = min(self._next_due, new.due)
        if is_first_gone:
            self._next_due = min((vacancy.due for vacancy in self._vacant.values()), default=inf)

    def due(self, *, now: float) -> tuple[IPAddress, ...]:
        """The addresses whose turn it is, in order; more may be due in the next turn."""
        if now < self._next_due:
            return ()
        due = list(islice((address for address, known in self._vacant.items() if known.due <= now), TURN_MAX))
        self.look([address for address in due if self._vacant[address].seen < now], now=now)
        found = ((each, self._vacant.get(each)) for each in due)
        return in_order(each for each, vacancy in found if vacancy is not None and vacancy.due <= now)

    def taken(self, addresses: Iterable[IPAddress]) -> None:
        """These are claimed: they are not vacant any more."""
        for address in addresses:
            self._vacant.pop(address, None)
        self._next_due = min((vacancy.due for vacancy in self._vacant.values()), default=inf)

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: a claim may wait unread, so our turns come later."""
        self._vacant = {
            address: Vacancy(vacancy.since + lag_s, vacancy.due + lag_s, vacancy.seen)
            for address, vacancy in self._vacant.items()
        }
        self._next_due = min((vacancy.due for vacancy in self._vacant.values()), default=inf)

    def may_take(self, address: IPAddress) -> bool:
        """Whether we are one of those who may claim an address at all."""
        return self._may_take(address, self.wanted.get(address))

    def succeeds(self, address: IPAddress) -> int | None:
        """Our place in the order among all but the present holder; None if we may not take it."""
        claim = self.table.get(address)
        if claim is None or not self.may_take(address):
            return None
        wish = self.wanted[address]
        others = (node for node in self.order.candidates(address, wish) if node != claim.node)
        return self._place(others, address, wish)

    def is_listed_for(self, node: NodeName, address: IPAddress, *, since: int) -> bool:
        """Whether a list newer than generation ``since`` gives an address to a member, of all in it."""
        wish = self.wanted.get(address)
        if wish is None or wish.generation <= since or node not in wish.nodes:
            return False
        before = wish.nodes[: wish.nodes.index(node)]
        return not any(self.order.eligible(each, address, wish) and not self._leaves(each) for each in before)

    def _vacancy(self, address: IPAddress, now: float) -> Vacancy | None:
        claim, wish = self.table.get(address), self.wanted.get(address)
        is_ahead = self._note_ahead(address, wish, claim)
        if wish is None or not self._may_take(address, wish) or (claim is not None and claim.node == self.me):
            return None
        since, not_before, left_for_s = now, self.waits_until, 0.0
        if claim is not None and self.order.eligible(claim.node, address, wish):
            if is_ahead and self._is_moved_here(address, wish):
                return Vacancy(now, now, now)
            if not self._is_handed_over(claim.node):
                return None
            left_for_s = self._left_for_s(claim.node, now)
        elif claim is not None:
            since, asked_until = self._free_from(claim.node, now)
            not_before = max(not_before, asked_until)
        # Where nobody ever claimed, members that are about to start keep their place: so a group that starts
        # together shares the addresses by the order, instead of giving all to whoever started first.
        place = self._place(self.order.candidates(address, wish, started=claim is not None), address, wish)
        if place is None:
            return None
        if since <= now:
            since = self._seen_vacant(address, now)
        since = max(since, self._listed_by(address))
        return Vacancy(since, max(since + left_for_s + place * LADDER_STEP_S, not_before), now)

    def _seen_vacant(self, address: IPAddress, now: float) -> float:
        """Since when we see it vacant."""
        known = self._vacant.get(address)
        return now if known is None else min(known.since, now)

    def _note_ahead(self, address: IPAddress, wish: Wish | None, claim: Claim | None) -> bool:
        """Whether the list is newer than the claim; such addresses are looked at when members change."""
        if claim is not None and wish is not None and wish.generation > claim.generation:
            self._ahead.add(address)
            return True
        if self._ahead:
            self._ahead.discard(address)
        return False

    def _may_take(self, address: IPAddress, wish: Wish | None) -> bool:
        return wish is not None and not self.silenced and self.order.eligible(self.me, address, wish)

    def _is_handed_over(self, holder: NodeName) -> bool:
        """Whether a living holder waits for others to take what it has."""
        return self._leaves(holder) and not self._leaves(self.me)

    def _left_for_s(self, holder: NodeName, now: float) -> float:
        """Who comes back from another side may have taken it from somebody, who then claims it anew first."""
        return LADDER_STEP_S if self.is_back(holder, now) else 0.0

    def _free_from(self, holder: NodeName, now: float) -> tuple[float, float]:
        """From when on what a member held counts as vacant, and before when it is not taken all the same."""
        hold = self.holds.get(holder, NO_HOLD)
        return max(now, self.protected.get(holder, now), hold.until), hold.asked_until

    def _place(self, candidates: Iterable[NodeName], address: IPAddress, wish: Wish) -> int | None:
        """Our position in the order; None if others are to take it, however long they need."""
        nodes = list(candidates)
        if self._leaves(self.me) and not all(map(self._leaves, nodes)):
            return None
        return self.order.place(self.me, nodes, address, wish)

    def _is_moved_here(self, address: IPAddress, wish: Wish) -> bool:
        """Whether the list, newer than the claim, gives a living member's address to us."""
        if self.me not in wish.nodes or self._leaves(self.me):
            return False
        return self.order.place(self.me, self.order.candidates(address, wish), address, wish) == 0

    def _leaves(self, node: NodeName) -> bool:
        return self.order.standings[node].leaving

    def _listed_by(self, address: IPAddress) -> float:
        """Until when a list may come that says who is to take an address in none; long ago if none will."""
        if not self.lists.exist or not self.lists.current or address not in self._unlisted:
            return -inf
        since = self._unlisted[address]
        is_late = self.table.generation > self.lists.generation
        return since + (LISTS_LATE_S if is_late else UNLISTED_S)

    # ------------------------------------------------------------ answering

    def claim_for(self, address: IPAddress) -> Claim:
        """The claim by which we take an address whose turn it is."""
        claim, wish = self.table.get(address), self.wanted[address]
        lives = claim is not None and self.order.eligible(claim.node, address, wish)
        is_moved = claim is not None and lives and not self._is_handed_over(claim.node)
        return self.table.next_claim(address, self.me, generation=wish.generation if is_moved else None)

    def serves(self, address: IPAddress) -> bool:
        """Whether we are to answer for an address now."""
        claim, wish = self.table.get(address), self.wanted.get(address)
        if claim is None or claim.node != self.me or self.silenced or wish is None:
            return False
        if not self.order.standings[self.me].started or self.withholds(address):
            return False
        if self.order.eligible(self.me, address, wish):
            return True
        return any(True for _ in self.order.candidates(address, wish))

    def answer_for(
        self, addresses: Iterable[IPAddress], *, again: set[IPAddress]
    ) -> list[Announce | Withdraw]:
        """Tell the speaker what changed; what is in ``again`` is announced also if we answered before."""
        taken: list[IPAddress] = []
        lost: dict[WithdrawReason, list[IPAddress]] = {}
        for address in in_order(again.union(addresses)):
            if self.serves(address):
                if address in again or address not in self.answering:
                    taken.append(address)
            elif address in self.answering:
                lost.setdefault(self._why_not(address), []).append(address)
        self.answering.update(taken)
        self.answering.difference_update(*lost.values())
        outputs: list[Announce | Withdraw] = [Announce(addresses=tuple(taken))] if taken else []
        return outputs + [Withdraw(addresses=tuple(some), reason=reason) for reason, some in lost.items()]

    def _why_not(self, address: IPAddress) -> WithdrawReason:
        claim = self.table.get(address)
        if self.silenced:
            return self.silenced
        if address not in self.wanted:
            return WithdrawReason.NOT_WANTED
        if claim is None or claim.node != self.me:
            return WithdrawReason.BEATEN
        if not self.order.standings[self.me].started:
            return WithdrawReason.NOT_STARTED
        return WithdrawReason.YIELDED if self.withholds(address) else WithdrawReason.NOT_PERMITTED
