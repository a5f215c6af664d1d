from enum import StrEnum

import pytest

from bareway.model.problems import Severity
from bareway.resources.document import Null, read_document
from bareway.resources.grammar.keys import Key, Shape
from bareway.resources.grammar.scalars import FALSE, TRUE
from bareway.resources.grammar.sections import GUESSES_MAX, INT, UINT16, UINT32, Place, Section, Walk, Whole

SHAPE = Shape(
    type_name="config.addressPool",
    keys=tuple(Key(name=name, type="", meaning="") for name in ("name", "auto-assign", "addresses")),
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def section(text: str, *, told: str = "") -> Section:
    tree = read_document(text).tree
    assert tree is not None
    found = Walk().section(Place(tree, "pool", "bareway"), SHAPE, told=told)
    assert found is not None
    return found


def wrong(of: Section) -> list[tuple[str, int, str]]:
    assert {problem.document for problem in of.walk.problems} <= {"bareway"}
    return [(p.path, p.line, p.message.removeprefix("could not parse config: ")) for p in of.walk.problems]


@pytest.mark.parametrize(
    ("word", "meant"), [*((word, True) for word in sorted(TRUE)), *((word, False) for word in sorted(FALSE))]
)
def test_every_word_of_yaml_v2_for_a_truth_value_is_one(word: str, meant: bool) -> None:
    read = section(f"auto-assign: {word}")
    assert read.truth("auto-assign", default=not meant) is meant
    assert wrong(read) == []


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("tRUE", "!!str `tRUE`"),
        ("1", "!!int `1`"),
        ("0", "!!int `0`"),
        ("ja", "!!str `ja`"),
        ("'true'", "!!str `true`"),
        ('"no"', "!!str `no`"),
    ],
)
def test_any_other_word_for_a_truth_value_is_a_mistake(word: str, shown: str) -> None:
    read = section(f"\nauto-assign: {word}")
    assert read.truth("auto-assign", default=True) is True
    assert wrong(read) == [("pool.auto-assign", 2, f"cannot unmarshal {shown} into bool")]
    assert read.walk.problems[0].hint == "write true or false, without quotes"


def test_what_is_absent_or_null_takes_its_default() -> None:
    nothing = section("name: ~\nauto-assign:\naddresses: null")
    assert nothing.found == {}
    assert nothing.truth("auto-assign", default=True) is True
    assert nothing.truth("auto-assign") is False
    assert nothing.text("name") == ""
    assert nothing.list("addresses") == ()
    assert nothing.whole("name", INT) is None
    assert nothing.duration_s("name", 7.0) == 7.0
    assert nothing.word("name", Colour.BLUE) is Colour.BLUE
    assert list(nothing.mapping("name")) == []
    assert not nothing.has("name")
    assert wrong(nothing) == []
    empty = Walk().section(Place(Null(line=1)), SHAPE)
    assert empty is not None
    assert empty.found == {}


@pytest.mark.parametrize("written", ["no", "64512", "1e3", "'no'", "64512:30", "1:30", "0644", "on"])
def test_a_text_is_what_was_written_whatever_yaml_would_guess(written: str) -> None:
    assert section(f"name: {written}").text("name") == written.strip("'")


@pytest.mark.parametrize(
    ("type_", "written", "value"),
    [(UINT16, "0", 0), (UINT16, "65535", 65535), (UINT32, "4294967295", 2**32 - 1), (INT, "-1", -1)],
)
def test_a_number_within_its_type_is_read(type_: Whole, written: str, value: int) -> None:
    read = section(f"name: {written}")
    assert read.whole("name", type_) == value
    assert wrong(read) == []


@pytest.mark.parametrize(
    ("type_", "written", "shown"),
    [
        (UINT16, "65536", "!!int `65536` into uint16"),
        (UINT32, "-1", "!!int `-1` into uint32"),
        (UINT32, "4294967296", "!!int `4294967296` into uint32"),
        (UINT32, "'64512'", "!!str `64512` into uint32"),
        (INT, "1.5", "!!float `1.5` into int"),
        (INT, "yes", "!!bool `yes` into int"),
        (INT, "1:30", "!!str `1:30` into int"),
        (INT, "[1]", "!!seq into int"),
        (INT, "{a: 1}", "!!map into int"),
    ],
)
def test_a_number_outside_its_type_is_a_mistake(type_: Whole, written: str, shown: str) -> None:
    read = section(f"name: {written}")
    assert read.whole("name", type_) is None
    assert wrong(read) == [("pool.name", 1, f"cannot unmarshal {shown}")]
    assert "write a whole number" in read.walk.problems[0].hint


def test_an_octal_number_is_read_as_metallb_reads_it_and_told() -> None:
    read = section("name: 0644")
    assert read.whole("name", INT) == 420
    assert [(problem.severity, problem.hint) for problem in read.walk.problems] == [
        (Severity.WARNING, "write it without the zero")
    ]


def test_a_number_in_a_range_is_checked_against_it() -> None:
    assert section("name: 3").within("name", 3, 5) == 3
    read = section("name: 6", told="pool: ")
    assert read.within("name", 3, 5) is None
    assert wrong(read) == [
        ("pool.name", 1, "pool: invalid name value: invalid value 6, must be in 3-5 range")
    ]


def test_one_of_a_few_words_is_read_and_another_is_told_with_all_of_them() -> None:
    assert section("name: red").word("name", Colour.BLUE) is Colour.RED
    read = section("name: green", told="pool: ")
    assert read.word("name", Colour.BLUE) is Colour.BLUE
    assert wrong(read) == [("pool.name", 1, 'pool: unknown name "green"')]
    assert read.walk.problems[0].hint == "write red or blue"


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        (
            "soon",
            'invalid name "soon": time: invalid duration "soon"',
            "write a duration like 90s, 5m or 1h30m",
        ),
        ("90", 'invalid name "90": time: missing unit in duration "90"', "write 90s"),
        ("-3s", 'invalid name "-3s": must not be negative', ""),
    ],
)
def test_what_is_no_duration_is_told(written: str, message: str, hint: str) -> None:
    read = section(f"name: {written}")
    read.duration_s("name", 1.0)
    assert wrong(read) == [("pool.name", 1, message)]
    assert read.walk.problems[0].hint == hint


def test_a_duration_is_in_seconds() -> None:
    assert section("name: 1m500ms").duration_s("name", 0.0) == 60.5


def test_the_texts_of_a_list_come_with_their_places() -> None:
    read = section("addresses:\n- a\n- ~\n- b: c\n- [d]\n- e")
    assert [(place.path, text, place.tree.line) for place, text in read.texts("addresses")] == [
        ("pool.addresses[0]", "a", 2),
        ("pool.addresses[1]", "", 3),
        ("pool.addresses[4]", "e", 6),
    ]
    assert wrong(read) == [
        ("pool.addresses[2]", 4, "cannot unmarshal !!map into string"),
        ("pool.addresses[3]", 5, "cannot unmarshal !!seq into string"),
    ]


def test_values_of_another_type_are_mistakes_where_they_stand() -> None:
    read = section("name: [a]\nauto-assign: {}\naddresses: 192.0.2.0/24")
    assert read.text("name") == read.plain_text("name") == ""
    assert read.truth("auto-assign", default=True) is True
    assert read.list("addresses") == ()
    assert list(read.mapping("name")) == []
    assert wrong(read) == [
        ("pool.name", 1, "cannot unmarshal !!seq into string"),
        ("pool.auto-assign", 2, "cannot unmarshal !!map into bool"),
        ("pool.addresses", 3, "cannot unmarshal !!str `192.0.2.0/24` into a list"),
        ("pool.name", 1, "cannot unmarshal !!seq into a mapping"),
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
    read = section(f"name: a\n{key}: b")
    assert read.found.keys() == {"name"}
    assert wrong(read) == [(f"pool.{key}", 2, f"field {key} not found in type config.addressPool")]
    assert read.walk.problems[0].hint == hint


def test_nobody_guesses_for_a_generated_document() -> None:
    read = section("".join(f"adresses{number}: x\n" for number in range(GUESSES_MAX + 1)))
    assert [bool(problem.hint) for problem in read.walk.problems] == [True] * GUESSES_MAX + [False]


def test_a_key_of_any_length_is_shown_cut_and_on_one_line() -> None:
    read = section(f'? "{"x" * 5000}\\n"\n: y')
    assert max(len(text) for text in (read.walk.problems[0].path, read.walk.problems[0].message)) < 250


def test_the_sections_of_a_list_are_numbered_from_one_and_what_is_none_is_told() -> None:
    read = section("addresses: [{name: a}, x, ~, {name: b}]")
    found = list(read.sections("addresses", SHAPE, "parsing address pool #{}: "))
    assert [(one.number, one.text("name"), one.told) for one in found] == [
        (1, "a", "parsing address pool #1: "),
        (3, "", "parsing address pool #3: "),
        (4, "b", "parsing address pool #4: "),
    ]
    assert wrong(read) == [("pool.addresses[1]", 1, "cannot unmarshal !!str `x` into config.addressPool")]


def test_an_extension_replaces_what_is_in_both() -> None:
    both = section("name: a\nauto-assign: no").extended_by(section("auto-assign: yes\naddresses: [x]"))
    assert (both.text("name"), both.truth("auto-assign"), both.has("addresses")) == ("a", True, True)


@pytest.mark.parametrize(
    ("written", "is_there"),
    [("[]", False), ("{}", False), ("~", False), ("''", True), ("[~]", True), ("{a: }", True)],
)
def test_an_empty_list_or_mapping_is_as_good_as_nothing(written: str, is_there: bool) -> None:
    assert section(f"name: {written}").has("name") is is_there


def test_a_mistake_and_a_warning_begin_as_told_and_stand_where_their_key_does() -> None:
    read = section("name: a\nauto-assign: b", told="pool: ")
    read.fail("wrong", key="auto-assign", hint="right")
    read.fail("none")
    read.warn("careful", key="name")
    assert wrong(read) == [
        ("pool.auto-assign", 2, "pool: wrong"),
        ("pool", 1, "pool: none"),
        ("pool.name", 1, "pool: careful"),
    ]
    assert [p.severity for p in read.walk.problems] == [Severity.ERROR, Severity.ERROR, Severity.WARNING]
