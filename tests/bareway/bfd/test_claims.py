"""The support table's claims about BFD: every "yes" names a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("tests/bareway/bfd", "tests/speaker/bfd", "tests/lab")
HEADING = "## BFD, section by section"
TABLE = (ROOT / "bareway" / "RFCS.md").read_text().partition(HEADING)[2].partition("\n## ")[0]
LINES = [line for line in TABLE.splitlines() if line.startswith("| RFC")]
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in LINES]


def test_the_table_has_rows() -> None:
    assert len(ROWS) > 20
    assert {len(row) for row in ROWS} == {5}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_every_row_that_does_not_say_no_names_a_test_that_exists(row: list[str]) -> None:
    _, _, supported, file, named = row
    tests = re.findall(r"`(test_[a-z_0-9]+\.py)::(test_[a-z_0-9]+)`", named)
    assert tests or (supported.startswith("no") and not file)
    for module, name in tests:
        (path,) = (found for folder in FOLDERS if (found := ROOT / folder / module).exists())
        assert re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE)
