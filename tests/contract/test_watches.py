"""Watches: what is said, from where on, and how they end."""

from typing import Any

import pytest

from apiserver.client import AS_TABLE
from cluster.servers import Server

SECOND: dict[str, Any] = {"timeoutSeconds": 1}


async def _make(server: Server, name: str, **labels: str) -> str:
    """Make a ConfigMap; returns its resourceVersion."""
    body = {"metadata": {"name": name, "labels": labels}}
    return (await server.client.create(server.path("configmaps"), body)).version


def _words(events: list[Any]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


async def test_a_watch_tells_each_change_after_its_revision_in_order(server: Server) -> None:
    start = await _make(server, "before")
    await _make(server, "a")
    await server.client.patch(server.path("configmaps", "a"), {"data": {"key": "value"}})
    await server.client.delete(server.path("configmaps", "a"))
    events = await server.client.events(server.path("configmaps"), resourceVersion=start, **SECOND)
    assert _words(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))
    assert events[2]["object"]["data"] == {"key": "value"}


async def test_an_object_in_a_watch_says_its_kind(server: Server) -> None:
    start = await _make(server, "before")
    await _make(server, "a")
    events = await server.client.events(server.path("configmaps"), resourceVersion=start, **SECOND)
    assert (events[0]["object"]["kind"], events[0]["object"]["apiVersion"]) == ("ConfigMap", "v1")


async def test_a_watch_sees_what_happens_while_it_is_open(server: Server) -> None:
    start = await _make(server, "before")
    async with server.client.watch(server.path("configmaps"), resourceVersion=start) as events:
        await _make(server, "a")
        event = await anext(events)
    assert _words([event]) == [("ADDED", "a")]


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}], ids=["no revision", "revision 0"])
async def test_a_watch_from_nowhere_begins_with_what_there_is(server: Server, query: dict[str, str]) -> None:
    await _make(server, "a", mine="yes")
    events = await server.client.events(
        server.path("configmaps"), labelSelector="mine=yes", **query, **SECOND
    )
    assert _words(events) == [("ADDED", "a")]


async def test_what_leaves_the_selection_is_deleted_and_what_joins_it_is_added(server: Server) -> None:
    start = await _make(server, "a", team="red")
    path = server.path("configmaps", "a")
    await server.client.patch(path, {"metadata": {"labels": {"team": "blue"}}})
    await server.client.patch(path, {"data": {"seen": "no"}})
    back = await server.client.patch(path, {"metadata": {"labels": {"team": "red"}}})
    events = await server.client.events(
        server.path("configmaps"), resourceVersion=start, labelSelector="team=red", **SECOND
    )
    assert _words(events) == [("DELETED", "a"), ("ADDED", "a")]
    assert events[0]["object"]["metadata"]["labels"] == {"team": "red"}
    assert events[1]["object"]["metadata"]["resourceVersion"] == back.version


async def test_a_watch_of_one_name_does_not_tell_of_others(server: Server) -> None:
    start = await _make(server, "before")
    await _make(server, "a")
    await _make(server, "b")
    events = await server.client.events(
        server.path("configmaps"), resourceVersion=start, fieldSelector="metadata.name=b", **SECOND
    )
    assert _words(events) == [("ADDED", "b")]


async def test_a_write_that_changes_nothing_is_not_told(server: Server) -> None:
    start = await _make(server, "a", team="red")
    path = server.path("configmaps", "a")
    same = await server.client.patch(path, {"metadata": {"labels": {"team": "red"}}})
    assert same.version == start
    assert await server.client.events(server.path("configmaps"), resourceVersion=start, **SECOND) == []


@pytest.mark.slow
async def test_a_bookmark_before_the_end_says_where_to_go_on(server: Server) -> None:
    start = await _make(server, "before")
    version = await _make(server, "a")
    seconds = 10 if server.is_real else 3  # the real one sends several, at times of its own
    events = await server.client.events(
        server.path("configmaps"), resourceVersion=start, allowWatchBookmarks="true", timeoutSeconds=seconds
    )
    words = [event["type"] for event in events]
    assert words[0] == "ADDED"
    assert set(words[1:]) == {"BOOKMARK"}
    bookmark = events[-1]["object"]
    assert (bookmark["kind"], bookmark["apiVersion"]) == ("ConfigMap", "v1")
    assert int(bookmark["metadata"]["resourceVersion"]) >= int(version)


async def test_bookmarks_come_only_to_those_who_ask(server: Server) -> None:
    start = await _make(server, "before")
    events = await server.client.events(server.path("configmaps"), resourceVersion=start, timeoutSeconds=3)
    assert events == []


async def test_a_streaming_list_ends_with_a_marked_bookmark(server: Server) -> None:
    version = await _make(server, "a", mine="yes")
    events = await server.client.events(
        server.path("configmaps"),
        labelSelector="mine=yes",
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
        **SECOND,
    )
    assert [event["type"] for event in events[:2]] == ["ADDED", "BOOKMARK"]
    metadata = events[1]["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(metadata["resourceVersion"]) >= int(version)


async def test_a_streaming_list_must_say_how_new_it_is_to_be(server: Server) -> None:
    answer = await server.client.get(server.path("configmaps"), watch="true", sendInitialEvents="true")
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan" in answer.message


async def test_a_watch_from_before_the_history_gets_one_error_event(server: Server) -> None:
    start = await _make(server, "a")
    await _make(server, "b")
    await server.forget_history()
    events = await server.client.events(server.path("configmaps"), resourceVersion=start, timeoutSeconds=5)
    assert [event["type"] for event in events] == ["ERROR"]
    status = events[0]["object"]
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"].startswith(f"too old resource version: {start} (")


async def test_a_watch_of_rows_names_the_columns_once(server: Server) -> None:
    start = await _make(server, "before")
    await _make(server, "a")
    await _make(server, "b")
    events = await server.client.events(
        server.path("configmaps"), accept=AS_TABLE, resourceVersion=start, **SECOND
    )
    assert [event["object"]["kind"] for event in events] == ["Table", "Table"]
    first, second = (event["object"]["columnDefinitions"] for event in events)
    assert [column["name"] for column in first] == ["Name", "Data", "Age"]
    assert second is None
    assert [event["object"]["rows"][0]["cells"][0] for event in events] == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param({"resourceVersion": "x"}, 500, id="revision"),
        pytest.param({"timeoutSeconds": "x"}, 400, id="timeout"),
        pytest.param({"labelSelector": "a b"}, 400, id="selector"),
    ],
)
async def test_a_watch_that_makes_no_sense_is_refused(
    server: Server, query: dict[str, str], code: int
) -> None:
    answer = await server.client.get(server.path("configmaps"), watch="true", **query)
    assert (answer.code, answer.body["kind"]) == (code, "Status")
