"""The edges from observers as a member keeps them: told everything, asked nothing, and few.

They always dial, so nothing is done to have them back. Their heartbeats only keep the edge; one that is
silent for too long is hung up, and nobody hears of it.
"""

from dataclasses import dataclass, field
from typing import Final

from bareway.gossip.edges import HANGUP_FACTOR
from bareway.gossip.profile import Profile
from bareway.model.names import NodeName

LISTENERS_MAX: Final = 4
"""Two controllers, and two more while they are replaced."""


@dataclass(slots=True, kw_only=True)
class Listeners:
    """Those whose edge is open, and until when each may be silent."""

    profile: Profile
    _silence_s: dict[NodeName, float] = field(default_factory=dict)
    _heard_at: dict[NodeName, float] = field(default_factory=dict)

    @property
    def open(self) -> tuple[NodeName, ...]:
        """Whom to tell."""
        return tuple(self._heard_at)

    def opened(self, name: NodeName, *, now: float) -> bool:
        """An edge is up, or a new one in the place of an old one; False if there are enough."""
        if name not in self._heard_at and len(self._heard_at) >= LISTENERS_MAX:
            return False
        self._silence_s[name], self._heard_at[name] = self.profile.silence_s, now
        return True

    def closed(self, name: NodeName) -> None:
        """It ended."""
        self._silence_s.pop(name, None)
        self._heard_at.pop(name, None)

    def heard(self, name: NodeName, *, now: float) -> bool:
        """A frame came; False if the edge is not open and the frame is to be ignored."""
        if name not in self._heard_at:
            return False
        self._heard_at[name] = now
        return True

    def announces(self, name: NodeName, *, interval_s: float) -> None:
        """It said how often it will be heard."""
        self._silence_s[name] = self.profile.silence_of(interval_s)

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: nobody was silent in that time."""
        for name in self._heard_at:
            self._heard_at[name] += lag_s

    def hopeless(self, *, now: float) -> list[NodeName]:
        """Whose edge is silent for so long that it is to be hung up."""
        return [
            name for name, at in self._heard_at.items() if at + HANGUP_FACTOR * self._silence_s[name] <= now
        ]
