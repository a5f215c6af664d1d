"""Another station speaks for an address of ours: who gives way, and what is told to people.

* A member, and gossip works between us: claims decide. If it holds none one flood later, its kernel answered
  a question by itself (strictARP is missing there) and we go on; a frame of it that nobody asked for is a
  claim on the way, and if none came we announce again.
* A member that we do not hear, or an unknown station while a member is missing whose links are not known: the
  lower MAC address keeps. Who yields asks the link each second (``yielding``) and takes over once the
  other is silent.
* A stranger: we keep the address, announce it again at most once in ten seconds (RFC 5227 section 2.4 (c)),
  and report it.

Not covered: which of several links of one node the other station is on; ours in the address's subnet counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.gossip.events import Ask, Question, Sighted
from bareway.gossip.findings import Findings, FindingWord
from bareway.gossip.profile import Profile
from bareway.gossip.stations import Stations
from bareway.gossip.strangers import Strangers
from bareway.gossip.yielding import STATES_MAX, Yielding
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName

PROBES: Final = 3
DEFEND_S: Final = 10.0
"""RFC 5227 section 2.4 (c): an address is defended at most once in this time."""
DEFEND_FROM_MEMBER_S: Final = 1.0
"""A member gives way as soon as it hears us, unless that one frame was lost."""


@dataclass(slots=True)
class _Watched:
    due: float
    is_solicited: bool


@dataclass(slots=True, kw_only=True)
class Conflicts:
    """All addresses of ours that somebody else speaks for."""

    profile: Profile
    stations: Stations
    strangers: Strangers
    findings: Findings
    holds_since: Callable[[IPAddress], float | None]
    """Since when the claim of an address is ours; None: it is not."""
    gossips_with: Callable[[NodeName], bool]
    """Whether what we claim reaches a member, and what it claims reaches us."""
    is_missing_some: Callable[[], bool]
    """Whether a Node that may have a speaker is not in the view."""
    again: set[IPAddress] = field(default_factory=set)
    """To be announced again."""
    changed: set[IPAddress] = field(default_factory=set)
    """Yielded, or no longer so."""
    _yielded: Yielding = field(default_factory=Yielding)
    _watched: dict[tuple[IPAddress, MacAddress], _Watched] = field(default_factory=dict)
    """Those to be judged next come first."""
    _defended: dict[IPAddress, float] = field(default_factory=dict)

    def yields(self, address: IPAddress) -> bool:
        """Whether we leave an address that we hold to another station."""
        return address in self._yielded

    @property
    def deadline(self) -> float:
        """When something is to be asked or judged."""
        judged = next((each.due for each in self._watched.values()), inf)
        return min(judged, self._yielded.deadline)

    # ------------------------------------------------------------ what the link says

    def sighted(self, event: Sighted, *, now: float) -> None:
        """Another station speaks for an address."""
        since = self.holds_since(event.address)
        if since is None or self.yields(event.address):
            return
        node = self.stations.owner(event.mac)
        if node == self.stations.me:
            return
        if node is not None and self.gossips_with(node):
            # A claim may be on its way: theirs, or ours if we have just taken the address from them.
            if now - since >= self._flood_s:
                self._watch(event.address, event.mac, now, is_solicited=event.is_solicited)
        elif node is not None or self.is_missing_some():
            self._compare(event.address, event.mac, now)
        else:
            self.strangers.seen(event.mac, event.address, now=now)
            self._defend(event.address, DEFEND_S, now)

    def probed(self, address: IPAddress, mac: MacAddress, *, now: float) -> bool:
        """A station answered a probe for an address that is new; whether it is, or may be, a member's."""
        node = self.stations.owner(mac)
        if node is not None and self.gossips_with(node):
            self._watch(address, mac, now, is_solicited=True)
        elif node is not None or self.is_missing_some():
            self._compare(address, mac, now)
        else:
            return False
        return True

    def answered(self, address: IPAddress, macs: frozenset[MacAddress], *, now: float) -> None:
        """The link was asked about an address that we yielded."""
        rival = self._yielded.to(address)
        if rival is None:
            return
        if rival in macs:
            self._note_double(address, rival, now)
        else:
            self._yielded.is_gone_from(address)
            self.changed.add(address)

    def see_members(self) -> None:
        """With whom gossip works has changed: where it does now, claims decide."""
        for address, rival in self._yielded.all:
            if self._is_settled_with(rival):
                self._yielded.drop(address)
                self.changed.add(address)
        for rival in filter(self._is_settled_with, self.findings.stations(FindingWord.DOUBLE_ANNOUNCER)):
            self.findings.drop(FindingWord.DOUBLE_ANNOUNCER, rival)

    # ------------------------------------------------------------ time

    def on_time(self, *, now: float) -> list[Ask]:
        """Judge what was watched for long enough, ask about what was yielded."""
        while self._watched:
            (address, mac), watched = next(iter(self._watched.items()))
            if watched.due > now:
                break
            del self._watched[address, mac]
            self._judge(address, mac, watched, now)
        due = self._yielded.due(now, self._holds)
        return [Ask(address=address, question=Question.CONFLICT, probes=PROBES) for address in due]

    def forget(self, *, now: float) -> None:
        """Drop what counts no more."""
        self._defended = {address: at for address, at in self._defended.items() if now - at < DEFEND_S}
        for address, _ in self._yielded.all:
            if not self._holds(address):
                self._yielded.drop(address)

    # ------------------------------------------------------------ private

    def _holds(self, address: IPAddress) -> bool:
        return self.holds_since(address) is not None

    def _is_settled_with(self, rival: MacAddress) -> bool:
        """Whether gossip says who keeps what, or the station is a stranger."""
        node = self.stations.owner(rival)
        return self.gossips_with(node) if node is not None else not self.is_missing_some()

    def _watch(self, address: IPAddress, mac: MacAddress, now: float, *, is_solicited: bool) -> None:
        if len(self._watched) < STATES_MAX:
            self._watched.setdefault((address, mac), _Watched(now + self._flood_s, is_solicited))

    def _judge(self, address: IPAddress, mac: MacAddress, watched: _Watched, now: float) -> None:
        node = self.stations.owner(mac)
        if self.holds_since(address) is None or node is None:
            return  # the claim came
        if watched.is_solicited:
            self.findings.note(address, FindingWord.STRICT_ARP_MISSING, mac, node, now=now)
        else:
            self._defend(address, DEFEND_S, now)

    def _compare(self, address: IPAddress, mac: MacAddress, now: float) -> None:
        """The numerically lower MAC address keeps."""
        ours = self.stations.own_for(address)
        self._note_double(address, mac, now)
        if ours is None or ours < mac or self._yielded.is_full:
            self._defend(address, DEFEND_FROM_MEMBER_S, now)
        else:
            self._yielded.add(address, mac, now=now)
            self.changed.add(address)

    def _note_double(self, address: IPAddress, mac: MacAddress, now: float) -> None:
        node = self.stations.owner(mac)
        self.findings.note(address, FindingWord.DOUBLE_ANNOUNCER, mac, node, now=now)

    def _defend(self, address: IPAddress, each_s: float, now: float) -> None:
        last = self._defended.get(address)
        if (last is None and len(self._defended) < STATES_MAX) or (last is not None and now - last >= each_s):
            self._defended[address] = now
            self.again.add(address)

    @property
    def _flood_s(self) -> float:
        return self.profile.differ_s
