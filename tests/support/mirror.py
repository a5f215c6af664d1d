"""A reflector at work on a fake API, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from random import Random

from bareway.model.names import ObjectKey
from bareway.model.services import Service
from bareway.resources.kinds import SERVICES, Kind
from bareway.resources.services import WireService, read_service
from bareway.runtime.kube.reflector import Reflector
from support.kube import FakeKube

SMALL_PAGES: Kind[Service] = Kind("Service", "services", WireService, read_service, page_size=2)


class Mirror:
    """A reflector at work, and how often it said that something changed."""

    def __init__(self, kube: FakeKube, kind: Kind[Service] = SERVICES, field_selector: str = "") -> None:
        self.kube = kube
        self.changes = 0
        self.changed: set[str] = set()
        """Names of the objects that were said to have changed."""
        self.reflector = Reflector(
            kube,
            kind,
            field_selector=field_selector,
            rng=Random("mirror"),
            on_change=self._count,
            on_objects=self._note,
        )

    def _count(self) -> None:
        self.changes += 1

    def _note(self, keys: Collection[ObjectKey]) -> None:
        self.changed |= {key.name for key in keys}

    @property
    def names(self) -> list[str]:
        return sorted(key.name for key in self.reflector.objects)

    @property
    def asked(self) -> list[str]:
        return [what for _, what, _ in self.kube.requests]


@asynccontextmanager
async def running(
    kube: FakeKube, kind: Kind[Service] = SERVICES, field_selector: str = ""
) -> AsyncIterator[Mirror]:
    mirror = Mirror(kube, kind, field_selector)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(mirror.reflector.run())
        try:
            yield mirror
        finally:
            task.cancel()


@asynccontextmanager
async def synced(kube: FakeKube, kind: Kind[Service] = SERVICES) -> AsyncIterator[Mirror]:
    async with running(kube, kind) as mirror:
        await mirror.reflector.wait_synced()
        await asyncio.sleep(0.01)
        yield mirror


def kube_with(*names: str) -> FakeKube:
    kube = FakeKube()
    for name in names:
        kube.put(name)
    return kube
