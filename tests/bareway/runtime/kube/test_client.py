"""bareway.runtime.kube.client: requests over real HTTP and TLS, and each way in which a server can fail."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from apiserver import EmbeddedApi, Fault
from bareway.model.services import Condition
from bareway.resources.kinds import CONFIG_MAPS, SERVICES
from bareway.resources.objects import config_map_body
from bareway.resources.status import assign_patch, release_patch
from bareway.runtime.kube.client import (
    AlreadyExists,
    BadAnswer,
    Conflict,
    Forbidden,
    Gone,
    KubeClient,
    NotFound,
    Unauthorized,
    Unreachable,
)
from bareway.runtime.kube.credentials import Credentials, Fixed
from support.builders import ips, key
from support.certificates import authority

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

CONFIG = key("default/config")
WEB = key("default/web")
WEB_BODY = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
}


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as server:
        yield server


@pytest.fixture
async def client(api: EmbeddedApi) -> AsyncIterator[KubeClient]:
    async with connected(api.url) as opened:
        yield opened


def connected(url: str, timeout_s: float = 5.0) -> KubeClient:
    return KubeClient(Fixed(Credentials(server=url)), timeout_s=timeout_s)


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does only what ``handler`` does; its URL."""
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def create_config(client: KubeClient, **data: str) -> bytes:
    return await client.create(CONFIG_MAPS.path("default"), config_map_body(CONFIG, data))


async def test_an_object_is_created_read_changed_and_deleted(client: KubeClient) -> None:
    await create_config(client, config="one")
    found = await client.read(CONFIG_MAPS, CONFIG)
    assert found.data == {"config": "one"}
    await client.merge_patch(CONFIG_MAPS.object_path(CONFIG), {"data": {"more": "two"}})
    changed = await client.read(CONFIG_MAPS, CONFIG)
    assert changed.data == {"config": "one", "more": "two"}
    body = config_map_body(CONFIG, {"config": "three"}, resource_version=changed.resource_version)
    await client.replace(CONFIG_MAPS.object_path(CONFIG), body)
    assert (await client.read(CONFIG_MAPS, CONFIG)).data == {"config": "three"}
    await client.delete(CONFIG_MAPS.object_path(CONFIG))
    with pytest.raises(NotFound):
        await client.read(CONFIG_MAPS, CONFIG)


async def test_a_service_gets_its_address_and_annotation_in_one_write_and_loses_both_in_one(
    client: KubeClient,
) -> None:
    await client.create(SERVICES.path("default"), WEB_BODY)
    path = SERVICES.object_path(WEB, "status")
    fresh = await client.read(SERVICES, WEB)
    says = Condition(is_true=True, reason="Assigned", message="assigned", since="2026-01-01T00:00:00Z")
    await client.merge_patch(path, assign_patch(fresh, ips("192.0.2.1", "2001:db8::1"), "gold", says))
    assigned = await client.read(SERVICES, WEB)
    assert assigned.ingress == ips("192.0.2.1", "2001:db8::1")
    assert assigned.annotations == {"metallb.io/ip-allocated-from-pool": "gold"}
    assert assigned.condition == says
    with pytest.raises(Conflict):
        await client.merge_patch(path, release_patch(fresh, None))
    await client.merge_patch(path, release_patch(assigned, None))
    released = await client.read(SERVICES, WEB)
    assert (released.ingress, released.annotations, released.condition) == ((), {}, None)


async def test_a_name_that_is_taken_and_a_stale_version_are_told_apart(client: KubeClient) -> None:
    await create_config(client)
    with pytest.raises(AlreadyExists):
        await create_config(client)
    with pytest.raises(Conflict):
        await client.replace(
            CONFIG_MAPS.object_path(CONFIG), config_map_body(CONFIG, {}, resource_version="1")
        )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault.FORBIDDEN, Forbidden, id="403"),
        pytest.param(Fault.EXPIRE, Gone, id="410"),
        pytest.param(Fault.DROP, Unreachable, id="the connection is closed"),
        pytest.param(Fault.GARBAGE, BadAnswer, id="noise"),
    ],
)
async def test_each_failure_has_its_type(
    api: EmbeddedApi, client: KubeClient, fault: Fault, error: type[Exception]
) -> None:
    await create_config(client)
    api.faults.add(fault, times=None)
    with pytest.raises(error):
        await client.read(CONFIG_MAPS, CONFIG)


async def test_an_object_that_cannot_be_read_is_a_bad_answer_with_its_problem() -> None:
    async def strange(request: web.BaseRequest) -> web.Response:
        return web.json_response({"metadata": {"name": "config"}, "data": {"a": 1}})

    async with serving(strange) as url, connected(url) as client:
        with pytest.raises(BadAnswer, match="data"):
            await client.read(CONFIG_MAPS, CONFIG)


async def test_a_server_that_says_nothing_is_unreachable_after_the_deadline(api: EmbeddedApi) -> None:
    api.faults.add(Fault.STALL, times=None)
    async with connected(api.url, timeout_s=0.05) as client:
        with pytest.raises(Unreachable, match=r"no answer within 0\.05 s") as slow:
            await client.get("/api/v1/services")
        assert not slow.value.is_away
        with pytest.raises(Unreachable, match="no answer"):
            async with aclosing(
                client.watch("/api/v1/services", {"watch": "true"}, timeout_s=60.0)
            ) as batches:
                await anext(batches)
    api.faults.clear()


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with connected(f"http://127.0.0.1:{free.getsockname()[1]}") as client:
            with pytest.raises(Unreachable, match="GET /api/v1/services: ") as refused:
                await client.get("/api/v1/services")
            assert refused.value.is_away


async def test_a_name_that_does_not_exist_is_unreachable() -> None:
    async with connected("http://nowhere.invalid:6443") as client:
        with pytest.raises(Unreachable):
            await client.get("/api/v1/services")


async def test_a_body_without_end_is_cut_off() -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 2**16)

    async with (
        serving(endless) as url,
        KubeClient(Fixed(Credentials(server=url)), body_max_bytes=2**18) as client,
    ):
        with pytest.raises(BadAnswer, match="more than 262144 bytes"):
            await client.get("/api/v1/services")


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/login"})

    async with serving(elsewhere) as url, connected(url) as client:
        with pytest.raises(BadAnswer):
            await client.get("/api/v1/services")
    assert asked == ["/api/v1/services"]


class Renewing:
    """A source whose first token is old."""

    def __init__(self, url: str, fresh: str) -> None:
        self._url = url
        self._fresh = fresh
        self._shown = "old"
        self.renewals = 0

    async def current(self, *, now: float) -> Credentials:
        return Credentials(server=self._url, authorization=f"Bearer {self._shown}")

    async def renew(self, *, now: float) -> Credentials:
        self.renewals += 1
        self._shown = self._fresh
        return await self.current(now=now)


async def guarded(request: web.BaseRequest) -> web.Response:
    if request.headers.get("Authorization") != "Bearer new":
        return web.json_response({"reason": "Unauthorized", "message": "Unauthorized"}, status=401)
    return web.json_response({"agent": request.headers["User-Agent"], "body": await request.text()})


async def test_a_refused_token_is_renewed_once_and_the_request_repeated_whole() -> None:
    async with serving(guarded) as url:
        source = Renewing(url, "new")
        async with KubeClient(source) as client:
            told = json.loads(await client.create("/api/v1/things", {"a": 1}))
            assert json.loads(told["body"]) == {"a": 1}
            assert told["agent"].startswith("bareway/")
            await client.get("/api/v1/things")
            assert source.renewals == 1


async def test_a_token_that_is_refused_again_is_unauthorized() -> None:
    async with serving(guarded) as url:
        source = Renewing(url, "newer")
        async with KubeClient(source) as client:
            with pytest.raises(Unauthorized):
                await client.get("/api/v1/things")
            assert source.renewals == 1


async def lines_of(client: KubeClient, count: int, **query: str) -> list[str]:
    """The first lines of a watch on Services."""
    found: list[bytes] = []
    watch = client.watch("/api/v1/services", {"watch": "true", **query}, timeout_s=5.0)
    async with aclosing(watch) as batches:
        assert await anext(batches) == []
        while len(found) < count:
            found += await anext(batches)
    return [json.loads(line)["type"] for line in found]


async def test_a_watch_opens_with_an_empty_batch_then_brings_lines(client: KubeClient) -> None:
    version = json.loads(await client.get("/api/v1/services"))["metadata"]["resourceVersion"]
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(lines_of(client, 2, resourceVersion=version))
        await client.create(SERVICES.path("default"), WEB_BODY)
        await client.delete(SERVICES.object_path(WEB))
    assert watching.result() == ["ADDED", "DELETED"]


def streaming(*chunks: bytes, then: str = "end") -> Handler:
    async def stream(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0)
        if then == "hang":
            await asyncio.Event().wait()
        if then == "break":
            assert request.transport is not None
            request.transport.abort()
        return response

    return stream


async def batches_of(url: str, timeout_s: float = 5.0) -> list[bytes]:
    async with (
        connected(url) as client,
        aclosing(client.watch("/api/v1/services", {"watch": "true"}, timeout_s=timeout_s)) as batches,
    ):
        return [line async for lines in batches for line in lines]


async def test_lines_are_whole_however_the_server_cuts_them() -> None:
    async with serving(streaming(b'{"a":', b'1}\n{"b":2}\n{"c"', b":3}\n")) as url:
        assert await batches_of(url) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


async def test_a_watch_of_a_large_object_is_no_error() -> None:
    large = b'"' + b"x" * 2**20 + b'"'
    async with serving(streaming(large + b"\n")) as url:
        assert await batches_of(url) == [large]


async def test_a_line_without_end_is_a_bad_answer() -> None:
    async with serving(streaming(*[b"x" * 2**20] * 6)) as url:
        with pytest.raises(BadAnswer, match="a line of more than"):
            await batches_of(url)


async def test_a_watch_that_breaks_off_is_unreachable() -> None:
    async with serving(streaming(b'{"a":1}\n', then="break")) as url:
        with pytest.raises(Unreachable):
            await batches_of(url)


async def test_a_server_that_does_not_end_a_watch_in_time_is_left() -> None:
    async with serving(streaming(b'{"a":1}\n', then="hang")) as url:
        assert await batches_of(url, timeout_s=0.1) == [b'{"a":1}']


async def test_a_watch_that_is_refused_says_why(api: EmbeddedApi, client: KubeClient) -> None:
    api.faults.add(Fault.EXPIRE, times=None)
    with pytest.raises(Gone):
        await lines_of(client, 1, resourceVersion="1")


def server_tls(tmp_path: Path, name: str, *, ask_client: bool = False) -> ssl.SSLContext:
    signed = authority().sign(name)
    path = tmp_path / f"{name}.pem"
    path.write_text(signed.certificate + signed.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority().certificate)
    context.load_cert_chain(path)
    if ask_client:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def greet(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    certificate = request.transport.get_extra_info("peercert") or {}
    names = [value for kind, value in certificate.get("subjectAltName", ())]
    return web.json_response(names)


async def ask(url: str, **credentials: object) -> object:
    source = Fixed(Credentials(server=url, **credentials))  # type: ignore[arg-type]  # fields by name
    async with KubeClient(source) as client:
        return json.loads(await client.get("/api/v1/services"))


async def test_a_server_is_known_by_its_authority_and_a_client_by_its_certificate(tmp_path: Path) -> None:
    mine = authority().sign("bareway")
    async with serving(greet, server_tls(tmp_path, "127.0.0.1", ask_client=True)) as url:
        told = await ask(url, ca=authority().certificate, certificate=mine.certificate, key=mine.key)
    assert told == ["bareway"]


async def test_a_server_of_another_authority_is_unreachable(tmp_path: Path) -> None:
    async with serving(greet, server_tls(tmp_path, "127.0.0.1")) as url:
        with pytest.raises(Unreachable, match="certificate verify failed") as unbelieved:
            await ask(url)
        assert not unbelieved.value.is_away


async def test_a_server_that_ends_a_connection_before_tls_is_there() -> None:
    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        with pytest.raises(Unreachable) as lost:
            await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert not lost.value.is_away


async def test_a_server_with_another_name_is_known_by_the_name_told(tmp_path: Path) -> None:
    async with serving(greet, server_tls(tmp_path, "kubernetes")) as url:
        with pytest.raises(Unreachable, match="127"):
            await ask(url, ca=authority().certificate)
        assert await ask(url, ca=authority().certificate, server_name="kubernetes") == []


async def test_verification_that_is_turned_off_is_off(tmp_path: Path) -> None:
    async with serving(greet, server_tls(tmp_path, "kubernetes")) as url:
        assert await ask(url, verify=False) == []
