"""One session with one peer, without sockets, clock or chance of its own: what each event means for it.

Feed it events with the time; it returns what to do, in that order. The state machine is a table (`fsm`), what
is done on its ways stands in `machine`, what is told of routes in `ribout`.
"""

from collections.abc import Mapping
from math import inf
from typing import Final

from bareway.bgp.connection import Connection
from bareway.bgp.digest import digest
from bareway.bgp.errors import Cease, Code, OpenError
from bareway.bgp.events import (
    BfdDown,
    BfdUp,
    Close,
    Closed,
    Connected,
    ConnectFailed,
    Drain,
    Event,
    Faulty,
    How,
    Output,
    Readdressed,
    Received,
    SessionReason,
    SettingsChanged,
    Stage,
    Start,
    Stop,
    StopReason,
    Tick,
    Told,
    Want,
    Writable,
)
from bareway.bgp.fsm import State, Trigger
from bareway.bgp.machine import Cause, Machine, identify, notice_of
from bareway.bgp.messages import (
    Keepalive,
    Malformed,
    Message,
    Notification,
    Open,
    RouteRefresh,
    Update,
    administrative,
    hard_reset,
)
from bareway.bgp.peers import Change, PeerSettings
from bareway.bgp.ribout import NO_ROUTES
from bareway.bgp.routes import RouteSet
from bareway.bgp.status import SessionStatus, status_of

CHUNK_BYTES: Final = 64 * 1024  # of routes in one turn: a few milliseconds, then others have theirs
LEAVING_S: Final = 2.0  # for withdrawals to get out before the last word; who does not read gets none
FAULT_TRIGGERS: Final[Mapping[int, Trigger]] = {
    Code.HEADER: Trigger.HEADER_ERROR,
    Code.OPEN: Trigger.OPEN_ERROR,
    Code.UPDATE: Trigger.UPDATE_ERROR,
    Code.ROUTE_REFRESH: Trigger.UPDATE_ERROR,
}
SUBCODES: Final[Mapping[StopReason, Cease]] = {
    StopReason.LEAVING: Cease.SHUTDOWN,
    StopReason.SHUTDOWN: Cease.SHUTDOWN,
    StopReason.RESET: Cease.RESET,
    StopReason.DECONFIGURED: Cease.DECONFIGURED,
}
FOR_GOOD: Final = frozenset({StopReason.LEAVING, StopReason.SHUTDOWN, StopReason.DECONFIGURED})
"""Routes shall not be kept: where the peer would keep them, a Hard Reset (RFC 8538 section 5)."""


class Session(Machine):
    """Of one peer, from the configuration to its removal."""

    @property
    def settings(self) -> PeerSettings:
        """As they are now."""
        return self._settings

    @property
    def deadline(self) -> float:
        """When it wants a `Tick`; infinite where it waits for nothing."""
        retry_at = inf if self._connections else self._retry_at
        timers = (connection.deadline for connection in self._connections.values())
        return min(self._idle_until, retry_at, *timers)

    @property
    def status(self) -> SessionStatus:
        """What a person or a metric asks for."""
        return status_of(self.state, self._connections.values(), self._counters)

    def digest(self) -> str:
        """Of the routes that the peer shall have: alike on all nodes that routers may spread over."""
        return digest(self._routes, is_leaving=self._is_draining)

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """Take one event; the outputs are to be carried out in their order."""
        self._now = now
        self._out = []
        match event:
            case Start() | Stop() | SettingsChanged() | Drain() | Want():
                self._command(event)
            case Connected() | ConnectFailed() | BfdDown() | BfdUp():
                self._on_link(event)
            case Received() | Closed() | Writable():
                self._on_connection(event)
            case Readdressed():
                self._readdress(event)
            case Tick():
                self._tick()
        self._tell_routes()
        if self._idle_until <= now:
            self._at_home(Trigger.IDLE_HOLD_EXPIRES, SessionReason.RETRIED)
        out, self._out = self._out, []
        return out

    # ------------------------------------------------------------ from the program

    def _command(self, event: Start | Stop | SettingsChanged | Drain | Want) -> None:
        match event:
            case Start():
                self._start(event)
            case Stop():
                self._stop(event)
            case SettingsChanged():
                self._change(event.settings)
            case Drain():
                self._drain(is_leaving=event.stage is Stage.BEGIN)
            case Want():
                self._want(event)

    def _start(self, event: Start) -> None:
        self._is_wanted = True
        self._is_restart = event.is_restart
        for connection in self._up():
            if connection.leave_by < inf:  # stays after all
                connection.leave_by = inf
                connection.told_routes.want(self._routes, is_complete=self._is_complete)
        if self.state is State.IDLE:
            self._forgive()
            self._begin(SessionReason.STARTED)

    def _stop(self, event: Stop) -> None:
        self._is_wanted = False
        self._idle_until = inf
        self._at_home(Trigger.MANUAL_STOP, SessionReason.STOPPED)
        for connection in list(self._connections.values()):
            if event.reason is StopReason.RESTART:
                self._drive(connection, Trigger.RESTARTING, Cause(SessionReason.STOPPED))
                continue
            farewell = administrative(SUBCODES[event.reason], event.text)
            if event.reason in FOR_GOOD and connection.session.has_notification:
                farewell = hard_reset(farewell)
            connection.farewell = farewell
            if event.reason is StopReason.LEAVING and connection.is_up:
                connection.leave_by = self._now + LEAVING_S
                connection.told_routes.want(NO_ROUTES, is_complete=self._is_complete)
            else:
                self._part(connection)

    def _part(self, connection: Connection) -> None:
        self._drive(connection, Trigger.MANUAL_STOP, Cause(SessionReason.STOPPED, connection.farewell))

    def _change(self, settings: PeerSettings) -> None:
        """Other settings may mend what failed: what is not up begins anew, whatever it was waiting for."""
        change = self._settings.change_to(settings)
        self._settings = settings
        if change is Change.NONE:
            return
        self._forgive()
        if change is Change.RESET:
            cause = Cause(SessionReason.SETTINGS_CHANGED, administrative(Cease.CONFIGURATION_CHANGE))
            for connection in list(self._connections.values()):
                if connection.leave_by < inf:  # its own last word: after 6/6 a router might keep routes
                    self._part(connection)
                else:
                    self._drive(connection, Trigger.AUTOMATIC_STOP, cause)
        for connection in self._up():
            connection.told_routes.limit(settings.prefix_limit)
        if not self._connections and self._is_wanted:
            self._at_home(Trigger.MANUAL_STOP, SessionReason.SETTINGS_CHANGED)
            self._begin(SessionReason.SETTINGS_CHANGED)

    def _drain(self, *, is_leaving: bool) -> None:
        self._is_draining = is_leaving
        for connection in self._up():
            connection.told_routes.drain(is_leaving=is_leaving)

    def _want(self, event: Want) -> None:
        self._routes = RouteSet.of(event.routes)
        self._is_complete = event.is_complete
        for connection in self._up():
            if connection.leave_by == inf:
                connection.told_routes.want(self._routes, is_complete=event.is_complete)

    # ------------------------------------------------------------ from the peer

    def _on_link(self, event: Connected | ConnectFailed | BfdDown | BfdUp) -> None:
        match event:
            case Connected():
                self._connected(event)
            case ConnectFailed():
                if self._home is State.CONNECT:
                    self._at_home(Trigger.TCP_FAILS, SessionReason.CONNECT_FAILED)
            case BfdDown():
                cause = Cause(SessionReason.BFD_DOWN, administrative(Cease.BFD_DOWN))
                for connection in self._up():
                    self._drive(connection, Trigger.AUTOMATIC_STOP, cause)
            case BfdUp():
                if self._home is State.ACTIVE and not self._connections and not self._settings.is_passive:
                    self._at_home(Trigger.CONNECT_RETRY_EXPIRES, SessionReason.RETRIED)

    def _connected(self, event: Connected) -> None:
        """Idle takes no connection, nor who has just failed; an attempt that was given up leads to none."""
        is_stray = not event.is_incoming and self._home is not State.CONNECT
        is_unheard = event.is_incoming and self._now < self._deaf_until
        if self._home is State.IDLE or is_stray or is_unheard:
            self._out.append(Close(connection=event.connection, how=How.ABORT))
        else:
            self._admit(event)

    def _on_connection(self, event: Received | Closed | Writable) -> None:
        connection = self._connections.get(event.connection)
        if connection is None:
            return
        match event:
            case Received():
                for message in connection.reader.feed(event.data):
                    self._take(connection, message)
                    if connection.id not in self._connections:
                        break
            case Closed():
                self._drive(connection, Trigger.TCP_FAILS, Cause(SessionReason.PEER_CLOSED))
            case Writable():
                connection.unsent_since = inf

    def _readdress(self, event: Readdressed) -> None:
        connection = self._connections.get(event.connection)
        if connection is not None:
            connection.readdress(event)
            if connection.is_up:
                connection.told_routes.restyle(self._styles_of(connection))

    def _take(self, connection: Connection, message: Message | Malformed) -> None:
        self._counters.messages_received += 1
        self._counters.received[type(message).__name__] += 1
        unexpected = Cause(SessionReason.UNEXPECTED)
        match message:
            case Malformed():
                cause = Cause(SessionReason.MALFORMED, notice_of(message.fault))
                self._drive(connection, FAULT_TRIGGERS[message.fault.code], cause)
            case Open():
                self._take_open(connection, message)
            case Keepalive():
                reason = SessionReason.ESTABLISHED
                is_expected = connection.state in {State.OPEN_CONFIRM, State.ESTABLISHED}
                self._drive(connection, Trigger.KEEPALIVE, Cause(reason) if is_expected else unexpected)
            case Update():
                self._counters.faults += len(message.faults)
                self._out += [Faulty(fault=fault) for fault in message.faults]
                self._drive(connection, Trigger.UPDATE, unexpected)
            case RouteRefresh():
                self._drive(connection, Trigger.REFRESH, unexpected)
                # RFC 2918 section 4: what was not agreed on is ignored; it would be remembered, too.
                is_agreed = connection.is_up and message.family in connection.session.families
                if is_agreed and not message.subtype:
                    connection.ask_again(message.family, self._now)
            case Notification():
                self._take_notification(connection, message)

    def _take_open(self, connection: Connection, message: Open) -> None:
        """Judge it, and decide which connection stays if there are two (RFC 4271 section 6.8)."""
        if connection.state is not State.OPEN_SENT:
            self._drive(connection, Trigger.OPEN, Cause(SessionReason.UNEXPECTED))
            return
        fault = identify(connection, message, self._settings)
        if fault is not None:
            self._drive(connection, Trigger.OPEN_ERROR, Cause(SessionReason.REJECTED, notice_of(fault)))
            return
        for other in list(self._connections.values()):
            if other is connection or other.state is State.OPEN_SENT:
                continue
            if other.is_up and other.is_replaced_by(connection):
                # We waited for its OPEN, so that a bare TCP connection ends nothing.
                self._drive(other, Trigger.RESTARTING, Cause(SessionReason.REPLACED))
            elif other.is_up or other.outlasts(connection, message):
                self._drive(connection, Trigger.COLLISION_DUMP, Cause(SessionReason.COLLISION))
                return
            else:
                self._drive(other, Trigger.COLLISION_DUMP, Cause(SessionReason.COLLISION))
        self._drive(connection, Trigger.OPEN, Cause(SessionReason.OPENED))

    def _take_notification(self, connection: Connection, message: Notification) -> None:
        self._counters.last_received = message
        self._out.append(Told(notification=message, is_ours=False))
        about = (message.code, message.subcode)
        answers_open = connection.state in {State.OPEN_SENT, State.OPEN_CONFIRM}
        if answers_open and about == (Code.OPEN, OpenError.UNSUPPORTED_PARAMETER):
            self._has_capabilities = False  # RFC 5492 section 3: then without
        is_version = about == (Code.OPEN, OpenError.UNSUPPORTED_VERSION)
        trigger = Trigger.VERSION_NOTIFICATION if is_version else Trigger.NOTIFICATION
        # Nobody is to blame for two that cross.
        is_collision = about == (Code.CEASE, Cease.COLLISION) and len(self._connections) > 1
        reason = SessionReason.COLLISION if is_collision else SessionReason.NOTIFIED
        self._drive(connection, trigger, Cause(reason))

    # ------------------------------------------------------------ from the clock

    def _tick(self) -> None:
        for connection in list(self._connections.values()):
            if connection.hold_at <= self._now:
                self._drive(connection, Trigger.HOLD_EXPIRES, Cause(SessionReason.HOLD_TIMER))
            elif connection.send_hold_at <= self._now:
                self._drive(connection, Trigger.SEND_HOLD_EXPIRES, Cause(SessionReason.SEND_HOLD_TIMER))
            elif connection.keepalive_at <= self._now:
                self._drive(connection, Trigger.KEEPALIVE_EXPIRES, Cause(SessionReason.ESTABLISHED))
        if self._retry_at <= self._now and not self._connections:
            self._at_home(Trigger.CONNECT_RETRY_EXPIRES, SessionReason.RETRIED)

    def _tell_routes(self) -> None:
        """Write what is owed, as far as the connection takes it; then, if we leave, the last word."""
        for connection in self._up():
            routes = connection.told_routes
            if connection.is_clear:
                connection.be_patient(self._now)
                # What is under way is told to its end first: who asks without end gets all of it each time,
                # and another family its turn.
                for family in connection.due_refreshes(self._now) if routes.owed == 0 else ():
                    routes.refresh(family)
                data = routes.next_chunk(CHUNK_BYTES)
                if data:
                    self._send(connection, data)
                    self._beat_later(connection)
                self._is_restart = self._is_restart and not routes.has_ended
            is_out = routes.owed == 0 and connection.is_clear
            if connection.leave_by < inf and (is_out or connection.leave_by <= self._now):
                self._part(connection)
