import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.selectors import Operator, Requirement, Selector
from bareway.resources.grammar.selectors import is_label_key, is_label_value
from support.configurations import accepted, errors, peer_with

GOOD = ["a", "A.b_c-9", "kubernetes.io/hostname", "a" * 63, "x" * 63 + "/" + "a" * 63, "a.b.c/d"]
BAD = ["", "-a", "a-", "a b", "a/b/c", "/a", "a/", "A.io/a", "-x/a", "a" * 64, "x" * 254 + "/a", "é", "a\n"]


@pytest.mark.parametrize(("text", "is_one"), [*((one, True) for one in GOOD), *((one, False) for one in BAD)])
def test_a_label_is_named_as_kubernetes_names_it(text: str, is_one: bool) -> None:
    assert is_label_key(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("", True),
        ("a", True),
        ("v1.2_x", True),
        ("a/b", False),
        ("-", False),
        ("a" * 64, False),
        ("a b", False),
    ],
)
def test_a_label_has_a_value_as_kubernetes_allows_it(text: str, is_one: bool) -> None:
    assert is_label_value(text) is is_one


def test_values_of_labels_are_text_whatever_yaml_guesses() -> None:
    text = peer_with("node-selectors: [{match-labels: {a: yes, b: 0644, c: ~, d: 1.50}}]")
    assert accepted(text).peers[0].node_selectors == (
        Selector(labels={"a": "yes", "b": "0644", "c": "", "d": "1.50"}),
    )


@pytest.mark.parametrize("operator", [Operator.EXISTS, Operator.DOES_NOT_EXIST])
def test_whether_a_label_is_there_needs_no_values(operator: Operator) -> None:
    text = peer_with(
        f"node-selectors: [{{match-expressions: [{{key: a, operator: {operator}, values: []}}]}}]"
    )
    assert accepted(text).peers[0].node_selectors == (
        Selector(requirements=(Requirement(key="a", operator=operator),)),
    )


@pytest.mark.parametrize("written", ["{match-labels: [a]}", "{match-expressions: {a: b}}", "[a]", "a"])
def test_what_is_no_selector_is_told(written: str) -> None:
    (problem,) = errors(peer_with(f"node-selectors: [{written}]"))
    assert "cannot unmarshal" in problem.message


@given(st.text(alphabet="{}[]abkey:, InExists~-/", max_size=60))
def test_reading_a_selector_never_raises(written: str) -> None:
    errors(f"peers:\n- node-selectors:\n  - match-expressions: [{{{written}}}]")
