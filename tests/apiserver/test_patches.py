"""Merge patches and JSON patches by the tables of their standards; the strategic one is in tests/contract."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.kinds import SERVICES
from apiserver.patches import json_patch, merge, strategic_merge
from apiserver.refusals import Refused
from apiserver.schema import SCHEMAS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


# RFC 7396 appendix A: example test cases, in its order.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param({"a": "b"}, {"a": "c"}, {"a": "c"}, id="replaced"),
        pytest.param({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}, id="added"),
        pytest.param({"a": "b"}, {"a": None}, {}, id="removed"),
        pytest.param({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}, id="one of two removed"),
        pytest.param({"a": ["b"]}, {"a": "c"}, {"a": "c"}, id="list by text"),
        pytest.param({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}, id="text by list"),
        pytest.param({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}, id="nested"),
        pytest.param({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}, id="list by list"),
        pytest.param(["a", "b"], ["c", "d"], ["c", "d"], id="a list is replaced whole"),
        pytest.param({"a": "b"}, ["c"], ["c"], id="object by list"),
        pytest.param({"a": "foo"}, None, None, id="object by null"),
        pytest.param({"a": "foo"}, "bar", "bar", id="object by text"),
        pytest.param({"e": None}, {"a": 1}, {"e": None, "a": 1}, id="an old null stays"),
        pytest.param([1, 2], {"a": "b", "c": None}, {"a": "b"}, id="list by object"),
        pytest.param({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}, id="null in what is new"),
    ],
)
def test_a_merge_patch_does_what_the_standard_shows(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


@given(JSON, JSON)
def test_a_merge_patch_twice_is_a_merge_patch_once(target: Any, patch: Any) -> None:
    once = merge(target, patch)
    assert merge(once, patch) == once


# RFC 6902 appendix A, the cases that are told there, by their numbers.
@pytest.mark.parametrize(
    ("target", "operation", "result"),
    [
        pytest.param(
            {"foo": "bar"},
            {"op": "add", "path": "/baz", "value": "qux"},
            {"foo": "bar", "baz": "qux"},
            id="A.1",
        ),
        pytest.param(
            {"foo": ["bar", "baz"]},
            {"op": "add", "path": "/foo/1", "value": "qux"},
            {"foo": ["bar", "qux", "baz"]},
            id="A.2",
        ),
        pytest.param(
            {"baz": "qux", "foo": "bar"}, {"op": "remove", "path": "/baz"}, {"foo": "bar"}, id="A.3"
        ),
        pytest.param(
            {"foo": ["a", "b", "c"]}, {"op": "remove", "path": "/foo/1"}, {"foo": ["a", "c"]}, id="A.4"
        ),
        pytest.param(
            {"baz": "qux"}, {"op": "replace", "path": "/baz", "value": "boo"}, {"baz": "boo"}, id="A.5"
        ),
        pytest.param(
            {"foo": {"waldo": "fred"}, "qux": {}},
            {"op": "move", "from": "/foo/waldo", "path": "/qux/thud"},
            {"foo": {}, "qux": {"thud": "fred"}},
            id="A.6",
        ),
        pytest.param(
            {"foo": ["all", "grass", "cows", "eat"]},
            {"op": "move", "from": "/foo/1", "path": "/foo/3"},
            {"foo": ["all", "cows", "eat", "grass"]},
            id="A.7",
        ),
        pytest.param(
            {"foo": ["a", 2]}, {"op": "test", "path": "/foo/1", "value": 2}, {"foo": ["a", 2]}, id="A.8"
        ),
        pytest.param({"~/": 9}, {"op": "test", "path": "/~0~1", "value": 9}, {"~/": 9}, id="A.14"),
        pytest.param(
            {"foo": ["bar"]},
            {"op": "add", "path": "/foo/-", "value": ["a"]},
            {"foo": ["bar", ["a"]]},
            id="A.16",
        ),
        pytest.param(
            {"a": {"b": 1}},
            {"op": "copy", "from": "/a", "path": "/c"},
            {"a": {"b": 1}, "c": {"b": 1}},
            id="copy",
        ),
        pytest.param({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}, id="the whole"),
    ],
)
def test_a_json_patch_does_what_the_standard_shows(target: Any, operation: Any, result: Any) -> None:
    assert json_patch(target, [operation]) == result


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param({"op": "test", "path": "/a", "value": 2}, id="a test that fails (A.9)"),
        pytest.param({"op": "add", "path": "/b/c", "value": 1}, id="add to what is not (A.12)"),
        pytest.param({"op": "remove", "path": "/b"}, id="remove what is not"),
        pytest.param({"op": "replace", "path": "/b", "value": 1}, id="replace what is not"),
        pytest.param({"op": "add", "path": "/list/5", "value": 1}, id="beyond the end of a list"),
        pytest.param({"op": "add", "path": "a", "value": 1}, id="no slash"),
        pytest.param({"op": "odd", "path": "/a"}, id="unknown operation"),
        pytest.param({"op": "add", "path": "/c"}, id="no value"),
        pytest.param({}, id="nothing"),
        pytest.param("add", id="no object"),
    ],
)
def test_a_json_patch_that_cannot_be_applied_is_refused_and_changes_nothing(operation: Any) -> None:
    target = {"a": 1, "list": []}
    with pytest.raises(Refused) as caught:
        json_patch(target, [{"op": "add", "path": "/new", "value": 1}, operation])
    assert caught.value.code == 422
    assert target == {"a": 1, "list": []}


@given(st.lists(st.integers(1, 6), unique=True), st.lists(st.integers(1, 6), unique=True))
def test_a_strategic_merge_puts_what_the_patch_names_into_its_order_and_loses_nothing(
    before: list[int], patch: list[int]
) -> None:
    target = {"spec": {"ports": [{"port": number} for number in before]}}
    change = {"spec": {"ports": [{"port": number} for number in patch]}}
    merged = strategic_merge(target, change, SCHEMAS[SERVICES])
    after = [port["port"] for port in merged["spec"]["ports"]]
    assert sorted(after) == sorted({*before, *patch})
    assert [number for number in after if number in patch] == patch
    assert [number for number in after if number not in patch] == [
        number for number in before if number not in patch
    ]
