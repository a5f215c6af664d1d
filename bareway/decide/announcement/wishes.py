"""What a speaker tells gossip of each address: who may announce it, best first, and what the lists say of it.

Nodes are left out here that the API's objects leave out, and those without a link that a pool of the address
allows, by the links that each member publishes; a member that publishes none counts as having what it needs.
Where those links speak IPv4 alone, it comes after others for a group of both families.
Which of those that remain can announce now, they say themselves.
"""

from collections.abc import Mapping

from bareway.decide.announcement.announcers import Group
from bareway.gossip.events import Wish
from bareway.model.announcer_lists import AnnouncerLists, Entry, Shard, shard_of
from bareway.model.configuration import Pool
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.steps import Steps, pieces

Links = Mapping[NodeName, Mapping[InterfaceName, bool]]
"""The usable links of every node that is known, by its own word, and whether IPv6 is spoken on each; none for
a node that says nothing."""
Tiers = tuple[frozenset[NodeName], ...] | None

NO_ENTRY = Entry(generation=0)


class Wishes:
    """All wishes as they are now: what changes in a list costs what that list holds, not what all do.

    They are the same as ``wishes_in_steps`` makes of everything.
    """

    def __init__(self) -> None:
        self.wishes: Mapping[IPAddress, Wish] = {}
        """By the key of their group; the same object while nothing differs."""
        self._groups: Mapping[IPAddress, Group] = {}
        self._links: Links = {}
        self._checks_duplicates = True
        self._lists = AnnouncerLists()
        self._keys: Mapping[IPAddress, IPAddress] = {}
        """The key of each address, one that is not announced now included."""

    def follow_in_steps(
        self,
        groups: Mapping[IPAddress, Group],
        lists: AnnouncerLists,
        links: Links,
        *,
        checks_duplicates: bool,
    ) -> Steps[Mapping[IPAddress, Wish]]:
        """Take in what is another than before, and return all wishes."""
        is_all = groups is not self._groups
        if is_all or (links, checks_duplicates) != (self._links, self._checks_duplicates):
            touched = groups
        else:
            touched = {key: groups[key] for key in self._touched(lists)}
        found = yield from wishes_in_steps(
            touched, lists, links, checks_duplicates=checks_duplicates, before=self.wishes
        )
        if is_all:
            self._keys = {a: key for key, one in groups.items() for a in (*one.addresses, *one.idle)}
            self.wishes = found
        elif any(self.wishes[key] is not wish for key, wish in found.items()):
            self.wishes = {**self.wishes, **found}
        self._groups, self._lists = groups, lists
        self._links, self._checks_duplicates = links, checks_duplicates
        return self.wishes

    def _touched(self, lists: AnnouncerLists) -> set[IPAddress]:
        """The groups that these lists may say something else of: an address of theirs is listed otherwise."""
        pairs = zip(self._lists.shards, lists.shards, strict=True)
        differing = [_differences(old, new) for old, new in pairs if old is not new]
        return {self._keys[address] for some in differing for address in some if address in self._keys}


def _differences(old: Shard, new: Shard) -> set[IPAddress]:
    """What is listed otherwise."""
    changed = {address for address, entry in new.entries.items() if old.entries.get(address) != entry}
    return changed | (old.entries.keys() - new.entries.keys()) | (old.new ^ new.new)


def wishes_in_steps(
    groups: Mapping[IPAddress, Group],
    lists: AnnouncerLists,
    links: Links,
    *,
    checks_duplicates: bool,
    before: Mapping[IPAddress, Wish],
) -> Steps[dict[IPAddress, Wish]]:
    """All wishes, by the key of their group; those that are as ``before`` are the same objects."""
    allowed = _Allowed(links)
    wishes: dict[IPAddress, Wish] = {}
    for piece in pieces(groups.items()):
        for key, group in piece:
            entry = lists.entry((*group.addresses, *group.idle), key) or NO_ENTRY
            is_new = checks_duplicates and not lists.shards[shard_of(key)].new.isdisjoint(group.addresses)
            wish = Wish(
                tiers=allowed.tiers(group),
                generation=entry.generation,
                nodes=entry.nodes,
                is_new=is_new,
                has_both=group.has_both,
            )
            known = before.get(key)
            wishes[key] = known if known == wish else wish
        yield
    return wishes


def choosy_in_steps(groups: Mapping[IPAddress, Group]) -> Steps[dict[IPAddress, Pool]]:
    """The addresses that are not announced on every link, each with the pool that says on which."""
    found: dict[IPAddress, Pool] = {}
    for piece in pieces(groups.values()):
        for group in piece:
            for pool in group.pools:
                if pool.interfaces:
                    found.update((a, pool) for a in group.addresses if any(a in one for one in pool.ranges))
        yield
    return found


class _Allowed:
    """The tiers of groups without the nodes that lack a link; equal ones are one object."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._sorted_out: dict[object, tuple[frozenset[NodeName], frozenset[NodeName]]] = {}
        self._known: dict[object, Tiers] = {}

    def tiers(self, group: Group) -> Tiers:
        """Who may announce it, best first; None = any member alike."""
        tiers = group.tiers
        refused, last = self._sort_out(group)
        about = (tiers, refused, last)
        if about not in self._known:
            self._known[about] = self._reduced(tiers, refused, last)
        return self._known[about]

    def _reduced(self, tiers: Tiers, refused: frozenset[NodeName], last: frozenset[NodeName]) -> Tiers:
        if not refused and not last:
            return tiers
        every = (frozenset(self._links),) if tiers is None else tiers
        parts = (part for tier in every for part in (tier - refused - last, (tier - refused) & last))
        return tuple(part for part in parts if part) or (frozenset(),)

    def _sort_out(self, group: Group) -> tuple[frozenset[NodeName], frozenset[NodeName]]:
        """Who may not announce it for lack of a link; who comes after the others for lack of IPv6 there."""
        choosy = tuple(pool.name for pool in group.pools if pool.interfaces)
        about = (choosy, group.key.version, group.has_both)
        if about not in self._sorted_out:
            known = {node: links for node, links in self._links.items() if choosy and links}
            refused = {node for node, links in known.items() if group.link_refusal(links) is not None}
            lacking = {node for node, links in known.items() if group.lacks_ipv6(links)}
            if not group.has_both:
                refused, lacking = refused | lacking, set()
            self._sorted_out[about] = (frozenset(refused), frozenset(lacking))
        return self._sorted_out[about]
