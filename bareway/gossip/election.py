"""The claims side of a member: which addresses are ours, by what the others say and by what we want.

It keeps the claims (``claims``), decides which addresses are ours (``ownership``), and what happens when two
sides of a partition meet (``disputes``) or when the link contradicts (``link``). Who lives and what members
say of themselves comes from ``membership``; the machine tells it when to be silent.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from math import inf
from typing import Final

from bareway.gossip.backlog import Backlog, in_order
from bareway.gossip.changes import Witness, is_change_of_hands, seen_change
from bareway.gossip.claims import NOBODY, Claim, ClaimTable, Outcome
from bareway.gossip.disputes import Disputes
from bareway.gossip.events import (
    Announce,
    Answered,
    Ask,
    Found,
    MemberChanged,
    Sighted,
    Wanted,
    Withdraw,
    WithdrawReason,
)
from bareway.gossip.findings import Finding
from bareway.gossip.forgetting import Forgetting
from bareway.gossip.link import Link
from bareway.gossip.member import MemberState
from bareway.gossip.membership import Membership
from bareway.gossip.ownership import Ownership
from bareway.gossip.profile import Profile
from bareway.gossip.quorum import Quorum
from bareway.gossip.sides import Sides
from bareway.model.names import IPAddress, NodeName

ROUND_MAX: Final = 1024
"""Addresses looked at in one housekeeping: thousands each time were half of what an idle member costs."""
STALE_MAX: Final = 64
"""Times of claims that may be kept beyond twice as many as we answer for."""


class Election:
    """What one member holds, claims and answers for."""

    def __init__(
        self,
        *,
        profile: Profile,
        membership: Membership,
        sides: Sides,
        quorum: Quorum,
        is_silent: Callable[[NodeName], bool],
        witness: Witness | None = None,
    ) -> None:
        self._me = membership.me
        self._witness = witness
        self._membership = membership
        self._is_silent = is_silent
        self.table: Final = ClaimTable(lives=membership.lives)
        self._ownership = Ownership(me=self._me, table=self.table)
        self._link = Link(
            profile=profile,
            membership=membership,
            table=self.table,
            ownership=self._ownership,
            quorum=quorum,
            gossips_with=self._gossips_with,
        )
        self._ownership.withholds = self._link.withholds
        self._ownership.is_back = lambda node, now: membership.is_back(node, now=now)
        self._disputes = Disputes(
            membership=membership, table=self.table, ownership=self._ownership, sides=sides
        )
        self._forgetting = Forgetting(me=self._me, table=self.table)
        self._claimed_at: dict[IPAddress, float] = {}
        """When we last claimed each of the addresses that we have."""
        self._backlog = Backlog()
        self._looked_to = 0
        """How far the present round has come in what is wanted."""
        # what one call of handle collects
        self._own_claims: list[Claim] = []
        self._passed_on: list[Claim] = []
        self._looked: tuple[IPAddress, ...] = ()
        self._given_up: set[IPAddress] = set()
        self._again: set[IPAddress] = set()

    @property
    def deadline(self) -> float:
        """When something is due; at once while not all is looked at."""
        return -inf if self._backlog else min(self._ownership.deadline, self._link.deadline)

    @property
    def answering(self) -> frozenset[IPAddress]:
        """What we answer for."""
        return frozenset(self._ownership.answering)

    def answers(self, address: IPAddress) -> bool:
        """Whether we answer for it, as far as claims and the link go."""
        return address in self._ownership.answering and self._ownership.serves(address)

    def held(self) -> tuple[Claim, ...]:
        """The best claim of each address that somebody holds, v4 before v6, ascending."""
        held = {claim.address: claim for claim in self.table if claim.node != NOBODY}
        return tuple(held[address] for address in in_order(held))

    @property
    def holds_any(self) -> bool:
        """Whether any claim is ours."""
        return bool(self.table.held_by(self._me))

    def use(self, profile: Profile) -> None:
        """Another profile."""
        self._link.use(profile)

    # ------------------------------------------------------------ what we are told

    def want(self, event: Wanted, *, now: float) -> None:
        """Another set of addresses, other wishes for them, or other lists."""
        self.table.hear_generation(event.lists.generation)
        before = self._ownership.wanted
        look = self._ownership.want(event.addresses, event.lists, now=now)
        for address in look:
            if address in event.addresses and address not in before:
                self.table.want(address)
        self._backlog.add(look)

    def hear(self, claims: Iterable[Claim], *, source: NodeName | None, passes_on: bool, now: float) -> None:
        """Claims of others, or of our own former life."""
        for claim in claims:
            old = self.table.get(claim.address)
            outcome = self.table.hear(claim)
            if outcome is not Outcome.KEPT:
                if outcome is Outcome.BEATEN and claim.node == source:
                    self._again.add(claim.address)
                continue
            self._tell(old, claim, now)
            self._backlog.add([claim.address])
            if passes_on:
                self._passed_on.append(claim)
            if old is not None and old.node == self._me != claim.node:
                answer = self._disputes.answer_to(claim, beaten=old, now=now)
                if answer is not None:
                    self._claim(answer, now)

    def hear_findings(self, findings: Iterable[Finding], *, passes_on: bool, now: float) -> None:
        """What others see on the link."""
        self._link.findings.hear(findings, passes_on=passes_on, now=now)

    def see_members(self, *, now: float) -> None:
        """Who lives, or what members say of themselves, has changed."""
        membership = self._membership
        self._link.see_members()
        self._backlog.add(self._ownership.see(membership.standings(), membership.protected(now=now)))

    def see_states(self, changes: Iterable[MemberChanged], *, now: float) -> None:
        """Members are held otherwise than before."""
        self._link.see_states()
        for change in changes:
            if change.state is MemberState.SUSPECT:
                self._link.suspects(change.name, now=now)

    def ask_the_link(self, event: Answered | Sighted, *, now: float) -> None:
        """What the link says."""
        match event:
            case Answered():
                self._link.answered(event, now=now)
            case Sighted():
                self._link.sighted(event, now=now)

    def announce_again(self, *, since: float = -inf) -> None:
        """Others may have announced what we claimed since then."""
        claimed_at = self._claimed_at
        if since < inf:
            self._again |= {each for each in self._ownership.answering if claimed_at.get(each, -inf) >= since}

    # ------------------------------------------------------------ silence

    @property
    def silenced(self) -> WithdrawReason | None:
        """Why nothing is answered and nothing claimed; None: all goes its way."""
        return self._ownership.silenced

    def silence(self, reason: WithdrawReason) -> None:
        """Answer nothing and claim nothing from now on."""
        self._ownership.silenced = reason
        self._given_up |= self._ownership.answering

    def wait_until(self, at: float) -> None:
        """Take nothing over before: what we believe of others is to be confirmed first."""
        self._ownership.waits_until = at

    def speak_again(self) -> None:
        """The silence is over."""
        self._ownership.silenced = None
        self._backlog.add(self._ownership.wanted)

    # ------------------------------------------------------------ time

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: our turns come later."""
        self._ownership.delay_by(lag_s)

    def keep_house(self, *, ready: bool, now: float) -> None:
        """Look at everything, some of it each time if it is much, and forget what nobody wants."""
        self._backlog.add(self._next_round())
        self._link.keep_house(now=now)
        if len(self._claimed_at) > 2 * len(self._ownership.answering) + STALE_MAX:
            ours = self._ownership.answering
            self._claimed_at = {each: at for each, at in self._claimed_at.items() if each in ours}
        if ready and not self.silenced:
            for address in self._forgetting.sweep(self._ownership.wanted, now=now):
                self._claim(self.table.next_claim(address, NOBODY), now)

    def settle(self, *, now: float) -> tuple[list[Claim], list[Claim], list[Finding], list[Finding]]:
        """Take what is due; returns what to tell.

        Our claims, those of others to pass on, what is found, and what is found that only observers lack.
        """
        self._link.on_time(now=now)
        self._backlog.add(self._link.look)
        self._link.look.clear()
        self._looked = self._backlog.take()
        self._ownership.look(self._looked, now=now)
        for address in self._ownership.due(now=now):
            self._take(address, now)
        self._again |= self._link.again
        self._link.again.clear()
        self._ownership.taken(claim.address for claim in self._own_claims)
        own, self._own_claims = self._own_claims, []
        passed_on, self._passed_on = self._passed_on, []
        findings = self._link.findings
        return own, passed_on, findings.take_news(), findings.take_overheard()

    def outcome(self) -> list[Announce | Withdraw | Ask | Found]:
        """What changed in what we answer for, what the link is to be asked, and what is wrong there."""
        outputs: list[Announce | Withdraw | Ask | Found] = []
        outputs += self._ownership.answer_for(self._given_up.union(self._looked), again=self._again)
        outputs += self._link.asks
        findings = self._link.findings
        outputs += [Found(finding=finding) for finding in findings.take_found()]
        outputs += [Found(finding=finding, lasts=False) for finding in findings.take_over()]
        self._link.asks.clear()
        self._looked, self._given_up, self._again = (), set(), set()
        return outputs

    def _next_round(self) -> Iterable[IPAddress]:
        """What is looked at this time though nothing is said to have changed."""
        wanted = self._ownership.wanted
        begin = self._looked_to if self._looked_to < len(wanted) else 0
        self._looked_to = begin + ROUND_MAX
        return islice(wanted, begin, self._looked_to)

    def _take(self, address: IPAddress, now: float) -> None:
        """Our turn has come."""
        old = self.table.get(address)
        if old is None or old.node == NOBODY:
            self._claim(self._ownership.claim_for(address), now, was_vacant=True)
        elif not self._link.must_ask(old.node, address, now=now):
            self._claim(self._ownership.claim_for(address), now)

    def _claim(self, claim: Claim, now: float, *, was_vacant: bool = False) -> None:
        old = self.table.get(claim.address)
        self.table.hear(claim)
        self._tell(old, claim, now)
        self._own_claims.append(claim)
        self._again.add(claim.address)
        if claim.node == self._me:
            self._claimed_at[claim.address] = now
            self._link.took(claim.address, was_vacant=was_vacant, now=now)

    def _tell(self, old: Claim | None, claim: Claim, now: float) -> None:
        """Let the witness know of an address that changed hands."""
        if self._witness is not None and is_change_of_hands(old, claim):
            wish = self._ownership.wanted.get(claim.address)
            self._witness(seen_change(old, claim, self._membership, wish, now=now))

    def _gossips_with(self, node: NodeName) -> bool:
        """Whether claims get from us to a member and back: it is alive in our view, and not silent.

        Who is not sure of its own health suspects others late; for what is said on the link that is too late.
        """
        member = self._membership.get(node)
        return member is not None and member.state is MemberState.ALIVE and not self._is_silent(node)
