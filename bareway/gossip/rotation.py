"""From one gossip key to the next without an edge lost: both count until every member reports the new one.

The newest key seals; those before it open what others still seal with them. Members publish the id of the
newest key that they hold. Once all report ours, and everybody had the time to read the Secret, the former
keys count no longer, and edges that still have one are opened anew. Who is held dead while its Node is still
there may live on another side of a partition, and without the API there: it is waited for too.
"""

from collections.abc import Collection, Container, Iterable
from typing import Final

from bareway.gossip.member import Member, MemberState
from bareway.gossip.sealing import KEYS_MAX, Keyring
from bareway.model.names import NodeName

KEEP_S: Final = 60.0
"""A former key counts at least so long: a member that starts or returns meanwhile may not have read the new
one yet, and nobody sees it before it is here."""


def reported(members: Iterable[Member], nodes: Container[NodeName]) -> frozenset[bytes]:
    """The newest keys of all that are waited for; a member that is dead for good is forgotten after a day."""
    return frozenset(
        member.report.facts.key_id
        for member in members
        if member.lives or (member.state is MemberState.DEAD and member.name in nodes)
    )


class Rotation:
    """The keys of one member, the newest first."""

    def __init__(self) -> None:
        self._secrets: list[bytes] = []
        self._since = 0.0

    @property
    def keyring(self) -> Keyring | None:
        """What counts now; None before the first key."""
        return Keyring(self._secrets) if self._secrets else None

    @property
    def newest(self) -> bytes:
        """The id of the newest key, as it is published; empty before the first one."""
        return Keyring(self._secrets[:1]).ids[0] if self._secrets else b""

    @property
    def former(self) -> int:
        """How many former keys still count."""
        return max(0, len(self._secrets) - 1)

    def offer(self, secret: bytes, *, now: float) -> bool:
        """This is what the Secret holds; whether it is another key than before."""
        if not secret or secret in self._secrets[:1]:
            return False
        self._secrets = [secret, *(old for old in self._secrets if old != secret)][:KEYS_MAX]
        self._since = now
        return True

    def settle(self, reported: Collection[bytes], *, now: float) -> bool:
        """Give up former keys if all report ours as the newest; whether any were given up."""
        if not self.former or now < self._since + KEEP_S or set(reported) != {self.newest}:
            return False
        del self._secrets[1:]
        return True
