"""A copy of the tree to break: what is mutated is never the tree that people work in.

It is made of the files as they are, or as a commit has them: then nobody who works on meanwhile changes what
is measured. What it was made of stands in the copy.
"""

import shutil
import subprocess
from pathlib import Path

CONFIGURATION = """

[tool.mutmut]
source_paths = ["bareway/"]
only_mutate = ["{source}/*"]
pytest_add_cli_args_test_selection = ["{tests}"]
pytest_add_cli_args = [
    "-p", "mutation.hypothesis_profile", "--hypothesis-profile=mutation",
    "-p", "no:cacheprovider", "--timeout=0",
]
also_copy = ["controller", "speaker"]
timeout_constant = 5.0
timeout_multiplier = 1.0
"""
"""A mutant may use ten seconds of CPU time, and twice what the tests take that reach it."""

ORIGIN = ".copied-from"


def copy_tree(root: Path, target: Path, only: str, *, commit: str | None = None) -> None:
    """Copy the tree, or a commit of it, and say in the copy what is to be mutated."""
    if target.exists():
        shutil.rmtree(target)
    _fill(root, target, ".", commit)
    with (target / "pyproject.toml").open("a") as file:
        file.write(CONFIGURATION.format(source=f"bareway/{only}", tests=f"tests/bareway/{only}"))
    (target / ORIGIN).write_text(_told(root, commit))


def copy_tests(root: Path, target: Path, *, commit: str | None = None) -> None:
    """Bring the tests of the copy up to date."""
    _fill(root, target, "tests", commit)


def origin(target: Path) -> str:
    """Which commit a copy was made of, and whether that is all."""
    return (target / ORIGIN).read_text()


def _fill(root: Path, target: Path, part: str, commit: str | None) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if commit is None:
        _copy(root, target, part)
        return
    packed = subprocess.run(["git", "archive", commit, part], cwd=root, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=target, input=packed.stdout, check=True)


def _copy(root: Path, target: Path, part: str) -> None:
    """What git knows, or would take."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", part)
    for name in listed.split("\0"):
        source = root / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)


def _told(root: Path, commit: str | None) -> str:
    told = _git(root, "log", "-1", "--format=%cs, commit %h", commit or "HEAD").strip()
    is_changed = commit is None and _git(root, "status", "--porcelain", "bareway", "tests").strip()
    return f"{told} with changes" if is_changed else told


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout
