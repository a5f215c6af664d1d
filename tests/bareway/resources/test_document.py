from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.resources.document import (
    DEPTH_MAX,
    SIZE_MAX,
    VALUES_MAX,
    Entry,
    Fields,
    Items,
    Null,
    Text,
    Tree,
    path_of,
    read_document,
)


def tree(text: str) -> Tree:
    read = read_document(dedent(text))
    assert read.problems == ()
    assert read.tree is not None
    return read.tree


def plain(value: Tree) -> object:
    """The tree as Python would write it."""
    match value:
        case Text():
            return value.value
        case Null():
            return None
        case Items():
            return [plain(one) for one in value.values]
        case Fields():
            return {entry.key: plain(entry.value) for entry in value.entries}


def problem(text: str) -> tuple[int, str, str]:
    read = read_document(text)
    (only,) = read.problems
    return only.line, only.message.removeprefix("could not parse config: "), only.hint


@pytest.mark.parametrize(
    "scalar",
    [
        "64512:30",
        "no",
        "yes",
        "on",
        "0644",
        "1_000",
        "1:30",
        "1e3",
        "0x1F",
        ".5",
        "2026-01-01",
        "true",
        "=",
        "-",
    ],
)
def test_a_scalar_stays_as_written(scalar: str) -> None:
    assert tree(f"a: [{scalar}]") == Fields(
        line=1,
        entries=(Entry(key="a", line=1, value=Items(values=(Text(value=scalar, line=1),), line=1)),),
    )


def test_every_value_knows_its_line() -> None:
    read = tree("""\
        a:
          - b

          - c: d
        """)
    assert isinstance(read, Fields)
    items = read.entries[0].value
    assert isinstance(items, Items)
    assert [value.line for value in items.values] == [2, 4]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing", "---\n", "~", "null", "---\n---\n"])
def test_a_document_without_content_is_null(text: str) -> None:
    assert isinstance(tree(text), Null)


@pytest.mark.parametrize("text", ["a:", "a: ~", "a: null", "a: NULL", "a: # nothing"])
def test_an_absent_value_is_null(text: str) -> None:
    assert plain(tree(text)) == {"a": None}


@pytest.mark.parametrize(
    "text", ["a: ''", 'a: ""', "a: |\n", "a: !!str"], ids=["single", "double", "block", "tagged"]
)
def test_an_empty_text_is_a_text(text: str) -> None:
    assert plain(tree(text)) == {"a": ""}


@pytest.mark.parametrize(
    "text",
    ["a: 'yes'", 'a: "yes"', "a: |-\n  yes", "a: >-\n  yes"],
    ids=["single", "double", "block", "folded"],
)
def test_what_is_quoted_is_known_to_be_text(text: str) -> None:
    read = tree(text)
    assert isinstance(read, Fields)
    assert read.entries[0].value == Text(value="yes", line=1, quoted=True)


def test_an_alias_stands_for_what_was_anchored() -> None:
    assert plain(tree("a: &x [b, c]\nd: *x\n&k e: *k")) == {"a": ["b", "c"], "d": ["b", "c"], "e": "e"}


def test_an_alias_may_stand_for_a_key() -> None:
    assert plain(tree("a: &k b\n*k : c")) == {"a": "b", "b": "c"}


def test_a_merge_key_brings_in_what_is_not_written_beside_it() -> None:
    text = """\
        base: &base {protocol: layer2, auto-assign: no}
        pool:
          auto-assign: yes
          <<: *base
          name: a
        """
    read = plain(tree(text))
    assert isinstance(read, dict)
    assert read["pool"] == {"auto-assign": "yes", "name": "a", "protocol": "layer2"}


def test_of_several_merged_mappings_the_first_wins() -> None:
    assert plain(tree("x: &x {a: 1}\ny: &y {a: 2, b: 3}\nz: {<<: [*x, *y]}")) == {
        "x": {"a": "1"},
        "y": {"a": "2", "b": "3"},
        "z": {"a": "1", "b": "3"},
    }


def test_a_quoted_merge_key_is_a_key() -> None:
    assert plain(tree('"<<": b')) == {"<<": "b"}


def test_a_key_written_twice_is_a_problem_with_its_path_and_both_lines() -> None:
    read = read_document("a:\n- b: 1\n  b: 2\nc: 3\n")
    (only,) = read.problems
    assert (only.path, only.line) == ("a[0].b", 3)
    assert only.message == 'could not parse config: key "b" already set in map'
    assert only.hint == "it stands in line 2 too"
    assert read.tree is not None
    assert plain(read.tree) == {"a": [{"b": "1"}], "c": "3"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("a: b: c", 1, "mapping values are not allowed in this context", id="two colons"),
        pytest.param("x: y\na: [b,\n", 2, "did not find expected node content", id="a list without an end"),
        pytest.param('a: b\nc: "d\n', 2, "found unexpected end of stream", id="a quote without an end"),
        pytest.param("a:\n  - b\n c: d", 3, "did not find expected key", id="indentation"),
        pytest.param("a: *x", 1, "unknown anchor 'x' referenced", id="no such anchor"),
        pytest.param("a: &x [*x]", 1, "anchor 'x' value contains itself", id="a circle"),
        pytest.param("? [x]\n: y", 1, "a key must be plain text", id="a list as key"),
        pytest.param("a: &x [b]\n*x : c", 2, "a key must be plain text", id="an alias of a list as key"),
        pytest.param("a: 1\n---\nb: 2", 3, "more than one document", id="two documents"),
        pytest.param("a: !!binary aGk=", 1, "unsupported tag tag:yaml.org,2002:binary", id="binary"),
        pytest.param("a: !secret x", 1, "unsupported tag !secret", id="a tag of somebody's own"),
        pytest.param("b: 1\na: \x01", 2, "control characters are not allowed: 1", id="control character"),
        pytest.param("b: 1\na: \0", 2, "control characters are not allowed: 0", id="zero"),
        pytest.param("b: 1\na: \ud800", 2, "half a surrogate pair is not a character", id="surrogate"),
        pytest.param(
            "a: 1\n<<: 3", 2, "map merge requires map or sequence of maps as the value", id="merge of text"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_line(text: str, line: int, message: str) -> None:
    assert read_document(text).tree is None
    assert problem(text)[:2] == (line, message)


def test_a_tab_is_told_as_what_it_is() -> None:
    assert problem("a:\n\t- b") == (
        2,
        "found character that cannot start any token",
        "indent with spaces, YAML forbids tabs",
    )


def test_a_byte_order_mark_is_no_content() -> None:
    assert plain(tree("\ufeffa: b")) == {"a": "b"}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_however_deep(opening: str) -> None:
    assert problem(opening * 200_000)[1] == f"nested deeper than {DEPTH_MAX} levels"


def test_aliases_count_as_often_as_they_are_used() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert problem("\n".join(levels))[1] == f"more than {VALUES_MAX} values"


def test_a_document_longer_than_etcd_takes_is_not_even_looked_at() -> None:
    assert problem("a" * (SIZE_MAX + 1))[1] == f"longer than {SIZE_MAX} characters"


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#?,~<% \n\t\\0", max_size=60))
def test_reading_never_raises(text: str) -> None:
    read = read_document(text)
    assert read.tree is not None or read.problems
    assert all(1 <= one.line <= text.count("\n") + 1 for one in read.problems)


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2", "x" * (SIZE_MAX + 1)], ids=["syntax", "key", "size"])
def test_a_problem_says_which_document_it_is_in(text: str) -> None:
    assert [one.document for one in read_document(text, "bareway").problems] == ["bareway"]


def test_a_path_is_written_as_people_write_it() -> None:
    assert path_of(["address-pools", 0, "addresses", 1]) == "address-pools[0].addresses[1]"
    assert path_of([]) == ""
