"""What members find wrong on the link about an address: words for people, flooded so that all can tell them.

A finding is told to our own program and to the group, again every ten seconds while it lasts: the link is
asked before whether it does. Our program is told when it is over. Whoever hears one passes it on if who found
it does not reach everybody, and to observers in any case. What follows from it is decided elsewhere: the
controller exchanges addresses, the speaker writes Events.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Final

from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName


class FindingWord(StrEnum):
    """What is wrong."""

    ADDRESS_IN_USE = "AddressInUse"
    """A station that is no member answers for it."""
    STRICT_ARP_MISSING = "StrictArpMissing"
    """A member's kernel answers for it besides its speaker (kube-proxy in IPVS mode without strictARP)."""
    PROXY_ARP_SUSPECTED = "ProxyArpSuspected"
    """One station answers for so many addresses that it stands in for others."""
    DOUBLE_ANNOUNCER = "DoubleAnnouncer"
    """Two stations answered for it, and gossip between them did not say who keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong about one address."""

    address: IPAddress
    word: FindingWord
    mac: MacAddress
    """The station that answers besides the holder."""
    node: NodeName | None
    """The member that has ``mac``; None: a stranger."""
    by: NodeName
    """Who found it."""


REPEAT_S: Final = 10.0
CONFIRM_S: Final = 2.0
"""So long before it is told again the link is asked: what it answers is judged by then in every profile."""
LASTS_S: Final = REPEAT_S / 2
"""What was not seen again for so long is over, and not told again."""
OWN_MAX: Final = 64
"""Findings of our own at a time; people need not read more to know that something is wrong."""
OF_ONE_MAX: Final = 4
"""Addresses for which one station is reported with one word: the station is what is wrong."""
HEARD_MAX: Final = 1024
"""Findings of others remembered as passed on, and passed on within FRESH_S."""
FRESH_S: Final = REPEAT_S / 2
"""The same one heard again after this is told again."""


@dataclass(slots=True)
class _Own:
    seen_at: float
    repeat_at: float
    is_asked: bool = False
    """The link was asked whether it lasts."""

    @property
    def due(self) -> float:
        return self.repeat_at if self.is_asked else self.repeat_at - CONFIRM_S


@dataclass(slots=True, kw_only=True)
class Findings:
    """Our own, and what passes through us."""

    me: NodeName
    found: list[Finding] = field(default_factory=list)
    """To be told to our program."""
    over: list[Finding] = field(default_factory=list)
    """So is their end."""
    news: list[Finding] = field(default_factory=list)
    """To be told to everybody."""
    overheard: list[Finding] = field(default_factory=list)
    """To be told to observers only: all members heard it from who found it."""
    _own: dict[Finding, _Own] = field(default_factory=dict)
    _heard: dict[Finding, float] = field(default_factory=dict)

    @property
    def deadline(self) -> float:
        """When one is to be told again, or the link to be asked before."""
        if not self._own:
            return inf
        return min((own.due for own in self._own.values()), default=inf)

    def note(
        self, address: IPAddress, word: FindingWord, mac: MacAddress, node: NodeName | None, *, now: float
    ) -> None:
        """We see it, or see it again."""
        finding = Finding(address=address, word=word, mac=mac, node=node, by=self.me)
        known = self._own.get(finding)
        if known is not None:
            known.seen_at = now
            return
        alike = sum(each.word is word and each.mac == mac for each in self._own)
        if len(self._own) < OWN_MAX and alike < OF_ONE_MAX:
            self._own[finding] = _Own(now, now + REPEAT_S)
            self.over = [each for each in self.over if each != finding]
            self.found.append(finding)
            self.news.append(finding)

    def stations(self, word: FindingWord) -> list[MacAddress]:
        """Those of which we say this, in their order."""
        return sorted({each.mac for each in self._own if each.word is word})

    def drop(self, word: FindingWord, mac: MacAddress) -> None:
        """We no longer say this of a station."""
        for finding in [each for each in self._own if each.word is word and each.mac == mac]:
            self._end(finding)

    def repeat(self, *, now: float) -> list[Finding]:
        """Tell again what lasts; returns what may be told next: the link is to be asked whether it does."""
        asked: list[Finding] = []
        for finding, own in [(finding, own) for finding, own in self._own.items() if own.due <= now]:
            if not own.is_asked:
                own.is_asked, own.repeat_at = True, max(own.repeat_at, now + CONFIRM_S)
                asked.append(finding)
            elif now - own.seen_at > LASTS_S:
                self._end(finding)
            else:
                own.is_asked, own.repeat_at = False, now + REPEAT_S
                self.news.append(finding)
                self.found.append(finding)
        return asked

    def hear(self, findings: Iterable[Finding], *, passes_on: bool, now: float) -> None:
        """What others found goes on to those who may not have heard it."""
        news = self.news if passes_on else self.overheard
        for finding in findings:
            heard_at = self._heard.get(finding)
            if finding.by == self.me or (heard_at is not None and now - heard_at < FRESH_S):
                continue
            if heard_at is None and not self._has_room(now):
                return
            self._heard.pop(finding, None)
            self._heard[finding] = now
            news.append(finding)

    def _end(self, finding: Finding) -> None:
        del self._own[finding]
        self.over.append(finding)

    def _has_room(self, now: float) -> bool:
        """Whether one more may be passed on: a member that finds things without end floods nobody."""
        if len(self._heard) < HEARD_MAX:
            return True
        oldest = next(iter(self._heard))
        if now - self._heard[oldest] < FRESH_S:
            return False
        del self._heard[oldest]
        return True

    def take_found(self) -> list[Finding]:
        """What to tell our program."""
        found, self.found = self.found, []
        return found

    def take_over(self) -> list[Finding]:
        """Of which to tell our program that they are over, after those found."""
        over, self.over = self.over, []
        return over

    def take_news(self) -> list[Finding]:
        """What to tell everybody."""
        news, self.news = self.news, []
        return news

    def take_overheard(self) -> list[Finding]:
        """What to tell observers besides."""
        overheard, self.overheard = self.overheard, []
        return overheard


KEPT_S: Final = 45.0
"""An observer knows a finding for so long after it heard it last: three repetitions may be lost. With the
time that who found it needs to see that it is over, that is the minute which people are told of."""


@dataclass(slots=True)
class Heard:
    """What an observer has heard of findings lately."""

    _at: dict[Finding, float] = field(default_factory=dict)

    def hear(self, findings: Iterable[Finding], *, now: float) -> bool:
        """Keep these; whether one of them is new."""
        before = len(self._at)
        for finding in findings:
            if finding in self._at or len(self._at) < HEARD_MAX:
                self._at[finding] = now
        return len(self._at) > before

    def forget(self, *, now: float) -> bool:
        """Drop what was not heard again; whether there was any."""
        before = len(self._at)
        self._at = {finding: at for finding, at in self._at.items() if now - at < KEPT_S}
        return len(self._at) < before

    @property
    def all(self) -> tuple[Finding, ...]:
        """In order of addresses, words and stations."""
        return tuple(
            sorted(
                self._at,
                key=lambda each: (
                    each.address.version,
                    int(each.address),
                    each.word,
                    each.mac,
                    each.by,
                ),
            )
        )
