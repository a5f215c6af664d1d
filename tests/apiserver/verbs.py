"""The verbs over HTTP: from query and body to the registry or the store, and back to an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

from aiohttp import web

from apiserver import answers, lists, patches, refusals, watches
from apiserver.decoding import read_body
from apiserver.faults import Faults
from apiserver.kinds import SERVICES, Kind
from apiserver.refusals import Reason, Refused
from apiserver.registry import Options, Registry
from apiserver.routes import Target
from apiserver.schema import SCHEMAS
from apiserver.store import JsonObject, Key, Store

Change: TypeAlias = Callable[[JsonObject], Any]
"""What a patch does to the object that is stored."""

_PATCHES: Final[Mapping[str, Callable[[Kind, Any], Change]]] = {
    "application/merge-patch+json": lambda kind, patch: lambda old: patches.merge(old, patch),
    "application/json-patch+json": lambda kind, patch: lambda old: patches.json_patch(old, patch),
    "application/strategic-merge-patch+json": lambda kind, patch: (
        lambda old: patches.strategic_merge(old, patch, SCHEMAS[kind])
    ),
}


class Verbs:
    """What the server does for each verb."""

    def __init__(self, store: Store, registry: Registry, faults: Faults, *, bookmark_every_s: float) -> None:
        self._store = store
        self._registry = registry
        self._faults = faults
        self._bookmark_every_s = bookmark_every_s
        self._verbs: Mapping[str, Callable[[web.Request, Target], Awaitable[web.StreamResponse]]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        self.closing = asyncio.Event()
        """Set when the server goes down; every watch then ends."""

    async def serve(self, request: web.Request, target: Target) -> web.StreamResponse:
        """Answer a request."""
        return await self._verbs[target.verb](request, target)

    async def _get(self, request: web.Request, target: Target) -> web.Response:
        form = answers.form_of(request)
        found = self._store.get(target.kind, target.key)
        if found is None:
            raise refusals.not_found(target.kind, target.key.name)
        return answers.respond(answers.one(target.kind, found, form))

    async def _list(self, request: web.Request, target: Target) -> web.Response:
        form = answers.form_of(request)
        page = lists.page(self._store, target.kind, target.key.namespace, request.query)
        return answers.respond(answers.many(target.kind, page.objects, page.metadata, form))

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        wishes = watches.wishes_of(target.request(), request.query, answers.form_of(request))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        watch = watches.Watch(self._store, self._faults, wishes, response)
        with suppress(ConnectionResetError):  # the client has gone, and that is how a watch usually ends
            await watch.run(bookmark_every_s=self._bookmark_every_s, closing=self.closing)
        return response

    async def _create(self, request: web.Request, target: Target) -> web.Response:
        body = read_body(await request.read(), request.content_type)
        form = answers.form_of(request)
        made = self._registry.create(target.kind, target.key.namespace, body, _options(request))
        return answers.respond(answers.one(target.kind, made, form), code=201)

    async def _update(self, request: web.Request, target: Target) -> web.Response:
        body = read_body(await request.read(), request.content_type)
        form = answers.form_of(request)
        known = self._store.get(target.kind, target.key) is not None
        written = self._registry.update(
            target.kind, target.key, body, is_status=target.is_status, options=_options(request)
        )
        return answers.respond(answers.one(target.kind, written, form), code=200 if known else 201)

    async def _patch(self, request: web.Request, target: Target) -> web.Response:
        body = await request.read()
        form = answers.form_of(request)
        change = _change(target.kind, request.content_type, body)
        written = self._registry.patch(
            target.kind, target.key, change, is_status=target.is_status, options=_options(request)
        )
        return answers.respond(answers.one(target.kind, written, form))

    async def _delete(self, request: web.Request, target: Target) -> web.Response:
        body = await request.read()
        options = read_body(body, request.content_type) if body else {}
        last = self._registry.delete(target.kind, target.key, options)
        shows_object = target.kind is SERVICES or "deletionTimestamp" in last["metadata"]
        return answers.respond(last if shows_object else answers.success(target.kind, last))

    async def _delete_collection(self, request: web.Request, target: Target) -> web.Response:
        await request.read()
        page = lists.page(self._store, target.kind, target.key.namespace, request.query)
        for value in page.objects:
            key = Key(value["metadata"].get("namespace", ""), value["metadata"]["name"])
            self._registry.delete(target.kind, key, {})
        return answers.respond(answers.many(target.kind, page.objects, page.metadata, answers.Form()))


def _options(request: web.Request) -> Options:
    return Options(
        strict=request.query.get("fieldValidation") == "Strict",
        dry_run=request.query.get("dryRun") == "All",
    )


def _change(kind: Kind, content_type: str, body: bytes) -> Change:
    if content_type.startswith("application/apply-patch"):
        raise refusals.not_implemented(
            "does not do server-side apply; run kubectl apply without --server-side"
        )
    if content_type not in _PATCHES:
        message = "415: Unsupported Media Type"
        raise Refused(code=415, reason=Reason.UNSUPPORTED_MEDIA_TYPE, message=message, details={})
    patch = read_body(body, content_type)
    if isinstance(patch, list) != (content_type == "application/json-patch+json"):
        raise refusals.bad_request(f"error decoding patch: this is no {content_type}")
    return _PATCHES[content_type](kind, patch)
