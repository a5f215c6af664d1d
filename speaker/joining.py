"""A speaker's life in gossip: it joins once it has the key, the names of the others and the profile.

A new key counts beside the former one until every member reports it, and open edges stay. Another profile
takes effect without a restart.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final, NoReturn, Protocol

from bareway.gossip.events import Event, KeyHeld, Leave, UseProfile
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.rotation import Rotation, reported
from bareway.model.problems import Problem
from bareway.runtime.clock import monotonic, utc_now
from bareway.runtime.gossip.driver import GossipDriver, ToProgram
from bareway.runtime.gossip.report import GossipCounters, Listening, Notice, PortBusy, TurnedAway
from speaker.history import Historian, Witnessed
from speaker.loop import Speaker
from speaker.settings import Settings
from speaker.watch import Watch

logger = logging.getLogger(__name__)

MS: Final = 1000
GOODBYE_S: Final = 0.5
"""For the last words to leave; the others notice by the closed connection anyway."""
SETTLE_S: Final = 10.0
"""So seldom it is looked at whether all members report the new key."""


class Report(Protocol):
    """Who shows what gossip knows."""

    def connect(self, machine: GossipMachine, counters: GossipCounters) -> None:
        """There is gossip now."""


class Joining:
    """One member, from the moment when it may be one; ``run`` it in a TaskGroup."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        speaker: Speaker,
        report: Report,
        rng: Random,
        on_output: Callable[[ToProgram], None],
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._speaker = speaker
        self._report = report
        self._rng = rng
        self._on_output = on_output
        self._keys = Rotation()
        self._driver: GossipDriver | None = None
        self._may_join = asyncio.Event()
        self._problems: tuple[Problem, ...] = ()
        """What is configured and not proven for a group like this, as told."""
        self.history: Final = Historian(settings.node_name, watch=watch, speaker=speaker)
        """Who had which address, since this program started."""
        self.machine: GossipMachine | None = None
        """None until it has joined."""
        self.profile: ProfileName | None = None
        """The one in use."""

    @property
    def wished_profile(self) -> ProfileName | None:
        """By flag, else by configuration; None while that is not known."""
        if self._settings.profile is not None:
            return self._settings.profile
        layer2 = self._watch.layer2
        return None if layer2 is None else ProfileName(layer2.profile.value)

    def look_again(self) -> None:
        """What it waits for may have come."""
        self._take_key()
        # Before the members are known every caller would be turned away as a stranger.
        knows_members = bool(self._settings.members) or self._watch.nodes.synced
        if self._keys.keyring is not None and knows_members and self.wished_profile is not None:
            self._may_join.set()
        self._consider_profile()

    def tell(self, event: Event) -> None:
        """Let the machine know something, if there is one."""
        if self._driver is not None:
            self._driver.tell(event)

    async def run(self) -> None:
        """Join when all is known, and be a member until cancelled."""
        self.look_again()
        await self._may_join.wait()
        self.profile = self.wished_profile or ProfileName.DEFAULT
        machine, driver = self._begin(self.profile)
        async with asyncio.TaskGroup() as group:
            group.create_task(driver.run(), name="gossip driver")
            await asyncio.sleep(0)  # the driver must run before it is asked to dial
            driver.tell(KeyHeld(key_id=self._keys.newest))
            group.create_task(self._settle_keys(machine, driver), name="gossip keys")
            self._speaker.connect(driver, machine.members)

    async def leave(self) -> None:
        """Say goodbye."""
        if self._driver is not None:
            self._driver.tell(Leave())
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._driver.flush()

    async def _settle_keys(self, machine: GossipMachine, driver: GossipDriver) -> NoReturn:
        """Once all members report the new key, the former counts no longer."""
        while True:
            await asyncio.sleep(SETTLE_S)
            self._say_problems(machine)
            nodes = {node.name for node in self._watch.nodes.objects.values()}
            keys = reported(machine.members(), nodes)
            if self._keys.settle(keys, now=monotonic()) and (keyring := self._keys.keyring) is not None:
                driver.use(keyring)
                logger.info("every member has the new gossip key; the former counts no longer")

    def _say_problems(self, machine: GossipMachine) -> None:
        """Once each, as long as it is the same."""
        told, self._problems = self._problems, machine.problems
        for problem in self._problems:
            if problem not in told:
                logger.warning("the configuration has problems", extra={"detail": str(problem)})

    def _begin(self, profile: ProfileName) -> tuple[GossipMachine, GossipDriver]:
        keyring = self._keys.keyring
        if keyring is None:
            raise RuntimeError("join when there is a key")
        self.machine = machine = GossipMachine(
            me=self._settings.node_name,
            epoch=int(utc_now().timestamp() * MS),
            profile=PROFILES[profile],
            rng=self._rng,
            now=monotonic(),
            witness=self.history.saw,
        )
        self._driver = driver = GossipDriver(
            Witnessed(machine, self.history),
            me=self._settings.node_name,
            keyring=keyring,
            host=self._settings.gossip_address,
            port=self._settings.gossip_port,
            rng=self._rng,
            on_output=self._on_output,
            on_notice=_log_notice,
        )
        self._report.connect(machine, driver.counters)
        logger.info("joining gossip", extra={"profile": profile})
        return machine, driver

    def _take_key(self) -> None:
        """A new key counts beside the former one: others may not have it yet, and open edges stay open."""
        key = self._watch.gossip_key
        if key is None or not self._keys.offer(key, now=monotonic()):
            return
        keyring = self._keys.keyring
        if self._driver is not None and keyring is not None:
            self._driver.use(keyring)
            self._driver.tell(KeyHeld(key_id=self._keys.newest))
            logger.info("new gossip key in use", extra={"former_keys_accepted": self._keys.former})

    def _consider_profile(self) -> None:
        """Another profile than the one in use takes its place; gossip announces a slower one before."""
        wished = self.wished_profile
        if self._driver is not None and wished not in (None, self.profile):
            self.profile = wished
            self._driver.tell(UseProfile(profile=PROFILES[wished]))
            logger.info("another profile in use", extra={"profile": wished})


def _log_notice(notice: Notice) -> None:
    match notice:
        case Listening(host=host, port=port):
            logger.info("gossip listens", extra={"host": host or "*", "port": port})
        case PortBusy(host=host, port=port, why=why):
            logger.warning("gossip port busy, trying on", extra={"host": host, "port": port, "error": why})
        case TurnedAway(source=source, reason=reason):
            logger.warning("gossip turned away", extra={"source": source, "reason": reason})
