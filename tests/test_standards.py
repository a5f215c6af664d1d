"""The support table's claims: every "yes" about BGP names a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "bareway" / "bgp"
HEADING = "## BGP, section by section"
TABLE = (ROOT / "bareway" / "RFCS.md").read_text().partition(HEADING)[2].partition("\n## ")[0]
LINES = [line for line in TABLE.splitlines() if line.startswith("| RFC")]
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in LINES]


def test_the_table_has_rows() -> None:
    assert len(ROWS) > 40
    assert {len(row) for row in ROWS} == {5}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_every_yes_names_a_test_that_exists(row: list[str]) -> None:
    _, _, supported, _, named = row
    tests = re.findall(r"`(test_[a-z_0-9]+\.py)::(test_[a-z_0-9]+)`", named)
    assert tests or not supported.startswith("yes")
    for file, name in tests:
        assert name in functions(TESTS / file)


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_every_row_says_yes_partly_no_or_later_or_how(row: list[str]) -> None:
    assert re.match(r"(yes|partly|no|later|a setting|as RFC|)\b", row[2])
