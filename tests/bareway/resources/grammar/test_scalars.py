import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.resources.grammar.scalars import (
    FALSE,
    QUOTED_MAX,
    TRUE,
    duration_ns,
    has_leading_zero,
    quoted,
    tag_of,
    whole_number,
)

MS, S, M, H = 10**6, 10**9, 60 * 10**9, 3600 * 10**9


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("64512", 64512),
        ("+5", 5),
        ("-5", -5),
        ("1_000", 1000),
        ("0644", 420),
        ("0o644", 420),
        ("-0644", -420),
        ("09", 9),
        ("0x1F", 31),
        ("0b101", 5),
        ("-0b101", -5),
        ("1e3", 1000),
        ("1.5e1", 15),
        ("90.", 90),
        ("90.0", 90),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_a_whole_number_is_what_yaml_v2_reads(text: str, value: int) -> None:
    assert whole_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1:30",
        "64512:30",
        "no",
        "1e",
        "e3",
        "0x",
        "1.5",
        ".5",
        "--1",
        "1 2",
        "_1",
        "²",
        "0xg",
        "1e999",
        "9" * 65,
    ],
)
def test_everything_else_is_no_whole_number(text: str) -> None:
    assert whole_number(text) is None


@given(st.integers(min_value=-(2**60), max_value=2**60))
def test_every_way_to_write_a_number_means_it(number: int) -> None:
    assert whole_number(str(number)) == number
    assert whole_number(hex(number)) == number
    assert whole_number(bin(number)) == number
    assert whole_number(oct(number).replace("0o", "0")) == number


@given(st.text(alphabet="0123456789abxeEo._+-: ", max_size=70))
def test_reading_a_number_never_raises(text: str) -> None:
    assert whole_number(text) is None or tag_of(text, quoted=False) == "!!int"


@pytest.mark.parametrize(
    ("text", "is_so"),
    [("0644", True), ("-07", True), ("09", True), ("0", False), ("0x7", False), ("10", False)],
)
def test_a_zero_in_front_is_seen(text: str, is_so: bool) -> None:
    assert has_leading_zero(text) is is_so


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("-0", 0),
        ("90s", 90 * S),
        ("1h30m", H + 30 * M),
        ("2.5s", 2500 * MS),
        (".5s", 500 * MS),
        ("5.s", 5 * S),
        ("+3m", 3 * M),
        ("-3s", -3 * S),
        ("100ms", 100 * MS),
        ("7us", 7000),
        ("7µs", 7000),
        ("7μs", 7000),
        ("9ns", 9),
        ("1s1s", 2 * S),
        ("2540400h", 2540400 * H),
    ],
)
def test_a_duration_is_what_go_reads(text: str, nanoseconds: int) -> None:
    assert duration_ns(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("-", 'time: invalid duration "-"'),
        ("soon", 'time: invalid duration "soon"'),
        ("90", 'time: missing unit in duration "90"'),
        ("1h30", 'time: missing unit in duration "1h30"'),
        ("7d", 'time: unknown unit "d" in duration "7d"'),
        ("1:30", 'time: unknown unit ":" in duration "1:30"'),
        ("3 s", 'time: unknown unit " s" in duration "3 s"'),
        ("3000000h", 'time: invalid duration "3000000h"'),
        ("9" * 70 + "s", 'time: invalid duration "' + "9" * 70 + 's"'),
    ],
)
def test_what_is_no_duration_is_told_in_gos_words(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        duration_ns(text)


@given(st.text(alphabet="0123456789.hmsnuµ+-:d ", max_size=70))
def test_reading_a_duration_ends_in_a_number_that_go_can_hold_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert abs(duration_ns(text)) < 2**63


@given(st.integers(0, 2**32), st.sampled_from(["ns", "us", "ms", "s"]))
def test_a_duration_is_the_sum_of_its_parts(number: int, unit: str) -> None:
    assert duration_ns(f"1h{number}{unit}") == H + duration_ns(f"{number}{unit}")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("yes", "!!bool"),
        ("Off", "!!bool"),
        ("64512", "!!int"),
        ("1.5", "!!float"),
        ("1:30", "!!str"),
        ("x", "!!str"),
    ],
)
def test_a_scalar_is_taken_for_what_yaml_v2_takes_it_for(text: str, tag: str) -> None:
    assert tag_of(text, quoted=False) == tag
    assert tag_of(text, quoted=True) == "!!str"


def test_the_words_for_truth_are_not_those_for_untruth() -> None:
    assert not TRUE & FALSE


def test_a_users_text_is_shown_on_one_line_and_cut() -> None:
    assert quoted('a "b"\n') == r'"a \"b\"\n"'
    assert quoted("x" * QUOTED_MAX) == f'"{"x" * QUOTED_MAX}"'
    assert quoted("x" * 5000) == f'"{"x" * (QUOTED_MAX - 1)}…"'
