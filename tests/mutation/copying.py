"""A copy of the tree to break: what is mutated is never the tree that people work in."""

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


def copy_tree(root: Path, target: Path, only: str) -> None:
    """Copy the tree, and say in the copy what is to be mutated."""
    if target.exists():
        shutil.rmtree(target)
    _copy(root, target, ".")
    with (target / "pyproject.toml").open("a") as file:
        file.write(CONFIGURATION.format(source=f"bareway/{only}", tests=f"tests/bareway/{only}"))


def copy_tests(root: Path, target: Path) -> None:
    """Bring the tests of the copy up to date."""
    _copy(root, target, "tests")


def _copy(root: Path, target: Path, part: str) -> None:
    """What git knows, or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", part],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0"):
        source = root / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
