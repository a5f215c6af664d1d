import subprocess
import tomllib
from pathlib import Path

import pytest

from mutation.copying import copy_tests, copy_tree, origin


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with something in it that git knows, would take, and ignores."""
    tree = tmp_path / "tree"
    for name in ("bareway/decide/free.py", "tests/new.py", ".cache/old.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    (tree / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tree / ".gitignore").write_text("/.cache/\n")
    subprocess.run(["git", "init", "--quiet", "."], cwd=tree, check=True)
    subprocess.run(["git", "add", "bareway", "pyproject.toml"], cwd=tree, check=True)
    commit = ["git", "-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "--message=c"]
    subprocess.run(commit, cwd=tree, check=True)
    return tree


def test_the_copy_has_what_git_knows_or_would_take_and_says_what_to_mutate(root: Path) -> None:
    target = root / ".cache" / "copy"
    copy_tree(root, target, "decide")
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert files == [".copied-from", ".gitignore", "bareway/decide/free.py", "pyproject.toml", "tests/new.py"]
    written = tomllib.loads((target / "pyproject.toml").read_text())
    assert written["project"] == {"name": "x"}
    assert written["tool"]["mutmut"]["only_mutate"] == ["bareway/decide/*"]
    assert written["tool"]["mutmut"]["pytest_add_cli_args_test_selection"] == ["tests/bareway/decide"]


def test_a_copy_is_made_anew_and_its_tests_can_be_brought_up_to_date(root: Path) -> None:
    target = root / ".cache" / "copy"
    copy_tree(root, target, "decide")
    (root / "bareway/decide/free.py").unlink()
    (root / "tests/new.py").write_text("newer")
    copy_tests(root, target)
    assert (target / "tests/new.py").read_text() == "newer"
    assert (target / "bareway/decide/free.py").exists(), "the product stays as it was mutated"
    copy_tree(root, target, "decide")
    assert not (target / "bareway/decide/free.py").exists()


def test_a_commit_is_copied_as_it_is_whatever_was_changed_since_and_that_is_what_is_told(root: Path) -> None:
    target = root / ".cache" / "copy"
    copy_tree(root, target, "decide")
    assert origin(target).endswith(" with changes")
    (root / "bareway/decide/free.py").write_text("half a thought")
    copy_tree(root, target, "decide", commit="HEAD")
    assert (target / "bareway/decide/free.py").read_text() == "bareway/decide/free.py"
    assert not (target / "tests").exists()
    assert ", commit " in origin(target)
    assert not origin(target).endswith("changes")
