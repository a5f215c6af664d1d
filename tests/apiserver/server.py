"""The HTTP server: it listens, misbehaves where that is asked for, and leaves the rest to the verbs."""

import asyncio
from random import Random
from types import TracebackType
from typing import Final, Self

import msgspec
from aiohttp import web

from apiserver import absent, answers, discovery, refusals, reviews, watches
from apiserver.decoding import read_body
from apiserver.faults import Fault, Faults, Request, Rule, refusal_of
from apiserver.pods import Pods
from apiserver.record import Asked, asked
from apiserver.refusals import Refused
from apiserver.registry import Registry
from apiserver.routes import target_of
from apiserver.store import JsonObject, Store
from apiserver.verbs import Verbs

BODY_MAX_BYTES: Final = 3 * 1024 * 1024  # as the real server
CLOSE_WITHIN_S: Final = 0.25  # a server that goes down does not wait for its clients
HEALTH_PATHS: Final = frozenset({"/healthz", "/livez", "/readyz"})


class EmbeddedApi:
    """An API server in this process; the objects outlive ``stop`` and are there again after ``start``."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: str = "apiserver",
        first_revision: int = 1,
        bookmark_every_s: float = watches.BOOKMARK_EVERY_S,
    ) -> None:
        self.store = Store(first_revision=first_revision)
        self.faults = Faults(wake=self.store.wake)
        self.registry = Registry(self.store, Random(seed))
        self.pods = Pods()
        """Empty until a test puts one there."""
        self.others: dict[str, list[JsonObject]] = {}
        """By plural: what a test puts there of kinds that this server holds nothing of (``absent``)."""
        self.requests: list[tuple[str, str]] = []
        """Method and path with query of every request, in order, for tests to look at."""
        self.asked: list[tuple[str, Asked]] = []
        """The same as they stand on record, each with its bearer token: who asked."""
        self._verbs = Verbs(self.store, self.registry, self.faults, bookmark_every_s=bookmark_every_s)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it is reached; the port stays the same over ``stop`` and ``start``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen."""
        self._verbs.closing.clear()
        application = web.Application(client_max_size=BODY_MAX_BYTES)
        application.router.add_route("*", "/faults", self._serve_faults)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=CLOSE_WITHIN_S, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            self._verbs.closing.set()
            self.store.wake()
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        content_type = request.headers.get("Content-Type", "")
        self.asked.append((token, asked(request.method, request.path_qs, content_type)))
        try:
            response = await self._answer(request)
        except Refused as refused:
            return answers.refuse(refused)
        except web.HTTPRequestEntityTooLarge:
            return answers.refuse(refusals.too_large(BODY_MAX_BYTES))
        except ConnectionAbortedError:
            return _hang_up(request)
        answers.compress(response, request)
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = await self._aside(request)
        if answer is not None:
            return answer
        target = target_of(request.method, request.path, request.query)
        rule = self.faults.take(target.request())
        if rule is not None:
            answer = await self._misbehave(rule, target.request())
            if answer is not None:
                return answer
        response = await self._verbs.serve(request, target)
        if rule is not None:
            await self._misbehave_afterwards(rule)
        return response

    async def _aside(self, request: web.Request) -> web.StreamResponse | None:
        """What is not about the objects in the store; None if it is."""
        if request.path in HEALTH_PATHS:
            return web.Response(text="ok")
        document = discovery.DOCUMENTS.get(request.path.strip("/"))
        if document is not None and request.method == "GET":
            return answers.respond(document)
        if request.path.strip("/") == reviews.PATH and request.method == "POST":
            body = read_body(await request.read(), request.content_type)
            return answers.respond(reviews.answer(body, self.faults), code=201)
        about_pods = self.pods.request(request.method, request.path, is_watch="watch" in request.query)
        if about_pods is not None:
            rule = self.faults.take(about_pods)
            answer = await self._misbehave(rule, about_pods) if rule is not None else None
            return answer or await self.pods.answer(request, about_pods, self.store.revision)
        about_others = absent.asked(request.method, request.path, request.query)
        if about_others is not None:
            rule = self.faults.take_for_other(about_others)
            answer = await self._misbehave(rule, about_others) if rule is not None else None
            if answer is not None:
                return answer
        others = absent.listed(
            request.method, request.path, request.query, others=self.others, revision=self.store.revision
        )
        return answers.respond(others) if others is not None else None

    async def _misbehave(self, rule: Rule, request: Request) -> web.Response | None:
        """Do what the rule says; None if the request is then answered as ever."""
        refused = refusal_of(rule.fault, request)
        if refused is not None:
            raise refused
        if rule.fault is Fault.STALL:
            await self.faults.wait_until_cleared()
        if rule.fault is Fault.DELAY:
            await asyncio.sleep(rule.delay_s)
        if rule.fault is Fault.COMPACT:
            self.store.compact()
        if rule.fault is Fault.DROP:
            raise ConnectionAbortedError
        if rule.fault in {Fault.GARBAGE, Fault.CLOSE}:
            body = watches.GARBAGE if rule.fault is Fault.GARBAGE else b""
            return web.Response(body=body, content_type="application/json")
        return None

    async def _misbehave_afterwards(self, rule: Rule) -> None:
        """What happens to the answer to a request that was done."""
        if rule.fault is Fault.LATE:
            await asyncio.sleep(rule.delay_s)
        if rule.fault is Fault.LOST:
            raise ConnectionAbortedError

    async def _serve_faults(self, request: web.Request) -> web.Response:
        """The side channel for tests in another process."""
        try:
            if request.method == "POST":
                rule = msgspec.json.decode(await request.read(), type=Rule)
                if rule.fault is Fault.COMPACT:
                    self.store.compact()
                else:
                    self.faults.add_rule(rule)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return answers.refuse(refusals.bad_request(f"this is no rule for faults: {error}"))
        if request.method == "DELETE":
            self.faults.clear()
        return answers.respond({"rules": [msgspec.to_builtins(rule) for rule in self.faults.rules]})


def _hang_up(request: web.Request) -> web.Response:
    """Cut the connection; the answer that is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
