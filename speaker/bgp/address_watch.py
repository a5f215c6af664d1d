"""Follows the addresses of the interfaces that BGP sessions run over: next hops come and go with them.

The kernel's news says "look again"; then all are read anew, and not again for a moment. News of other
interfaces, of which a node has one for each Pod, costs no reading.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import NoReturn

from bareway.model.names import IPAddress
from speaker.bgp.addresses import bare, indices_of, own_addresses
from speaker.layer2.link_watch import readable
from speaker.layer2.netlink import AddressMessage
from speaker.layer2.sockets import RoutePort, RouteSocket


class AddressWatch:
    """Knows this node's addresses, and says when those beside the ends of sessions changed."""

    def __init__(
        self,
        *,
        ends: Callable[[], Collection[IPAddress]],
        on_change: Callable[[], None],
        fresh_s: float,
        open_route: Callable[[], RoutePort] = RouteSocket,
    ) -> None:
        """Prepare.

        Args:
            ends: our ends of the sessions.
            on_change: `known` says something else now.
            fresh_s: how old what is known may be, and how long a reading is not repeated.
            open_route: to the kernel.
        """
        self._ends = ends
        self._on_change = on_change
        self._fresh_s = fresh_s
        self._open_route = open_route
        self._known: list[AddressMessage] = []
        self._read_at = float("-inf")

    def known(self) -> list[AddressMessage]:
        """All addresses; a moment old, so that a peer that flaps does not cost a reading each time."""
        now = asyncio.get_running_loop().time()
        if now >= self._read_at + self._fresh_s:
            with suppress(OSError):  # then as they were
                self._known = own_addresses()
            self._read_at = now
        return self._known

    async def run(self) -> NoReturn:
        """Follow the kernel's news until cancelled; without them next hops stay as at connecting."""
        try:
            route = self._open_route()
        except OSError:
            await asyncio.Event().wait()
            raise
        try:
            while True:
                await readable(route)
                if self._is_of_interest(route):
                    self._on_change()
                    await asyncio.sleep(self._fresh_s)
        finally:
            route.close()

    def _is_of_interest(self, route: RoutePort) -> bool:
        news = route.news()
        if news is None:
            self._read_at = float("-inf")
            return True
        changed = [message for message in news if isinstance(message, AddressMessage)]
        if not changed:
            return False
        # Who asks next is told what is: the end of a session that just begins may be one that changed.
        self._read_at = float("-inf")
        # An end that went and came again is on no interface that is known: it counts by itself.
        ends = set(map(bare, self._ends()))
        indices = indices_of(self._known, ends)
        return any(one.index in indices or one.address.ip in ends for one in changed)
