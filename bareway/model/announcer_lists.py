"""Who shall announce each address: the controller's wish, in sixteen shards so that a change writes little.

A list is the plan; who really announces is told by claims in gossip. One generation counter runs over all
shards: a write takes a higher one than any before it, entries that it does not change keep theirs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from bareway.model.names import IPAddress, NodeName

SHARDS: Final = 16
LISTED_MAX: Final = 3
"""Nodes in an entry: who announces and two who follow; after them MetalLB's rank decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The wish for one address; all addresses of a group have the same one."""

    generation: int
    nodes: tuple[NodeName, ...] = ()
    """The first announces; the others follow in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A sixteenth of all groups, by their keys; the content of one ConfigMap."""

    generation: int = 0
    """Of the last write."""
    entries: Mapping[IPAddress, Entry] = field(default_factory=dict)
    new: frozenset[IPAddress] = frozenset()
    """Given to a Service less than a minute ago, or about to be: only these get a duplicate check."""
    adopted: frozenset[IPAddress] = frozenset()
    """Where another load balancer had put them, and never moved since: not to be moved for the load alone."""


def _empty() -> tuple[Shard, ...]:
    return (Shard(),) * SHARDS


@dataclass(frozen=True, slots=True)
class AnnouncerLists:
    """All shards; one that did not change is the same object in the next lists."""

    shards: tuple[Shard, ...] = field(default_factory=_empty)

    @property
    def generation(self) -> int:
        """The highest in any shard."""
        return max(shard.generation for shard in self.shards)

    def entry(self, addresses: Iterable[IPAddress], key: IPAddress) -> Entry | None:
        """The entry of a group: that of ``key``, else the newest that its addresses have in any shard."""
        found = self.shards[shard_of(key)].entries.get(key)
        if found is not None:
            return found
        entries = (
            shard.entries[address]
            for address in addresses
            for shard in self.shards
            if address in shard.entries
        )
        return max(entries, key=lambda entry: entry.generation, default=None)


def shard_of(key: IPAddress) -> int:
    """The shard of a group, by its key: the first hexadecimal digit of SHA-256."""
    return sha256(str(key).encode()).digest()[0] >> 4
