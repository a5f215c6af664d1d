"""What the watching programs see, and what follows from it: outages, answerers, stalls of the host.

All times are CLOCK_MONOTONIC in seconds, which every namespace of one machine shares.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

TURN_S = 0.5
"""Who has not answered for so long, although asked each few milliseconds, had stopped."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request on a connection of its own."""

    sent_at: float
    ended_at: float
    body: str | None
    """What came back with status 200; None for anything else."""
    failure: str = ""
    """Why there is no body: a word such as ``timeout`` or the name of the error."""
    address: str = ""
    """Who was asked, where it is one of several."""


EVERYBODY = {"ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"}
"""Broadcast, and the multicast of all IPv6 nodes (RFC 2464 section 7)."""


class ArpFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One ARP frame as it came from the wire; what NDP says is told in the same terms."""

    at: float
    operation: int
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str
    source: str
    """Ethernet source; ``destination`` beside it."""
    destination: str

    @property
    def is_gratuitous(self) -> bool:
        """Tells everybody of its own address (RFC 5944 section 4.6), rather than asking or answering."""
        return self.sender_ip == self.target_ip and self.destination in EVERYBODY

    @property
    def is_answer(self) -> bool:
        return self.operation == 2 and not self.is_gratuitous


class Lateness(msgspec.Struct, frozen=True, kw_only=True):
    """The control timer woke so much later than it asked: the host itself stood still."""

    at: float
    late_s: float


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """The longest time in which nobody got the page."""

    seconds: float
    """From the last good answer to the next good one; 0.0 if no request failed."""
    failures: dict[str, int]
    """Requests without the page since the fault, by reason."""

    @property
    def failed(self) -> int:
        return sum(self.failures.values())


def outage(attempts: Iterable[Attempt], *, since: float) -> Outage | None:
    """The outage that follows ``since``; None while the page has not come back, or was not there before.

    Without a failed request there is none: a slow host alone delays answers, but loses no request.
    """
    ended = sorted(attempts, key=lambda attempt: attempt.ended_at)
    good = [attempt.ended_at for attempt in ended if attempt.body is not None]
    failures = [attempt for attempt in ended if attempt.body is None and attempt.ended_at >= since]
    if not failures:
        return Outage(seconds=0.0, failures={}) if good and good[-1] >= since else None
    if not good or good[0] > failures[0].ended_at or good[-1] < failures[-1].sent_at:
        return None
    longest = max((later - earlier for earlier, later in pairwise(good) if later >= since), default=0.0)
    return Outage(seconds=longest, failures=dict(Counter(attempt.failure for attempt in failures)))


def served_again(attempts: Sequence[Attempt], *, since: float, in_a_row: int = 20) -> bool:
    """Whether the last ``in_a_row`` requests sent after ``since`` all got the page."""
    last = [attempt for attempt in attempts[-in_a_row:] if attempt.sent_at >= since]
    return len(last) == in_a_row and all(attempt.body is not None for attempt in last)


def answers(
    frames: Iterable[ArpFrame],
    address: str,
    *,
    since: float = 0.0,
    by: str | None = None,
    but: str | None = None,
) -> list[ArpFrame]:
    """Answers to "who has ``address``" after ``since``, by a given MAC or by any but a given one."""
    return [
        frame
        for frame in frames
        if frame.is_answer
        and frame.sender_ip == address
        and frame.at >= since
        and (by is None or frame.sender_mac == by)
        and (but is None or frame.sender_mac != but)
    ]


def announcements(frames: Iterable[ArpFrame], address: str, *, since: float = 0.0) -> list[ArpFrame]:
    """Gratuitous frames for ``address`` after ``since``."""
    return [
        frame for frame in frames if frame.is_gratuitous and frame.sender_ip == address and frame.at >= since
    ]


def two_answerers(frames: Iterable[ArpFrame], address: str, *, since: float = 0.0) -> float:
    """Seconds in which more than one MAC answered for ``address``; a clean hand-over is none.

    A MAC that answers again within TURN_S although another answered in between shared that time with it.
    """
    last_heard: dict[str, float] = {}
    previous, covered_until, shared = "", 0.0, 0.0
    for frame in sorted(answers(frames, address, since=since), key=lambda frame: frame.at):
        before = last_heard.get(frame.sender_mac)
        if before is not None and frame.sender_mac != previous and frame.at - before <= TURN_S:
            shared += frame.at - max(before, covered_until)
            covered_until = frame.at
        last_heard[frame.sender_mac] = frame.at
        previous = frame.sender_mac
    return shared


def longest_silence(frames: Iterable[ArpFrame], address: str, *, since: float = 0.0) -> float:
    """Seconds in which nobody answered for ``address``, although it was asked for all the time."""
    heard = sorted(frame.at for frame in answers(frames, address, since=since))
    return max((later - earlier for earlier, later in pairwise(heard)), default=0.0)


def longest_stall(stalls: Iterable[Lateness], *, since: float = 0.0) -> float:
    """How long the host stood still at most after ``since``."""
    return max((stall.late_s for stall in stalls if stall.at >= since), default=0.0)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A speaker began to hold a member dead, and needed so long to decide what follows."""

    dead: str
    at: float
    took_s: float


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """An object was changed between these two moments."""

    sent_at: float
    answered_at: float


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """A request that an API server was asked to write by, a few hundredths of a second after it came."""

    at: float
    verb: str
    resource: str
    name: str
    """Empty where one is created."""


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """How a BFD session stands, as the main program hears it."""

    at: float
    kind: str
    """``changed``, ``figures`` or ``trouble``."""
    peer: str
    state: str
    diagnostic: str
    remote_state: str
    trouble: int
    transmit_interval_us: int
    detection_time_us: int
    ups: int
    downs: int
    packets_in: int
