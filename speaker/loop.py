"""Look, decide, tell: what changed in Kubernetes or on the node becomes what gossip and layer 2 are told.

Level, not edge: a change only means "look again". Where an object is another than before all are decided
anew, in steps of about a millisecond; where a list is, what it lists. Failover does not pass through here:
gossip grants and revokes by itself (``Speaker.on_output``).
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import inf
from typing import Final, NoReturn, Protocol

from bareway.decide.announcement.announcers import (
    Announcers,
    AnnouncerView,
    Refusal,
    announcers_in_steps,
    own_refusal,
)
from bareway.decide.announcement.interfaces import allows
from bareway.decide.announcement.leaving import LeavingReason, leaving_reason
from bareway.decide.announcement.wishes import Links, Wishes, choosy_in_steps
from bareway.gossip.events import (
    Announce,
    Event,
    Found,
    MemberChanged,
    OwnFacts,
    PartitionPolicy,
    PeersKnown,
    Wanted,
    Wish,
    Withdraw,
)
from bareway.gossip.member import LinkFact, Member, publishable, told_whole
from bareway.model.configuration import Layer2Settings, Pool
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.objects import ObjectReference
from bareway.resources.kinds import SERVICES
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.turns import in_turns
from speaker.announcing import Announcing, Responder
from speaker.findings import Findings
from speaker.measuring import Measuring
from speaker.settings import Settings
from speaker.telling import Recorder, Teller
from speaker.watch import Watch

logger = logging.getLogger(__name__)

PAUSE_FACTOR: Final = 4
"""After a look that took t the next begins 4 t later at the earliest: looking takes a fifth of the time."""
PAUSE_MIN_S: Final = 0.01
"""Changes that come together are looked at together."""
LINKS_LOOK_S: Final = 1.0
"""How often it is looked at what members say of their links; only where a pool has ``interfaces``."""
LEAVE_S: Final = 10.0
"""After SIGTERM an address that nobody takes is served for so long (grace 30 s in the manifest)."""
AS_BY_DEFAULT: Final = Layer2Settings()
NO_LINKS: Final[Mapping[InterfaceName, bool]] = {}


class Gossip(Protocol):
    """What the speaker asks of the gossip driver."""

    def tell(self, event: Event) -> None:
        """Let the machine know something, and do what follows."""

    def locate(self, addresses: Mapping[NodeName, Where]) -> None:
        """Say where each member listens."""


class Wire(Responder, Protocol):
    """What the speaker asks of layer 2."""

    def reconsider(self) -> None:
        """``Speaker.allows`` may say something else now."""

    def repeat_every(self, interval_s: float) -> None:
        """Announce each address unasked so often from now on."""


def nobody() -> tuple[Member, ...]:
    """The members as long as there is no gossip."""
    return ()


class Speaker:
    """The speaker's decisions, between the mirrors on one side and gossip and layer 2 on the other."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        wire: Wire,
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._wire = wire
        self._gossip: Gossip | None = None
        self._members: Callable[[], Iterable[Member]] = nobody
        self._changed = asyncio.Event()
        self._vacated = asyncio.Event()
        self._links: tuple[LinkFact, ...] = ()
        self._seen_links: Links = {}
        self._choosy: Mapping[IPAddress, Pool] = {}
        self._repeated_every_s = AS_BY_DEFAULT.gratuitous_interval_s
        self._leaving = False
        self._told: dict[type, Event] = {}
        self._teller = Teller(settings, watch=watch, recorder=recorder)
        self.announcing = Announcing(wire, self._teller.announced)
        self.measuring = Measuring()
        self.findings = Findings(settings.node_name, recorder=recorder, services=self._services_behind)
        self.decided = Announcers()
        self._view: AnnouncerView | None = None
        """What that was decided by."""
        self._wishes = Wishes()
        self.taken = 0
        """How many claims this node took since the start."""
        self.withdrawn: dict[str, int] = {}
        """How many addresses it gave up, by reason."""

    # ------------------------------------------------------------ news

    def look_again(self) -> None:
        """Something changed; that our own node is to hand over, or no longer, is told at once."""
        self._changed.set()
        self.measuring.changed()
        told = self._told.get(OwnFacts)
        if isinstance(told, OwnFacts) and told.ready and told.leaving != (self.leaving() is not None):
            self._tell_facts()
            self._teller.leaving(self.leaving())

    def connect(self, gossip: Gossip, members: Callable[[], Iterable[Member]] = nobody) -> None:
        """Gossip is there now, and is told everything from here on; ``members`` are those that it knows."""
        self._gossip, self._members = gossip, members
        self._told.clear()
        self.look_again()

    def links_changed(self, links: tuple[LinkFact, ...]) -> None:
        """Layer 2 has these usable links now: told at once, since without any the others must take over."""
        self._links = links
        self._tell_facts()
        self.look_again()

    def on_output(self, output: Announce | Withdraw | MemberChanged | Found) -> None:
        """What gossip says: first the wire, then the log."""
        match output:
            case Announce(addresses=keys):
                new = self.announcing.grant(keys)
                self.taken += new
                self.measuring.announced(keys, new)
                extra = {"ips": _some(keys), "count": len(keys)}
                logger.info("announcing" if new else "announcing anew", extra=extra)
            case Withdraw(addresses=keys, reason=reason):
                self.announcing.revoke(keys)
                self.withdrawn[reason] = self.withdrawn.get(reason, 0) + len(keys)
                logger.info("withdrawn", extra={"ips": _some(keys), "count": len(keys), "reason": reason})
                if not self.announcing.addresses:
                    self._vacated.set()
            case MemberChanged(name=name, state=state, reason=reason):
                self.measuring.member_changed(output)
                logger.info("member changed", extra={"member": name, "state": state, "reason": reason})
            case Found(finding=finding, lasts=lasts):
                self.findings.take(finding, lasts=lasts)

    # ------------------------------------------------------------ looking

    async def run(self) -> NoReturn:
        """Look again after every change, until cancelled."""
        while True:
            await self._news()
            self._changed.clear()
            began = monotonic()
            await self.look()
            await asyncio.sleep(max(PAUSE_MIN_S, PAUSE_FACTOR * (monotonic() - began)))

    async def leave(self) -> None:
        """Let the others take over, and go on until they did or LEAVE_S passed."""
        self._leaving = True
        self._teller.leaving(self.leaving())
        self._tell_facts()
        if not self.announcing.addresses:
            return
        logger.info("leaving", extra={"count": len(self.announcing.addresses)})
        self._vacated.clear()
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._vacated.wait()
        except TimeoutError:
            logger.warning("nobody took over", extra={"count": len(self.announcing.addresses)})

    @property
    def wishes(self) -> Mapping[IPAddress, Wish]:
        """What gossip is told of each group, by key."""
        return self._wishes.wishes

    async def look(self) -> None:
        """Decide what may be another than before, and tell what is."""
        since = self.measuring.took_in()
        self._teller.look(refusal=self.own_refusal(), leaving=self.leaving())
        view = self._watch.view()
        if view is not None:
            await self._decide(view, since=since)
        self._tell_peers()
        if view is not None:
            self._tell(PartitionPolicy(partition=self._layer2.partition))
            self._tell(Wanted(addresses=self.wishes, lists=self._watch.lists_known))
        self._tell_facts()

    async def _decide(self, view: AnnouncerView, *, since: float) -> None:
        # To compare is to compare places in memory: mirrors keep an object for as long as it is equal.
        is_new = view != self._view
        decided = await in_turns(announcers_in_steps(view)) if is_new else self.decided
        self._seen_links = self._links_of_members() if _cares_for_links(view) else {}
        await in_turns(
            self._wishes.follow_in_steps(
                decided.groups,
                self._watch.lists.lists,
                self._seen_links,
                checks_duplicates=self._layer2.duplicate_check,
            )
        )
        self.decided, self._view = decided, view
        self._set_up_wire(await in_turns(choosy_in_steps(decided.groups)) if is_new else self._choosy)
        if is_new:
            self.announcing.decide(decided.groups)
        self.measuring.decided(decided.groups, self.announcing.addresses, since=since)

    def _set_up_wire(self, choosy: Mapping[IPAddress, Pool]) -> None:
        """What layer 2 has to know before addresses are announced."""
        if choosy != self._choosy:
            self._choosy = choosy
            self._wire.reconsider()
        interval_s = self._layer2.gratuitous_interval_s
        if interval_s != self._repeated_every_s:
            self._repeated_every_s = interval_s
            self._wire.repeat_every(interval_s or inf)

    async def _news(self) -> None:
        """Return when there is something to look at."""
        while not self._changed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LINKS_LOOK_S):
                    await self._changed.wait()
            if self._seen_links and self._seen_links != self._links_of_members():
                return

    def _links_of_members(self) -> Links:
        """The links of all who may ever announce: Nodes whose speaker says nothing, and members."""
        links = {node.name: NO_LINKS for node in self._watch.nodes.objects.values()}
        said = {member.name: member.report.facts.links for member in self._members()}
        said[self._settings.node_name] = publishable(self._links)  # as all others judge us
        told = {
            name: {link.name: link.speaks_ipv6 for link in told_whole(facts)} for name, facts in said.items()
        }
        return {**links, **told}

    # ------------------------------------------------------------ telling gossip

    def _tell_peers(self) -> None:
        if self._gossip is None:
            return
        members = self.members()
        self._gossip.locate(members)
        self._tell(PeersKnown(peers=frozenset(members)))

    def _tell_facts(self) -> None:
        self._tell(
            OwnFacts(
                ready=self._watch.ready,
                able=self.own_refusal() is None,
                leaving=self.leaving() is not None,
                links=self._links,
            )
        )

    def _tell(self, event: PeersKnown | PartitionPolicy | Wanted | OwnFacts) -> None:
        """Only what is new: gossip need not be asked to compare thousands of addresses."""
        if self._gossip is not None and self._told.get(type(event)) != event:
            self._told[type(event)] = event
            self._gossip.tell(event)

    # ------------------------------------------------------------ what is known

    def own_refusal(self) -> Refusal | None:
        """Why this node may announce nothing; None when it may."""
        if not self._links:
            return Refusal.NO_USABLE_LINK
        ignore = self._settings.ignore_exclude_label
        nodes = self._watch.nodes.objects.values()
        return own_refusal(self._watch.me, nodes, ignore_exclude_label=ignore)

    @property
    def spoken(self) -> Mapping[InterfaceName, bool]:
        """The usable links of this node, and whether IPv6 is spoken on each."""
        return {link.name: link.speaks_ipv6 for link in self._links}

    def allows(self, address: IPAddress, link: InterfaceName) -> bool:
        """Whether the pool of ``address`` lets it be announced on ``link``."""
        pool = self._choosy.get(address)
        return pool is None or allows(pool, link)

    def addresses_of(self, key: IPAddress) -> tuple[IPAddress, ...]:
        """The addresses that are announced under ``key``, by whomever; itself if none are known."""
        group = self.decided.groups.get(key)
        return group.addresses if group is not None else (key,)

    def key_of(self, address: IPAddress) -> IPAddress | None:
        """The key of an address that is announced here."""
        return self.announcing.addresses.get(address)

    def leaving(self) -> LeavingReason | None:
        """Why this node hands over what it announces; None when it does not."""
        if self._leaving:
            return LeavingReason.STOPPING
        return leaving_reason(self._watch.me, self._layer2.on_cordon)

    def members(self) -> dict[NodeName, Where]:
        """Where the other members are: as told by --members, else by their Nodes."""
        port = self._settings.gossip_port
        if self._settings.members:
            members = self._settings.members.items()
            found = {name: Where(str(at.address), at.port or port) for name, at in members}
        else:
            nodes = self._watch.nodes.objects.values()
            found = {node.name: Where(str(node.addresses[0]), port) for node in nodes if node.addresses}
        found.pop(self._settings.node_name, None)
        return found

    @property
    def _layer2(self) -> Layer2Settings:
        return self._watch.layer2 or AS_BY_DEFAULT

    def _services_behind(self, key: IPAddress) -> Iterable[ObjectReference]:
        group = self.decided.groups.get(key)
        for service in group.services if group is not None else ():
            known = self._watch.services.objects.get(service)
            yield SERVICES.reference(service, known.uid if known else "")


def _cares_for_links(view: AnnouncerView) -> bool:
    return any(pool.interfaces for pool in view.configuration.pools)


def _some(keys: tuple[IPAddress, ...]) -> str:
    """The first few: a log line is read by people."""
    shown = ", ".join(map(str, keys[:5]))
    return shown if len(keys) <= 5 else f"{shown}, …"  # noqa: PLR2004 - as many as are shown
