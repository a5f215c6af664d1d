"""The server as a whole: what it refuses to pretend, and how it goes down and comes back."""

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from apiserver import EmbeddedApi
from apiserver.client import Client
from apiserver.kinds import CONFIG_MAPS as KIND
from apiserver.server import BODY_MAX_BYTES

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as api:
        yield api


@pytest.fixture
async def client(api: EmbeddedApi) -> AsyncIterator[Client]:
    async with Client(api.url) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        pytest.param("GET", "/api/v1/endpoints", "does not serve endpoints", id="a kind of the core"),
        pytest.param("POST", "/api/v1/namespaces/a/pods", "does not serve pods", id="what is absent, made"),
        pytest.param("GET", "/api/v1/pods?watch=true", "does not serve pods", id="what is absent, watched"),
        pytest.param("GET", "/apis/apps/v1/deployments", "does not serve deployments.apps/v1", id="a group"),
        pytest.param("GET", f"{CONFIG_MAPS}/a/log", "does not serve configmaps/log", id="a subresource"),
        pytest.param("GET", f"{CONFIG_MAPS}/a/status", "does not serve configmaps/status", id="a status"),
        pytest.param(
            "PUT", "/api/v1/namespaces/a/finalize", "does not serve namespaces/finalize", id="finalize"
        ),
    ],
)
async def test_what_is_not_served_is_501_with_a_sentence(
    client: Client, method: str, path: str, words: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.code, answer.reason) == (501, "NotImplemented")
    assert answer.message.startswith("the embedded API server of Bareway ")
    assert words in answer.message


async def test_what_describe_looks_for_beside_its_object_is_an_empty_list(
    api: EmbeddedApi, client: Client
) -> None:
    answer = await client.get("/api/v1/namespaces/default/pods", fieldSelector="spec.nodeName=n1")
    assert answer.body == {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": str(api.store.revision)},
        "items": [],
    }


async def test_server_side_apply_is_501_with_a_way_out(client: Client) -> None:
    answer = await client.patch(f"{CONFIG_MAPS}/a", {}, "application/apply-patch+yaml")
    assert (answer.code, answer.reason) == (501, "NotImplemented")
    assert "run kubectl apply without --server-side" in answer.message


async def test_a_path_that_leads_nowhere_is_not_found(client: Client) -> None:
    answer = await client.get("/nowhere")
    assert (answer.code, answer.message) == (404, "the server could not find the requested resource")


async def test_who_accepts_only_protobuf_is_refused(client: Client) -> None:
    answer = await client.get(CONFIG_MAPS, accept="application/vnd.kubernetes.protobuf")
    assert (answer.code, answer.reason) == (406, "NotAcceptable")


async def test_a_large_answer_is_compressed_for_who_takes_that(api: EmbeddedApi, client: Client) -> None:
    for number in range(200):
        body = {"metadata": {"name": f"a-{number}"}, "data": {"key": "x" * 1_000}}
        api.registry.create(KIND, "default", body)
    answer = await client.get(CONFIG_MAPS)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.names) == 200
    async with aiohttp.request(
        "GET", api.url + CONFIG_MAPS, headers={"Accept-Encoding": "identity"}
    ) as response:
        assert "Content-Encoding" not in response.headers
        assert len(await response.read()) > 200_000


async def test_a_body_beyond_the_limit_is_refused(api: EmbeddedApi) -> None:
    body = {"metadata": {"name": "a"}, "data": {"key": "x" * BODY_MAX_BYTES}}
    text = io.BytesIO(json.dumps(body).encode())  # aiohttp warns of as many bytes in one piece
    async with aiohttp.request("POST", api.url + CONFIG_MAPS, data=text) as response:
        assert response.status == 413
        assert (await response.json())["reason"] == "RequestEntityTooLarge"


async def test_what_was_stored_is_there_after_a_restart_on_the_same_port(api: EmbeddedApi) -> None:
    url = api.url
    async with Client(url) as client:
        await client.create(CONFIG_MAPS, {"metadata": {"name": "a"}})
        await api.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(CONFIG_MAPS)
        await api.start()
        assert api.url == url
        assert (await client.get(CONFIG_MAPS)).names == ["a"]


async def test_a_server_that_goes_down_ends_its_watches(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        await api.stop()
        assert [event async for event in events] == []


async def test_watches_that_the_client_left_are_given_up(api: EmbeddedApi) -> None:
    async with Client(api.url) as client, client.watch(CONFIG_MAPS, resourceVersion=api.store.revision):
        pass
    async with Client(api.url) as client:
        for name in ("a", "b", "c"):
            assert (await client.create(CONFIG_MAPS, {"metadata": {"name": name}})).code == 201


async def test_bookmarks_come_as_often_as_the_test_wishes() -> None:
    async with EmbeddedApi(bookmark_every_s=0.02) as api, Client(api.url) as client:
        query = {"resourceVersion": str(api.store.revision), "allowWatchBookmarks": "true"}
        async with client.watch(CONFIG_MAPS, **query) as events:
            words = [(await anext(events))["type"] for _ in range(3)]
    assert words == ["BOOKMARK"] * 3


async def test_the_server_remembers_who_asked_what(api: EmbeddedApi, client: Client) -> None:
    await client.get(CONFIG_MAPS, limit=5)
    assert api.requests == [("GET", f"{CONFIG_MAPS}?limit=5")]


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "apiserver",
        *arguments,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
async def test_the_program_serves_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "kubeconfig"
    process = await _start("--listen", "127.0.0.1:0", "--kubeconfig-out", str(path))
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        assert json.loads(path.read_text())["clusters"][0]["cluster"] == {"server": url}
        async with Client(url) as client:
            namespaces = await client.get("/api/v1/namespaces")
            assert "default" in namespaces.names
            assert int(namespaces.version) > 1_000_000_000, "newer than what clients knew before a restart"
            async with client.watch("/api/v1/namespaces", resourceVersion=namespaces.version):
                process.send_signal(number)
                assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_an_address_that_is_none_is_a_clear_error() -> None:
    process = await _start("--listen", "here")
    output, _ = await process.communicate()
    assert process.returncode == 2
    assert "--listen 'here': write ADDRESS:PORT like 127.0.0.1:8001" in output.decode()
