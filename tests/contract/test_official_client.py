"""The official Python client, as an independent reader of what the server says."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from kubernetes import client, config, watch

from cluster.servers import Server

T = TypeVar("T")


async def _in_thread(server: Server, work: Callable[[Any], T]) -> T:
    """Run blocking work with a client of the official package."""

    def run() -> T:
        with config.new_client_from_config(str(server.kubeconfig)) as connection:
            return work(client.CoreV1Api(connection))

    return await asyncio.to_thread(run)


def _service() -> Any:
    return client.V1Service(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1ServiceSpec(type="LoadBalancer", ports=[client.V1ServicePort(port=80)]),
    )


async def test_it_creates_reads_and_patches_the_status_of_a_service(server: Server) -> None:
    def work(api: Any) -> list[str]:
        made = api.create_namespaced_service(server.namespace, _service())
        patch = {
            "metadata": {"resourceVersion": made.metadata.resource_version},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}},
        }
        api.patch_namespaced_service_status("web", server.namespace, patch)
        read = api.read_namespaced_service("web", server.namespace)
        return [entry.ip for entry in read.status.load_balancer.ingress]

    assert await _in_thread(server, work) == ["192.0.2.10"]


async def test_it_sees_a_conflict_as_one(server: Server) -> None:
    def work(api: Any) -> Any:
        made = api.create_namespaced_service(server.namespace, _service())
        api.patch_namespaced_service("web", server.namespace, {"metadata": {"labels": {"a": "b"}}})
        stale = {"metadata": {"resourceVersion": made.metadata.resource_version}, "status": {}}
        with pytest.raises(client.ApiException) as caught:
            api.patch_namespaced_service_status("web", server.namespace, stale)
        return caught.value.status, caught.value.reason

    assert await _in_thread(server, work) == (409, "Conflict")


async def test_it_watches(server: Server) -> None:
    def work(api: Any) -> list[tuple[str, str]]:
        start = api.list_namespaced_service(server.namespace).metadata.resource_version
        api.create_namespaced_service(server.namespace, _service())
        api.delete_namespaced_service("web", server.namespace)
        stream = watch.Watch().stream(
            api.list_namespaced_service, server.namespace, resource_version=start, timeout_seconds=1
        )
        return [(event["type"], event["object"].metadata.name) for event in stream]

    assert await _in_thread(server, work) == [("ADDED", "web"), ("DELETED", "web")]
