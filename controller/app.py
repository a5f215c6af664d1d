"""Puts the controller's parts together, runs them in one TaskGroup, and takes them apart on SIGTERM."""

import asyncio
import logging
import os
from base64 import b64encode
from collections.abc import Coroutine
from random import Random
from typing import Final

from bareway import __version__
from bareway.model.names import ObjectKey
from bareway.resources.kinds import SECRETS
from bareway.resources.objects import KEY_FIELD, secret_body
from bareway.runtime.clock import boot_time, random_bytes, seed_rng, unix_time
from bareway.runtime.families import controller_families
from bareway.runtime.http import HttpServer
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialSource, open_source
from bareway.runtime.kube.errors import AlreadyExists
from bareway.runtime.kube.events import Recorder
from bareway.runtime.log import Verbosity, configure
from bareway.runtime.program import check_rights, log_http, run_program
from bareway.runtime.rpc import SocketUnavailable, serve_controller
from controller.allocation.assumptions import Memory
from controller.announcement.gossip import Gossip
from controller.leading.election import Timing
from controller.leading.elector import Elector
from controller.leading.fence import Fence
from controller.loop import Loop
from controller.rival import Rival, Unrivalled
from controller.settings import PROGRAM, Settings
from controller.status import SelfReport
from controller.watch import Watch, rights
from controller.writing.apply import KEY_BYTES, Applier
from controller.writing.stopwatch import Stopwatch

logger = logging.getLogger(__name__)

COMPONENT: Final = "metallb-controller"
"""What people's tools look for in Events."""
NEWS_S: Final = 1.0  # what is not told by then stands in the conditions of Services all the same
IDENTITY_BYTES: Final = 4  # enough that no two lives of one Pod have the same


def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    configure(settings.log_level)
    return run_program(PROGRAM, lambda stop: _serve(settings, stop), unable=(SocketUnavailable,))


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    logger.info("starting", extra={"version": __version__})
    if settings.ignored:
        logger.warning("flags without meaning here", extra={"flags": settings.ignored})
    await serve(settings, open_source(settings.kubeconfig), stop)
    logger.info("stopped")


async def serve(settings: Settings, source: CredentialSource, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set."""
    async with KubeClient(source) as client:
        await check_rights(client, rights(settings))
        async with asyncio.TaskGroup() as group:
            controller = Controller(settings, client, seed_rng(PROGRAM))
            tasks = [group.create_task(part, name=name) for name, part in controller.parts().items()]
            await stop.wait()
            await controller.step_down()
            for task in tasks:
                task.cancel()


class Controller:
    """All parts, put together."""

    def __init__(self, settings: Settings, client: KubeClient, rng: Random) -> None:
        memory = Memory()
        changed = asyncio.Event()
        self._settings = settings

        verbosity = Verbosity(settings.log_level)

        def look_again() -> None:
            verbosity.follow(self._watch.source.log_level)
            changed.set()
            self._gossip.look_again()

        self._watch = Watch(client, settings, rng=rng, on_change=look_again)
        # A Pod's name is enough: the next life of its container takes the place of the last one.
        name = settings.pod_name or identity("")
        self._gossip = Gossip(settings, watch=self._watch, name=name, rng=rng, on_change=changed.set)
        self._elector = Elector(
            client,
            me=identity(settings.pod_name),
            namespace=settings.namespace,
            rng=rng,
            clock=boot_time,
            warm_up=self._watch.warm_up,
            mark=lambda: leave_key(client, self._watch.secret_key),
            prepare=self._watch.relist,
            on_change=changed.set,
        )
        self._fence = Fence(client, self._elector, limit_s=self._elector.timing.request_s, clock=boot_time)
        self._recorder = Recorder(client, COMPONENT, rng=rng, is_busy=lambda: applier.is_busy)
        self._rival = Rival(client, settings, on_change=changed.set)
        stopwatch = Stopwatch()
        self._watch.on_services = stopwatch.changed
        applier = Applier(self._fence, self._recorder, memory, random_bytes=random_bytes, stopwatch=stopwatch)
        self._loop = Loop(
            settings,
            watch=self._watch,
            applier=applier,
            memory=memory,
            turn=Unrivalled(self._fence, self._rival),
            sight=self._gossip,
            stopwatch=stopwatch,
            changed=changed,
            unix_time=unix_time,
            rng=rng,
        )
        self._report = SelfReport(
            watch=self._watch,
            loop=self._loop,
            recorder=self._recorder,
            elector=self._elector,
            gossip=self._gossip,
            rival=self._rival,
            allocated=stopwatch.allocation,
        )
        self._http = HttpServer(
            address=settings.http_address,
            port=settings.http_port,
            families=lambda: controller_families(self._report.figures()),
            not_ready=self._report.not_ready,
            on_change=log_http,
            rng=rng,
        )

    def parts(self) -> dict[str, Coroutine[None, None, object]]:
        """Everything that runs, by name."""
        parts: dict[str, Coroutine[None, None, object]] = {
            "loop": self._loop.run(),
            "events": self._recorder.run(),
            "http": self._http.run(),
            "election": self._elector.run(),
            "gossip": self._gossip.run(),
            "rival": self._rival.run(),
        }
        for number, mirror in enumerate(self._watch.mirrors):
            parts[f"mirror {number} of {mirror.kind.plural}"] = mirror.run()
        if self._settings.socket is not None:
            parts["status"] = serve_controller(self._settings.socket, self._report.status, why=self._why)
        return parts

    def _why(self, about: str) -> str:
        from controller.why import WhyReport  # noqa: PLC0415 - two hundred sentences, for those who ask

        report = WhyReport(
            settings=self._settings,
            watch=self._watch,
            loop=self._loop,
            elector=self._elector,
            gossip=self._gossip,
            rival=self._rival,
            unix_time=unix_time,
        )
        return report.answer(about)

    async def step_down(self) -> None:
        """Let the next one lead at once: end all writes, then release the Lease; news may follow that."""
        await self._fence.drain()
        await self._elector.resign()
        await self._recorder.flush(NEWS_S)


async def leave_key(client: KubeClient, key: ObjectKey) -> bool:
    """Create the Secret that seals gossip; whether there was none. It is the mark of the first leader."""
    body = secret_body(key, {KEY_FIELD: b64encode(random_bytes(KEY_BYTES))})
    try:
        await client.create(SECRETS.path(key.namespace), body, timeout_s=Timing().request_s)
    except AlreadyExists:
        return False
    logger.info("key for gossip created", extra={"secret": str(key)})
    return True


def identity(pod_name: str) -> str:
    """Our name in the Lease; another one in each life of a container, since none inherits from the last."""
    return f"{pod_name or os.uname().nodename}_{random_bytes(IDENTITY_BYTES).hex()}"
