"""Create, update, patch and delete: identity, conflicts, and what the server keeps to itself."""

from typing import Any

import pytest

from apiserver.client import JSON_PATCH, MERGE, STRATEGIC
from cluster.servers import Server


async def _make(server: Server, name: str = "a", **fields: Any) -> dict[str, Any]:
    answer = await server.client.create(server.path("configmaps"), {"metadata": {"name": name}, **fields})
    assert answer.code == 201, answer
    made: dict[str, Any] = answer.body
    return made


async def test_a_new_object_gets_its_identity_from_the_server(server: Server) -> None:
    made = await _make(server)
    metadata = made["metadata"]
    assert metadata["namespace"] == server.namespace
    assert len(metadata["uid"]) == 36
    assert metadata["creationTimestamp"].endswith("Z")
    assert int(metadata["resourceVersion"]) > 0
    read = await server.client.get(server.path("configmaps", "a"))
    assert read.body == made


async def test_each_write_takes_a_greater_revision(server: Server) -> None:
    first = int((await _make(server, "a"))["metadata"]["resourceVersion"])
    second = int((await _make(server, "b"))["metadata"]["resourceVersion"])
    assert second > first


async def test_an_object_made_again_is_another_one(server: Server) -> None:
    first = await _make(server)
    await server.client.delete(server.path("configmaps", "a"))
    assert (await _make(server))["metadata"]["uid"] != first["metadata"]["uid"]


async def test_a_generated_name_begins_as_asked_and_ends_by_chance(server: Server) -> None:
    body = {"metadata": {"generateName": "web-"}}
    names = [
        (await server.client.create(server.path("configmaps"), body)).body["metadata"]["name"]
        for _ in range(3)
    ]
    assert len(set(names)) == 3
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


async def test_a_dry_run_answers_and_stores_nothing(server: Server) -> None:
    answer = await server.client.create(server.path("configmaps"), {"metadata": {"name": "a"}}, dryRun="All")
    assert answer.code == 201
    assert (await server.client.get(server.path("configmaps", "a"))).code == 404


@pytest.mark.parametrize(
    ("body", "code", "reason", "words"),
    [
        pytest.param({"metadata": {}}, 422, "Invalid", "name or generateName is required", id="no name"),
        pytest.param(
            {"metadata": {"name": "A_b"}},
            422,
            "Invalid",
            "a lowercase RFC 1123 subdomain must consist",
            id="name",
        ),
        pytest.param(
            {"metadata": {"name": "a", "labels": {"a b": "c"}}},
            422,
            "Invalid",
            'metadata.labels: Invalid value: "a b": name part must consist of',
            id="label",
        ),
        pytest.param(
            {"metadata": {"name": "a", "labels": {"a": "b c"}}},
            422,
            "Invalid",
            'metadata.labels: Invalid value: "b c": a valid label must be',
            id="value of a label",
        ),
        pytest.param(
            {"metadata": {"name": "a", "annotations": {"A.b/c/d": ""}}},
            422,
            "Invalid",
            'metadata.annotations: Invalid value: "A.b/c/d"',
            id="annotation",
        ),
        pytest.param(
            {"metadata": {"name": "a"}, "data": {"a/b": ""}},
            422,
            "Invalid",
            'data[a/b]: Invalid value: "a/b": a valid config key must consist of',
            id="key of data",
        ),
        pytest.param(
            {"metadata": {"name": "a", "namespace": "default"}},
            400,
            "BadRequest",
            "the namespace of the provided object does not match",
            id="another namespace",
        ),
        pytest.param(
            {"metadata": {"name": "a", "resourceVersion": "1"}},
            500,
            "",
            "resourceVersion should not be set on objects to be created",
            id="a revision",
        ),
        pytest.param(
            {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}},
            400,
            "BadRequest",
            'Secret in version "v1" cannot be handled as a ConfigMap',
            id="another kind",
        ),
        pytest.param(
            {"metadata": {"name": "a"}, "data": {"key": 1}},
            400,
            "BadRequest",
            "cannot unmarshal number into Go struct field ConfigMap.data of type string",
            id="a number for a text",
        ),
        pytest.param(b"{not json", 400, "BadRequest", "the object provided is unrecognized", id="no JSON"),
        pytest.param([], 400, "BadRequest", "the object provided is unrecognized", id="no object"),
    ],
)
async def test_what_cannot_be_made_is_refused(
    server: Server, body: Any, code: int, reason: str, words: str
) -> None:
    answer = await server.client.create(server.path("configmaps"), body)
    assert (answer.code, answer.reason) == (code, reason)
    assert words in answer.message


async def test_a_name_is_given_once(server: Server) -> None:
    await _make(server)
    answer = await server.client.create(server.path("configmaps"), {"metadata": {"name": "a"}})
    assert (answer.code, answer.reason) == (409, "AlreadyExists")
    assert answer.message == 'configmaps "a" already exists'
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "PUT"])
async def test_what_is_not_there_is_not_found(server: Server, method: str) -> None:
    body = {"metadata": {"name": "a"}} if method in {"PATCH", "PUT"} else None
    content_type = MERGE if method == "PATCH" else "application/json"
    path = server.path("configmaps", "a")
    answer = await server.client.request(method, path, body, content_type=content_type)
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == 'configmaps "a" not found'


async def test_nothing_is_made_in_a_namespace_that_is_not(server: Server) -> None:
    answer = await server.client.create("/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "a"}})
    assert (answer.code, answer.message) == (404, 'namespaces "nowhere" not found')


async def test_an_unknown_field_is_dropped_or_refused_as_the_client_asks(server: Server) -> None:
    body = {"metadata": {"name": "a"}, "dota": {"key": "value"}}
    refused = await server.client.create(server.path("configmaps"), body, fieldValidation="Strict")
    assert (refused.code, refused.reason) == (400, "BadRequest")
    assert refused.message.endswith('strict decoding error: unknown field "dota"')
    assert "dota" not in (await server.client.create(server.path("configmaps"), body)).body


async def test_an_update_of_an_older_version_is_a_conflict(server: Server) -> None:
    old = await _make(server)
    await server.client.patch(server.path("configmaps", "a"), {"data": {"key": "value"}})
    answer = await server.client.update(server.path("configmaps", "a"), old)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


async def test_an_update_without_a_version_overwrites(server: Server) -> None:
    await _make(server, data={"old": "value"})
    answer = await server.client.update(
        server.path("configmaps", "a"), {"metadata": {"name": "a"}, "data": {"new": "value"}}
    )
    assert (answer.code, answer.body["data"]) == (200, {"new": "value"})


async def test_an_update_of_another_uid_is_a_conflict(server: Server) -> None:
    await _make(server)
    body = {"metadata": {"name": "a", "uid": "00000000-0000-0000-0000-000000000000"}}
    answer = await server.client.update(server.path("configmaps", "a"), body)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "Precondition failed: UID in precondition" in answer.message


async def test_an_update_under_another_name_is_refused(server: Server) -> None:
    await _make(server)
    answer = await server.client.update(server.path("configmaps", "a"), {"metadata": {"name": "b"}})
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message == "the name of the object (b) does not match the name on the URL (a)"


async def test_identity_survives_an_update(server: Server) -> None:
    made = await _make(server)
    answer = await server.client.update(
        server.path("configmaps", "a"), {"metadata": {"name": "a", "labels": {"a": "b"}}}
    )
    for name in ("uid", "creationTimestamp", "namespace"):
        assert answer.body["metadata"][name] == made["metadata"][name]


async def test_a_write_that_changes_nothing_keeps_the_version(server: Server) -> None:
    made = await _make(server, data={"key": "value"})
    again = await server.client.update(server.path("configmaps", "a"), made)
    assert again.version == made["metadata"]["resourceVersion"]


async def test_a_patch_with_an_older_version_is_a_conflict(server: Server) -> None:
    old = await _make(server)
    path = server.path("configmaps", "a")
    await server.client.patch(path, {"data": {"key": "value"}})
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "data": {"key": "other"}}
    answer = await server.client.patch(path, stale)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert (await server.client.get(path)).body["data"] == {"key": "value"}


async def test_a_patch_with_an_empty_version_overwrites(server: Server) -> None:
    await _make(server)
    patch = {"metadata": {"resourceVersion": ""}, "data": {"key": "value"}}
    answer = await server.client.patch(server.path("configmaps", "a"), patch)
    assert (answer.code, answer.body["data"]) == (200, {"key": "value"})


async def test_a_merge_patch_adds_changes_and_removes(server: Server) -> None:
    await _make(server, data={"stays": "1", "changes": "1", "goes": "1"})
    patch = {"data": {"changes": "2", "goes": None, "new": "1"}}
    answer = await server.client.patch(server.path("configmaps", "a"), patch)
    assert answer.body["data"] == {"stays": "1", "changes": "2", "new": "1"}


async def test_a_json_patch_is_applied_whole_or_not_at_all(server: Server) -> None:
    await _make(server, data={"key": "value"})
    path = server.path("configmaps", "a")
    half = [
        {"op": "add", "path": "/data/new", "value": "1"},
        {"op": "test", "path": "/data/key", "value": "other"},
    ]
    refused = await server.client.patch(path, half, JSON_PATCH)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert (await server.client.get(path)).body["data"] == {"key": "value"}
    whole = [half[0], {"op": "replace", "path": "/data/key", "value": "other"}]
    assert (await server.client.patch(path, whole, JSON_PATCH)).body["data"] == {"key": "other", "new": "1"}


async def test_what_is_immutable_stays(server: Server) -> None:
    await _make(server, data={"key": "value"}, immutable=True)
    answer = await server.client.patch(server.path("configmaps", "a"), {"data": {"key": "other"}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "field is immutable when `immutable` is set" in answer.message


async def test_a_patch_with_an_unknown_field_is_refused_where_the_client_asks(server: Server) -> None:
    await _make(server)
    path = server.path("configmaps", "a")
    answer = await server.client.patch(path, {"dota": {}}, fieldValidation="Strict")
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith(' "" is invalid: patch: Invalid value')
    assert answer.message.endswith('strict decoding error: unknown field "dota"')
    assert (await server.client.patch(path, {"dota": {}})).code == 200


async def test_emptied_maps_vanish(server: Server) -> None:
    await _make(server, data={"key": "value"})
    answer = await server.client.patch(server.path("configmaps", "a"), {"data": {"key": None}})
    assert "data" not in answer.body


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        pytest.param("text/plain", {}, 415, id="unknown type"),
        pytest.param(MERGE, b"{no", 400, id="no JSON"),
        pytest.param(MERGE, [], 400, id="a list as merge patch"),
        pytest.param(JSON_PATCH, {}, 400, id="an object as JSON patch"),
        pytest.param(STRATEGIC, [], 400, id="a list as strategic merge patch"),
        pytest.param(MERGE, {"metadata": {"name": "b"}}, 400, id="another name"),
        pytest.param(MERGE, {"metadata": {"uid": "b"}}, 422, id="another uid"),
        pytest.param(MERGE, {"data": {"key": 1}}, 422, id="a number for a text"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/data/none"}], 422, id="remove what is not"),
    ],
)
async def test_a_patch_that_cannot_be_applied_is_refused(
    server: Server, content_type: str, body: Any, code: int
) -> None:
    await _make(server)
    answer = await server.client.patch(server.path("configmaps", "a"), body, content_type)
    assert (answer.code, answer.body["kind"]) == (code, "Status")


async def test_a_deletion_tells_what_went(server: Server) -> None:
    made = await _make(server)
    answer = await server.client.delete(server.path("configmaps", "a"))
    assert (answer.code, answer.body["status"]) == (200, "Success")
    assert answer.body["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}


async def test_a_deletion_of_another_uid_is_a_conflict(server: Server) -> None:
    await _make(server)
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}
    answer = await server.client.delete(server.path("configmaps", "a"), options)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "the UID in the precondition (other) does not match the UID in record" in answer.message


async def test_a_collection_is_deleted_by_selector(server: Server) -> None:
    for name, team in (("a", "red"), ("b", "blue")):
        await server.client.create(
            server.path("configmaps"), {"metadata": {"name": name, "labels": {"team": team}}}
        )
    await server.client.delete(server.path("configmaps"), labelSelector="team=red")
    assert (await server.client.get(server.path("configmaps"), labelSelector="team")).names == ["b"]


async def test_an_object_with_finalizers_waits_for_the_last_of_them(server: Server) -> None:
    path = server.path("configmaps", "a")
    body = {"metadata": {"name": "a", "finalizers": ["example.com/wait"]}}
    await server.client.create(server.path("configmaps"), body)
    waiting = await server.client.delete(path)
    assert "deletionTimestamp" in waiting.body["metadata"]
    assert (await server.client.get(path)).code == 200
    last = await server.client.patch(path, {"metadata": {"finalizers": None}})
    assert (last.code, last.body["metadata"]["name"]) == (200, "a")
    assert (await server.client.get(path)).code == 404


async def test_a_verb_that_makes_no_sense_is_not_allowed(server: Server) -> None:
    for method, path in (
        ("POST", server.path("configmaps", "a")),
        ("PUT", server.path("configmaps")),
        ("POST", "/api/v1/configmaps"),
    ):
        answer = await server.client.request(method, path, {})
        assert (answer.code, answer.reason) == (405, "MethodNotAllowed")
        assert answer.message == "the server does not allow this method on the requested resource"
