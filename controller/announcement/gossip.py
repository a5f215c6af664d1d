"""What the controller knows of speakers: it joins gossip as an observer, and decides by what it sees there.

It needs the key of the Secret, and the Nodes to find speakers at. Without either, or where no speaker can be
reached, the controller works on and lists by what the Nodes tell. Whoever saw members before and sees none
now knows nothing certain: then no entry of an announcer list is changed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Final, NoReturn, Protocol

from bareway.decide.announcement.members import Member, Observed, members_of
from bareway.gossip.events import ANYBODY, Event, Output, PeersKnown, Wanted
from bareway.gossip.findings import Finding
from bareway.gossip.member import told_whole
from bareway.gossip.observer import Observer, Picture
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.roles import observer_name
from bareway.gossip.sealing import Keyring
from bareway.model.names import IPAddress, NodeName
from bareway.model.nodes import Node
from bareway.resources.objects import KEY_FIELD
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.driver import GossipDriver
from bareway.runtime.gossip.report import Listening, Notice, PortBusy, TurnedAway
from controller.settings import Settings
from controller.watch import Watch

logger = logging.getLogger(__name__)

TOLD_S: Final = 12.0
"""So long after members were met all that is wrong was told: they repeat it every ten seconds."""
MEET_S: Final = 5.0
"""So long after the start somebody may still be met; a speaker that can be reached answers in one second."""
PAUSE_S: Final = 0.1
"""Between two looks at the Nodes: a burst of changes is one look."""
KEYS_KEPT: Final = 2
"""The key in the Secret, which seals, and the one before it: a Secret is changed once at a time."""


class Sight(Protocol):
    """What decisions ask of gossip."""

    @property
    def version(self) -> int:
        """Grows when something else is seen."""

    def observed(self, *, now: float) -> Observed | None:
        """What is seen; None if there is nobody to be seen."""

    def findings(self, *, now: float) -> Iterable[Finding] | None:
        """What members find wrong on the link; None while not all may have been told."""

    def tell(self, *, generation: int, wanted: Iterable[IPAddress] | None = None) -> None:
        """Which generation the lists have, and for which groups claims are of use (None: as before)."""


class Nobody:
    """What is seen where nobody looks."""

    version: Final = 0

    def observed(self, *, now: float) -> Observed | None:  # noqa: ARG002 - of Sight
        """Nothing."""
        return None

    def findings(self, *, now: float) -> Iterable[Finding] | None:  # noqa: ARG002 - of Sight
        """Nothing."""
        return None

    def tell(self, *, generation: int, wanted: Iterable[IPAddress] | None = None) -> None:
        """Nobody listens."""


@dataclass(slots=True, kw_only=True)
class _Watched:
    """The observer, and a word to the program when it knows something else."""

    observer: Observer
    on_change: Callable[[], None]

    def handle(self, event: Event, *, now: float) -> list[Output]:
        before = self.observer.version
        outputs = self.observer.handle(event, now=now)
        if self.observer.version != before:
            self.on_change()
        return outputs

    @property
    def deadline(self) -> float:
        return self.observer.deadline


@dataclass(slots=True)
class _Told:
    """What the observer is to know, also one that begins later."""

    generation: int = 0
    wanted: frozenset[IPAddress] | None = None
    where: Mapping[NodeName, Where] = field(default_factory=dict)


class Gossip:
    """One observer, from the moment when there is a key."""

    def __init__(
        self, settings: Settings, *, watch: Watch, name: str, rng: Random, on_change: Callable[[], None]
    ) -> None:
        """``name`` is that of the Pod; ``on_change`` is called when something else is seen."""
        self._settings = settings
        self._watch = watch
        self._me = observer_name(name)
        self._rng = rng
        self._on_change = on_change
        self._began_at = monotonic()
        self._changed = asyncio.Event()
        self._keys: list[bytes] = []
        self._told = _Told()
        self._observer: Observer | None = None
        self._driver: GossipDriver | None = None
        self._has_met = False
        self._said: int | None = None
        self._known = 0
        self._seen_at: float | None = None
        """Since when members are seen without a break."""

    # ------------------------------------------------------------ surface

    def look_again(self) -> None:
        """Nodes or the Secret may have changed."""
        self._changed.set()

    @property
    def version(self) -> int:
        """Grows when something else is seen."""
        return self._observer.version if self._observer is not None else 0

    @property
    def alive(self) -> int:
        """How many members are seen alive."""
        return self._said or 0

    @property
    def known(self) -> int:
        """Of how many members was ever heard."""
        return self._known

    def picture(self, *, now: float) -> Picture | None:
        """What the observer knows; None if nothing."""
        return self._observer.picture(now=now) if self._observer is not None else None

    def observed(self, *, now: float) -> Observed | None:
        """What lists are decided by; None if there never was anybody to be seen."""
        picture = self.picture(now=now)
        if picture is not None:
            self._has_met = True
            return _as_observed(picture, self._watch.nodes.objects.values())
        if self._has_met:
            return self._blind(until=inf)
        return self._blind(until=self._began_at + MEET_S) if now < self._began_at + MEET_S else None

    def findings(self, *, now: float) -> Iterable[Finding] | None:
        """What members find wrong on the link; None while not all may have been told."""
        if self._observer is None or self._seen_at is None or now < self._seen_at + TOLD_S:
            return None
        return self._observer.findings()

    def tell(self, *, generation: int, wanted: Iterable[IPAddress] | None = None) -> None:
        """Which generation the lists have, and for which groups claims are of use (None: as before)."""
        if generation > self._told.generation:
            self._told.generation = generation
            if self._observer is not None:
                self._observer.knows_lists(generation)
        if wanted is not None and (keys := frozenset(wanted)) != self._told.wanted:
            self._told.wanted = keys
            self._want()

    async def run(self) -> NoReturn:
        """Wait for the key, then observe; look at Nodes and the Secret whenever they may have changed."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._look(group)
                await self._changed.wait()
                self._changed.clear()
                await asyncio.sleep(PAUSE_S)

    # ------------------------------------------------------------ private

    def _blind(self, *, until: float) -> Observed:
        """All Nodes may be members; nothing is sure ``until`` then."""
        nodes = self._watch.nodes.objects.values()
        return Observed(
            members=members_of(nodes), changed_at=until, calm_s=0.0, generation=self._told.generation
        )

    def _look(self, group: asyncio.TaskGroup) -> None:
        self._take_key()
        if self._keys and self._driver is None:
            self._driver = self._join()
            group.create_task(self._driver.run(), name="gossip driver")
        if self._driver is not None:
            self._locate(self._driver)
        self._say()

    def _take_key(self) -> None:
        """A new key counts beside the former one: not all speakers may have it yet."""
        secret = self._watch.secrets.objects.get(self._watch.secret_key)
        key = secret.data.get(KEY_FIELD) if secret is not None else None
        if not key or key in self._keys[:1]:
            return
        self._keys = [key, *(old for old in self._keys if old != key)][:KEYS_KEPT]
        if self._driver is not None:
            self._driver.use(Keyring(self._keys))

    def _join(self) -> GossipDriver:
        profile = PROFILES[ProfileName.DEFAULT]  # members say what theirs is
        self._observer = Observer(me=self._me, profile=profile, rng=self._rng, now=monotonic())
        self._observer.knows_lists(self._told.generation)
        driver = GossipDriver(
            _Watched(observer=self._observer, on_change=self._see),
            me=self._me,
            keyring=Keyring(self._keys),
            host="",
            port=None,
            rng=self._rng,
            on_output=lambda _: None,  # that members come and go is the speakers' to tell
            on_notice=_log_notice,
        )
        self._told.where = {}
        self._driver = driver
        self._want()
        return driver

    def _locate(self, driver: GossipDriver) -> None:
        port = self._settings.gossip_port
        nodes = self._watch.nodes.objects.values()
        where = {node.name: Where(str(node.addresses[0]), port) for node in nodes if node.addresses}
        if where != self._told.where:
            self._told.where = where
            driver.locate(where)
            driver.tell(PeersKnown(peers=frozenset(where)))

    def _want(self) -> None:
        if self._driver is not None and self._told.wanted is not None:
            self._driver.tell(Wanted(addresses=dict.fromkeys(self._told.wanted, ANYBODY)))

    def _see(self) -> None:
        self._changed.set()
        self._on_change()

    def _say(self) -> None:
        """How many members are seen, when that changes; the speakers tell which."""
        picture = self.picture(now=monotonic())
        alive = sum(member.alive for member in picture.members.values()) if picture is not None else 0
        self._known = len(picture.joined) if picture is not None else self._known
        if alive == (self._said or 0):
            return
        self._said = alive
        if not alive or self._seen_at is None:
            self._seen_at = monotonic() if alive else None
        if alive:
            logger.info("members of gossip seen", extra={"count": alive})
        else:
            logger.warning("no member of gossip is seen; announcer lists keep what they have")


def _as_observed(picture: Picture, nodes: Iterable[Node]) -> Observed:
    """In the shape in which lists are decided.

    A member says itself that it drains, and by what mark; its Node alone keeps new addresses away.
    """
    shunned = {node.name for node in nodes if node.unschedulable or node.is_draining}
    return Observed(
        members={
            name: Member(
                name=name,
                alive=seen.alive,
                eligible=seen.eligible,
                draining=seen.leaving,
                cordoned=name in shunned,
                links=told_whole(seen.links),
            )
            for name, seen in picture.members.items()
        },
        claims=picture.claims,
        joined=picture.joined,
        changed_at=picture.stable_since,
        calm_s=picture.calm_s,
        generation=picture.generation,
    )


def _log_notice(notice: Notice) -> None:
    match notice:
        case TurnedAway(source=source, reason=reason):
            logger.warning("gossip turned away", extra={"source": source, "reason": reason})
        case Listening() | PortBusy():
            pass  # who only dials does not listen
