import json
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.names import ObjectKey
from bareway.model.plain import plain
from bareway.model.problems import Problem, Severity


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(Severity.ERROR, "error", id="word of an Enum"),
        pytest.param(ObjectKey("shop", "web"), "shop/web", id="key of an object"),
        pytest.param(ObjectKey("", "node1"), "node1", id="key of an object without namespace"),
        pytest.param(ip_address("192.0.2.1"), "192.0.2.1", id="address"),
        pytest.param((1, (2.5, None, True)), [1, [2.5, None, True]], id="tuples"),
        pytest.param({"b", "a"}, ["a", "b"], id="set"),
        pytest.param({ip_address("192.0.2.1"): {1}}, {"192.0.2.1": [1]}, id="mapping"),
        pytest.param(
            Problem(path="p", message="m"),
            {"path": "p", "message": "m", "line": 0, "hint": "", "severity": "error", "document": ""},
            id="dataclass",
        ),
    ],
)
def test_a_value_is_written_as_people_know_it(value: object, expected: object) -> None:
    written = plain(value)
    assert written == expected
    assert type(written) is type(expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_what_json_has_already_stays_as_it_is(value: object) -> None:
    assert plain(value) == value
    assert json.loads(json.dumps(plain(value))) == value
