"""Reads what mutmut wrote down in the copy of the tree."""

import ast
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from mutation.fates import Change, Fate, Mutant

FATES = {
    "killed": Fate.KILLED,
    "timeout": Fate.TIMED_OUT,
    "survived": Fate.SURVIVED,
    "no tests": Fate.UNTESTED,
    "not checked": Fate.UNTRIED,
}
HUNK = re.compile(r"@@ -(\d+)")


def read_results(tree: Path) -> dict[str, Mutant]:
    """Every mutant of the copy by mutmut's name, in the order of files and of what is written in them."""
    with _inside(tree):
        return dict(_read())


def _read() -> Iterator[tuple[str, Mutant]]:
    for meta in sorted(Path("mutants").rglob("*.py.meta")):
        path = meta.relative_to("mutants").with_suffix("")
        data = SourceFileMutationData(path=path)
        data.load()
        source = path.read_text()
        for name, exit_code in data.exit_code_by_key.items():
            fate = FATES.get(status_by_exit_code[exit_code], Fate.LOST)
            yield name, _mutant(name, path, source, fate)


def _mutant(name: str, path: Path, source: str, fate: Fate) -> Mutant:
    function, class_name = orig_function_and_class_names_from_key(name)
    qualified = f"{class_name}.{function}" if class_name else function
    module = ".".join(path.with_suffix("").parts)
    if fate in {Fate.KILLED, Fate.UNTRIED}:  # nobody asks what it changed, and there are thousands
        return Mutant(path=str(path), line=0, change=Change(function=qualified, was="", now=name), fate=fate)
    offset, was, now = read_diff(get_diff_for_mutant(name, path=path))
    return Mutant(
        path=str(path),
        line=first_line(source, qualified) + offset,
        change=Change(function=f"{module}.{qualified}", was=was, now=now),
        fate=fate,
    )


def read_diff(diff: str) -> tuple[int, str, str]:
    """How many lines into the function it changes something; what stood there; what stands there now."""
    was: list[str] = []
    now: list[str] = []
    offset, line = -1, 0
    for text in diff.splitlines()[2:]:
        if hunk := HUNK.match(text):
            line = int(hunk.group(1)) - 1
            continue
        if text[:1] in "+-" and offset < 0:
            offset = line
        if text[:1] == "+":
            now.append(text[1:].strip())
            continue
        if text[:1] == "-":
            was.append(text[1:].strip())
        line += 1
    return offset, " ".join(was), " ".join(now)


def first_line(source: str, qualified: str) -> int:
    """Where mutmut has a function begin: with the comments above it."""
    body: list[ast.stmt] = ast.parse(source).body
    *classes, name = qualified.split(".")
    for outer in classes:
        body = next(one.body for one in body if isinstance(one, ast.ClassDef) and one.name == outer)
    functions = (one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    found = next(one for one in functions if one.name == name)
    line = min([found.lineno, *(decorator.lineno for decorator in found.decorator_list)])
    lines = source.splitlines()
    while line > 1 and (not lines[line - 2].strip() or lines[line - 2].strip().startswith("#")):
        line -= 1
    while not lines[line - 1].strip():
        line += 1
    return line


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """mutmut knows only the working directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
