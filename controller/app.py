"""Puts the controller's parts together, runs them in one TaskGroup, and takes them apart on SIGTERM."""

import asyncio
import logging
from collections.abc import Coroutine
from random import Random
from typing import Final

from bareway import __version__
from bareway.runtime.clock import random_bytes, seed_rng
from bareway.runtime.http import HttpServer
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialSource, open_source
from bareway.runtime.kube.events import Recorder
from bareway.runtime.log import configure
from bareway.runtime.metrics import controller_families
from bareway.runtime.program import check_rights, log_http, run_program
from bareway.runtime.rpc import SocketUnavailable, serve_controller
from controller.apply import Applier
from controller.assumptions import Memory
from controller.loop import Loop
from controller.settings import PROGRAM, Settings
from controller.status import SelfReport
from controller.watch import Watch, rights

logger = logging.getLogger(__name__)

COMPONENT: Final = "metallb-controller"
"""What people's tools look for in Events."""


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
            parts = _parts(settings, client, seed_rng(PROGRAM))
            tasks = [group.create_task(part, name=name) for name, part in parts.items()]
            await stop.wait()
            for task in tasks:
                task.cancel()


def _parts(settings: Settings, client: KubeClient, rng: Random) -> dict[str, Coroutine[None, None, object]]:
    """Everything that runs, by name."""
    memory = Memory()
    recorder = Recorder(client, COMPONENT, rng=rng)
    changed = asyncio.Event()
    watch = Watch(client, settings, rng=rng, on_change=changed.set)
    applier = Applier(client, recorder, memory, random_bytes=random_bytes)
    loop = Loop(settings, watch=watch, applier=applier, memory=memory, changed=changed, rng=rng)
    report = SelfReport(watch=watch, loop=loop, recorder=recorder)
    http = HttpServer(
        address=settings.http_address,
        port=settings.http_port,
        families=lambda: controller_families(report.figures()),
        not_ready=report.not_ready,
        on_change=log_http,
        rng=rng,
    )
    parts: dict[str, Coroutine[None, None, object]] = {
        "loop": loop.run(),
        "events": recorder.run(),
        "http": http.run(),
    }
    for number, mirror in enumerate(watch.mirrors):
        parts[f"mirror {number} of {mirror.kind.plural}"] = mirror.run()
    if settings.socket is not None:
        parts["status"] = serve_controller(settings.socket, report.status)
    return parts
