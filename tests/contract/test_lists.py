"""Lists: order, pages, selectors, and what is said when a page comes too late."""

from typing import Any

import pytest

from apiserver.client import Answer
from cluster.servers import Server


async def _make(server: Server, *names: str, **labels: str) -> None:
    for name in names:
        body = {"metadata": {"name": name, "labels": {"made-by": "test", **labels}}}
        assert (await server.client.create(server.path("configmaps"), body)).code == 201


async def _list(server: Server, **query: Any) -> Answer:
    """The ConfigMaps made here; the real cluster puts one of its own into each namespace."""
    query.setdefault("labelSelector", "made-by=test")
    return await server.client.get(server.path("configmaps"), **query)


async def test_a_list_is_in_order_of_names_and_says_its_revision(server: Server) -> None:
    await _make(server, "b", "c", "a")
    answer = await _list(server)
    assert answer.names == ["a", "b", "c"]
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("ConfigMapList", "v1")
    last = max(int(item["metadata"]["resourceVersion"]) for item in answer.body["items"])
    assert int(answer.version) >= last


async def test_the_items_of_a_list_do_not_repeat_kind_and_version(server: Server) -> None:
    await _make(server, "a")
    assert {"kind", "apiVersion"}.isdisjoint((await _list(server)).body["items"][0])


async def test_a_list_over_all_namespaces_holds_this_one(server: Server) -> None:
    await _make(server, "a")
    answer = await server.client.get("/api/v1/configmaps", labelSelector="made-by=test")
    assert (server.namespace, "a") in {
        (item["metadata"]["namespace"], item["metadata"]["name"]) for item in answer.body["items"]
    }


async def test_pages_show_the_list_as_it_stood_when_the_first_was_read(server: Server) -> None:
    await _make(server, "a", "b", "c", "d", "e")
    first = await _list(server, limit=2)
    await server.client.delete(server.path("configmaps", "d"))
    await server.client.patch(server.path("configmaps", "c"), {"data": {"late": "yes"}})
    await _make(server, "cc")
    second = await _list(server, limit=2, **{"continue": first.body["metadata"]["continue"]})
    third = await _list(server, limit=2, **{"continue": second.body["metadata"]["continue"]})
    assert (first.names, second.names, third.names) == (["a", "b"], ["c", "d"], ["e"])
    assert "data" not in second.body["items"][0]
    assert first.version == second.version == third.version
    assert "continue" not in third.body["metadata"]


async def test_only_a_list_without_selectors_counts_what_remains(server: Server) -> None:
    await _make(server, "a", "b", "c")
    assert "remainingItemCount" not in (await _list(server, limit=1)).body["metadata"]
    whole = await server.client.get(server.path("configmaps"))
    page = await server.client.get(server.path("configmaps"), limit=1)
    assert page.body["metadata"]["remainingItemCount"] == len(whole.names) - 1


async def test_a_limit_as_large_as_the_list_ends_it(server: Server) -> None:
    await _make(server, "a", "b")
    answer = await _list(server, limit=2)
    assert answer.names == ["a", "b"]
    assert not answer.body["metadata"].get("continue")


async def test_a_continue_token_from_before_the_history_is_gone_but_offers_another(server: Server) -> None:
    await _make(server, "a", "b", "c")
    first = await _list(server, limit=1)
    await _make(server, "bb")
    await server.forget_history()
    late = await _list(server, limit=1, **{"continue": first.body["metadata"]["continue"]})
    assert (late.code, late.reason) == (410, "Expired")
    assert late.message.startswith("The provided continue parameter is too old")
    rest = await _list(server, **{"continue": late.body["metadata"]["continue"]})
    assert rest.names == ["b", "bb", "c"]


async def test_an_exact_revision_from_before_the_history_is_gone(server: Server) -> None:
    await _make(server, "a")
    before = (await _list(server)).version
    await _make(server, "b")
    await server.forget_history()
    answer = await _list(server, resourceVersion=before, resourceVersionMatch="Exact")
    assert (answer.code, answer.reason) == (410, "Expired")


async def test_an_exact_revision_shows_the_past(server: Server) -> None:
    await _make(server, "a")
    before = (await _list(server)).version
    await _make(server, "b")
    answer = await _list(server, resourceVersion=before, resourceVersionMatch="Exact")
    assert answer.names == ["a"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("team=red", ["a"], id="equal"),
        pytest.param("team==red", ["a"], id="equal with two signs"),
        pytest.param("team!=red,made-by", ["b", "c"], id="unequal counts what has no such label"),
        pytest.param("team in (red, blue)", ["a", "b"], id="one of"),
        pytest.param("team notin (red),made-by", ["b", "c"], id="none of"),
        pytest.param("team", ["a", "b"], id="present"),
        pytest.param("!team,made-by", ["c"], id="absent"),
        pytest.param("team in (red,blue),tier=1", ["b"], id="both terms"),
    ],
)
async def test_label_selectors(server: Server, selector: str, names: list[str]) -> None:
    await _make(server, "a", team="red")
    await _make(server, "b", team="blue", tier="1")
    await _make(server, "c")
    assert (await _list(server, labelSelector=selector)).names == names


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("metadata.name=a", ["a"], id="name"),
        pytest.param("metadata.name==a", ["a"], id="name with two signs"),
        pytest.param("metadata.name!=a", ["b"], id="not that name"),
        pytest.param("metadata.name=a,metadata.namespace=other", [], id="another namespace"),
    ],
)
async def test_field_selectors(server: Server, selector: str, names: list[str]) -> None:
    await _make(server, "a", "b")
    assert (await _list(server, fieldSelector=selector)).names == names


@pytest.mark.parametrize(
    ("query", "code", "reason", "words"),
    [
        pytest.param({"labelSelector": "a b"}, 400, "BadRequest", "unable to parse requirement", id="labels"),
        pytest.param(
            {"fieldSelector": "data.a=b"}, 400, "BadRequest", "is not a known field selector", id="fields"
        ),
        pytest.param({"continue": "zzz"}, 400, "BadRequest", "continue key is not valid", id="continue"),
        pytest.param(
            {"resourceVersion": "x"}, 400, "BadRequest", 'parsing "x": invalid syntax', id="version"
        ),
        pytest.param(
            {"resourceVersionMatch": "Exact"},
            422,
            "Invalid",
            "unless resourceVersion is provided",
            id="match",
        ),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    server: Server, query: dict[str, str], code: int, reason: str, words: str
) -> None:
    answer = await server.client.get(server.path("configmaps"), **query)
    assert (answer.code, answer.reason) == (code, reason)
    assert words in answer.message


async def test_a_revision_that_is_not_yet_is_a_timeout(server: Server) -> None:
    answer = await _list(server, resourceVersion="999999999")
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert answer.message.startswith("Timeout: Too large resource version: 999999999")
    assert answer.headers["Retry-After"] == "1"
