"""Takes from a cluster what Bareway wrote into objects that are not its own, with the user's own rights.

Each patch of a Service carries the version that it was decided from; if somebody was faster, it is decided
anew. A mark goes whatever else has changed. What was taken away already is not missed, so that who was
interrupted begins again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bareway.decide.answers.leftovers import (
    MarkRemoval,
    Removal,
    ServiceRemoval,
    removal_from,
)
from bareway.model.remains import Remains
from bareway.resources.kinds import CONFIG_MAPS, NODES, SERVICES
from bareway.resources.status import removal_patch
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.errors import ApiError, Conflict, KubeError, NotFound

AT_ONCE: Final = 8  # writes under way; 5,000 Services take some ten seconds
ATTEMPTS: Final = 5  # against somebody who writes the same object all the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that is still there."""

    removal: Removal
    why: str


class Remover:
    """One run."""

    def __init__(self, client: KubeClient, remains: Remains, *, keep_addresses: bool) -> None:
        self._client = client
        self._remains = remains
        self._keep_addresses = keep_addresses
        self.done: list[Removal] = []
        self.failed: list[Failure] = []

    async def remove(self, removals: Sequence[Removal]) -> None:
        """All of them, and go on after a refusal."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(removal: Removal) -> None:
            async with turns:
                await self._remove(removal)

        async with asyncio.TaskGroup() as group:
            for number, removal in enumerate(removals):
                group.create_task(one(removal), name=f"removal {number}")

    async def _remove(self, removal: Removal) -> None:
        try:
            match removal:
                case ServiceRemoval():
                    await self._from_service(removal)
                case MarkRemoval():
                    await self._mark(removal)
        except NotFound:
            self.done.append(removal)  # the object is gone, with all that was on it
        except ApiError as error:
            self.failed.append(Failure(removal=removal, why=error.message or str(error)))
        except KubeError as error:
            self.failed.append(Failure(removal=removal, why=str(error)))
        else:
            self.done.append(removal)

    async def _from_service(self, removal: ServiceRemoval) -> None:
        """Decided anew as often as somebody else was faster."""
        now: ServiceRemoval | None = removal
        for attempt in range(1, ATTEMPTS + 1):
            if now is None:
                return
            try:
                await self._patch(now)
            except Conflict:
                if attempt == ATTEMPTS:
                    raise
                service = await self._client.read(SERVICES, removal.service.key)
                now = removal_from(self._remains, service, keep_addresses=self._keep_addresses)
            else:
                return

    async def _patch(self, removal: ServiceRemoval) -> None:
        body = removal_patch(
            removal.service,
            removal.annotations,
            addresses=removal.addresses,
            has_condition=removal.has_condition,
        )
        await self._client.merge_patch(SERVICES.object_path(removal.service.key, "status"), body)

    async def _mark(self, removal: MarkRemoval) -> None:
        kind = NODES if removal.kind == "Node" else CONFIG_MAPS
        body = {"metadata": {"annotations": {removal.annotation: None}}}
        await self._client.merge_patch(kind.object_path(removal.key), body)
