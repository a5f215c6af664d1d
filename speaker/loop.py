"""Look, decide, tell: what changed in Kubernetes or on the node becomes what gossip and layer 2 are told.

Level, not edge: a change only means "look again", and everything is recomputed from the mirrors. Failover
does not pass through here: gossip grants and revokes by itself (``Speaker.on_output``).
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, NoReturn, Protocol

from bareway.decide.announcement.announcers import Announcers, Group, Refusal, announcers, own_refusal
from bareway.gossip.events import (
    Announce,
    Event,
    MemberChanged,
    OwnFacts,
    PeersKnown,
    Wanted,
    Withdraw,
)
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from bareway.resources.kinds import NODES
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from speaker.announcing import Announcing, Responder
from speaker.settings import Settings
from speaker.watch import Watch

logger = logging.getLogger(__name__)

PAUSE_FACTOR: Final = 4
"""After a look that took t the next begins 4 t later at the earliest: looking takes a fifth of the time."""
PAUSE_MIN_S: Final = 0.01
"""Changes that come together are looked at together."""
LEAVE_S: Final = 10.0
"""After SIGTERM an address that nobody takes is served for so long (grace 30 s in the manifest)."""


class Gossip(Protocol):
    """What the speaker asks of the gossip driver."""

    def tell(self, event: Event) -> None:
        """Let the machine know something, and do what follows."""

    def locate(self, addresses: Mapping[NodeName, Where]) -> None:
        """Say where each member listens."""


class Recorder(Protocol):
    """Where Events go."""

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        """Tell something about an object."""


class Speaker:
    """The speaker's decisions, between the mirrors on one side and gossip and layer 2 on the other."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        responder: Responder,
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._recorder = recorder
        self._gossip: Gossip | None = None
        self._changed = asyncio.Event()
        self._vacated = asyncio.Event()
        self._has_link = False
        self._leaving = False
        self._told: dict[type, Event] = {}
        self._logged: dict[str, object] = {}
        self._outage = ""
        self._refused: frozenset[str] = frozenset()
        self.announcing = Announcing(responder, self._tell_services)
        self.decided = Announcers()
        self.taken = 0
        """How many claims this node took since the start."""
        self.withdrawn: dict[str, int] = {}
        """How many addresses it gave up, by reason."""

    # ------------------------------------------------------------ news

    def look_again(self) -> None:
        """Something changed."""
        self._changed.set()

    def connect(self, gossip: Gossip) -> None:
        """Gossip is there now, and is told everything from here on."""
        self._gossip = gossip
        self._told.clear()
        self.look_again()

    def links_changed(self, *, usable: bool) -> None:
        """Layer 2 has a usable link, or has none any more: told at once, the others must take over."""
        self._has_link = usable
        self._tell_facts()
        self.look_again()

    def on_output(self, output: Announce | Withdraw | MemberChanged) -> None:
        """What gossip says: first the wire, then the log."""
        match output:
            case Announce(addresses=keys):
                new = self.announcing.grant(keys)
                self.taken += new
                message = "announcing" if new else "announcing anew"
                logger.info(message, extra={"ips": _some(keys), "count": len(keys)})
            case Withdraw(addresses=keys, reason=reason):
                self.announcing.revoke(keys)
                self.withdrawn[reason] = self.withdrawn.get(reason, 0) + len(keys)
                logger.info("withdrawn", extra={"ips": _some(keys), "count": len(keys), "reason": reason})
                if not self.announcing.addresses:
                    self._vacated.set()
            case MemberChanged(name=name, state=state, reason=reason):
                logger.info("member changed", extra={"member": name, "state": state, "reason": reason})

    # ------------------------------------------------------------ looking

    async def run(self) -> NoReturn:
        """Look again after every change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            began = monotonic()
            self._look()
            await asyncio.sleep(max(PAUSE_MIN_S, PAUSE_FACTOR * (monotonic() - began)))

    async def leave(self) -> None:
        """Let the others take over, and go on until they did or LEAVE_S passed."""
        self._leaving = True
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

    def _look(self) -> None:
        self._say_state()
        view = self._watch.view()
        if view is not None:
            self.decided = announcers(view)
            self.announcing.decide(self.decided.groups)
        self._tell_peers()
        if view is not None:
            wanted = {key: group.permitted for key, group in self.decided.groups.items()}
            self._tell(Wanted(addresses=wanted))
        self._tell_facts()

    def _tell_peers(self) -> None:
        if self._gossip is None:
            return
        members = self.members()
        self._gossip.locate(members)
        self._tell(PeersKnown(peers=frozenset(members)))

    def _tell_facts(self) -> None:
        ready = self._watch.view() is not None
        self._tell(OwnFacts(ready=ready, able=self.own_refusal() is None, leaving=self._leaving))

    def own_refusal(self) -> Refusal | None:
        """Why this node may announce nothing; None when it may."""
        if not self._has_link:
            return Refusal.NO_USABLE_LINK
        ignore = self._settings.ignore_exclude_label
        nodes = self._watch.nodes.objects.values()
        return own_refusal(self._watch.me, nodes, ignore_exclude_label=ignore)

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

    def _tell(self, event: PeersKnown | Wanted | OwnFacts) -> None:
        """Only what is new: gossip need not be asked to compare thousands of addresses."""
        if self._gossip is not None and self._told.get(type(event)) != event:
            self._told[type(event)] = event
            self._gossip.tell(event)

    # ------------------------------------------------------------ people

    def _tell_services(self, group: Group) -> None:
        message = f'announcing from node "{self._settings.node_name}" with protocol "layer2"'
        for key in group.services:
            service = self._watch.services.objects.get(key)
            about = ObjectReference(kind="Service", key=key, uid=service.uid if service else "")
            self._recorder.emit(about, EventType.NORMAL, "nodeAssigned", message)

    def _say_state(self) -> None:
        """One line for each change of what an operator would ask about."""
        configured = self._watch.configured()
        if self._watch.synced and configured.configuration is None:
            place = f"{self._settings.configuration_namespace}/{self._settings.config_name}"
            self._say("configuration", "waiting for a configuration", logging.WARNING, place)
        elif configured.configuration is not None:
            self._say("configuration", "configuration loaded", logging.INFO, configured.status.sha256)
        if configured.status.problems:
            problems = "; ".join(map(str, configured.status.problems))
            self._say("problems", "the configuration has problems", logging.WARNING, problems)
        else:
            self._logged.pop("problems", None)  # the same one later is news again
        if self._watch.lacks_gossip_key:
            secret = f"{self._settings.namespace}/{self._settings.gossip_secret}"
            self._say("key", "waiting for the Secret with the gossip key", logging.WARNING, secret)
        else:
            self._logged.pop("key", None)
        self._say_api()
        self._say_refusals()
        refusal = self.own_refusal()
        if refusal is not None:
            self._say("own", "this node announces nothing", logging.WARNING, refusal)
        else:
            self._say("own", "this node may announce", logging.INFO, "")

    def _say_api(self) -> None:
        """One line an outage, with how it began: its story changes with each mirror that notices."""
        if self._watch.troubles:
            self._outage = self._outage or "; ".join(self._watch.troubles)
            self._say("api", "the API server is away; announcing goes on", logging.WARNING, self._outage)
        elif self._watch.connected:
            self._outage = ""
            self._say("api", "the API server answers", logging.INFO, "")

    def _say_refusals(self) -> None:
        """One line and one Event for each right that was taken away while we run; the rest goes on."""
        told, self._refused = self._refused, frozenset(self._watch.refusals)
        me = self._settings.node_name
        about = ObjectReference(kind=NODES.name, key=ObjectKey("", me), uid=me)  # as the kubelet refers to it
        for sentence in sorted(self._refused - told):
            logger.warning("a right is missing; the rest goes on", extra={"detail": sentence})
            self._recorder.emit(about, EventType.WARNING, "RightMissing", sentence)

    def _say(self, about: str, message: str, level: int, detail: str) -> None:
        if self._logged.get(about) != (message, detail):
            self._logged[about] = (message, detail)
            logger.log(level, message, extra={"detail": detail} if detail else {})


def _some(keys: tuple[IPAddress, ...]) -> str:
    """The first few: a log line is read by people."""
    shown = ", ".join(map(str, keys[:5]))
    return shown if len(keys) <= 5 else f"{shown}, …"  # noqa: PLR2004 - as many as are shown
