"""The poll sequence: how we know that the peer has seen a change (RFC 5880 sections 6.5 and 6.8.3)."""

from enum import Enum


class Stage(Enum):
    """How far a poll sequence has come."""

    IDLE = "idle"
    POLLING = "polling"
    """Each periodic packet asks, until the answer comes."""
    SETTLING = "settling"
    """Answered; a packet that is no answer must come before the next question: answers look alike."""


class PollSequence:
    """One question at a time; a second change asks again after the first was answered."""

    def __init__(self) -> None:
        self._stage = Stage.IDLE
        self._again = False

    @property
    def is_polling(self) -> bool:
        """Packets carry the poll bit."""
        return self._stage is Stage.POLLING

    @property
    def is_idle(self) -> bool:
        """A new change would be asked for at once, and the answer would mean it."""
        return self._stage is Stage.IDLE

    def begin(self) -> None:
        """Something changed that the peer has to confirm."""
        if self._stage is Stage.IDLE:
            self._stage = Stage.POLLING
        else:
            self._again = True

    def receive(self, *, is_final: bool) -> bool:
        """Take note of a packet; whether it confirms all that was changed so far."""
        if is_final:
            if self._stage is not Stage.POLLING:
                return False
            self._stage = Stage.SETTLING
            return not self._again
        if self._stage is Stage.SETTLING:
            self._stage = Stage.POLLING if self._again else Stage.IDLE
            self._again = False
        return False

    def stop(self) -> None:
        """Nobody is there to answer."""
        self._stage = Stage.IDLE
        self._again = False
