"""The wish for each group while lists are made: who holds it now, whether that may stay, and who follows."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.loads import Loads
from bareway.decide.announcement.members import Field, Fields
from bareway.decide.announcement.moves import named_for
from bareway.gossip.claims import Claim
from bareway.model.announcer_lists import AnnouncerLists, Entry, shard_of
from bareway.model.names import IPAddress, NodeName, ServiceKey


@dataclass(slots=True, kw_only=True)
class Draft:
    """One group's entry in the making."""

    group: Group
    shard: int
    before: Entry | None
    """What is listed now."""
    candidates: Field
    named: NodeName | None
    """Where the operator wants it."""
    was_adopted: bool
    """As it is listed now."""
    adopted: bool
    """Another load balancer put it where it is."""
    balanced: bool = False
    """It is moved for the load."""
    first: NodeName | None = None
    """Who shall announce it; None while that is open, and in the end where nobody may."""
    nodes: tuple[NodeName, ...] = ()

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """All addresses of the group: their entries are alike."""
        return (*self.group.addresses, *self.group.idle)

    @property
    def moves(self) -> bool:
        """Whether another node than the one listed shall announce it."""
        return self.before is not None and self.before.nodes[:1] != self.nodes[:1]

    def lacks(self, lists: AnnouncerLists) -> bool:
        """Whether one of its addresses has no entry where it belongs."""
        entries = lists.shards[self.shard].entries
        return any(address not in entries for address in self.addresses)

    def cannot_wait(self, lists: AnnouncerLists) -> bool:
        """Whether somebody waits for it: speakers for an entry, or the operator for a move."""
        return self.lacks(lists) or self.balanced or (self.moves and self.first == self.named)

    @property
    def wavers(self) -> bool:
        """Whether another entry is wished for no better reason than how things look at this moment."""
        wanted = self.balanced or (self.moves and self.first == self.named)
        return self.before is not None and self.before.nodes != self.nodes and not wanted

    def hold(self) -> None:
        """Leave the entry as it is for now."""
        if self.before is not None:
            self.nodes, self.adopted = self.before.nodes, self.was_adopted

    def entry(self, generation: int) -> Entry:
        """What to list; who is wished no other keeps the generation."""
        if self.before is not None and self.before.nodes == self.nodes:
            return self.before
        return Entry(generation=generation, nodes=self.nodes)


@dataclass(slots=True, kw_only=True)
class Drafting:
    """Drafts of one decision, and the loads that they add up to."""

    lists: AnnouncerLists
    """What is listed now."""
    fields: Fields
    loads: Loads
    claims: Mapping[IPAddress, Claim] = field(default_factory=dict)
    named: Mapping[ServiceKey, NodeName] = field(default_factory=dict)
    observed: bool
    """Claims are known."""
    evenly: bool = True
    """Load counts; otherwise rank alone."""

    def draft(self, group: Group, *, given: AbstractSet[IPAddress] = frozenset()) -> Draft:
        """One group, finished; it counts as load of its node if it was not listed."""
        draft = self._open(group, given)
        if draft.first is None:
            draft.first = self._place(draft)
        if draft.first is not None and draft.before is None:
            self.loads.count(draft.first)
        if draft.before is None:
            self.line_up(draft)
        else:
            draft.nodes = draft.before.nodes
        return draft

    def draft_all(self, groups: Iterable[Group]) -> list[Draft]:
        """All groups, each with its first node: those that stay are counted before others are placed."""
        drafts = [self._open(group, frozenset()) for group in groups]
        for draft in drafts:
            if draft.first is not None:
                self.loads.count(draft.first)
        for draft in drafts:
            if draft.first is None:
                draft.first = self._place(draft)
                if draft.first is not None:
                    self.loads.count(draft.first)
        return drafts

    def line_up(self, draft: Draft) -> None:
        """Say who follows the first."""
        before = draft.before.nodes if draft.before is not None else ()
        if draft.first is None or (not self.observed and before[:1] == (draft.first,)):
            draft.nodes = before
            return
        draft.nodes = self.loads.line_up(draft.group.key, draft.first, draft.candidates, before)

    def _open(self, group: Group, given: AbstractSet[IPAddress]) -> Draft:
        """A draft whose first node is who holds the group now, if that may stay."""
        shard = shard_of(group.key)
        addresses = (*group.addresses, *group.idle)
        named = named_for(group, self.named)
        candidates = self.fields.of(group, named)
        before = self.lists.entry(addresses, group.key)
        claim = self._claim(group.key, addresses)
        holder = _holder(claim, before, candidates)
        was_adopted = group.key in self.lists.shards[shard].adopted
        adopted = was_adopted and before is not None and before.nodes[:1] == (holder,)
        if claim is None and before is None and given.isdisjoint(addresses) and candidates.standing:
            holder, adopted = self.loads.ranking.first(group.key, tuple(candidates.standing)), True
        keeps = holder is not None and candidates.keeps(holder)
        return Draft(
            group=group,
            shard=shard,
            before=before,
            candidates=candidates,
            named=named,
            was_adopted=was_adopted,
            adopted=adopted and keeps,
            first=holder if keeps else None,
        )

    def _claim(self, key: IPAddress, addresses: Iterable[IPAddress]) -> Claim | None:
        """Of the group, or of a group that became part of it."""
        if key in self.claims:
            return self.claims[key]
        found = (self.claims[address] for address in addresses if address in self.claims)
        return max(found, key=lambda claim: claim.version, default=None)

    def _place(self, draft: Draft) -> NodeName | None:
        nodes = draft.candidates.best
        if not nodes:
            return None
        key = draft.group.key
        return self.loads.place(key, nodes) if self.evenly else self.loads.ranking.first(key, nodes)


def _holder(claim: Claim | None, before: Entry | None, candidates: Field) -> NodeName | None:
    listed = next((node for node in before.nodes if node in candidates.standing), None) if before else None
    if claim is None or (before is not None and before.generation > claim.generation):
        return listed
    return claim.node if claim.node in candidates.standing else listed
