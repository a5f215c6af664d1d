"""The support table's claims: every "yes" names a test that exists, and what was promised stands there."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "bareway" / "RFCS.md"
FOLDERS = {
    "BGP": ("bareway/bgp", "speaker/bgp", "lab"),
    "BFD": ("bareway/bfd", "speaker/bfd", "lab"),
}
"""Of each table, where its tests are."""
LEAST = {"BGP": 45, "BFD": 20}
PROMISED = {
    "BGP": (
        "1997 2385 2545 2918 4271 4360 4486 4724 4760 5082 5492 6286 6608 6793 7606 7607 8092 8326 8538 8950 "
        "9003 9072 9384 9687 7313 7911 8654 9234 9494"
    ),
    "BFD": "5880 5881 5883",
}
"""The last five of BGP say "later"."""
SECTIONS = {
    "4271": (
        "4.1 4.2 4.3 4.4 4.5 5.1.1 5.1.2 5.1.3 5.1.4 5.1.5 5.1.6 5.1.7 "
        "6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.8 8.1 8.1.1 8.2.2 9.1 9.2 9.3 9.4 10"
    ),
    "4724": "2 3 4.1 4.2",
    "4760": "3 4 5 7 8",
    "7606": "3 4 5.1 5.2 5.3 5.4 7",
    "8538": "2 3 4 5",
    "9687": "4 5 6",
    "5880": (
        "4.1 4.2 4.3 4.4 6.2 6.3 6.4 6.5 6.6 6.7 6.8.1 6.8.2 6.8.3 6.8.4 6.8.6 6.8.7 6.8.8 6.8.9 6.8.12 "
        "6.8.15 6.8.16 6.8.17 6.8.18 7 9"
    ),
    "5881": "2 3 4 5",
    "5883": "3 4 5",
}
"""Of the standards that are followed section by section: those that say something to us."""
SPAN = re.compile(r"(\d+(?:\.\d+)*)(?: to (\d+(?:\.\d+)*))?")


def rows(subject: str) -> list[list[str]]:
    table = TABLES.read_text().partition(f"## {subject}, section by section")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| RFC")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


ROWS = [pytest.param(subject, row, id=f"{row[0]} {row[1]}") for subject in FOLDERS for row in rows(subject)]


@pytest.mark.parametrize("subject", FOLDERS)
def test_the_table_has_rows(subject: str) -> None:
    assert len(rows(subject)) > LEAST[subject]
    assert {len(row) for row in rows(subject)} == {5}


@pytest.mark.parametrize(("subject", "row"), ROWS)
def test_every_yes_names_a_test_that_exists(subject: str, row: list[str]) -> None:
    _, _, supported, _, named = row
    tests = re.findall(r"`(test_[a-z_0-9]+\.py)::(test_[a-z_0-9]+)`", named)
    assert tests or not supported.startswith("yes")
    for file, name in tests:
        places = [ROOT / "tests" / folder / file for folder in FOLDERS[subject]]
        assert name in functions(path for path in places if path.exists())


@pytest.mark.parametrize(("subject", "row"), ROWS)
def test_every_yes_names_files_that_exist(subject: str, row: list[str]) -> None:
    assert subject in FOLDERS
    _, _, supported, named, _ = row
    files = re.findall(r"`([a-z_0-9/]+\.py)`", named)
    assert files or not supported.startswith("yes")
    assert [file for file in files if not (ROOT / file).exists()] == []


def functions(paths: Iterable[Path]) -> set[str]:
    return {
        node.name
        for path in paths
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize(("subject", "row"), ROWS)
def test_every_row_says_yes_partly_no_or_later_or_how(subject: str, row: list[str]) -> None:
    assert subject in FOLDERS
    assert re.match(r"(yes|partly|no|later|a setting|as RFC)\b", row[2])


@pytest.mark.parametrize("subject", FOLDERS)
def test_every_standard_that_was_promised_has_a_row(subject: str) -> None:
    assert set(PROMISED[subject].split()) <= {row[0].removeprefix("RFC ") for row in rows(subject)}


@pytest.mark.parametrize("standard", SECTIONS)
def test_every_section_that_says_something_to_us_has_a_row(standard: str) -> None:
    told = {
        section
        for subject in FOLDERS
        for row in rows(subject)
        if row[0] == f"RFC {standard}"
        for section in sections(row[1])
    }
    assert set(SECTIONS[standard].split()) - told == set()


def sections(cell: str) -> set[str]:
    """The numbers in ``3, 4.1 to 4.3, words``."""
    found: set[str] = set()
    for first, last in SPAN.findall(cell):
        found.add(first)
        if last:
            *stem, low = first.split(".")
            high = last.split(".")[-1]
            found |= {".".join([*stem, str(number)]) for number in range(int(low), int(high) + 1)}
    return found
