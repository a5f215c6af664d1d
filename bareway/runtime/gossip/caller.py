"""Reaches a member by name: knows where it listens, dials, and proves the key with it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bareway.gossip.sealing import NONCE_BYTES, Handshake, Keyring, Purpose, Session
from bareway.model.names import NodeName
from bareway.runtime.clock import random_bytes
from bareway.runtime.gossip.dialler import Dialler, NoAnswer, Where
from bareway.runtime.gossip.door import HANDSHAKE_S
from bareway.runtime.gossip.report import Drop
from bareway.runtime.gossip.wire import Ended, Wire, shake_hands


@dataclass(slots=True, kw_only=True)
class Caller:
    """What both ends of a handshake need to know of us, and the calling end itself."""

    me: NodeName
    keyring: Keyring
    addresses: Mapping[NodeName, Where] = field(default_factory=dict)
    dialler: Dialler = field(default_factory=Dialler)

    async def reach(self, peer: NodeName, purpose: Purpose) -> tuple[Wire, Session]:
        """Open a connection on which both have proven the key.

        Raises:
            NoAnswer: Nobody is there, or discovery does not know the member any longer.
            Refused: Whoever is there may not have an edge.
            Ended: Something else answered, or the other end would not have us.
        """
        where = self.addresses.get(peer)
        if where is None:
            raise NoAnswer(refused=False)
        handshake = self.handshake(dialled=True, admitted={peer}, purpose=purpose)
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                wire = await self.dialler.dial(where)
                return wire, await shake_hands(wire, handshake)
        except TimeoutError:
            raise Ended(Drop.TOO_SLOW) from None

    def handshake(
        self, *, dialled: bool, admitted: Iterable[NodeName], purpose: Purpose = Purpose.EDGE
    ) -> Handshake:
        """Our end of one."""
        return Handshake(
            me=self.me,
            keyring=self.keyring,
            nonce=random_bytes(NONCE_BYTES),
            dialled=dialled,
            admitted=frozenset(admitted),
            purpose=purpose,
        )
