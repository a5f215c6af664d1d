"""One BFD session in asynchronous mode, without sockets, clock or chance (RFC 5880 section 6.8).

Feed it packets and ticks with the time; it returns what to send and what changed. ``deadline`` says when it
wants the next ``Tick``. A peer in demand mode is served as section 6.6 has it; we never ask for it ourselves.
Not covered: echo packets (we take none: the interval for them is 0), authentication.
"""

import math
from random import Random
from typing import Final, NamedTuple

from bareway.bfd.packet import Diagnostic, Packet, State
from bareway.bfd.polling import PollSequence
from bareway.bfd.table import NEXT_STATE
from bareway.bfd.timing import (
    MICRO,
    REMOTE_MIN_RX_AT_FIRST_US,
    SLOW_US,
    Timing,
    detection_time_s,
    in_use_until_confirmed,
    jittered_s,
    transmit_interval_us,
)

NEVER: Final = math.inf


class Received(NamedTuple):
    """A packet that belongs to this session."""

    packet: Packet


class Tick(NamedTuple):
    """It is late enough; everything that had arrived by now was handed over before."""


class Change(NamedTuple):
    """From now on this is wished."""

    timing: Timing
    is_passive: bool = False


class Disable(NamedTuple):
    """Keep the session down, and tell the peer that this is on purpose (section 6.8.16)."""

    diagnostic: Diagnostic = Diagnostic.ADMINISTRATIVELY_DOWN


class Enable(NamedTuple):
    """Let a session that was disabled come up again."""


Event = Received | Tick | Change | Disable | Enable


class Send(NamedTuple):
    """To the peer, now."""

    packet: Packet


class StateChanged(NamedTuple):
    """The session's state, and why."""

    state: State
    diagnostic: Diagnostic


class Ended(NamedTuple):
    """Disabled for so long that the peer must have heard it: the session may be forgotten."""


Output = Send | StateChanged | Ended


class Remote(NamedTuple):
    """What the peer last said of itself (section 6.8.1)."""

    discriminator: int = 0
    state: State = State.DOWN
    diagnostic: int = Diagnostic.NONE
    is_demand: bool = False
    timing: Timing = Timing(0, REMOTE_MIN_RX_AT_FIRST_US, 0)


NOBODY: Final = Remote()


class Session:
    """The machine; its attributes are for status and tests."""

    def __init__(
        self, *, discriminator: int, timing: Timing, rng: Random, now: float, is_passive: bool = False
    ) -> None:
        self.discriminator = discriminator
        self.state = State.DOWN
        self.diagnostic = Diagnostic.NONE
        self.remote = NOBODY
        self.wished = timing
        self.is_passive = is_passive
        self.announced = timing.of_session_that_is(up=False)
        self.in_use = self.announced
        self._rng = rng
        self._poll = PollSequence()
        self._told: Packet | None = None
        self._sent_at = now
        self._send_at = now
        self._heard_at: float | None = None
        self._ends_at = NEVER

    @property
    def deadline(self) -> float:
        """When a ``Tick`` is due."""
        send_at = self._send_at if self._sends_periodically else NEVER
        return min(send_at, self._detect_at, self._ends_at)

    @property
    def is_polling(self) -> bool:
        """We wait for the peer to confirm a change."""
        return self._poll.is_polling

    @property
    def transmit_interval_us(self) -> int:
        """The interval between packets before jitter."""
        return transmit_interval_us(self.in_use, self.remote.timing.required_min_rx_us)

    @property
    def detection_time_s(self) -> float:
        """The silence after which the peer counts as gone; 0 while there is no peer."""
        return detection_time_s(self.in_use, self.remote.timing)

    def go_on(self, *, announced: Timing, remote: Remote, now: float) -> None:
        """Be up with this peer, who knows what was announced in a former life; the first tick says more."""
        self.state, self.remote = State.UP, remote
        self.announced = self.in_use = announced
        self._heard_at = now

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """What follows from an event."""
        state, interval_us = self.state, self.transmit_interval_us
        outputs: list[Output] = []
        is_final = False
        match event:
            case Received(packet):
                is_final = self._receive(packet, now=now) and packet.is_poll
            case Tick():
                outputs += self._expire(now=now)
            case Change(timing, is_passive):
                self.wished, self.is_passive = timing, is_passive
            case Disable(diagnostic):
                self._disable(diagnostic, now=now)
            case Enable():
                self._enable()
        self._renegotiate(before=state)
        if self.state is not state:
            outputs.insert(0, StateChanged(self.state, self.diagnostic))
        if self.transmit_interval_us != interval_us:
            self._send_at = max(now, self._sent_at + self._pause_s())
        return outputs + self._speak(now=now, is_final=is_final)

    # -- hearing

    def _receive(self, packet: Packet, *, now: float) -> bool:
        """Whether the packet was heard (section 6.8.6); the checks that need no session were made before."""
        self._heard_at = now
        self.remote = Remote(
            discriminator=packet.my_discriminator,
            state=packet.state,
            diagnostic=packet.diagnostic,
            is_demand=packet.is_demand,
            timing=Timing(packet.desired_min_tx_us, packet.required_min_rx_us, packet.detect_multiplier),
        )
        if self._poll.receive(is_final=packet.is_final):
            self.in_use = self.announced
        following = NEXT_STATE[self.state, packet.state]
        if following is not self.state:
            self._enter(following, Diagnostic.NEIGHBOR_SIGNALED_DOWN)
        return self.state is not State.ADMIN_DOWN

    def _expire(self, *, now: float) -> list[Output]:
        if now >= self._detect_at:
            self._heard_at = None
            self.remote = NOBODY
            self._poll.stop()  # whoever comes next reads it all in our first packet
            if self.state in (State.INIT, State.UP):
                self._enter(State.DOWN, Diagnostic.DETECTION_TIME_EXPIRED)
        if now >= self._ends_at:
            self._ends_at = NEVER
            return [Ended()]
        return []

    def _enter(self, state: State, why_down: Diagnostic) -> None:
        self.state = state
        if state is State.DOWN:
            self.diagnostic = why_down
        elif state is State.UP:
            self.diagnostic = Diagnostic.NONE

    @property
    def _detect_at(self) -> float:
        return NEVER if self._heard_at is None else self._heard_at + self.detection_time_s

    # -- what a person or a program wants

    def _disable(self, diagnostic: Diagnostic, *, now: float) -> None:
        if self.state is not State.ADMIN_DOWN:
            self.state = State.ADMIN_DOWN
            self.diagnostic = diagnostic
            # For the peer's detection time at least (section 6.8.16), whose interval is now a slow one.
            interval_us = max(SLOW_US, self.wished.desired_min_tx_us, self.remote.timing.required_min_rx_us)
            self._ends_at = now + self.wished.detect_multiplier * interval_us * MICRO

    def _enable(self) -> None:
        if self.state is State.ADMIN_DOWN:
            self._enter(State.DOWN, self.diagnostic)
            self._ends_at = NEVER

    # -- agreeing on intervals

    def _renegotiate(self, *, before: State) -> None:
        """Announce what is wished, as far as the state and an open question allow."""
        is_up = self.state is State.UP
        goes_on = is_up and before is State.UP
        if goes_on and not self._poll.is_idle:
            # The answer has to be unambiguous (section 6.8.3); the multiplier needs none (section 6.8.12).
            self.announced = self.announced._replace(detect_multiplier=self.wished.detect_multiplier)
            self.in_use = self.in_use._replace(detect_multiplier=self.wished.detect_multiplier)
            return
        announced = self.wished.of_session_that_is(up=is_up)
        if announced == self.announced:
            if not is_up:
                self.in_use = announced
            return
        needs_poll = announced[:2] != self.announced[:2]
        self.announced = announced
        self.in_use = in_use_until_confirmed(self.in_use, announced) if goes_on else announced
        if needs_poll and self.remote.discriminator:
            self._poll.begin()

    # -- speaking

    @property
    def _sends_periodically(self) -> bool:
        """RFC 5880 section 6.8.7, its exceptions."""
        if self.is_passive and not self.remote.discriminator:
            return False
        if not self.remote.timing.required_min_rx_us:
            return False
        is_demanded = self.remote.is_demand and self.state is State.UP and self.remote.state is State.UP
        return self._poll.is_polling or not is_demanded

    def _speak(self, *, now: float, is_final: bool) -> list[Output]:
        """An answer at once, a change at once, all else in its time."""
        if self.is_passive and not self.remote.discriminator:
            return []
        packet = self._packet()
        is_due = self._sends_periodically and now >= self._send_at
        if not is_due and not is_final and packet == self._told:
            return []
        changed = packet != self._told
        self._told = packet
        if is_due or changed:
            self._sent_at = now
            self._send_at = now + self._pause_s()
        is_poll = self._poll.is_polling and not is_final
        return [Send(packet._replace(is_poll=is_poll, is_final=is_final))]

    def _packet(self) -> Packet:
        return Packet(
            state=self.state,
            diagnostic=self.diagnostic,
            detect_multiplier=self.announced.detect_multiplier,
            my_discriminator=self.discriminator,
            your_discriminator=self.remote.discriminator,
            desired_min_tx_us=self.announced.desired_min_tx_us,
            required_min_rx_us=self.announced.required_min_rx_us,
            is_control_plane_independent=True,
        )

    def _pause_s(self) -> float:
        return jittered_s(self.transmit_interval_us, self.announced.detect_multiplier, self._rng)
