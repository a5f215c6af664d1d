"""bareway.resources.kinds: paths, pages and events of every kind; nothing that comes in can crash it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.objects import ObjectReference
from bareway.model.services import Service
from bareway.resources.kinds import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICES,
    Bookmark,
    Deleted,
    Failed,
    Kind,
    Reading,
    Unreadable,
)
from support.builders import key

KINDS: list[Kind[Any]] = [
    SERVICES,
    ENDPOINT_SLICES,
    NODES,
    NAMESPACES,
    CONFIG_MAPS,
    SECRETS,
    LEASES,
    PODS,
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(SERVICES.path(), "/api/v1/services", id="all namespaces"),
        pytest.param(SERVICES.path("shop"), "/api/v1/namespaces/shop/services", id="one namespace"),
        pytest.param(
            SERVICES.object_path(key("shop/web"), "status"),
            "/api/v1/namespaces/shop/services/web/status",
            id="the status of one",
        ),
        pytest.param(
            ENDPOINT_SLICES.path(), "/apis/discovery.k8s.io/v1/endpointslices", id="a kind with a group"
        ),
        pytest.param(
            LEASES.object_path(key("bareway-system/x")),
            "/apis/coordination.k8s.io/v1/namespaces/bareway-system/leases/x",
            id="one with a group",
        ),
        pytest.param(NODES.path("ignored", "a"), "/api/v1/nodes/a", id="a kind without namespaces"),
        pytest.param(NAMESPACES.path(), "/api/v1/namespaces", id="namespaces"),
    ],
)
def test_where_objects_live(path: str, expected: str) -> None:
    assert path == expected


def test_an_event_can_name_an_object() -> None:
    assert LEASES.reference(key("a/b"), "u") == ObjectReference(
        kind="Lease", key=key("a/b"), uid="u", api_version="coordination.k8s.io/v1"
    )


def item(name: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": f"rv-{name}"}, **fields}


def page(*items: Any, **metadata: str) -> bytes:
    return msgspec.json.encode(
        {"kind": "ServiceList", "metadata": {"resourceVersion": "9", **metadata}, "items": items}
    )


def line(type_: str, body: Any) -> bytes:
    return msgspec.json.encode({"type": type_, "object": body})


def test_a_page_is_read_item_by_item_and_one_bad_item_hides_no_other() -> None:
    found = SERVICES.read_page(
        page(item("a"), item("b", spec={"ports": 1}), item("c"), **{"continue": "more"})
    )
    assert (found.resource_version, found.continue_token) == ("9", "more")
    readings = [*found.readings]
    assert [reading.key.name for reading in readings] == ["a", "b", "c"]
    assert [isinstance(reading.content, Service) for reading in readings] == [True, False, True]


def test_the_last_page_has_no_token() -> None:
    assert SERVICES.read_page(page()).continue_token == ""
    assert [*SERVICES.read_page(b'{"metadata": {}, "items": null}').readings] == []


def test_each_type_of_event_is_read() -> None:
    for type_ in ("ADDED", "MODIFIED"):
        reading = SERVICES.read_event(line(type_, item("a")))
        assert isinstance(reading, Reading)
        assert (reading.key, reading.resource_version) == (key("shop/a"), "rv-a")
    assert SERVICES.read_event(line("DELETED", item("a"))) == Deleted(key("shop/a"), "rv-a")
    bookmark = {
        "kind": "Service",
        "metadata": {"resourceVersion": "77", "creationTimestamp": None},
        "spec": {},
    }
    assert SERVICES.read_event(line("BOOKMARK", bookmark)) == Bookmark("77")
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old", "status": "Failure"}
    assert SERVICES.read_event(line("ERROR", status)) == Failed(410, "Expired", "too old")


def test_an_object_that_cannot_be_read_can_still_be_deleted() -> None:
    gone = SERVICES.read_event(line("DELETED", item("a", spec={"ports": 1})))
    assert gone == Deleted(key("shop/a"), "rv-a")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no metadata"),
        pytest.param(b'{"metadata": {}}', id="no name"),
        pytest.param(b'{"metadata": {"name": 7}}', id="a name that is a number"),
        pytest.param(b'{"metadata": {"name": ""}}', id="an empty name"),
        pytest.param(b"\xff\xfe", id="noise"),
    ],
)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_what_is_no_object_with_a_name_is_unreadable(kind: Kind[Any], body: bytes) -> None:
    with pytest.raises(Unreadable):
        kind.read(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"items": []}', b'{"metadata": 1}', b"<html>"],
    ids=["nothing", "a list", "no metadata", "wrong metadata", "HTML"],
)
def test_what_is_no_list_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="no list of services"):
        SERVICES.read_page(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"type": "ADDED"}', id="no object"),
        pytest.param(line("EXPLODED", item("a")), id="an unknown type"),
        pytest.param(line("DELETED", {}), id="a deletion of nothing"),
        pytest.param(line("BOOKMARK", 3), id="a bookmark that is a number"),
        pytest.param(line("ERROR", []), id="an error that is a list"),
    ],
)
def test_what_is_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        SERVICES.read_event(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["spec", "status", "data", "endpoints", "ports", "type", "clusterIPs", "loadBalancer", "ingress", "ip"]
)
NESTED = st.recursive(
    JSON, lambda inner: st.dictionaries(FIELDS, inner | st.lists(inner, max_size=2), max_size=4)
)


@given(st.sampled_from(KINDS), st.dictionaries(FIELDS, NESTED, max_size=4))
def test_an_object_with_a_name_is_always_a_model_or_problems(kind: Kind[Any], fields: dict[str, Any]) -> None:
    reading = kind.read(msgspec.json.encode({"metadata": {"name": "x"}, **fields}))
    assert reading.key.name == "x"
    if isinstance(reading.content, tuple):
        assert all(problem.path and problem.message for problem in reading.content)


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_noise_raises_nothing_but_unreadable(kind: Kind[Any], noise: bytes) -> None:
    for read in (kind.read, kind.read_page, kind.read_event):
        try:
            read(noise)
        except Unreadable:
            continue
