"""Does the effects: writes to Kubernetes, a bounded number at a time, and says what came of it.

A refusal of one effect keeps no other from being done, and none is retried here: the next plan contains what
is still missing. What was written is noted in Assumptions, since the mirrors lag behind. What fails for one
reason is told in one line a pass, and again only when it is another.
"""

import asyncio
import logging
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Final, Protocol, TypeVar

from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap, ObjectReference
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Service
from bareway.resources.announcer_lists import LABEL, write_shard
from bareway.resources.events import EventType
from bareway.resources.in_force import write_in_force
from bareway.resources.kinds import CONFIG_MAPS, SECRETS, SERVICES, Kind, Unreadable
from bareway.resources.objects import KEY_FIELD, config_map_body, secret_body
from bareway.resources.services import version_if_shows
from bareway.resources.state import write_state
from bareway.resources.status import WRITTEN_PREFIX, assign_patch, condition_patch, release_patch
from bareway.runtime.kube.errors import (
    AlreadyExists,
    ApiError,
    BadAnswer,
    Conflict,
    Forbidden,
    KubeError,
    NotFound,
    TooManyRequests,
)
from controller.allocation.assumptions import Assumptions, Memory
from controller.leading.fence import NotLeading
from controller.writing.effects import (
    ClearIngress,
    Confirm,
    CreateKey,
    Effect,
    Emit,
    ServiceWrite,
    SetCondition,
    SetIngress,
    Write,
    WriteConfiguration,
    WriteShard,
    WriteState,
)
from controller.writing.notices import EventReason, about_service
from controller.writing.stopwatch import Stopwatch
from controller.writing.window import Window

T = TypeVar("T")

logger = logging.getLogger(__name__)

IN_FLIGHT: Final = 16  # enough for 1,000 writes a second at 16 ms each; API servers throttle at some 100
NAMED_MAX: Final = 5  # failed objects in one log line: it is read by people
KEY_BYTES: Final = 32
NO_LABELS: Final[Mapping[str, str]] = {}


class Api(Protocol):
    """What is needed of ``KubeClient``."""

    async def create(self, path: str, body: Mapping[str, object]) -> bytes:
        """Create an object."""

    async def replace(self, path: str, body: Mapping[str, object]) -> bytes:
        """Write an object whole."""

    async def merge_patch(self, path: str, body: Mapping[str, object]) -> bytes:
        """Change an object."""


class Teller(Protocol):
    """What is needed of ``Recorder``."""

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        """Tell it, if it is news."""


class Result(Enum):
    """What came of one write."""

    DONE = auto()
    OUTDATED = auto()
    """Somebody was faster, or the object is gone; the mirrors will show it."""
    FAILED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one plan."""

    done: int = 0
    """Writes that changed something."""
    outdated: int = 0
    failed: int = 0


class Applier:
    """Does effects with one client."""

    def __init__(
        self,
        client: Api,
        recorder: Teller,
        memory: Memory,
        *,
        random_bytes: Callable[[int], bytes],
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._memory = memory
        self._random_bytes = random_bytes
        self._stopwatch = stopwatch or Stopwatch()
        self._window = Window(IN_FLIGHT)
        self._failed: Mapping[ObjectReference, str] = {}
        """What the last pass could not write, and why."""
        self.is_busy = False
        """Effects are being done."""

    async def apply(self, effects: Iterable[Effect]) -> Outcome:
        """Do all of them, as many as possible."""
        queue = iter(effects)
        results: list[Result] = []
        failures: dict[ObjectReference, KubeError] = {}
        self.is_busy = True
        async with asyncio.TaskGroup() as group:
            for number in range(IN_FLIGHT):
                group.create_task(self._work(queue, results, failures), name=f"writer {number}")
        self.is_busy = False
        self._tell_failures(failures)
        return Outcome(
            done=results.count(Result.DONE),
            outdated=results.count(Result.OUTDATED),
            failed=results.count(Result.FAILED),
        )

    async def _work(
        self, queue: Iterator[Effect], results: list[Result], failures: dict[ObjectReference, KubeError]
    ) -> None:
        for effect in queue:
            match effect:
                case Emit():
                    self._tell(effect)
                case Confirm(write=write):
                    self._say(write)
                case _:
                    results.append(await self._attempt(effect, failures))

    async def _attempt(self, write: Write, failures: dict[ObjectReference, KubeError]) -> Result:
        is_well = False
        begun_s = await self._window.enter()
        try:
            await self._write(write)
            is_well = True
        except KubeError as error:
            is_well = _is_answer(error)
            if _is_outdated(write, error):
                return Result.OUTDATED
            if isinstance(write, ServiceWrite) and _may_have_happened(error):
                self._suspect(write)
            if isinstance(write, WriteConfiguration) and _may_have_happened(error):
                written = ConfigMap(key=write.key, resource_version=write.over)
                self._memory.configurations.note(written, over=write.over, is_certain=False)
            failures[_about(write)] = error
            return Result.FAILED
        finally:
            self._window.leave(begun_s, is_answered=is_well)
        return Result.DONE

    def _suspect(self, write: ServiceWrite) -> None:
        """It may have been made: an address counts as held, and what is to be said waits."""
        self._memory.unanswered[write.service.key] = write
        if isinstance(write, SetIngress):
            over = write.service.resource_version
            self._memory.services.note(_assumed(write, over), over=over, is_certain=False)

    async def _write(self, write: Write) -> None:
        match write:
            case SetIngress() | ClearIngress() | SetCondition():
                await self._patch(write)
                self._memory.unanswered.pop(write.service.key, None)
                self._say(write)
            case WriteConfiguration():
                await self._put_in_force(write)
            case WriteState():
                await self._put_down(write)
            case WriteShard():
                await self._list(write)
            case CreateKey():
                await self._create_key(write)

    async def _patch(self, write: ServiceWrite) -> None:
        service = write.service
        answer = await self._client.merge_patch(SERVICES.object_path(service.key, "status"), _patch(write))
        version = version_if_shows(answer, write.addresses) if isinstance(write, SetIngress) else ""
        if isinstance(write, SetIngress) and version:
            # Not read as a whole: 5,000 at once are 0.3 s less, and share most of their parts with what was.
            after = _assumed(write, version)
        else:
            after = _read(SERVICES, answer)
        self._memory.services.note(after, over=service.resource_version)

    def _say(self, write: ServiceWrite) -> None:
        """One log line of addresses, and the Events."""
        service = write.service
        match write:
            case SetIngress(addresses=addresses, pool=pool):
                extra = {"service": str(service.key), "ips": [*map(str, addresses)], "pool": pool}
                if service.ingress == addresses:
                    logger.info("address kept", extra=extra)
                else:
                    self._stopwatch.written(service.key)
                    logger.info("address assigned", extra=extra)
            case ClearIngress():
                ips = [*map(str, service.ingress)]
                logger.info("address released", extra={"service": str(service.key), "ips": ips})
            case SetCondition():
                pass
        for emit in write.then:
            self._tell(emit)

    async def _put_in_force(self, write: WriteConfiguration) -> None:
        accepted = write.in_force
        data = write_in_force(
            accepted.document,
            extension=accepted.extension,
            generation=accepted.generation,
            source=accepted.source,
        )
        await self._put(write.key, write.over, data, self._memory.configurations)
        for emit in write.then:
            self._tell(emit)

    async def _put_down(self, write: WriteState) -> None:
        await self._put(write.key, write.over, write_state(write.memory), self._memory.states)

    async def _list(self, write: WriteShard) -> None:
        await self._put(write.key, write.over, write_shard(write.shard), self._memory.lists, LABEL)

    async def _put(
        self,
        key: ObjectKey,
        over: str,
        data: Mapping[str, str],
        assumptions: Assumptions[ConfigMap],
        labels: Mapping[str, str] = NO_LABELS,
    ) -> None:
        body = config_map_body(key, data, labels=labels, resource_version=over)
        if over:
            answer = await self._client.replace(CONFIG_MAPS.object_path(key), body)
        else:
            answer = await self._client.create(CONFIG_MAPS.path(key.namespace), body)
        assumptions.note(_read(CONFIG_MAPS, answer), over=over)

    async def _create_key(self, write: CreateKey) -> None:
        body = secret_body(write.key, {KEY_FIELD: b64encode(self._random_bytes(KEY_BYTES))})
        answer = await self._client.create(SECRETS.path(write.key.namespace), body)
        self._memory.secrets.note(_read(SECRETS, answer), over="")
        logger.info("key for gossip created", extra={"secret": str(write.key)})

    def _tell(self, emit: Emit) -> None:
        notice = emit.notice
        if notice.type is EventType.WARNING:
            extra = {"about": _label(emit.about), "reason": notice.reason, "detail": notice.message}
            logger.warning("something is wrong with an object", extra=extra)
        self._recorder.emit(emit.about, notice.type, notice.reason, notice.message)

    def _tell_failures(self, failures: Mapping[ObjectReference, KubeError]) -> None:
        """Those that the last pass did not have: one line for each kind of error, with its first sentence."""
        before, self._failed = self._failed, {about: str(error) for about, error in failures.items()}
        news: defaultdict[type[KubeError], list[ObjectReference]] = defaultdict(list)
        for about in sorted(failures, key=_label):
            if before.get(about) != self._failed[about]:
                news[type(failures[about])].append(about)
        for kind, objects in news.items():
            first = self._failed[objects[0]]
            extra = {"count": len(objects), "objects": [_label(about) for about in objects[:NAMED_MAX]]}
            logger.warning("writes failed, trying again", extra={**extra, "error": first})
            if issubclass(kind, Forbidden):  # waits for a person, who may look there and not at our log
                self._recorder.emit(objects[0], EventType.WARNING, EventReason.WRITE_FORBIDDEN, first)


def _about(write: Write) -> ObjectReference:
    match write:
        case SetIngress(service=service) | ClearIngress(service=service) | SetCondition(service=service):
            return about_service(service)
        case WriteConfiguration(key=key) | WriteState(key=key) | WriteShard(key=key):
            return ObjectReference(kind=CONFIG_MAPS.name, key=key)
        case CreateKey(key=key):
            return ObjectReference(kind=SECRETS.name, key=key)


def _label(about: ObjectReference) -> str:
    return f"{about.kind} {about.key}"


def _is_outdated(write: Write, error: KubeError) -> bool:
    """Somebody wrote the object since it was read, or leads instead of us; or the Service is gone."""
    if isinstance(error, NotFound):
        return isinstance(write, SetIngress | ClearIngress | SetCondition)
    return isinstance(error, Conflict | AlreadyExists | NotLeading)


def _is_answer(error: KubeError) -> bool:
    """A no that says nothing of how much the API server has to do."""
    return not isinstance(error, TooManyRequests) and not _may_have_happened(error)


def _may_have_happened(error: KubeError) -> bool:
    """Everything but a clear no: the answer may have been lost behind a write that was made."""
    return not isinstance(error, ApiError) or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _assumed(write: SetIngress, version: str) -> Service:
    """The Service as it is if the write was made."""
    annotations = {**write.service.annotations, WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION: write.pool}
    return replace(
        write.service,
        resource_version=version,
        ingress=write.addresses,
        annotations=annotations,
        condition=write.condition,
    )


def _patch(write: ServiceWrite) -> Mapping[str, object]:
    match write:
        case SetIngress(service=service, condition=condition):
            return assign_patch(service, write.addresses, write.pool, condition)
        case ClearIngress(service=service, condition=condition):
            return release_patch(service, condition)
        case SetCondition(service=service, condition=condition):
            return condition_patch(service, condition)


def _read(kind: Kind[T], answer: bytes) -> T:
    """The object as the server has it now."""
    try:
        content = kind.read(answer).content
    except Unreadable as error:
        raise BadAnswer(str(error)) from error
    if isinstance(content, tuple):
        raise BadAnswer("; ".join(map(str, content)))
    return content
