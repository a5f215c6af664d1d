"""What a member makes of its link: questions asked, frames seen, and what both mean for its addresses.

It joins the evidence about suspects (``evidence``), conflicts (``conflict``), the check of new addresses
(``duplicates``) and what is told to people (``findings``).
"""

from collections.abc import Callable
from typing import Final

from bareway.gossip.backlog import in_order
from bareway.gossip.claims import ClaimTable
from bareway.gossip.conflict import Conflicts
from bareway.gossip.duplicates import Duplicates
from bareway.gossip.events import Answered, Ask, Question, Sighted
from bareway.gossip.evidence import SEARCHED_MAX, SUCCESSORS, Evidence
from bareway.gossip.findings import Findings
from bareway.gossip.member import MemberState
from bareway.gossip.membership import Membership
from bareway.gossip.ownership import Ownership
from bareway.gossip.patrol import Patrol
from bareway.gossip.profile import Profile
from bareway.gossip.quorum import Quorum
from bareway.gossip.stations import Stations
from bareway.gossip.strangers import Strangers
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName

AGAIN_PROBES: Final = 3
"""Whether what was found lasts: no answer to any of them and it is over."""


class Link:
    """The link of one member."""

    def __init__(
        self,
        *,
        profile: Profile,
        membership: Membership,
        table: ClaimTable,
        ownership: Ownership,
        quorum: Quorum,
        gossips_with: Callable[[NodeName], bool],
    ) -> None:
        self._me = membership.me
        self._membership = membership
        self._table = table
        self._ownership = ownership
        self._quorum = quorum
        self._gossips_with = gossips_with
        self.findings: Final = Findings(me=membership.me)
        self._stations = Stations(me=membership.me)
        self._strangers = Strangers(findings=self.findings)
        self._evidence = Evidence(profile=profile)
        self._duplicates = Duplicates(strangers=self._strangers, holds=self._holds)
        self._conflicts = Conflicts(
            profile=profile,
            stations=self._stations,
            strangers=self._strangers,
            findings=self.findings,
            holds_since=self.holds_since,
            gossips_with=gossips_with,
            is_missing_some=self._is_missing_some,
        )
        self._patrol = Patrol()
        self._since: dict[IPAddress, float] = {}
        self.asks: list[Ask] = []
        """Questions to be asked."""
        self.again: set[IPAddress] = set()
        """To be announced again."""
        self.look: set[IPAddress] = set()
        """To be looked at: what the link says of them has changed."""

    def withholds(self, address: IPAddress) -> bool:
        """Whether the link keeps us from answering for what we hold."""
        return self._conflicts.yields(address) or self._duplicates.withholds(address)

    def holds_since(self, address: IPAddress) -> float | None:
        """Since when an address is ours by claim; None: it is not."""
        return self._since.get(address, 0.0) if self._holds(address) else None

    def use(self, profile: Profile) -> None:
        """Another profile."""
        self._evidence.profile = self._conflicts.profile = profile

    @property
    def deadline(self) -> float:
        """When something is due."""
        return min(
            self._evidence.deadline,
            self._duplicates.deadline,
            self._conflicts.deadline,
            self._strangers.deadline,
            self.findings.deadline,
            self._patrol.deadline,
        )

    # ------------------------------------------------------------ what happens

    def took(self, address: IPAddress, *, was_vacant: bool, now: float) -> None:
        """We claimed an address; whether nobody held it before."""
        self._since[address] = now
        self._patrol.begin(now=now)
        if was_vacant and self._ownership.wanted[address].is_new:
            self.asks += self._duplicates.begin(address, now=now)

    def see_members(self) -> None:
        """Who lives, or what members say of themselves, has changed."""
        everybody = self._membership.everybody
        self._stations.see(everybody)
        self._quorum.see(
            {each.name: each.state is MemberState.LEFT for each in everybody if each.name != self._me}
        )
        self._conflicts.see_members()

    def see_states(self) -> None:
        """Who is held alive, suspected or dead has changed."""
        silent = {MemberState.SUSPECT, MemberState.DEAD}
        self._evidence.keep(each.name for each in self._membership.everybody if each.state in silent)
        self._conflicts.see_members()

    def suspects(self, name: NodeName, *, now: float) -> None:
        """A member fell silent: those who would follow it ask the link for what it has."""
        if not self._is_questionable(name, MemberState.SUSPECT):
            return
        some = in_order(self._table.held_by(name))[:SEARCHED_MAX]
        places = ((each, self._ownership.succeeds(each)) for each in some)
        ours = [each for each, place in places if place is not None and place < SUCCESSORS]
        self.asks += self._evidence.ask(name, ours, self._stations.of(name), now=now)

    def must_ask(self, holder: NodeName, address: IPAddress, *, now: float) -> bool:
        """Ask before an address is taken from a member that fell silent; False if there is nothing to ask."""
        if not self._is_questionable(holder, MemberState.DEAD):
            return False
        asks = self._evidence.ask(holder, [address], self._stations.of(holder), now=now)
        self.asks += asks
        self.look |= self._ownership.hold(self._evidence.holds)
        return bool(asks)

    def answered(self, event: Answered, *, now: float) -> None:
        """What the link said to a question."""
        match event.question:
            case Question.SUSPECT:
                self._evidence.answered(event.address, event.macs, now=now)
            case Question.CONFLICT:
                self._conflicts.answered(event.address, event.macs, now=now)
            case Question.ISOLATED:
                for mac in sorted(event.macs):
                    self.sighted(Sighted(address=event.address, mac=mac, is_solicited=True), now=now)
            case Question.DUPLICATE:
                self._check(event.address, event.macs, now)

    def sighted(self, event: Sighted, *, now: float) -> None:
        """Another station speaks for an address of ours."""
        self._conflicts.sighted(event, now=now)

    # ------------------------------------------------------------ time

    def on_time(self, *, now: float) -> None:
        """Do what is due, and gather what follows."""
        if now >= self.deadline:
            self.asks += self._evidence.ask_again(now=now)
            self.asks += self._conflicts.on_time(now=now)
            self._strangers.judge(now=now)
            self.asks += self._duplicates.on_time(now=now)
            self.asks += self._patrol.on_time(self._table.held_by(self._me), now=now)
            lasting = {finding.address: None for finding in self.findings.repeat(now=now)}
            self.asks += [_again(address) for address in lasting if self._holds(address)]
        self.look |= self._ownership.hold(self._evidence.holds)
        for part in (self._conflicts, self._duplicates):
            self.look |= part.changed
            part.changed.clear()
        self.again |= self._conflicts.again
        self._conflicts.again.clear()

    def keep_house(self, *, now: float) -> None:
        """Forget what counts no more."""
        self._conflicts.forget(now=now)
        self._strangers.judge(now=now)
        if self._table.held_by(self._me):
            self._patrol.begin(now=now)  # also for what was found to be ours after a restart
        self._since = {address: at for address, at in self._since.items() if self._holds(address)}

    # ------------------------------------------------------------ private

    def _holds(self, address: IPAddress) -> bool:
        claim = self._table.get(address)
        return claim is not None and claim.node == self._me

    def _check(self, address: IPAddress, macs: frozenset[MacAddress], now: float) -> None:
        if not self._holds(address):
            return
        strangers = {mac for mac in sorted(macs) if not self._conflicts.probed(address, mac, now=now)}
        for mac in sorted(strangers):
            self._strangers.seen(mac, address, now=now)
        self._duplicates.answered(address, frozenset(strangers), now=now)

    def _is_questionable(self, name: NodeName, state: MemberState) -> bool:
        """Whether a member fell silent without a word, and was not asked about yet."""
        member = self._membership.get(name)
        if member is None or member.state is not state or member.report.crashed:
            return False
        return not self._evidence.knows(name)

    def _is_missing_some(self) -> bool:
        """Whether an unknown station may be a member's: one does not gossip with us, its links not known."""
        missing = self._quorum.missing(filter(self._gossips_with, self._membership.living))
        return any(not self._stations.of(name) for name in missing)


def _again(address: IPAddress) -> Ask:
    return Ask(address=address, question=Question.DUPLICATE, probes=AGAIN_PROBES)
