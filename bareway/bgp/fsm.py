"""The state machine of BGP as a table (RFC 4271 section 8.2.2, RFC 9687 section 4.3).

One row is one sentence of the standard: in this state, on this event, do that and go there. What has no row
is what the standard calls "any other event", and is decided in `step`. DelayOpen is not supported, so events
12 and 20 do not happen. Where a row departs from the standard, it says so.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class State(IntEnum):
    """How far a session is; the order is that of the way."""

    IDLE = 0
    CONNECT = 1
    ACTIVE = 2
    OPEN_SENT = 3
    OPEN_CONFIRM = 4
    ESTABLISHED = 5


class Trigger(IntEnum):
    """The events, numbered as in RFC 4271 section 8.1; the last ones are later than that."""

    MANUAL_START = 1
    MANUAL_STOP = 2
    AUTOMATIC_START = 3
    MANUAL_START_PASSIVE = 4
    AUTOMATIC_START_PASSIVE = 5
    AUTOMATIC_START_DAMPED = 6
    AUTOMATIC_START_DAMPED_PASSIVE = 7
    AUTOMATIC_STOP = 8
    CONNECT_RETRY_EXPIRES = 9
    HOLD_EXPIRES = 10
    KEEPALIVE_EXPIRES = 11
    DELAY_OPEN_EXPIRES = 12
    IDLE_HOLD_EXPIRES = 13
    TCP_VALID = 14
    TCP_INVALID = 15
    TCP_ACKED = 16
    TCP_CONFIRMED = 17
    TCP_FAILS = 18
    OPEN = 19
    OPEN_DELAYED = 20
    HEADER_ERROR = 21
    OPEN_ERROR = 22
    COLLISION_DUMP = 23
    VERSION_NOTIFICATION = 24
    NOTIFICATION = 25
    KEEPALIVE = 26
    UPDATE = 27
    UPDATE_ERROR = 28
    SEND_HOLD_EXPIRES = 29
    """RFC 9687 section 4.2."""
    REFRESH = 30
    """ROUTE-REFRESH came (RFC 2918), which RFC 4271 does not know."""
    RESTARTING = 31
    """We end as if we had died, so that routes are kept (RFC 4724 section 5)."""


class Act(StrEnum):
    """What is done on the way."""

    NOTHING = "nothing"
    CONNECT = "connect"
    """Start the ConnectRetryTimer and an attempt."""
    LISTEN = "listen"
    """Wait for the peer's attempt."""
    BEGIN = "begin"
    """Start anew, after the idle hold."""
    WAIT = "wait"
    """Restart the ConnectRetryTimer, and take what the peer opens."""
    SEND_OPEN = "send open"
    CONFIRM = "confirm"
    """Send KEEPALIVE; both timers by what was negotiated."""
    ESTABLISH = "establish"
    HEAR = "hear"
    """Restart the HoldTimer."""
    BEAT = "beat"
    """Send KEEPALIVE."""
    REFRESH = "refresh"
    """Tell a family again."""
    CEASE = "cease"
    """NOTIFICATION 6, then close."""
    EXPIRE = "expire"
    """NOTIFICATION 4/0, then close."""
    STUCK = "stuck"
    """NOTIFICATION 8/0 if it gets out, then close."""
    REFUSE = "refuse"
    """NOTIFICATION with what was wrong, then close."""
    PROTEST = "protest"
    """NOTIFICATION 5 with the state (RFC 6608), then close."""
    YIELD = "yield"
    """NOTIFICATION 6/7, then close."""
    QUIT = "quit"
    """Close without a word; no oscillation."""
    FAIL = "fail"
    """Close without a word; the next start waits longer."""


COUNTED: Final = frozenset({Act.EXPIRE, Act.STUCK, Act.REFUSE, Act.PROTEST, Act.FAIL})
"""Ends that the peer is to blame for: they lengthen the idle hold (RFC 4271 section 8.1.1)."""


class Step(NamedTuple):
    """What to do, and where that leads."""

    act: Act
    after: State


STARTS: Final = (
    Trigger.MANUAL_START,
    Trigger.AUTOMATIC_START,
    Trigger.AUTOMATIC_START_DAMPED,
)
PASSIVE_STARTS: Final = (
    Trigger.MANUAL_START_PASSIVE,
    Trigger.AUTOMATIC_START_PASSIVE,
    Trigger.AUTOMATIC_START_DAMPED_PASSIVE,
)
IDLE, C, A, S, F, E = State
T = Trigger
IN_SESSION: Final = (S, F, E)
ALL_STARTS: Final = (*STARTS, *PASSIVE_STARTS)
TCP_CHECKED: Final = (T.TCP_VALID, T.TCP_INVALID)
TCP_THERE: Final = (T.TCP_ACKED, T.TCP_CONFIRMED)

TABLE: Final[Mapping[tuple[State, Trigger], Step]] = {
    # Idle
    **{(IDLE, start): Step(Act.CONNECT, C) for start in STARTS},
    **{(IDLE, start): Step(Act.LISTEN, A) for start in PASSIVE_STARTS},
    (IDLE, T.IDLE_HOLD_EXPIRES): Step(Act.BEGIN, IDLE),
    # Connect and Active
    **{(state, start): Step(Act.NOTHING, state) for state in (C, A) for start in ALL_STARTS},
    **{(state, T.MANUAL_STOP): Step(Act.QUIT, IDLE) for state in (C, A)},
    **{(state, T.RESTARTING): Step(Act.QUIT, IDLE) for state in (C, A, S, F, E)},
    **{(state, T.CONNECT_RETRY_EXPIRES): Step(Act.CONNECT, C) for state in (C, A)},
    **{
        (state, event): Step(Act.NOTHING, state) for state in (C, A) for event in (T.TCP_VALID, T.TCP_INVALID)
    },
    **{
        (state, event): Step(Act.SEND_OPEN, S) for state in (C, A) for event in (T.TCP_ACKED, T.TCP_CONFIRMED)
    },
    # The standard goes to Idle, where it takes no connection of the peer's: so a router whose port is closed,
    # but which connects itself, would find us deaf. We do what it has for a running DelayOpenTimer.
    **{(state, T.TCP_FAILS): Step(Act.WAIT, A) for state in (C, A)},
    **{(state, T.VERSION_NOTIFICATION): Step(Act.QUIT, IDLE) for state in (C, A)},
    # OpenSent, OpenConfirm, Established: what is alike
    **{
        (state, start): Step(Act.NOTHING, state)
        for state in IN_SESSION
        for start in (*STARTS, *PASSIVE_STARTS)
    },
    **{
        (state, event): Step(Act.NOTHING, state)  # each connection has a machine of its own
        for state in IN_SESSION
        for event in (*TCP_CHECKED, *TCP_THERE)
    },
    **{
        (state, stop): Step(Act.CEASE, IDLE)
        for state in IN_SESSION
        for stop in (T.MANUAL_STOP, T.AUTOMATIC_STOP)
    },
    **{(state, T.AUTOMATIC_STOP): Step(Act.CEASE, IDLE) for state in IN_SESSION},
    **{(state, T.HOLD_EXPIRES): Step(Act.EXPIRE, IDLE) for state in IN_SESSION},
    **{(state, T.HEADER_ERROR): Step(Act.REFUSE, IDLE) for state in IN_SESSION},
    **{(state, T.COLLISION_DUMP): Step(Act.YIELD, IDLE) for state in IN_SESSION},
    **{(state, T.SEND_HOLD_EXPIRES): Step(Act.STUCK, IDLE) for state in IN_SESSION},
    # The standard answers a NOTIFICATION in OpenSent by another one, which section 4.5 does not expect.
    **{(state, T.NOTIFICATION): Step(Act.FAIL, IDLE) for state in IN_SESSION},
    # OpenSent
    (S, T.TCP_FAILS): Step(Act.WAIT, A),
    (S, T.OPEN): Step(Act.CONFIRM, F),
    (S, T.OPEN_ERROR): Step(Act.REFUSE, IDLE),
    (S, T.VERSION_NOTIFICATION): Step(Act.QUIT, IDLE),
    # OpenConfirm
    (F, T.KEEPALIVE_EXPIRES): Step(Act.BEAT, F),
    (F, T.TCP_FAILS): Step(Act.FAIL, IDLE),
    (F, T.VERSION_NOTIFICATION): Step(Act.QUIT, IDLE),
    (F, T.KEEPALIVE): Step(Act.ESTABLISH, E),
    (F, T.OPEN_ERROR): Step(Act.REFUSE, IDLE),
    # Established
    (E, T.KEEPALIVE_EXPIRES): Step(Act.BEAT, E),
    (E, T.TCP_FAILS): Step(Act.FAIL, IDLE),
    (E, T.VERSION_NOTIFICATION): Step(Act.FAIL, IDLE),
    (E, T.KEEPALIVE): Step(Act.HEAR, E),
    (E, T.UPDATE): Step(Act.HEAR, E),
    (E, T.REFRESH): Step(Act.REFRESH, E),
    (E, T.UPDATE_ERROR): Step(Act.REFUSE, IDLE),
}


def step(state: State, trigger: Trigger) -> Step:
    """The row; without one, Idle stays, attempts end, and sessions end with an FSM error."""
    row = TABLE.get((state, trigger))
    if row is not None:
        return row
    if state is State.IDLE:
        return Step(Act.NOTHING, State.IDLE)
    if state in {State.CONNECT, State.ACTIVE}:
        return Step(Act.FAIL, State.IDLE)
    return Step(Act.PROTEST, State.IDLE)
