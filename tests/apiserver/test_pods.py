"""Pods of the embedded API server: listed by label, read, refused, and left alone where there are none."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from kubernetes.client import ApiClient, Configuration, CoreV1Api
from kubernetes.stream import stream

from apiserver import EmbeddedApi, Fault
from apiserver.client import Client
from apiserver.pods import Outcome
from support.pods import NAMESPACE, ending, pod_body, repeating

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as api:
        api.pods.put(NAMESPACE, pod_body("b", node="node2"), repeating())
        api.pods.put(NAMESPACE, pod_body("a", "controller"), repeating())
        api.pods.put("elsewhere", pod_body("c"), repeating())
        yield api


@pytest.fixture
async def client(api: EmbeddedApi) -> AsyncIterator[Client]:
    async with Client(api.url) as client:
        yield client


async def test_pods_are_listed_by_namespace_and_label_in_order(client: Client) -> None:
    listed = (await client.get(PODS, labelSelector="app=bareway")).body
    assert [one["metadata"]["name"] for one in listed["items"]] == ["a", "b"]
    chosen = (await client.get(PODS, labelSelector="component=speaker")).body
    assert [one["metadata"]["name"] for one in chosen["items"]] == ["b"]


async def test_one_is_read_and_one_that_is_not_there_is_not(client: Client) -> None:
    assert (await client.get(f"{PODS}/b")).body["spec"]["nodeName"] == "node2"
    gone = await client.get(f"{PODS}/z")
    assert (gone.code, gone.message) == (404, 'pods "z" not found')


async def test_faults_meet_them_too(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.FORBIDDEN, verb="list", resource="pods")
    assert (await client.get(PODS)).code == 403
    assert (await client.get(PODS)).code == 200


async def test_nothing_is_written_about_them(client: Client) -> None:
    assert (await client.create(PODS, {"metadata": {"name": "x"}})).code == 501


async def test_exec_needs_a_container_of_the_pod(client: Client) -> None:
    refused = await client.get(f"{PODS}/b/exec", container="bfd", command="x")
    assert (refused.code, refused.message) == (400, "container bfd is not valid for pod b")


async def test_the_official_client_understands_it(api: EmbeddedApi) -> None:
    api.pods.put(NAMESPACE, pod_body("b"), ending(Outcome(output=b"out", complaint=b"err", code=3)))

    def ask() -> tuple[str, str, int]:
        settings = Configuration(host=api.url)
        with ApiClient(settings) as connected:
            conversation = stream(
                CoreV1Api(connected).connect_get_namespaced_pod_exec,
                "b",
                NAMESPACE,
                container="speaker",
                command=["a", "b c"],
                stdout=True,
                stderr=True,
                _preload_content=False,
            )
            conversation.run_forever(timeout=10)
            told = (conversation.read_stdout(), conversation.read_stderr(), conversation.returncode)
            conversation.sock.shutdown()  # it leaves it open where the server ended first
            return told

    assert await asyncio.to_thread(ask) == ("out", "err", 3)
    assert api.pods.commands == [("b", ("a", "b c"))]


async def test_a_command_is_spoken_with_channel_by_channel(api: EmbeddedApi) -> None:
    api.pods.put(NAMESPACE, pod_body("b"), ending(Outcome(output=b"out", complaint=b"err", code=3)))
    url = f"{api.url}{PODS}/b/exec?container=speaker&command=a&command=b"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=["v4.channel.k8s.io"]) as ws,
    ):
        heard = [message.data async for message in ws]
    assert heard[:5] == [b"\x01", b"\x02", b"\x03", b"\x01out", b"\x02err"]
    assert b'"reason":"NonZeroExitCode"' in heard[5]
    assert api.pods.commands == [("b", ("a", "b"))]
