"""Puts the speaker's parts together, runs them in one TaskGroup, and takes them apart on SIGTERM."""

import asyncio
import logging
from collections.abc import Coroutine
from random import Random
from typing import Final

from bareway import __version__
from bareway.gossip.events import Ask, Permission
from bareway.gossip.member import LinkFact
from bareway.gossip.profile import ProfileName
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress
from bareway.runtime.clock import monotonic, seed_rng
from bareway.runtime.families import speaker_families
from bareway.runtime.gossip.driver import ToProgram
from bareway.runtime.http import HttpServer
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialSource, open_source
from bareway.runtime.kube.events import Recorder
from bareway.runtime.log import Verbosity, configure
from bareway.runtime.program import check_rights, log_http, run_program
from bareway.runtime.rpc import SocketUnavailable, serve_speaker
from speaker.asking import Asking
from speaker.joining import Joining
from speaker.layer2.driver import Layer2Driver
from speaker.layer2.links import Link
from speaker.layer2.sockets import MissingCapability, check_capability
from speaker.loop import Speaker
from speaker.routing import Routing
from speaker.settings import PROGRAM, Settings
from speaker.status import SelfReport
from speaker.watch import Watch, rights

logger = logging.getLogger(__name__)

COMPONENT: Final = "metallb-speaker"
"""What people's tools look for in Events."""


def run(settings: Settings, source: CredentialSource | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code. ``source`` is used instead of what the settings name."""
    configure(settings.log_level)
    unable = (MissingCapability, SocketUnavailable)
    return run_program(PROGRAM, lambda stop: _serve(settings, source, stop), unable=unable)


async def _serve(settings: Settings, source: CredentialSource | None, stop: asyncio.Event) -> None:
    logger.info("starting", extra={"version": __version__, "node": settings.node_name})
    if settings.ignored:
        logger.warning("flags without meaning here", extra={"flags": settings.ignored})
    check_capability()
    rng = seed_rng(settings.node_name)
    async with KubeClient(source or open_source(settings.kubeconfig)) as client:
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
        self._verbosity = Verbosity(settings.log_level)
        self._rng = rng
        self._recorder = Recorder(client, COMPONENT, instance=settings.node_name, rng=rng)
        self._watch = Watch(client, settings, rng=rng, on_change=self._look_again)
        self._layer2 = Layer2Driver(
            may_answer=self._may_answer,
            on_links=self._links_changed,
            on_sighting=self._sighted,
            allows=self._allows,
        )
        self._speaker = Speaker(settings, watch=self._watch, wire=self._layer2, recorder=self._recorder)
        self._report = SelfReport(
            settings,
            watch=self._watch,
            speaker=self._speaker,
            layer2=self._layer2,
            events_dropped=lambda: self._recorder.dropped,
            profile=lambda: self._joining.profile or "",
            bgp=lambda: self._routing.report,
        )
        self._joining = Joining(
            settings,
            watch=self._watch,
            speaker=self._speaker,
            report=self._report,
            rng=rng,
            on_output=self._on_output,
        )
        self._asking = Asking(self._layer2, self._speaker, tell=self._joining.tell)
        self._routing = Routing(settings, client, watch=self._watch, recorder=self._recorder, rng=rng)

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
            "gossip": self._joining.run(),
            "events": self._recorder.run(),
            "http": http.run(),
            "documents": self._watch.documents.run(),
            "lists": self._watch.lists.run(),
            "questions": self._asking.run(),
            "BGP": self._routing.run(),
        }
        for number, mirror in enumerate(self._watch.reflectors):
            parts[f"mirror {number} of {mirror.kind.plural}"] = mirror.run()
        if settings.socket:
            parts["status"] = serve_speaker(
                settings.socket,
                lambda: self._report.status(now=monotonic()),
                some=lambda addresses: self._report.status(now=monotonic(), some=addresses),
                history=self._joining.history.tell,
                # To start gRPC may hold the loop up for some tens of ms, and 125 of silence are an alarm.
                at_once=settings.profile is ProfileName.FAST,
            )
        return parts

    async def leave(self) -> None:
        """Hand over, say goodbye."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._speaker.leave(), name="leave layer 2")
            group.create_task(self._routing.leave(), name="leave BGP")
        await self._joining.leave()

    def _look_again(self) -> None:
        self._verbosity.follow(self._watch.log_level)
        self._speaker.look_again()
        self._joining.look_again()
        self._routing.look_again()

    def _on_output(self, output: ToProgram) -> None:
        if isinstance(output, Ask):
            self._asking.take(output)
        else:
            self._speaker.on_output(output)

    def _allows(self, address: IPAddress, link: InterfaceName) -> bool:
        return self._speaker.allows(address, link)

    def _sighted(self, address: IPAddress, mac: MacAddress, is_solicited: bool) -> None:  # noqa: FBT001 - as told
        self._asking.sighted(address, mac, is_solicited)

    def _links_changed(self) -> None:
        self._speaker.links_changed(tuple(map(_as_fact, self._layer2.links)))

    def _may_answer(self, address: IPAddress, now: float) -> Permission:
        """The fence at each reply, by the key of the address's group."""
        key = self._speaker.announcing.addresses.get(address)
        machine = self._joining.machine
        if key is None or machine is None:
            return Permission.NO
        return machine.may_answer(key, now=now)


def _as_fact(link: Link) -> LinkFact:
    return LinkFact(name=link.name, mac=link.mac, networks=link.told)
