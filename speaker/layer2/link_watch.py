"""Follows the links of this machine: the kernel's news says "look again", then all is read anew.

Nothing is polled. After news of interest the tables are read at once, then not again for a moment, so
that a flapping interface costs little; news that was lost counts as news of interest.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from speaker.layer2.links import EXCLUDED, Links, choose, matters
from speaker.layer2.sockets import RoutePort, RouteSocket

REREAD_GAP_S: Final = 0.02
"""Fifty readings a second at most, a few milliseconds each on a node with hundreds of interfaces."""


class LinkWatch:
    """Keeps ``links`` true and calls ``on_change`` after it changed."""

    def __init__(
        self,
        *,
        on_change: Callable[[Links], None],
        excluded: re.Pattern[str] = EXCLUDED,
        open_route: Callable[[], RoutePort] = RouteSocket,
    ) -> None:
        self.links = Links()
        self._on_change = on_change
        self._excluded = excluded
        self._open_route = open_route

    async def run(self) -> None:
        """Follow until cancelled; the first reading is done before it first waits."""
        route = self._open_route()
        try:
            self._read(route)
            while True:
                await readable(route)
                if self._is_of_interest(route):
                    self._read(route)
                    await asyncio.sleep(REREAD_GAP_S)
        finally:
            route.close()

    def _is_of_interest(self, route: RoutePort) -> bool:
        news = route.news()
        return news is None or any(
            matters(message, self.links.usable, excluded=self._excluded) for message in news
        )

    def _read(self, route: RoutePort) -> None:
        links = choose(route.dump(), excluded=self._excluded)
        if links != self.links:
            self.links = links
            self._on_change(links)


async def readable(route: RoutePort) -> None:
    """Wait for news; nobody waits for them between two readings, or the loop would spin meanwhile."""
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()
    loop.add_reader(route.fileno(), heard.set)
    try:
        await heard.wait()
    finally:
        loop.remove_reader(route.fileno())
