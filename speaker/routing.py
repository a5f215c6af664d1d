"""When a speaker speaks BGP: from the first configuration that has peers.

Until then nothing of it is imported: most nodes of most clusters announce on Ethernet alone, and start and
stay the leaner for it.
"""

import asyncio
import logging
from random import Random
from typing import TYPE_CHECKING

from bareway.runtime.kube.reflector import Api
from speaker.settings import Settings
from speaker.telling import Recorder
from speaker.watch import Watch

if TYPE_CHECKING:
    from speaker.bgp.report import BgpReport
    from speaker.bgp.service import BgpService

logger = logging.getLogger(__name__)


class Routing:
    """BGP, once there are peers."""

    def __init__(
        self, settings: Settings, client: Api, *, watch: Watch, recorder: Recorder, rng: Random
    ) -> None:
        self._settings = settings
        self._client = client
        self._watch = watch
        self._recorder = recorder
        self._rng = rng
        self._changed = asyncio.Event()
        self.service: BgpService | None = None
        """None = nothing of BGP is there yet."""

    def look_again(self) -> None:
        """Something changed."""
        if self.service is not None:
            self.service.look_again()
        else:
            self._changed.set()

    async def run(self) -> None:
        """Wait for peers, then speak with them until cancelled."""
        while not self._has_peers():
            self._changed.clear()
            await self._changed.wait()
        made = await asyncio.to_thread(_load)  # a tenth of a second, in which the loop turns
        self.service = made(
            self._settings, self._client, watch=self._watch, recorder=self._recorder, rng=self._rng
        )
        logger.info("BGP begins")
        await self.service.run()

    @property
    def report(self) -> "BgpReport | None":
        """What it says of itself; None = nothing."""
        return self.service.report if self.service is not None else None

    async def leave(self) -> None:
        """The program ends."""
        if self.service is not None:
            await self.service.leave()

    def _has_peers(self) -> bool:
        configuration = self._watch.configured().configuration
        return configuration is not None and bool(configuration.peers)


def _load() -> "type[BgpService]":
    from speaker.bgp.service import BgpService  # noqa: PLC0415 - see above

    return BgpService
