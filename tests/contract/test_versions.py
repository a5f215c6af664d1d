"""What a resourceVersion promises, over kinds, namespaces and requests: mirrors in memory rest on it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.servers import Server

SECOND: dict[str, Any] = {"timeoutSeconds": 1}


async def _make(server: Server, plural: str, name: str = "a", **fields: Any) -> int:
    """Make an object; returns its version."""
    made = await server.client.create(server.path(plural), {"metadata": {"name": name}, **fields})
    assert made.code == 201, made
    return int(made.version)


async def _told(server: Server, start: int, plural: str = "configmaps") -> list[tuple[str, int]]:
    """Word and version of each event about what tests make."""
    events = await server.client.events(
        server.path(plural), resourceVersion=start, fieldSelector="metadata.name=a", **SECOND
    )
    return [(event["type"], int(event["object"]["metadata"]["resourceVersion"])) for event in events]


@pytest.fixture
async def other(server: Server) -> AsyncIterator[str]:
    """Another namespace."""
    name = f"{server.namespace}-other"
    assert (await server.client.create("/api/v1/namespaces", {"metadata": {"name": name}})).code == 201
    yield name
    await server.client.delete(f"/api/v1/namespaces/{name}")


async def test_one_counter_serves_all_kinds(server: Server) -> None:
    spec = {"ports": [{"port": 80}]}
    versions = [
        await _make(server, "configmaps"),
        await _make(server, "services", spec=spec),
        await _make(server, "secrets"),
        await _make(server, "configmaps", "b"),
    ]
    assert versions == sorted(set(versions))


async def test_a_list_of_one_kind_is_as_new_as_the_last_write_to_another(server: Server) -> None:
    await _make(server, "configmaps")
    written = await _make(server, "secrets")
    assert int((await server.client.get(server.path("configmaps"))).version) >= written


async def test_an_object_keeps_its_version_while_others_change(server: Server) -> None:
    version = await _make(server, "configmaps")
    await _make(server, "configmaps", "b")
    assert int((await server.client.get(server.path("configmaps", "a"))).version) == version


async def test_an_empty_list_too_says_from_where_to_watch(server: Server) -> None:
    empty = await server.client.get(server.path("configmaps"), fieldSelector="metadata.name=a")
    assert empty.names == []
    made = await _make(server, "configmaps")
    assert await _told(server, int(empty.version)) == [("ADDED", made)]


async def test_a_watch_from_the_version_of_an_object_does_not_tell_of_that_object(server: Server) -> None:
    made = await _make(server, "configmaps")
    changed = await server.client.patch(server.path("configmaps", "a"), {"data": {"key": "value"}})
    assert await _told(server, made) == [("MODIFIED", int(changed.version))]
    assert await _told(server, int(changed.version)) == []


async def test_a_deletion_has_a_version_of_its_own_from_which_a_watch_goes_on(server: Server) -> None:
    made = await _make(server, "configmaps")
    await server.client.delete(server.path("configmaps", "a"))
    again = await _make(server, "configmaps")
    told = await _told(server, made)
    assert [word for word, _ in told] == ["DELETED", "ADDED"]
    gone_at = told[0][1]
    assert made < gone_at < told[1][1] == again
    assert await _told(server, gone_at) == [("ADDED", again)]


async def test_a_watch_over_all_namespaces_tells_in_the_order_of_versions(server: Server, other: str) -> None:
    start = await _make(server, "configmaps", "before")
    elsewhere = f"/api/v1/namespaces/{other}/configmaps"
    for number in range(3):
        await _make(server, "configmaps", f"a-{number}")
        await server.client.create(elsewhere, {"metadata": {"name": f"a-{number}"}})
    events = await server.client.events("/api/v1/configmaps", resourceVersion=start, **SECOND)
    metadata = [event["object"]["metadata"] for event in events]
    own = [(one["namespace"], one["name"]) for one in metadata if one["name"].startswith("a-")]
    assert own == [(place, f"a-{number}") for number in range(3) for place in (server.namespace, other)]
    versions = [int(one["resourceVersion"]) for one in metadata]
    assert versions == sorted(set(versions))


async def test_a_write_to_the_status_is_one_event_with_all_that_it_changed(server: Server) -> None:
    start = await _make(server, "services", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
    patch = {
        "metadata": {"annotations": {"why": "because"}},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}},
    }
    await server.client.patch(server.path("services", "a") + "/status", patch)
    events = await server.client.events(server.path("services"), resourceVersion=start, **SECOND)
    (seen,) = [event["object"] for event in events]
    assert seen["metadata"]["annotations"] == {"why": "because"}
    assert [entry["ip"] for entry in seen["status"]["loadBalancer"]["ingress"]] == ["192.0.2.10"]


async def test_an_object_with_finalizers_is_changed_before_it_is_deleted(server: Server) -> None:
    body = {"metadata": {"name": "a", "finalizers": ["example.com/wait"]}}
    start = int((await server.client.create(server.path("configmaps"), body)).version)
    await server.client.delete(server.path("configmaps", "a"))
    waiting = await server.client.get(server.path("configmaps", "a"))
    await server.client.patch(server.path("configmaps", "a"), {"metadata": {"finalizers": None}})
    told = await _told(server, start)
    assert [word for word, _ in told] == ["MODIFIED", "DELETED"]
    assert start < told[0][1] == int(waiting.version) < told[1][1]


async def test_a_watch_goes_on_from_the_end_of_a_paged_list(server: Server) -> None:
    """The programs watch from the version of the last page, which is that of the first."""
    for name in ("a", "b", "c"):
        await _make(server, "configmaps", name, data={"key": "value"})
    first = await server.client.get(server.path("configmaps"), limit=1)
    changed = await server.client.patch(server.path("configmaps", "a"), {"data": {"key": "other"}})
    token = first.body["metadata"]["continue"]
    last = await server.client.get(server.path("configmaps"), limit=500, **{"continue": token})
    assert last.version == first.version
    assert await _told(server, int(last.version)) == [("MODIFIED", int(changed.version))]
