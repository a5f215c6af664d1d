"""What a session needs to go on after its process was gone for a moment, without a word to the peer.

Before it goes, the process announces the greatest multiplier (which needs no poll: RFC 5880 section 6.8.12).
The next one goes on in state Up with the same discriminators, and the peer has noticed nothing.
"""

from random import Random
from typing import NamedTuple

from bareway.bfd.session import Remote, Session
from bareway.bfd.timing import Timing


class Memory(NamedTuple):
    """Of one session that is up."""

    discriminator: int
    announced: Timing
    remote: Remote

    @classmethod
    def of(cls, session: Session) -> "Memory":
        """What is to be remembered of a session."""
        return cls(session.discriminator, session.announced, session.remote)


def resumed(memory: Memory, *, timing: Timing, is_passive: bool, rng: Random, now: float) -> Session:
    """The session as it was, with the timing that is wished now; the peer has a detection time to speak."""
    session = Session(
        discriminator=memory.discriminator, timing=timing, rng=rng, now=now, is_passive=is_passive
    )
    session.go_on(announced=memory.announced, remote=memory.remote, now=now)
    return session
