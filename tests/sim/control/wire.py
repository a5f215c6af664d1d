"""A process's connection to the API server: requests refused, lost or late, watches that lag or break.

A request takes its way, is done, and is answered; any of the three may fail. What a write was is known to the
world (``Flight``), since a write that arrives late must harm nobody. Not simulated: a list that is older than
the moment it was asked for (ours are read by quorum), and more than one API server.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, TypeVar

import msgspec

from bareway.model.names import ObjectKey
from bareway.resources.kinds import LEASES, Kind
from bareway.runtime.kube.errors import KubeError, Unreachable, api_error
from sim.control.api import Change, Json, Place, Stored, place_of
from sim.control.owner import Flight, Owner

T = TypeVar("T")

REQUEST_S = 10.0
"""How long a request may take whose caller does not say."""
LATE_MAX_S = 2.0
"""Of writes that tell no limit; nobody counts on them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a collection are asked for."""

    collection: Place
    name: str
    """Of one object; empty = any."""
    labels: frozenset[tuple[str, str]]

    def wants(self, place: Place, stored: Stored) -> bool:
        """Whether an object is among them."""
        return (
            place.plural == self.collection.plural
            and self.collection.namespace in ("", place.namespace)
            and self.name in ("", place.name)
            and self.labels <= stored.body["metadata"].get("labels", {}).items()
        )


@dataclass(slots=True)
class Subscription:
    """An open watch."""

    selection: Selection
    lines: list[bytes] = field(default_factory=list)
    """What has come and was not read."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failure: KubeError | None = None
    is_over: bool = False
    stalled_until: float = 0.0
    last_at: float = 0.0

    async def batches(self) -> AsyncIterator[list[bytes]]:
        """What comes, until it is over."""
        while not self.is_over:
            await self.news.wait()
            self.news.clear()
            lines, self.lines = self.lines, []
            if lines:
                yield lines
        if self.failure is not None:
            raise self.failure


class Fate(Enum):
    """What becomes of a request."""

    DONE = auto()
    REFUSED = auto()
    BUSY = auto()
    LOST = auto()
    UNANSWERED = auto()
    """It is done, and nobody says so."""


NOES: Final[Mapping[Fate, KubeError]] = {
    Fate.REFUSED: Unreachable("connection refused"),
    Fate.BUSY: api_error("a request", 503, "ServiceUnavailable", "try again"),
}


class Client:
    """The methods of ``KubeClient``."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.watches: list[Subscription] = []

    # ------------------------------------------------------------ requests

    async def get(self, path: str, query: Mapping[str, str], *, timeout_s: float = REQUEST_S) -> bytes:
        """A list, on one page."""
        selection = _selection(path, query)
        api = self._owner.api

        def answer() -> bytes:
            places = sorted(api.objects)
            texts = [api.objects[one].text for one in places if selection.wants(one, api.objects[one])]
            head = b'{"metadata":{"resourceVersion":"%d"},"items":[' % api.revision
            return head + b",".join(texts) + b"]}"

        return await self._ask(answer, timeout_s)

    async def read(self, kind: Kind[T], key: ObjectKey, *, timeout_s: float) -> T:
        """One object."""
        place, _ = place_of(kind.object_path(key))
        content = kind.read(await self._ask(lambda: self._owner.api.get(place).text, timeout_s)).content
        assert not isinstance(content, tuple), content
        return content

    async def create(self, path: str, body: Mapping[str, object], *, timeout_s: float = REQUEST_S) -> bytes:
        """Create an object."""
        place, _ = place_of(path)
        plain, owner = self._plain(place, body), self._owner
        return await self._write(
            place, lambda: owner.api.create(place, plain, by=owner.name, now=owner.now), timeout_s
        )

    async def replace(self, path: str, body: Mapping[str, object], *, timeout_s: float = REQUEST_S) -> bytes:
        """Write an object whole."""
        place, _ = place_of(path)
        plain, owner = self._plain(place, body), self._owner
        return await self._write(place, lambda: owner.api.replace(place, plain, by=owner.name), timeout_s)

    async def merge_patch(
        self, path: str, body: Mapping[str, object], *, timeout_s: float = REQUEST_S
    ) -> bytes:
        """Change an object."""
        place, _ = place_of(path)
        plain, owner = self._plain(place, body), self._owner
        return await self._write(place, lambda: owner.api.merge_patch(place, plain, by=owner.name), timeout_s)

    def _plain(self, place: Place, body: Mapping[str, object]) -> Json:
        """As it is on the wire; a Lease's time is that of the process's own clock, not of this machine's."""
        plain: Json = msgspec.json.decode(msgspec.json.encode(body))
        if place.plural == LEASES.plural:
            plain["spec"]["renewTime"] = str(self._owner.unix())
        return plain

    async def _write(self, place: Place, do: Callable[[], Stored], timeout_s: float) -> bytes:
        owner = self._owner
        begun_at, looked_at, state_at = owner.now, owner.looked_at, owner.state_at
        life = owner.life

        def arrive(is_stuck: bool) -> bytes:
            if place.plural != LEASES.plural:
                owner.arrives(
                    Flight(
                        by=owner.name,
                        life=life,
                        begun_at=begun_at,
                        arrived_at=owner.now,
                        is_stuck=is_stuck,
                        looked_at=looked_at,
                        state_at=state_at,
                    )
                )
            return do().text

        return await self._ask(arrive, timeout_s, is_write=True)

    async def _ask(self, do: Callable[..., bytes], timeout_s: float, *, is_write: bool = False) -> bytes:
        owner = self._owner
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def leave(is_stuck: bool) -> None:
            self._travel(lambda: do(is_stuck) if is_write else do(), answered, timeout_s, is_write=is_write)

        owner.send(leave, is_write=is_write)
        try:
            async with asyncio.timeout(timeout_s):
                return await answered
        except TimeoutError:
            raise Unreachable("no answer within the limit") from None

    def _travel(
        self, do: Callable[[], bytes], answered: asyncio.Future[bytes], limit_s: float, *, is_write: bool
    ) -> None:
        """On its way there, and back."""
        owner, weather = self._owner, self._owner.weather

        def back(result: bytes | KubeError) -> None:
            if not (weather.is_away or owner.is_cut):
                arrives_at = owner.now + owner.between(0.001, 0.005)
                owner.at(arrives_at, lambda: owner.wake(lambda: _say(answered, result)))

        def arrive() -> None:
            try:
                result: bytes | KubeError = do()
            except KubeError as error:
                result = error
            if fate is not Fate.UNANSWERED:
                back(result)

        fate = self._fate()
        if fate in NOES:
            owner.at(owner.now + 0.001, lambda: owner.wake(lambda: _say(answered, NOES[fate])))
        elif fate is not Fate.LOST:
            owner.at(owner.now + self._delay_s(limit_s, is_write=is_write), arrive)

    def _fate(self) -> "Fate":
        owner, weather = self._owner, self._owner.weather
        if weather.is_away or owner.is_cut:
            return Fate.REFUSED if owner.chance() < 0.5 else Fate.LOST
        if owner.chance() < weather.error_share:
            return (Fate.REFUSED, Fate.BUSY, Fate.LOST, Fate.UNANSWERED)[int(owner.chance() * 4)]
        return Fate.DONE

    def _delay_s(self, limit_s: float, *, is_write: bool) -> float:
        """A write may be on its way for as long as its sender waits, and as long again in the server."""
        owner = self._owner
        if is_write and owner.chance() < owner.weather.late_share:
            return owner.between(0.0, min(LATE_MAX_S, owner.real_s(limit_s) + limit_s))
        return owner.between(0.001, 0.005)

    # ------------------------------------------------------------ watches

    async def watch(
        self, path: str, query: Mapping[str, str], *, timeout_s: float
    ) -> AsyncGenerator[list[bytes], None]:
        """Lines, as they come."""
        owner = self._owner
        since = int(query["resourceVersion"])
        subscription = Subscription(selection=_selection(path, query))

        def begin() -> bytes:
            if since < owner.api.compacted:
                raise api_error(f"GET {path}", 410, "Expired", "too old resource version")
            self.watches.append(subscription)
            for change in owner.api.history:
                if change.revision > since:
                    self._bring(subscription, change)
            return b""

        await self._ask(begin, REQUEST_S)
        try:
            yield []
            async with asyncio.timeout(timeout_s):
                async for lines in subscription.batches():
                    yield lines
        finally:
            if subscription in self.watches:
                self.watches.remove(subscription)

    def tell(self, change: Change) -> None:
        """Something changed at the API server."""
        for subscription in self.watches:
            self._bring(subscription, change)

    def break_watches(self, failure: KubeError | None) -> None:
        """All of them end, with an error or without."""
        for subscription in [*self.watches]:
            self._end(subscription, failure)

    def stall(self, until: float) -> None:
        """Nothing comes through the watches that are open, and nobody says so."""
        for subscription in self.watches:
            subscription.stalled_until = until

    def _end(self, subscription: Subscription, failure: KubeError | None) -> None:
        def over() -> None:
            subscription.is_over, subscription.failure = True, failure
            subscription.news.set()

        self._owner.wake(over)

    def _bring(self, subscription: Subscription, change: Change) -> None:
        """In order, some time later; not at all while there is no way."""
        stored = change.after or change.before
        if stored is None or not subscription.selection.wants(change.place, stored):
            return
        owner = self._owner
        lags_s = owner.weather.lags_s
        at = owner.now + lags_s[int(owner.chance() * len(lags_s))]
        at = subscription.last_at = max(at, subscription.last_at, subscription.stalled_until)
        line = _line(change)

        def arrive() -> None:
            if subscription.is_over or subscription not in self.watches:
                return
            if owner.weather.is_away or owner.is_cut:
                self._end(subscription, Unreachable("the watch broke"))
                return

            def read() -> None:
                subscription.lines.append(line)
                subscription.news.set()

            owner.wake(read)

        owner.at(at, arrive)


def _say(answered: asyncio.Future[bytes], result: bytes | KubeError) -> None:
    if not answered.done():
        if isinstance(result, KubeError):
            answered.set_exception(result)
        else:
            answered.set_result(result)


def _selection(path: str, query: Mapping[str, str]) -> Selection:
    labels = [text.partition("=") for text in query.get("labelSelector", "").split(",") if text]
    return Selection(
        collection=place_of(path)[0],
        name=query.get("fieldSelector", "").removeprefix("metadata.name="),
        labels=frozenset((name, value) for name, _, value in labels),
    )


def _line(change: Change) -> bytes:
    stored = change.after or change.before
    assert stored is not None
    if change.after is not None:
        kind = b"MODIFIED" if change.before is not None else b"ADDED"
        return b'{"type":"%s","object":%s}' % (kind, stored.text)
    metadata: dict[str, Any] = {**stored.body["metadata"], "resourceVersion": str(change.revision)}
    return msgspec.json.encode({"type": "DELETED", "object": {**stored.body, "metadata": metadata}})
