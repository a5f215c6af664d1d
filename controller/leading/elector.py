"""Stands for election: carries out what ``Leadership`` asks for, on one Lease, with one client."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from random import Random
from typing import Final, NoReturn, Protocol

from bareway.model.names import ObjectKey
from bareway.model.objects import Lease
from bareway.resources.kinds import LEASES, Kind, Unreadable
from bareway.resources.objects import lease_body, lease_patch, lease_spec
from bareway.runtime.clock import utc_now
from bareway.runtime.kube.errors import AlreadyExists, BadAnswer, Conflict, KubeError, NotFound
from bareway.runtime.kube.reflector import Reflector
from controller.leading.election import (
    LEASE_NAME,
    NOBODY,
    Answer,
    Claim,
    Done,
    Event,
    Lead,
    Look,
    Looked,
    Loss,
    Output,
    Outrun,
    Prepare,
    Prepared,
    Put,
    Resign,
    Seen,
    Tick,
    Timing,
    Unanswered,
    Warm,
    Written,
    Yield,
)
from controller.leading.leadership import Leadership

logger = logging.getLogger(__name__)

TICK_S: Final = 3.0  # timers do not count while the machine is suspended; the clock that we ask does


class Api(Protocol):
    """What is needed of ``KubeClient``."""

    async def get(self, path: str, query: Mapping[str, str], *, timeout_s: float) -> bytes:
        """One page, for the watch."""

    def watch(
        self, path: str, query: Mapping[str, str], *, timeout_s: float
    ) -> AsyncGenerator[list[bytes], None]:
        """Lines."""

    async def read(self, kind: Kind[Lease], key: ObjectKey, *, timeout_s: float) -> Lease:
        """One object."""

    async def create(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        """Create an object."""

    async def merge_patch(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        """Change an object."""


class Elector:
    """One candidate at work."""

    def __init__(
        self,
        client: Api,
        *,
        me: str,
        namespace: str,
        rng: Random,
        clock: Callable[[], float],
        warm_up: Callable[[], Awaitable[bool]],
        mark: Callable[[], Awaitable[bool]],
        prepare: Callable[[], Awaitable[None]],
        on_change: Callable[[], None],
        timing: Timing | None = None,
    ) -> None:
        """Makes itself known by ``on_change`` whenever it begins or ends to lead.

        Args:
            client: for the Lease.
            me: the name of this very process.
            namespace: of the Lease.
            rng: of the pauses.
            clock: also counts while the machine is suspended.
            warm_up: returns once we could lead; whether there is no trace that anybody ever did.
            mark: leaves something that outlives the Lease, which only one of all controllers can; whether
                that was us. A Lease that was never there and one that was deleted look alike.
            prepare: lists everything afresh and forgets what was assumed; called before we lead.
            on_change: must not wait.
            timing: for tests.
        """
        self.me = me
        self._client = client
        self._key = ObjectKey(namespace, LEASE_NAME)
        self._clock = clock
        self._warm_up = warm_up
        self._mark = mark
        self._prepare = prepare
        self._on_change = on_change
        self.timing = timing or Timing()
        self._machine = Leadership(me=me, rng=rng, timing=self.timing)
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._mirror = Reflector(
            client,
            LEASES,
            namespace=namespace,
            field_selector=f"metadata.name={LEASE_NAME}",
            rng=rng,
            on_change=self._see,
        )
        self._seen: Lease | None = None
        self._has_seen = False
        self._told = NOBODY
        self._leading = asyncio.Event()
        self._done = asyncio.Event()
        self._troubles: dict[str, str] = {}
        """Why the last request of a kind failed."""

    @property
    def holder(self) -> str:
        """Who leads, as far as we know; empty if nobody does."""
        return self._machine.holder

    @property
    def term(self) -> int:
        """Counts how often we took over."""
        return self._machine.term

    @property
    def trouble(self) -> str:
        """Why the Lease cannot be read or written; empty while it can."""
        return "; ".join(dict.fromkeys(self._troubles.values()))

    def may_write(self) -> bool:
        """Whether a write may begin now."""
        return self._machine.may_write(now=self._clock())

    async def wait(self) -> None:
        """Return once we lead."""
        while not self.may_write():
            if self._leading.is_set():  # the term ran out this moment
                self._inbox.put_nowait(Tick())
                await asyncio.sleep(0)
            await self._leading.wait()

    async def run(self) -> NoReturn:
        """Stand, lead, stand again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mirror.run(), name="mirror of leases")
            group.create_task(self._announce_warm(), name="warm up")
            while True:
                event = await self._next()
                for output in self._machine.handle(event, now=self._clock()):
                    self._carry_out(output, group)
                self._tell_holder()

    async def resign(self) -> None:
        """Let the next one lead at once; every write of ours must have ended."""
        self._inbox.put_nowait(Resign())
        await self._done.wait()

    # ------------------------------------------------------------ what happens

    async def _next(self) -> Event:
        wait_s = min(self._machine.deadline - self._clock(), TICK_S)
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                return await self._inbox.get()
        except TimeoutError:
            return Tick()

    def _tell_holder(self) -> None:
        """One line for each other controller that leads."""
        told, self._told = self._told, self.holder
        if self.holder not in {told, self.me, NOBODY}:
            logger.info("standing by", extra={"leader": self.holder, "identity": self.me})

    def _see(self) -> None:
        """The mirror changed, or only its health; the Lease is told when it is another."""
        if not self._mirror.synced:
            return
        lease = self._mirror.objects.get(self._key)
        if not self._has_seen or lease != self._seen:
            self._seen, self._has_seen = lease, True
            self._inbox.put_nowait(Seen(lease))

    async def _announce_warm(self) -> None:
        is_new = await self._warm_up()
        self._inbox.put_nowait(Warm(is_new))

    # ------------------------------------------------------------ what is asked for

    def _carry_out(self, output: Output, group: asyncio.TaskGroup) -> None:
        match output:
            case Put():
                group.create_task(self._ask("write", self._put(output)), name="write the Lease")
            case Look():
                group.create_task(self._ask("read", self._look()), name="read the Lease")
            case Prepare(term):
                group.create_task(self._get_ready(term), name="list afresh")
            case Lead(term):
                logger.info("leading", extra={"identity": self.me, "term": term})
                self._leading.set()
                self._on_change()
            case Yield(loss):
                level = logging.INFO if loss is Loss.RESIGNED else logging.WARNING
                logger.log(level, "leading no more", extra={"reason": loss, "error": self.trouble})
                self._leading.clear()
                self._on_change()
            case Done():
                self._done.set()

    async def _ask(self, kind: str, request: Awaitable[Answer]) -> None:
        try:
            answer = await request
            self._troubles.pop(kind, None)
        except KubeError as error:
            told, self._troubles[kind] = self._troubles.get(kind), str(error)
            if told != str(error):
                extra = {"request": kind, "error": str(error)}
                logger.warning("the Lease is out of reach; trying again", extra=extra)
            answer = Unanswered()
        self._inbox.put_nowait(answer)

    async def _put(self, put: Put) -> Answer:
        spec = lease_spec(
            holder=put.holder,
            duration_s=self.timing.lease_s,
            transitions=put.transitions,
            at=utc_now(),
            is_new_holder=put.is_new_holder,
        )
        limit_s = self.timing.request_s
        try:
            if put.over is None:
                body = lease_body(self._key, spec)
                answer = await self._client.create(LEASES.path(self._key.namespace), body, timeout_s=limit_s)
            else:
                path, patch = LEASES.object_path(self._key), lease_patch(put.over, spec)
                answer = await self._client.merge_patch(path, patch, timeout_s=limit_s)
        except (AlreadyExists, Conflict):
            return Outrun()
        except NotFound:
            if put.over is None:
                raise  # not the Lease is missing, but its Namespace
            return Outrun()
        is_first = put.claim is not Claim.FIRST or await self._leave_mark()
        return Written(_read(answer), is_first)

    async def _leave_mark(self) -> bool:
        """Whether nobody led before us; where that is not sure, somebody may have."""
        try:
            return await self._mark()
        except KubeError:
            return False

    async def _look(self) -> Answer:
        try:
            return Looked(await self._client.read(LEASES, self._key, timeout_s=self.timing.request_s))
        except NotFound:
            return Looked(None)

    async def _get_ready(self, term: int) -> None:
        await self._prepare()
        self._inbox.put_nowait(Prepared(term))


def _read(answer: bytes) -> Lease:
    try:
        content = LEASES.read(answer).content
    except Unreadable as error:
        raise BadAnswer(str(error)) from error
    if isinstance(content, tuple):
        raise BadAnswer("; ".join(map(str, content)))
    return content
