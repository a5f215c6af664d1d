"""Replies, and what is told unasked, that wait until the link was asked whether anybody else has the address.

Who hears none of the members that he knows (isolated) asks before each frame that he sends as the owner.
"""

from typing import Final, TypeAlias

from bareway.layer2.forms import Form
from bareway.layer2.responder import Question
from bareway.model.names import IPAddress

Waiting: TypeAlias = Question | Form

WAITING_MAX: Final = 32
"""For one address at once, within the 30 ms that an inquiry takes: the others ask again within a second."""


class Held:
    """By address, each asker once."""

    def __init__(self) -> None:
        self._waiting: dict[IPAddress, dict[Waiting, None]] = {}

    def add(self, address: IPAddress, waiting: Waiting) -> bool:
        """Remember it; False if too many wait already."""
        others = self._waiting.setdefault(address, {})
        if len(others) >= WAITING_MAX and waiting not in others:
            return False
        others[waiting] = None
        return True

    def is_asked(self, address: IPAddress) -> bool:
        """Whether something waits for it, so that the link is being asked."""
        return address in self._waiting

    def release(self, address: IPAddress) -> tuple[Waiting, ...]:
        """Forget and return what waits, in the order in which it came."""
        return tuple(self._waiting.pop(address, ()))
