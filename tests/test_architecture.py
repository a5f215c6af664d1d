"""The house's own rules, where no linter has one: sizes, names, citations, words that no test asks for."""

import ast
import re
from enum import StrEnum
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bareway", "controller", "speaker")
LINES_MAX = 400  # what a reader can hold; above that a file has become two
UNANSWERED = {"utils", "util", "common", "helpers", "core", "manager", "misc", "base"}
RFC = re.compile(r"\bRFC (\d{3,5})\b")
ENTRIES = {
    "controller.__main__",
    "speaker.__main__",
    "speaker.supervisor",
    "speaker.bfd.__main__",
    "bareway.cli.__main__",
    "bareway.runtime.kube.kubeconfig",
}


def _sources(*folders: str) -> list[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "_pb2" not in path.name)


PRODUCT = _sources(*PACKAGES)
TESTS = _sources("tests")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_there_is_something_to_check() -> None:
    assert len(PRODUCT) > 40
    assert len(TESTS) > 30


@pytest.mark.parametrize("path", [*PRODUCT, *TESTS], ids=_name)
def test_no_file_is_longer_than_a_reader_can_hold(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES_MAX


def test_no_file_or_folder_is_named_after_a_question_not_yet_answered() -> None:
    named = {_name(path): {path.stem, *path.relative_to(ROOT).parts} for path in (*PRODUCT, *TESTS)}
    assert not {name for name, words in named.items() if UNANSWERED & words}


def test_every_cited_rfc_stands_in_the_support_table_and_every_row_is_cited() -> None:
    cited = {number for path in PRODUCT for number in RFC.findall(path.read_text())}
    known = set(RFC.findall((ROOT / "bareway" / "RFCS.md").read_text()))
    assert cited == known


def test_every_product_file_named_in_the_support_table_exists() -> None:
    named = re.findall(r"`([a-z_0-9/]+\.py)`", (ROOT / "bareway" / "RFCS.md").read_text())
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_module_is_imported_by_another_or_is_a_program() -> None:
    imported = {name for path in PRODUCT for name in _imports(path)}
    modules = {_module(path) for path in PRODUCT if path.name != "__init__.py"}
    assert modules - imported - ENTRIES == set()


def test_every_word_of_a_refusal_is_asked_for_by_a_test() -> None:
    asked = "\n".join(path.read_text() for path in TESTS)
    unasked = []
    for path in PRODUCT:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Refusal", "Reason")):
                words = getattr(import_module(_module(path)), node.name)
                assert issubclass(words, StrEnum)
                unasked += [f"{node.name}.{w.name}" for w in words if f"{node.name}.{w.name}" not in asked]
    assert unasked == []


@pytest.mark.parametrize("path", PRODUCT, ids=_name)
def test_chance_is_seeded_by_the_caller(path: Path) -> None:
    assert "Random()" not in path.read_text()


LETS_TIME_PASS = {"tests/lab/waiting.py", "tests/lab/tools/stall_watch.py"}
"""The one place where the lab waits between two looks at the world, and the timer that measures lateness."""


@pytest.mark.parametrize("path", [p for p in TESTS if p != Path(__file__)], ids=_name)
def test_tests_neither_mock_nor_sleep_nor_skip(path: Path) -> None:
    banned = r"unittest\.mock|MagicMock|mark\.(skip|xfail)|pytest\.(skip|xfail)"
    if _name(path) not in LETS_TIME_PASS:
        banned += r"|time\.sleep\("
    assert re.findall(banned, path.read_text()) == []


@pytest.mark.parametrize(
    ("marks", "line"),
    [
        pytest.param(("real",), "kube:", id="the-real-API-server"),
        pytest.param(("lab", "host"), "LABS :=", id="namespaces"),
        pytest.param(("crowd",), "lab:", id="many-speakers"),
    ],
)
def test_every_test_that_needs_more_than_python_is_where_its_target_looks(
    marks: tuple[str, ...], line: str
) -> None:
    recipe = (
        (ROOT / "Makefile")
        .read_text()
        .partition(f"\n{line}")[2]
        .partition("\n\n" if ":=" not in line else "\n")[0]
    )
    looked_at = {word for word in recipe.split() if word.startswith("tests/")}
    marked = [path for path in TESTS if re.search(rf"pytest\.mark\.({'|'.join(marks)})\b", path.read_text())]
    assert marked
    assert {
        name for path in marked if not any(_is_in(name := _name(path), one) for one in looked_at)
    } == set()


def _is_in(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}/")


def test_the_version_is_said_once_alike() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared
    assert declared.group(1) == import_module("bareway").__version__
    assert f"## {declared.group(1)}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_two_modules_import_each_other_however_late() -> None:
    sources = {_module(path): path for path in PRODUCT}
    graph = {name: {one for one in _imports(path) if one in sources} for name, path in sources.items()}
    TopologicalSorter(graph).prepare()  # names a circle, if there is one


def _imports(path: Path) -> set[str]:
    """Modules, and what may be one: packages import nothing, so whom they hold is meant."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found
