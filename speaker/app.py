"""Puts the speaker's parts together, runs them in one TaskGroup, and takes them apart on SIGTERM."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Final

from bareway import __version__
from bareway.gossip.events import Leave
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.sealing import Keyring
from bareway.model.names import IPAddress
from bareway.runtime.clock import monotonic, seed_rng, utc_now
from bareway.runtime.gossip.driver import GossipDriver
from bareway.runtime.gossip.report import Listening, Notice, PortBusy, TurnedAway
from bareway.runtime.http import HttpServer
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import open_source
from bareway.runtime.kube.events import Recorder
from bareway.runtime.log import configure
from bareway.runtime.metrics import speaker_families
from bareway.runtime.program import check_rights, log_http, run_program
from bareway.runtime.rpc import SocketUnavailable, serve_speaker
from speaker.conflicts import ConflictLog
from speaker.layer2.driver import Layer2Driver
from speaker.layer2.sockets import MissingCapability, check_capability
from speaker.loop import Speaker
from speaker.settings import PROGRAM, Settings
from speaker.status import SelfReport
from speaker.watch import Watch, rights

logger = logging.getLogger(__name__)

MS: Final = 1000
GOODBYE_S: Final = 0.5
"""For the last words to leave; the others notice by the closed connection anyway."""
KEYS_KEPT: Final = 2
"""The key in the Secret, which seals, and the one before it: a Secret is changed once at a time."""
COMPONENT: Final = "metallb-speaker"
"""What people's tools look for in Events."""


def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    configure(settings.log_level)
    unable = (MissingCapability, SocketUnavailable)
    return run_program(PROGRAM, lambda stop: _serve(settings, stop), unable=unable)


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    logger.info("starting", extra={"version": __version__, "node": settings.node_name})
    if settings.ignored:
        logger.warning("flags without meaning here", extra={"flags": settings.ignored})
    check_capability()
    rng = seed_rng(settings.node_name)
    async with KubeClient(open_source(settings.kubeconfig)) as client:
        await check_rights(client, rights(settings))
        parts = _Parts(settings, client, rng)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part, name=name) for name, part in parts.every().items()]
            await stop.wait()
            await parts.leave()
            for task in tasks:
                task.cancel()
    logger.info("stopped")


class _Parts:
    """Everything that runs, and who tells whom."""

    def __init__(self, settings: Settings, client: KubeClient, rng: Random) -> None:
        self._settings = settings
        self._rng = rng
        self._recorder = Recorder(client, COMPONENT, instance=settings.node_name, rng=rng)
        self._watch = Watch(client, settings, rng=rng, on_change=self._look_again)
        self._layer2 = Layer2Driver(
            may_answer=self._may_answer, on_links=self._links_changed, on_conflict=ConflictLog().tell
        )
        self._speaker = Speaker(settings, watch=self._watch, responder=self._layer2, recorder=self._recorder)
        self._report = SelfReport(
            settings,
            watch=self._watch,
            speaker=self._speaker,
            layer2=self._layer2,
            events_dropped=lambda: self._recorder.dropped,
        )
        self._keys: list[bytes] = []
        self._machine: GossipMachine | None = None
        self._driver: GossipDriver | None = None
        self._may_join = asyncio.Event()

    def every(self) -> dict[str, Coroutine[None, None, object]]:
        """The parts that run until the end, by name."""
        settings = self._settings
        http = HttpServer(
            address=settings.http_address,
            port=settings.http_port,
            families=lambda: speaker_families(self._report.figures()),
            not_ready=self._report.not_ready,
            on_change=log_http,
            rng=self._rng,
        )
        parts: dict[str, Coroutine[None, None, object]] = {
            "loop": self._speaker.run(),
            "layer 2": self._layer2.run(),
            "gossip": self._gossip(),
            "events": self._recorder.run(),
            "http": http.run(),
            "documents": self._watch.documents.run(),
        }
        for number, mirror in enumerate(self._watch.reflectors):
            parts[f"mirror {number} of {mirror.kind.plural}"] = mirror.run()
        if settings.socket:
            parts["status"] = serve_speaker(
                settings.socket,
                lambda: self._report.status(now=monotonic()),
                # To start gRPC may hold the loop up for some tens of ms, and 125 of silence are an alarm.
                at_once=settings.profile is ProfileName.FAST,
            )
        return parts

    async def leave(self) -> None:
        """Hand over, say goodbye."""
        await self._speaker.leave()
        if self._driver is not None:
            self._driver.tell(Leave())
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._driver.flush()

    async def _gossip(self) -> None:
        """Wait for the key and for the names of the others, then be a member."""
        self._look_again()
        await self._may_join.wait()
        self._machine = GossipMachine(
            me=self._settings.node_name,
            epoch=int(utc_now().timestamp() * MS),
            profile=PROFILES[self._settings.profile],
            rng=self._rng,
            now=monotonic(),
        )
        self._driver = GossipDriver(
            self._machine,
            me=self._settings.node_name,
            keyring=Keyring(self._keys),
            host=self._settings.gossip_address,
            port=self._settings.gossip_port,
            rng=self._rng,
            on_output=self._speaker.on_output,
            on_notice=_log_notice,
        )
        self._report.connect(self._machine, self._driver.counters)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._driver.run(), name="gossip driver")
            await asyncio.sleep(0)  # the driver must run before it is asked to dial
            self._speaker.connect(self._driver)

    def _look_again(self) -> None:
        self._speaker.look_again()
        self._take_key()
        # Before the members are known every caller would be turned away as a stranger.
        if self._watch.gossip_key is not None and (self._settings.members or self._watch.nodes.synced):
            self._may_join.set()

    def _take_key(self) -> None:
        """A new key counts beside the former one: others may not have it yet, and open edges stay open."""
        key = self._watch.gossip_key
        if key is None or key in self._keys[:1]:
            return
        self._keys = [key, *(old for old in self._keys if old != key)][:KEYS_KEPT]
        if self._driver is not None:
            self._driver.use(Keyring(self._keys))
            logger.info("new gossip key in use", extra={"former_keys_accepted": len(self._keys) - 1})

    def _links_changed(self) -> None:
        self._speaker.links_changed(usable=bool(self._layer2.links))

    def _may_answer(self, address: IPAddress, now: float) -> bool:
        """The fence at each reply, by the key of the address's group."""
        key = self._speaker.announcing.addresses.get(address)
        return key is not None and self._machine is not None and self._machine.may_answer(key, now=now)


def _log_notice(notice: Notice) -> None:
    match notice:
        case Listening(host=host, port=port):
            logger.info("gossip listens", extra={"host": host or "*", "port": port})
        case PortBusy(host=host, port=port, why=why):
            logger.warning("gossip port busy, trying on", extra={"host": host, "port": port, "error": why})
        case TurnedAway(source=source, reason=reason):
            logger.warning("gossip turned away", extra={"source": source, "reason": reason})
