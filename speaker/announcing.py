"""Keeps what the responders answer for equal to what gossip granted and the decision wants.

Gossip grants and revokes keys; the decision says which addresses belong to a key. Either may change first,
so both are kept, and the difference to what is announced is applied at once. A grant is applied before
anything else is done with it: it lies on the failover path.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from bareway.decide.announcement.announcers import Group
from bareway.model.names import IPAddress


class Responder(Protocol):
    """What answers on the wire."""

    def announce(self, addresses: Sequence[IPAddress]) -> None:
        """Answer for ``addresses`` from now on, and tell the neighbours at once, also anew."""

    def withdraw(self, addresses: Sequence[IPAddress]) -> None:
        """Stop answering for ``addresses`` at once."""


class Announcing:
    """The addresses this node announces."""

    def __init__(self, responder: Responder, on_announced: Callable[[Group], None]) -> None:
        """``on_announced`` is called for each group after its addresses are answered."""
        self._responder = responder
        self._on_announced = on_announced
        self._groups: Mapping[IPAddress, Group] = {}
        self._held: set[IPAddress] = set()
        self._announced: dict[IPAddress, IPAddress] = {}

    @property
    def addresses(self) -> Mapping[IPAddress, IPAddress]:
        """Each address that is announced here, and the key of its group."""
        return self._announced

    @property
    def groups(self) -> Mapping[IPAddress, Group]:
        """All groups of the last decision, by key."""
        return self._groups

    def grant(self, keys: Collection[IPAddress]) -> int:
        """Gossip says that we hold ``keys``; those that we held before are told to the neighbours anew.

        Returns how many we did not hold before.
        Somebody else may have announced them for a while: after a pause of ours, or a partition.
        """
        granted = [self._groups[key] for key in keys if key in self._groups]
        new = [group for group in granted if group.key not in self._held]
        before = len(self._held)
        self._held.update(keys)
        self._announce([(address, group.key) for group in granted for address in group.addresses])
        for group in new:
            self._on_announced(group)
        return len(self._held) - before

    def revoke(self, keys: Iterable[IPAddress]) -> None:
        """Gossip says that we no longer hold ``keys``."""
        revoked = [key for key in keys if key in self._held]
        self._held.difference_update(revoked)
        groups = [self._groups[key] for key in revoked if key in self._groups]
        self._withdraw([address for group in groups for address in group.addresses])

    def decide(self, groups: Mapping[IPAddress, Group]) -> None:
        """A new decision: which addresses belong to which key."""
        before, self._groups = self._groups, groups
        wanted = {
            address: key
            for key in sorted(self._held & groups.keys(), key=lambda key: (key.version, int(key)))
            for address in groups[key].addresses
        }
        self._withdraw([address for address in self._announced if address not in wanted])
        self._announce([(address, key) for address, key in wanted.items() if address not in self._announced])
        self._announced.update(wanted)
        for key in dict.fromkeys(wanted.values()):
            if before.get(key) is None or before[key].services != groups[key].services:
                self._on_announced(groups[key])

    def _announce(self, addresses: Sequence[tuple[IPAddress, IPAddress]]) -> None:
        if addresses:
            self._announced.update(addresses)  # first: the responder's fence asks for it with every frame
            self._responder.announce([address for address, _ in addresses])

    def _withdraw(self, addresses: Sequence[IPAddress]) -> None:
        for address in addresses:
            del self._announced[address]
        if addresses:
            self._responder.withdraw(addresses)
