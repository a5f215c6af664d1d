"""What becomes of a session when a packet comes (RFC 5880 sections 6.2 and 6.8.6)."""

from collections.abc import Mapping
from typing import Final

from bareway.bfd.packet import State

# (our state, state received) -> our next state
NEXT_STATE: Final[Mapping[tuple[State, State], State]] = {
    (State.DOWN, State.ADMIN_DOWN): State.DOWN,
    (State.DOWN, State.DOWN): State.INIT,
    (State.DOWN, State.INIT): State.UP,
    (State.DOWN, State.UP): State.DOWN,  # the peer has not noticed yet that we went down
    (State.INIT, State.ADMIN_DOWN): State.DOWN,
    (State.INIT, State.DOWN): State.INIT,
    (State.INIT, State.INIT): State.UP,
    (State.INIT, State.UP): State.UP,
    (State.UP, State.ADMIN_DOWN): State.DOWN,
    (State.UP, State.DOWN): State.DOWN,
    (State.UP, State.INIT): State.UP,
    (State.UP, State.UP): State.UP,
    # Who is administratively down hears, and does not follow.
    (State.ADMIN_DOWN, State.ADMIN_DOWN): State.ADMIN_DOWN,
    (State.ADMIN_DOWN, State.DOWN): State.ADMIN_DOWN,
    (State.ADMIN_DOWN, State.INIT): State.ADMIN_DOWN,
    (State.ADMIN_DOWN, State.UP): State.ADMIN_DOWN,
}
