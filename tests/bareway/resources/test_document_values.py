import pytest

from bareway.model.problems import Severity
from bareway.resources.document import Null, read_document
from bareway.resources.document_values import FALSE, TRUE, Found, Walk

KEYS = ("name", "auto-assign", "addresses")


def found(text: str, walk: Walk) -> Found:
    tree = read_document(text).tree
    assert tree is not None
    return walk.fields(tree, "pool", KEYS, "config.addressPool")


def told(walk: Walk) -> list[tuple[str, int, str]]:
    return [(p.path, p.line, p.message.removeprefix("could not parse config: ")) for p in walk.problems]


@pytest.mark.parametrize(
    ("word", "meant"), [*((word, True) for word in sorted(TRUE)), *((word, False) for word in sorted(FALSE))]
)
def test_every_word_of_yaml_v2_for_a_truth_value_is_one(word: str, meant: bool) -> None:
    walk = Walk()
    assert walk.truth(found(f"auto-assign: {word}", walk), "auto-assign", "pool", default=not meant) is meant
    assert walk.problems == []


@pytest.mark.parametrize("word", ["tRUE", "1", "0", "ja", "'true'", '"no"'])
def test_any_other_word_for_a_truth_value_is_a_mistake(word: str) -> None:
    walk = Walk()
    assert walk.truth(found(f"\nauto-assign: {word}", walk), "auto-assign", "pool", default=True) is True
    bare = word.strip("'\"")
    assert told(walk) == [("pool.auto-assign", 2, f"cannot unmarshal !!str `{bare}` into bool")]
    assert walk.problems[0].hint == "write true or false, without quotes"


def test_what_is_absent_or_null_takes_its_default() -> None:
    walk = Walk()
    nothing = found("name: ~\nauto-assign:\naddresses: null", walk)
    assert nothing == {}
    assert walk.truth(nothing, "auto-assign", "pool", default=True) is True
    assert walk.truth(nothing, "auto-assign", "pool", default=False) is False
    assert walk.text(nothing, "name", "pool") == ""
    assert walk.items(nothing, "addresses", "pool") == ()
    assert walk.fields(Null(line=1), "pool", KEYS, "config.addressPool") == {}
    assert walk.problems == []


@pytest.mark.parametrize("written", ["no", "64512", "1e3", "'no'"])
def test_a_text_is_what_was_written_whatever_yaml_would_guess(written: str) -> None:
    walk = Walk()
    assert walk.text(found(f"name: {written}", walk), "name", "pool") == written.strip("'")


def test_the_texts_of_a_list_come_with_their_places() -> None:
    walk = Walk()
    texts = walk.texts(found("addresses:\n- a\n- ~\n- b: c\n- [d]\n- e", walk), "addresses", "pool")
    assert [(path, text.value, text.line) for path, text in texts] == [
        ("pool.addresses[0]", "a", 2),
        ("pool.addresses[1]", "", 3),
        ("pool.addresses[4]", "e", 6),
    ]
    assert told(walk) == [
        ("pool.addresses[2]", 4, "cannot unmarshal !!map into string"),
        ("pool.addresses[3]", 5, "cannot unmarshal !!seq into string"),
    ]


def test_values_of_another_type_are_mistakes_where_they_stand() -> None:
    walk = Walk()
    wrong = found("name: [a]\nauto-assign: {}\naddresses: 192.0.2.0/24", walk)
    assert walk.text(wrong, "name", "pool") == ""
    assert walk.truth(wrong, "auto-assign", "pool", default=True) is True
    assert walk.items(wrong, "addresses", "pool") == ()
    assert told(walk) == [
        ("pool.name", 1, "cannot unmarshal !!seq into string"),
        ("pool.auto-assign", 2, "cannot unmarshal !!map into bool"),
        ("pool.addresses", 3, "cannot unmarshal !!str `192.0.2.0/24` into a list"),
    ]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        pytest.param("auto_assign", 'did you mean "auto-assign"?', id="underscore"),
        pytest.param("autoAssign", 'did you mean "auto-assign"?', id="as in the CRD"),
        pytest.param("adresses", 'did you mean "addresses"?', id="misspelt"),
        pytest.param("frobnicate", "known here: name, auto-assign, addresses", id="nothing like it"),
    ],
)
def test_an_unknown_key_is_a_mistake_with_a_guess(key: str, hint: str) -> None:
    walk = Walk()
    assert found(f"name: a\n{key}: b", walk).keys() == {"name"}
    assert told(walk) == [(f"pool.{key}", 2, f"field {key} not found in type config.addressPool")]
    assert walk.problems[0].hint == hint


def test_a_warning_is_no_error() -> None:
    walk = Walk()
    walk.warn("peers", "not served", Null(line=7))
    assert [(p.severity, p.line) for p in walk.problems] == [(Severity.WARNING, 7)]
