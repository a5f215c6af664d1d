"""How a request stands on record."""

import pytest

from apiserver.record import Asked, Recorded, asked, load, merged, unrecorded

JSON = "application/json"


@pytest.mark.parametrize(
    ("method", "target", "content_type", "expected"),
    [
        pytest.param(
            "GET", "/api/v1/services?limit=500", "", Asked("GET", "/api/v1/services", ("limit",)), id="list"
        ),
        pytest.param(
            "GET",
            "/apis/discovery.k8s.io/v1/endpointslices?watch=true&resourceVersion=7",
            "",
            Asked("GET", "/apis/discovery.k8s.io/v1/endpointslices", ("resourceVersion", "watch")),
            id="watch in a group",
        ),
        pytest.param(
            "GET",
            "/api/v1/namespaces/a/secrets?continue=",
            "",
            Asked("GET", "/api/v1/namespaces/{namespace}/secrets", ("continue",)),
            id="a value that is empty",
        ),
        pytest.param(
            "PATCH",
            "/api/v1/namespaces/a/services/b/status",
            f"{JSON}; charset=utf-8",
            Asked("PATCH", "/api/v1/namespaces/{namespace}/services/{name}/status", (), JSON),
            id="a part of an object",
        ),
        pytest.param(
            "GET",
            "/api/v1/nodes/a",
            JSON,
            Asked("GET", "/api/v1/nodes/{name}"),
            id="no body, so no type of it",
        ),
        pytest.param("GET", "/api/v1/namespaces", "", Asked("GET", "/api/v1/namespaces"), id="namespaces"),
        pytest.param(
            "DELETE",
            "/api/v1/namespaces/a",
            "",
            Asked("DELETE", "/api/v1/namespaces/{name}"),
            id="a namespace",
        ),
        pytest.param(
            "PUT",
            "/api/v1/namespaces/a/finalize",
            JSON,
            Asked("PUT", "/api/v1/namespaces/{name}/finalize", (), JSON),
            id="a part of a namespace",
        ),
        pytest.param("GET", "/readyz", "", Asked("GET", "/readyz"), id="no resource"),
    ],
)
def test_what_differs_between_clusters_is_left_out(
    method: str, target: str, content_type: str, expected: Asked
) -> None:
    assert asked(method, target, content_type) == expected


def test_a_record_says_once_who_asks_what() -> None:
    one, other = Asked("GET", "/b"), Asked("GET", "/a")
    record = merged([("speaker", one), ("controller", one), ("speaker", one), ("speaker", other)])
    assert record == [
        Recorded("GET", "/a", programs=("speaker",)),
        Recorded("GET", "/b", programs=("controller", "speaker")),
    ]


def test_what_is_committed_is_in_order_and_each_request_once() -> None:
    record = load()
    assert record == sorted(record)
    assert len({one.asked for one in record}) == len(record)


@pytest.mark.parametrize(
    ("program", "one", "told"),
    [
        pytest.param("controller", Asked("GET", "/api/v1/services", ("limit",)), [], id="on record"),
        pytest.param(
            "speaker",
            Asked("GET", "/api/v1/namespaces", ("limit",)),
            ["speaker: GET /api/v1/namespaces?limit"],
            id="on record for the other program",
        ),
        pytest.param(
            "speaker", Asked("GET", "/api/v1/services"), ["speaker: GET /api/v1/services"], id="another query"
        ),
        pytest.param(
            "controller",
            Asked("POST", "/api/v1/namespaces/{namespace}/events", (), "text/plain"),
            ["controller: POST /api/v1/namespaces/{namespace}/events (text/plain)"],
            id="another type of body",
        ),
    ],
)
def test_what_is_not_on_record_is_told(program: str, one: Asked, told: list[str]) -> None:
    assert unrecorded([(program, one)]) == told
