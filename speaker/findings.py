"""Tells people what is wrong on the link: an Event, a log line and a figure for each, once while it lasts.

About an address that another station has, the Services are told of; about a node whose kernel answers beside
its speaker, or a station that answers for others, the Node is. Who finds it tells it, nobody else; the
controller hears of it in gossip. A link full of nonsense makes a bounded number of Events.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bareway.gossip.findings import Finding, FindingWord
from bareway.model.names import IPAddress, NodeName
from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from bareway.runtime.clock import monotonic
from speaker.telling import Recorder, node_reference

logger = logging.getLogger(__name__)

OVER_AFTER_S: Final = 60.0
"""A finding that is not made again for so long is over; made anew it is told anew."""
TOLD_MAX: Final = 100
"""Findings told in that time; beyond it they are only counted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a finding is about: of a node that answers for everything, one address is enough."""

    word: FindingWord
    mac: str
    address: IPAddress | None


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
        self._last: dict[Told, tuple[float, Finding]] = {}
        self.counts: Counter[str] = Counter()
        """How many began since the start, by word."""

    @property
    def lasting(self) -> tuple[Finding, ...]:
        """Those that were made in the last minute, one for each thing."""
        self._forget(self._clock())
        return tuple(finding for _, finding in self._last.values())

    def take(self, finding: Finding) -> None:
        """Something was found."""
        if finding.by != self._me:
            return
        now = self._clock()
        self._forget(now)
        about = Told(finding.word, str(finding.mac), finding.address if _is_about_address(finding) else None)
        is_known = about in self._last
        if is_known or len(self._last) < TOLD_MAX:
            self._last[about] = (now, finding)
        if is_known:
            return
        self.counts[finding.word] += 1
        if about in self._last:
            self._tell(finding)

    def _forget(self, now: float) -> None:
        self._last = {about: last for about, last in self._last.items() if now - last[0] < OVER_AFTER_S}

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
