"""Refuses to work while MetalLB serves the same Services: two that give addresses take each other's away.

Looked for at the start, by the labels of its DaemonSet, and again every 30 s until none is there; who removes
MetalLB hands over to us. Speakers are left alone: they announce what Services show, whoever gave it.
Whoever comes later is not seen here, but by ``bareway doctor``.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from bareway.decide.answers.foreigners import METALLB, METALLB_LABELS, recognised
from bareway.model.surroundings import ForeignController, Workload
from bareway.resources.kinds import Unreadable
from bareway.resources.workloads import DAEMON_SETS
from bareway.runtime.kube.errors import ApiError, KubeError
from bareway.runtime.kube.rights import Right
from controller.settings import Settings

logger = logging.getLogger(__name__)

AGAIN_S: Final = 30.0
RETRY_S: Final = 1.0  # while the API server is away: nothing can be written then either
SERVER_ERRORS: Final = 500
TOO_MANY: Final = 429
RIGHT: Final = Right(verb="list", resource=DAEMON_SETS.plural, group=DAEMON_SETS.group)
"""Worked without where it is missing from the start: whoever took it away knows what runs beside us."""


class Api(Protocol):
    """What is needed of ``KubeClient``."""

    async def get(self, path: str, query: Mapping[str, str]) -> bytes:
        """One page of a list."""


class Turn(Protocol):
    """Whose turn it is to write, as ``Fence`` says it."""

    @property
    def term(self) -> int:
        """Another number than before: others led meanwhile."""

    def enter(self) -> bool:
        """Whether what is decided from here on may be written."""

    async def wait(self) -> None:
        """Return once it is worth while to ask again."""


class Rival:
    """Whether MetalLB is there; ``run`` finds it out."""

    def __init__(self, client: Api, settings: Settings, *, on_change: Callable[[], None]) -> None:
        """``on_change`` is called when writing is allowed, or known to be refused."""
        self._client = client
        self._settings = settings
        self._on_change = on_change
        self._gone = asyncio.Event()
        self._found: ForeignController | None = None
        self._is_blind = False  # it was found, and may no longer be looked for

    @property
    def is_gone(self) -> bool:
        """Whether none is there, as far as we may see."""
        return self._gone.is_set()

    @property
    def refusal(self) -> str:
        """Why nothing is written, as a sentence; empty where there is no reason, or none is known yet."""
        if self._found is None:
            return ""
        ours = self._settings.load_balancer_class
        return (
            f"MetalLB serves the same Services ({f'class {ours}' if ours else 'those without a class'}):"
            f" {self._found.kind} {self._found.key} is there. Nothing is given until it is removed, or one of"
            " the two has a class of its own (--lb-class)"
        )

    async def run(self) -> None:
        """Look until none is there."""
        pause_s = await self._look()
        while not self.is_gone:
            await asyncio.sleep(pause_s)
            pause_s = await self._look()

    async def wait(self) -> None:
        """Return once none is there."""
        await self._gone.wait()

    async def _look(self) -> float:
        """After how long to look again."""
        try:
            found = await self._rival()
        except ApiError as error:
            if error.status >= SERVER_ERRORS or error.status == TOO_MANY:
                return RETRY_S
            told = {"right": str(RIGHT), "error": str(error)}
            if self._found is not None:  # that it may not be seen any more does not say that it went
                if not self._is_blind:
                    logger.warning("cannot see whether MetalLB is gone; still refusing to work", extra=told)
                self._is_blind = True
                return AGAIN_S
            self._go_on()
            logger.warning("cannot see whether MetalLB serves the same Services; going on", extra=told)
            return 0.0
        except (KubeError, Unreadable):
            return RETRY_S
        self._is_blind = False
        if found is None:
            self._go_on()
            return 0.0
        if self._found != found:
            self._found = found
            logger.warning("refusing to work", extra={"error": self.refusal})
            self._on_change()
        return AGAIN_S

    def _go_on(self) -> None:
        if self._found is not None:
            logger.info("MetalLB is gone; beginning to work")
        self._found = None
        self._gone.set()
        self._on_change()

    async def _rival(self) -> ForeignController | None:
        """A MetalLB that serves our class."""
        ours = self._settings.load_balancer_class or None
        workloads: list[Workload] = []
        for label, value in METALLB_LABELS:
            query = {"labelSelector": f"{label}={value}", "limit": str(DAEMON_SETS.page_size)}
            page = DAEMON_SETS.read_page(await self._client.get(DAEMON_SETS.path(), query))
            workloads += [one.content for one in page.readings if isinstance(one.content, Workload)]
        others = recognised(workloads, self._settings.namespace)
        same = (one for one in others if one.product == METALLB and one.load_balancer_class == ours)
        return next(same, None)


class Unrivalled:
    """A turn to write that never comes while a rival is there, or may be."""

    def __init__(self, turn: Turn, rival: Rival) -> None:
        self._turn = turn
        self._rival = rival

    @property
    def term(self) -> int:
        """As the turn has it."""
        return self._turn.term

    def enter(self) -> bool:
        """Whether what is decided from here on may be written."""
        return self._rival.is_gone and self._turn.enter()

    async def wait(self) -> None:
        """Return once it is worth while to ask again."""
        await self._rival.wait()
        await self._turn.wait()
