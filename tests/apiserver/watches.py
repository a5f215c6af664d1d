"""Watches: the changes from a revision on, as lines of JSON, until the client goes or the time is up."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from aiohttp import web

from apiserver import answers, refusals
from apiserver.answers import Form
from apiserver.faults import Fault, Faults, Request, Rule
from apiserver.selectors import Matcher, matcher
from apiserver.store import Change, ChangeType, Compacted, JsonObject, Store

TRUE: Final = frozenset({"true", "1"})
BOOKMARK_EVERY_S: Final = 60.0
LAST_BOOKMARK_S: Final = 2.0  # a watch that is about to end tells where to go on, this long before
DEFAULT_TIMEOUT_S: Final = 30 * 60.0
INITIAL_END: Final = "k8s.io/initial-events-end"
GARBAGE: Final = b'{"type":"MODIFIED","object":{"kind": \x00\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the client asked for."""

    request: Request
    matches: Matcher
    form: Form
    start: int | None
    """The revision to go on from; None: from what there is now."""
    timeout_s: float
    bookmarks: bool
    """It understands BOOKMARK."""
    initial_events: bool
    """It wants a list by way of the watch."""


def wishes_of(request: Request, query: Mapping[str, str], form: Form) -> Wishes:
    """What the query of a watch asks for, or a refusal."""
    timeout_s = query.get("timeoutSeconds", "0")
    if not timeout_s.isdecimal():
        raise refusals.bad_request(f'strconv.ParseInt: parsing "{timeout_s}": invalid syntax')
    initial_events = query.get("sendInitialEvents") in TRUE
    if initial_events and query.get("resourceVersionMatch") != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise refusals.forbidden_option("resourceVersionMatch", why)
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    return Wishes(
        request=request,
        matches=matcher(request.kind, labels=labels, fields=fields),
        form=form,
        start=_start_of(query),
        timeout_s=float(timeout_s) or DEFAULT_TIMEOUT_S,
        bookmarks=query.get("allowWatchBookmarks") in TRUE,
        initial_events=initial_events,
    )


def _start_of(query: Mapping[str, str]) -> int | None:
    text = query.get("resourceVersion", "")
    if query.get("sendInitialEvents") in TRUE or text in {"", "0"}:
        return None
    if not text.isdecimal():
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise refusals.Refused(code=500, reason=refusals.Reason.UNKNOWN, message=why)
    return int(text)


class Watch:
    """One open watch."""

    def __init__(self, store: Store, faults: Faults, wishes: Wishes, response: web.StreamResponse) -> None:
        self._store = store
        self._faults = faults
        self._wishes = wishes
        self._response = response
        self._position = store.revision
        self._kind = wishes.request.kind
        self._form = wishes.form

    async def run(self, *, bookmark_every_s: float, closing: asyncio.Event) -> None:
        """Send what happens until the time is up, the server closes or a fault ends it."""
        clock = asyncio.get_running_loop().time
        timeout_s = self._wishes.timeout_s
        ends_at = clock() + timeout_s
        bookmark_at = clock() + min(bookmark_every_s, max(timeout_s - LAST_BOOKMARK_S, 0) or bookmark_every_s)
        await self._begin()
        while not closing.is_set() and clock() < ends_at:
            rule = self._faults.take_for_stream(self._wishes.request)
            if rule is not None and not await self._misbehave(rule):
                return
            if not await self._send_changes():
                return
            if self._wishes.bookmarks and clock() >= bookmark_at:
                await self._bookmark({})
                bookmark_at = clock() + bookmark_every_s
            await self._wait(min(ends_at, bookmark_at) - clock())

    async def _begin(self) -> None:
        if self._wishes.start is not None:
            self._position = self._wishes.start
            return
        for key, value in self._store.all(self._kind):
            if self._wishes.request.namespace in {"", key.namespace} and self._wishes.matches(value):
                await self._send(ChangeType.ADDED, value)
        if self._wishes.initial_events and self._wishes.bookmarks:
            await self._bookmark({"annotations": {INITIAL_END: "true"}})

    async def _wait(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(max(timeout_s, 0)):
                await self._store.wait_for_change()
        except TimeoutError:
            return

    async def _send_changes(self) -> bool:
        """Send what happened since the last time; False if the watch must end."""
        try:
            changes = self._store.since(self._position)
        except Compacted:
            await self._send_expired(self._store.compacted)
            return False
        lines = [self._line(str(word), value) for word, value in self._visible(changes)]
        self._position = max(self._position, self._store.revision)
        if lines:
            await self._response.write(b"".join(lines))
        return True

    def _visible(self, changes: Sequence[Change]) -> Iterator[tuple[ChangeType, JsonObject]]:
        """The changes as this client sees them: what its selectors begin or cease to fit comes or goes."""
        for change in changes:
            if change.kind is not self._kind:
                continue
            if self._wishes.request.namespace not in {"", change.key.namespace}:
                continue
            word = self._word(change)
            if word is not None:
                yield word, self._shown(change, word)

    def _word(self, change: Change) -> ChangeType | None:
        before = change.previous is not None and self._wishes.matches(change.previous)
        after = change.type is not ChangeType.DELETED and self._wishes.matches(change.object)
        if after:
            return ChangeType.MODIFIED if before else ChangeType.ADDED
        return ChangeType.DELETED if before else None

    def _shown(self, change: Change, word: ChangeType) -> JsonObject:
        if word is not ChangeType.DELETED or change.previous is None:
            return change.object
        # What leaves the selection is shown as the client knew it, at the revision at which it left.
        metadata = {**change.previous["metadata"], "resourceVersion": str(change.revision)}
        return {**change.previous, "metadata": metadata}

    async def _bookmark(self, metadata: JsonObject) -> None:
        kind = self._kind
        bare = {"kind": kind.name, "apiVersion": kind.api_version}
        marked = {**metadata, "resourceVersion": str(self._position), "creationTimestamp": None}
        await self._send_line("BOOKMARK", {**bare, "metadata": marked})

    async def _misbehave(self, rule: Rule) -> bool:
        """Do what the rule says; True if the watch goes on."""
        if rule.fault is Fault.STALL:
            await self._faults.wait_until_cleared()
            return True
        if rule.fault is Fault.DELAY:
            await asyncio.sleep(rule.delay_s)
            return True
        if rule.fault is Fault.GARBAGE:
            await self._response.write(GARBAGE)
            return True
        if rule.fault is Fault.DROP:
            raise ConnectionAbortedError
        if rule.fault is Fault.EXPIRE:
            await self._send_expired(self._store.revision)
        return False

    async def _send_expired(self, oldest: int) -> None:
        message = f"too old resource version: {self._position} ({oldest})"
        await self._send_line("ERROR", refusals.expired(message).status())

    async def _send(self, word: ChangeType, value: JsonObject) -> None:
        await self._response.write(self._line(str(word), value))

    async def _send_line(self, word: str, value: JsonObject) -> None:
        await self._response.write(msgspec.json.encode({"type": word, "object": value}) + b"\n")

    def _line(self, word: str, value: JsonObject) -> bytes:
        shown = answers.one(self._kind, value, self._form)
        if self._form.as_table:
            self._form = replace(self._form, with_columns=False)  # the first row has told them
        return msgspec.json.encode({"type": word, "object": shown}) + b"\n"
