"""Somebody who watches Services as any client does, and notes when each came and when it had its address."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp

from apiserver.client import Client
from bench.controller.servers import LIFETIME_S
from lab.waiting import TimedOut

SERVICES = "/api/v1/services"
POLL_S = 0.01
SHORT_POLL_S = 0.001
NAMED_MAX = 5


class Onlooker:
    """Times are those of ``time.monotonic``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._version = ""
        self.served_at: dict[str, float] = {}
        """When a Service was first seen with an address."""
        self.seen_at: dict[tuple[str, str], float] = {}
        """When each version of a Service was seen, by name and resourceVersion."""
        self.watches = 0
        """More than one: the server ended some, and times may be those of the next one."""

    @property
    def last_served_at(self) -> float:
        """When the last address was seen."""
        return max(self.served_at.values())

    async def begin(self) -> None:
        """See everything from here on, if not at once."""
        self._version = (await self._client.get(SERVICES)).version

    async def run(self) -> None:
        """Watch until cancelled; a server ends the watch of whoever reads too slowly, as on a busy machine.

        What the controller did meanwhile is seen late, but it is seen.
        """
        while True:
            self.watches += 1
            await self._watch()

    async def _watch(self) -> None:
        lifetime_s = int(LIFETIME_S)
        async with self._client.watch(
            SERVICES, resourceVersion=self._version, timeoutSeconds=lifetime_s
        ) as events:
            try:
                async for event in events:
                    if event["type"] == "ERROR":  # the version is forgotten
                        await self._list()
                        return
                    self._see(event["type"], event["object"], time.monotonic())
            except (aiohttp.ClientError, ValueError):  # cut off, perhaps within a line
                return

    async def _list(self) -> None:
        """See all that there is; what was deleted meanwhile stays as it was."""
        answer = await self._client.get(SERVICES)
        for service in answer.body["items"]:
            self._see("MODIFIED", service, time.monotonic())
        self._version = answer.version

    async def served(self, names: Iterable[str], *, within_s: float) -> None:
        """Return once all of them were seen with an address."""
        missing = set(names)
        ends_at = time.monotonic() + within_s
        while missing := {name for name in missing if name not in self.served_at}:
            if time.monotonic() > ends_at:
                few = ", ".join(sorted(missing)[:NAMED_MAX])
                raise TimedOut(f"{len(missing)} Services without an address after {within_s:g} s: {few} …")
            await asyncio.sleep(POLL_S)

    async def seen(self, name: str, version: str) -> float:
        """When this version of a Service was seen."""
        while (name, version) not in self.seen_at:  # noqa: ASYNC110 - a turn of the loop more is no error here
            await asyncio.sleep(SHORT_POLL_S)
        return self.seen_at[name, version]

    def _see(self, type_: str, service: Mapping[str, Any], now: float) -> None:
        name: str = service["metadata"]["name"]
        self._version = service["metadata"]["resourceVersion"]
        if type_ == "DELETED":
            self.served_at.pop(name, None)
            return
        self.seen_at[name, service["metadata"]["resourceVersion"]] = now
        if service["status"]["loadBalancer"].get("ingress"):
            self.served_at.setdefault(name, now)
