"""Notices who dies: watches the edges to neighbours, asks others before it is sure, knows its own health.

It drives the parts that each know one thing: ``edges`` (who is silent), ``membership`` (who is accused),
``neighbours`` (to whom we have an edge), ``inquiries`` and ``errands`` (what we ask others, and they us), and
``health`` (whether the fault is ours).
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from bareway.gossip.edges import Edges
from bareway.gossip.errands import Errands
from bareway.gossip.events import Dial, Hangup, MemberChanged, Output, Probed, Send
from bareway.gossip.health import Health
from bareway.gossip.inquiries import Inquiries
from bareway.gossip.member import LinkFact, MemberReason, MemberState
from bareway.gossip.membership import Membership
from bareway.gossip.message import PingAnswer, PingRequest, Pull
from bareway.gossip.neighbours import Neighbours
from bareway.gossip.profile import PATROL_S, Profile, sync_s
from bareway.model.names import NodeName

REDRAW_S: Final = 5.0
"""So seldom others of those that are away have their turn to be dialled by lot."""
RECOVERY_SILENCES: Final = 2
"""One silence more than ours may be the cause of: so long our own lateness excuses that of others."""
SYNC_JITTER: Final = 0.25
"""Pulls that nothing calls for are spread: else a group that started together pulls together."""


class Detector:
    """That of one member."""

    def __init__(
        self, *, edges: Edges, membership: Membership, profile: Profile, rng: Random, now: float
    ) -> None:
        self._edges = edges
        self._membership = membership
        self._rng = rng
        self._peers: frozenset[NodeName] = frozenset()
        self._has_links = False
        self._seen_version = -1
        self._redraw_at = now + REDRAW_S
        self._sync_at = now + self._sync_s()
        self.health: Final = Health(recovery_s=RECOVERY_SILENCES * profile.silence_s)
        self._neighbours = Neighbours(me=membership.me, rng=rng)
        self._errands = Errands(edges=edges)
        self._inquiries = Inquiries(
            profile=profile,
            edges=edges,
            membership=membership,
            health=self.health,
            rng=rng,
            patrol_at=now + PATROL_S * rng.uniform(1.0, 2.0),
        )

    @property
    def deadline(self) -> float:
        """When something is due."""
        return min(
            self._edges.deadline,
            self._membership.deadline,
            self._inquiries.deadline,
            self._errands.deadline,
            self.health.deadline,
            self._redraw_at,
            self._sync_at,
        )

    # ------------------------------------------------------------ what happens

    def use(self, profile: Profile) -> None:
        """Another profile."""
        self._edges.profile = self._inquiries.profile = profile
        self.health.recovery_s = RECOVERY_SILENCES * profile.silence_s

    def know(self, peers: frozenset[NodeName], *, now: float) -> None:
        """These are known to discovery, ourselves left out."""
        self._peers = peers
        self._choose(now)

    def has(self, links: Sequence[LinkFact]) -> None:
        """Our own usable links; who had some and has none any more is cut off, not surrounded by dead."""
        self._has_links = self._has_links or bool(links)
        self.health.link_lost = self._has_links and not links

    def see_members(self, *, now: float) -> None:
        """Somebody came or went."""
        if self._seen_version != self._membership.set_version:
            self._seen_version = self._membership.set_version
            self._choose(now)

    def returned(self, change: MemberChanged, *, now: float) -> None:
        """One lives that we held dead, or did not know."""
        self._edges.returned(change.name, now=now)
        member = self._membership.get(change.name)
        if change.reason is MemberReason.RETURNED and member is not None and not member.is_restarted:
            self.health.returned(change.name, members=len(self._membership.rings), now=now)
            self._edges.patience = self.health.patience

    def delay_by(self, lag_s: float, *, now: float) -> None:
        """We did not listen for ``lag_s``: nobody was silent in that time, and we are not well."""
        self._edges.delay_by(lag_s)
        self._membership.delay_by(lag_s)
        self._inquiries.delay_by(lag_s)
        self.health.worsen(now=now)
        self._edges.patience = self.health.patience

    def heard(self, peer: NodeName, *, now: float) -> list[Send]:
        """A frame came from it, or a fresh edge to it is up: it lives. Returns what others wait to hear."""
        self._inquiries.spoke(peer, now=now)
        return self._errands.spoke(peer)

    def asked(self, peer: NodeName, message: PingRequest | PingAnswer, *, now: float) -> Sequence[Output]:
        """Another asks us about a third, or answers."""
        match message:
            case PingRequest():
                return self._errands.take(peer, message, now=now)
            case PingAnswer():
                self._inquiries.answered(peer, message, now=now)
                return []

    def probed(self, event: Probed, *, now: float) -> Sequence[Output]:
        """A probe ended."""
        self._inquiries.probed(event, now=now)
        return self._errands.spoke(event.peer) if event.alive else []

    # ------------------------------------------------------------ time

    def on_time(self, *, now: float) -> list[Output]:
        """What is due."""
        self._raise_alarms(now)
        out: list[Output] = [*self._inquiries.on_time(now=now), *self._errands.due(now=now)]
        self._membership.bury(now=now)
        for peer in dict.fromkeys([*self._edges.hopeless(now=now), *self._edges.surplus(now=now)]):
            self._edges.hung_up(peer, now=now)
            out.append(Hangup(peer=peer))
        if self._redraw_at <= now:
            self._redraw_at = now + REDRAW_S
            self._neighbours.draw_anew()
            self._choose(now)
        if self._sync_at <= now:
            self._sync_at = now + self._sync_s()
            out.extend(self._sync(now))
        out.extend(Dial(peer=peer) for peer in self._edges.to_dial(now=now))
        return out

    def _raise_alarms(self, now: float) -> None:
        """Who is silent is accused, unless the fault seems to be ours."""
        self.health.recover(now=now)
        self._edges.patience = self.health.patience
        self.health.hear(
            silent=self._edges.quiet(now=now),
            edges=len(self._edges.open),
            members=len(self._membership.rings),
            is_alarm=self._edges.is_alarm(now=now),
            now=now,
        )
        self._edges.patience = self.health.patience
        for peer in self._edges.silent(now=now):
            if self.health.link_lost:
                continue
            if self._edges.alarms(peer) > 1 and self._is_alive(peer):
                self._inquiries.inquire(peer, now=now)  # it has refuted: the fault is between us
            else:
                self._membership.accuse(peer, crashed=False, now=now)
                self._inquiries.try_(peer, now=now)

    def _is_alive(self, name: NodeName) -> bool:
        """And not even suspected."""
        member = self._membership.get(name)
        return member is not None and member.state is MemberState.ALIVE

    def _sync(self, now: float) -> list[Send]:
        peers = self._edges.open
        if not peers:
            return []
        peer = self._rng.choice(peers)
        return [Send(peer=peer, message=Pull(number=self._edges.begin_pull(peer, now=now)))]

    def _sync_s(self) -> float:
        return sync_s(len(self._membership.rings)) * self._rng.uniform(1 - SYNC_JITTER, 1 + SYNC_JITTER)

    def _choose(self, now: float) -> None:
        living = self._membership.rings
        away = (self._peers | self._membership.reachable).difference(living)
        self._neighbours.see(living=living, away=away)
        self._edges.needed = self._neighbours.needed
        self._edges.keep(self._neighbours.wanted, lost=away - self._peers, now=now)
