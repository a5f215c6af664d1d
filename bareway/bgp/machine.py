"""What is done on each way of the table, for one peer's attempt and its connections (RFC 4271 section 8.2.2).

A session has one attempt of its own (*home*) and at most two connections, each with its own state. Which
event drives which way stands in `session`.
"""

from collections.abc import Callable, Mapping
from math import inf
from random import Random
from typing import Final, NamedTuple

from bareway.bgp import codec, opening
from bareway.bgp.connection import LARGE_HOLD_S, Connection
from bareway.bgp.damping import Damping
from bareway.bgp.errors import Cease, Code, Fault, FsmError
from bareway.bgp.events import (
    Abandon,
    Close,
    Connect,
    Connected,
    ConnectionId,
    How,
    Output,
    Send,
    SessionReason,
    StateChanged,
    Told,
)
from bareway.bgp.fsm import COUNTED, Act, State, Trigger, step
from bareway.bgp.messages import Keepalive, Message, Notification, Open, administrative
from bareway.bgp.outbound import Style
from bareway.bgp.peers import PeerSettings
from bareway.bgp.prefixes import Family
from bareway.bgp.ribout import NO_ROUTES, RibOut, styles
from bareway.bgp.routes import RouteSet
from bareway.bgp.status import Counters

FSM_ERRORS: Final[Mapping[State, FsmError]] = {
    State.OPEN_SENT: FsmError.OPEN_SENT,
    State.OPEN_CONFIRM: FsmError.OPEN_CONFIRM,
    State.ESTABLISHED: FsmError.ESTABLISHED,
}
KEEPALIVE_MIN_S: Final = 1.0  # RFC 4271 section 4.4: not more often, whatever jitter makes of a third of 3 s
UNDAMPED: Final = frozenset({SessionReason.SETTINGS_CHANGED, SessionReason.REPLACED})
"""Ends after which there is no reason to wait."""


class Cause(NamedTuple):
    """Why a machine is driven, and the last word if that ends it."""

    reason: SessionReason
    notice: Notification | None = None


class Machine:
    """State and timers of one peer."""

    def __init__(self, settings: PeerSettings, *, rng: Random) -> None:
        self._settings = settings
        self._damping = Damping(rng=rng)
        self._home = State.IDLE
        """Of our own attempt: Idle, Connect, or Active where there is none under way."""
        self._connections: dict[ConnectionId, Connection] = {}
        self._retry_at = inf
        self._idle_until = inf
        self._deaf_until = -inf
        """Before that no connection of the peer's is taken: another one failed, and the session goes on."""
        self._is_wanted = False
        self._is_restart = False
        self._has_capabilities = True
        self._is_draining = False
        self._routes: RouteSet = NO_ROUTES
        self._is_complete = False
        self._shown = State.IDLE
        self._now = 0.0
        self._out: list[Output] = []
        self._counters = Counters()
        self._acts: Mapping[Act, Callable[[Connection, Cause], None]] = {
            Act.SEND_OPEN: self._send_open,
            Act.CONFIRM: self._confirm,
            Act.ESTABLISH: self._establish,
            Act.HEAR: self._hear,
            Act.REFRESH: self._hear,
            Act.BEAT: self._beat,
            Act.CEASE: self._say_last,
            Act.REFUSE: self._say_last,
            Act.EXPIRE: self._expire,
            Act.STUCK: self._give_up,
            Act.PROTEST: self._protest,
            Act.YIELD: self._yield,
        }

    @property
    def state(self) -> State:
        """Of the connection that is furthest, or of our attempt."""
        return max([self._home, *(connection.state for connection in self._connections.values())])

    def _up(self) -> list[Connection]:
        return [connection for connection in self._connections.values() if connection.is_up]

    # ------------------------------------------------------------ our attempt

    def _at_home(self, trigger: Trigger, reason: SessionReason) -> None:
        """Drive our attempt; it has no connection yet, so there is nobody to tell."""
        was_under_way = self._home is State.CONNECT
        act, self._home = step(self._home, trigger)
        if act is Act.CONNECT:
            self._retry_later()
            self._out.append(Connect())
        elif act is Act.LISTEN:
            self._retry_at = inf
        elif act is Act.WAIT:
            self._retry_later()
        elif act is Act.BEGIN:
            self._begin(reason)
        elif act in {Act.QUIT, Act.FAIL}:
            self._retry_at = inf
            if was_under_way:
                self._out.append(Abandon())
        self._show(reason)

    def _begin(self, reason: SessionReason) -> None:
        """Leave Idle."""
        self._idle_until = inf
        passive = self._settings.is_passive
        start = Trigger.AUTOMATIC_START_DAMPED_PASSIVE if passive else Trigger.AUTOMATIC_START_DAMPED
        self._at_home(start, reason)

    def _retry_later(self) -> None:
        """Start the ConnectRetryTimer; who only listens has none."""
        wait_s = self._damping.jittered(self._settings.connect_retry_s)
        self._retry_at = inf if self._settings.is_passive else self._now + wait_s

    # ------------------------------------------------------------ a connection

    def _admit(self, told: Connected) -> None:
        """Take a new connection; one of the peer's that is not up yet makes room for a newer one."""
        ours = opening.our_open(
            self._settings,
            is_restart=self._is_restart,
            is_over_ipv6=told.local.version == 6,  # noqa: PLR2004 - IPv6
            has_capabilities=self._has_capabilities,
        )
        olders = [older for older in self._connections.values() if older.told.is_incoming and not older.is_up]
        connection = Connection(told=told, began_at=self._now, state=State.ACTIVE, ours=ours)
        self._connections[told.connection] = connection
        if told.is_incoming:
            self._drive(connection, Trigger.TCP_CONFIRMED, Cause(SessionReason.CONNECTED))
            for older in olders:
                self._drive(older, Trigger.COLLISION_DUMP, Cause(SessionReason.COLLISION))
        else:
            self._home = State.ACTIVE
            self._drive(connection, Trigger.TCP_ACKED, Cause(SessionReason.CONNECTED))

    def _drive(self, connection: Connection, trigger: Trigger, cause: Cause) -> None:
        act, after = step(connection.state, trigger)
        do = self._acts.get(act)
        if do is not None:
            do(connection, cause)
        is_over = after is State.IDLE or act is Act.WAIT
        if is_over:
            self._drop(connection, act, cause.reason, is_closed=trigger is Trigger.TCP_FAILS)
        else:
            connection.state = after
        self._show(cause.reason)

    def _drop(self, connection: Connection, act: Act, reason: SessionReason, *, is_closed: bool) -> None:
        """Forget a connection; after the last one, wait or begin again."""
        del self._connections[connection.id]
        if not is_closed:
            how = How.ABORT if act is Act.STUCK else How.FLUSH
            self._out.append(Close(connection=connection.id, how=how))
        was_up_since = connection.established_at
        self._counters.updates_sent += connection.rib.messages if connection.rib is not None else 0
        was_up = was_up_since is not None
        self._damping.ended(lasted_s=self._now - was_up_since if was_up_since is not None else None)
        if self._connections or self._home is State.CONNECT or (act is Act.WAIT and self._is_wanted):
            self._go_on(act, reason, was_up=was_up)
            return
        self._home = State.IDLE
        self._retry_at = inf
        if self._is_wanted:
            is_damped = act in COUNTED or reason not in UNDAMPED
            wait_s = self._damping.failed(was_up=was_up) if is_damped else 0.0
            self._idle_until = max(self._now + wait_s, self._deaf_until)

    def _go_on(self, act: Act, reason: SessionReason, *, was_up: bool) -> None:
        """With another connection, or the attempt: a failure counts all the same.

        Else a peer that opens the next connection before the last one has failed would never be waited for.
        """
        if act in COUNTED and reason is not SessionReason.COLLISION:
            self._deaf_until = self._now + self._damping.failed(was_up=was_up)
        if not self._connections:
            self._retry_later()

    def _forgive(self) -> None:
        """Something is different now: no reason to wait."""
        self._damping.forgive()
        self._deaf_until = -inf

    def _show(self, reason: SessionReason) -> None:
        """Tell a change of the session's state, once it is one."""
        state = self.state
        if state is not self._shown:
            self._out.append(StateChanged(before=self._shown, after=state, reason=reason))
            self._shown = state

    def _send(self, connection: Connection, data: bytes) -> None:
        connection.unsent_since = min(connection.unsent_since, self._now)
        self._out.append(Send(connection=connection.id, data=data))

    def _say(self, connection: Connection, message: Message) -> None:
        self._send(connection, codec.encode(message, connection.session))
        self._counters.sent[type(message).__name__] += 1

    # ------------------------------------------------------------ what an Act does

    def _send_open(self, connection: Connection, _: Cause) -> None:
        connection.hold_at = self._now + LARGE_HOLD_S
        self._say(connection, connection.ours)

    def _confirm(self, connection: Connection, cause: Cause) -> None:
        """Both timers by what was negotiated; without a hold time the large one counts on.

        Until the peer has confirmed, that is: else who says no more would keep us from another connection.
        """
        if connection.session.hold_time_s:
            connection.hear(self._now)
        self._beat(connection, cause)

    def _establish(self, connection: Connection, _: Cause) -> None:
        connection.hear(self._now)
        connection.state = State.ESTABLISHED
        connection.established_at = self._now
        self._counters.established += 1
        if self._home is State.CONNECT:
            self._out.append(Abandon())
            self._home = State.ACTIVE
        connection.rib = RibOut(
            self._styles_of(connection),
            limit=self._settings.prefix_limit,
            message_max=connection.session.message_max,
        )
        connection.rib.want(self._routes, is_complete=self._is_complete)
        if self._is_draining:
            connection.rib.drain(is_leaving=True)

    def _styles_of(self, connection: Connection) -> Mapping[Family, Style | None]:
        told = connection.told
        return styles(
            connection.session,
            local_asn=self._settings.local_asn,
            local=told.local,
            link_local=told.link_local,
            other_family=told.other_family,
        )

    def _hear(self, connection: Connection, _: Cause) -> None:
        connection.hear(self._now)

    def _beat(self, connection: Connection, _: Cause) -> None:
        self._say(connection, Keepalive())
        self._beat_later(connection)

    def _beat_later(self, connection: Connection) -> None:
        """Restart the KeepaliveTimer: after each KEEPALIVE or UPDATE."""
        keepalive_s = connection.session.keepalive_s
        wait_s = max(KEEPALIVE_MIN_S, self._damping.jittered(keepalive_s))
        connection.keepalive_at = self._now + wait_s if keepalive_s else inf

    def _say_last(self, connection: Connection, cause: Cause) -> None:
        if cause.notice is not None:
            self._notify(connection, cause.notice)

    def _expire(self, connection: Connection, _: Cause) -> None:
        self._notify(connection, Notification(code=Code.HOLD_TIMER))

    def _give_up(self, connection: Connection, _: Cause) -> None:
        self._notify(connection, Notification(code=Code.SEND_HOLD_TIMER))

    def _protest(self, connection: Connection, _: Cause) -> None:
        self._notify(connection, Notification(code=Code.FSM, subcode=FSM_ERRORS[connection.state]))

    def _yield(self, connection: Connection, _: Cause) -> None:
        self._notify(connection, administrative(Cease.COLLISION))

    def _notify(self, connection: Connection, notice: Notification) -> None:
        self._say(connection, notice)
        self._counters.last_sent = notice
        self._out.append(Told(notification=notice, is_ours=True))


def notice_of(fault: Fault) -> Notification:
    """The NOTIFICATION that a fault is answered with."""
    return Notification(code=fault.code, subcode=fault.subcode, data=fault.data)


def identify(connection: Connection, message: Open, settings: PeerSettings) -> Fault | None:
    """Take the peer's OPEN, or say what is wrong with it."""
    fault = opening.objection(connection.ours, message, settings)
    if fault is None:
        connection.agree(message, settings)
    return fault
