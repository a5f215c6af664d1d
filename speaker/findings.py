"""Tells people what is wrong on the link: an Event, a log line and a figure for each, once while it lasts.

About an address that another station has, the Services are told of; about a node whose kernel answers beside
its speaker, or a station that answers for others, the Node is. Who finds it tells it, nobody else; the
controller hears of it in gossip. A link full of nonsense makes a bounded number of Events.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from bareway.gossip.findings import Finding, FindingWord
from bareway.model.names import IPAddress, NodeName
from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from bareway.runtime.clock import monotonic
from speaker.telling import Recorder, node_reference

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER_S: Final = 60.0
"""A finding made anew is told anew if it was not made for so long."""
TOLD_MAX: Final = 100
"""Findings told in that time; beyond it they are only counted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a finding is about: of a node that answers for everything, one address is enough."""

    word: FindingWord
    mac: str
    address: IPAddress | None


@dataclass(slots=True)
class Remembered:
    """What was told, and the findings that it stands for as long as they last."""

    made_at: float
    lasting: set[Finding] = field(default_factory=set)


class Findings:
    """Remembers what it told a moment ago."""

    def __init__(
        self,
        me: NodeName,
        *,
        recorder: Recorder,
        services: Callable[[IPAddress], Iterable[ObjectReference]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``services`` are those behind the group with this key."""
        self._me = me
        self._recorder = recorder
        self._services = services
        self._clock = clock
        self._last: dict[Told, Remembered] = {}
        self.counts: Counter[str] = Counter()
        """How many began since the start, by word."""

    @property
    def lasting(self) -> tuple[Finding, ...]:
        """Those that are not over, one for each thing."""
        self._forget(self._clock())
        each = (min(one.lasting, key=_place, default=None) for one in self._last.values())
        return tuple(finding for finding in each if finding is not None)

    def take(self, finding: Finding, *, lasts: bool = True) -> None:
        """Something was found, or found again, or is over."""
        if finding.by != self._me:
            return
        now = self._clock()
        self._forget(now)
        about = Told(finding.word, str(finding.mac), finding.address if _is_about_address(finding) else None)
        known = self._last.get(about)
        if not lasts:
            if known is not None:
                known.lasting.discard(finding)
            return
        if known is None:
            self.counts[finding.word] += 1
            if len(self._last) >= TOLD_MAX:
                return
            known = self._last[about] = Remembered(now)
            self._tell(finding)
        known.made_at = now
        known.lasting.add(finding)

    def _forget(self, now: float) -> None:
        """Gossip says when something is over; so does its silence, if it began anew."""
        self._last = {
            about: one for about, one in self._last.items() if now - one.made_at < FORGOTTEN_AFTER_S
        }

    def _tell(self, finding: Finding) -> None:
        sentence = _sentence(finding)
        logger.warning(
            "something is wrong on the link",
            extra={
                "detail": sentence,
                "reason": finding.word,
                "ip": str(finding.address),
                "mac": str(finding.mac),
                "node": finding.node or "",
            },
        )
        for about in self._about(finding):
            self._recorder.emit(about, EventType.WARNING, finding.word, sentence)

    def _about(self, finding: Finding) -> Iterable[ObjectReference]:
        if _is_about_address(finding):
            return self._services(finding.address)
        return (node_reference(finding.node or self._me),)


def _place(finding: Finding) -> tuple[int, int]:
    return (finding.address.version, int(finding.address))


def _is_about_address(finding: Finding) -> bool:
    return finding.word in (FindingWord.ADDRESS_IN_USE, FindingWord.DOUBLE_ANNOUNCER)


def _sentence(finding: Finding) -> str:
    """What is wrong, and what to do about it."""
    address, mac = finding.address, finding.mac
    who = f"node {finding.node} ({mac})" if finding.node else f"a station that is no node of ours ({mac})"
    match finding.word:
        case FindingWord.ADDRESS_IN_USE:
            return f"{address} is in use by {who} too: take it away there, or out of the pool"
        case FindingWord.STRICT_ARP_MISSING:
            return (
                f"{who} answers ARP for addresses that others announce, such as {address}: where kube-proxy"
                " runs in IPVS mode, set strictARP: true in its configuration"
            )
        case FindingWord.PROXY_ARP_SUSPECTED:
            return (
                f"{who} answers ARP for many addresses, such as {address}: it seems to do proxy ARP;"
                " switch that off on this link"
            )
        case FindingWord.DOUBLE_ANNOUNCER:
            return f"{who} announced {address} too, without gossip between it and node {finding.by}"
