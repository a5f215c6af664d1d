import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.cli.pages.table import printable, span, table


def test_every_column_is_as_wide_as_its_widest_cell() -> None:
    assert table(("NAME", "STATE"), [("node1", "alive"), ("a", "suspect")]) == (
        "NAME    STATE\nnode1   alive\na       suspect\n"
    )


def test_an_empty_cell_keeps_its_place() -> None:
    assert table(("A", "B", "C"), [("1", "", "3")]) == "A   B   C\n1   -   3\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain ü 漢", "plain ü 漢", id="letters stay"),
        pytest.param("\x1b[2J", r"\x1b[2J", id="escape"),
        pytest.param("a\nb\tc\r", r"a\nb\tc\r", id="line ends and tabs"),
        pytest.param("\u202egnp", r"\u202egnp", id="right to left"),
        pytest.param("\x00\x7f\x9b", r"\x00\x7f\x9b", id="other controls"),
    ],
)
def test_nothing_that_a_user_wrote_moves_the_cursor(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_a_row_is_a_line_whatever_is_in_it(rows: list[tuple[str, str]]) -> None:
    assert len(table(("A", "B"), rows).splitlines()) == 1 + len(rows)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0s"),
        (0.9, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (200, "3m20s"),
        (3_599, "59m59s"),
        (3_600, "1h00m"),
        (86_399, "23h59m"),
        (86_400, "1d00h"),
        (10**9, "11574d01h"),
    ],
)
def test_a_span_of_time_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert span(seconds) == shown
