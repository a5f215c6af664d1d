"""The build: what it depends on, and what it says when it cannot be."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import build

FAKE_GO = """#!/bin/sh
case "$1" in
version) echo "go version go{version} linux/amd64" ;;
mod) exit {mod_code} ;;
build)
    echo built >> "{log}"
    for word; do last=$previous; previous=$word; [ "$last" = -o ] && echo binary > "$word"; done
    echo "main.go:1: something is wrong" >&2
    exit {build_code} ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a PATH in which only a fake Go can stand."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def _install_go(
    folder: Path, log: Path, *, version: str = "1.26.1", mod_code: int = 0, build_code: int = 0
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "go"
    program.write_text(FAKE_GO.format(version=version, log=log, mod_code=mod_code, build_code=build_code))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_the_version_is_the_one_in_go_mod() -> None:
    text = (build.MODULE / "go.mod").read_text()
    assert build.version().startswith("v1.")
    assert f"k8s.io/kubernetes {build.version()}\n" in text


def test_every_staging_module_is_of_the_same_release() -> None:
    lines = (build.MODULE / "go.mod").read_text().splitlines()
    replaced = [line.split() for line in lines if "=>" in line]
    release = "v0." + build.version().removeprefix("v1.")
    assert len(replaced) > 30
    assert {words[-1] for words in replaced} == {release}
    assert all(words[0] == words[2] for words in replaced)


def test_the_binary_is_named_after_all_that_goes_in(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "module"
    module.mkdir()
    for name in build.INPUTS:
        (module / name).write_bytes((build.MODULE / name).read_bytes())
    before = build.cached()
    monkeypatch.setattr(build, "MODULE", module)
    assert build.cached() == before
    names = {before}
    for name in build.INPUTS:
        with (module / name).open("a") as file:
            file.write("// changed\n")
        names.add(build.cached())
    assert len(names) == 1 + len(build.INPUTS)
    assert before.is_relative_to(home / "cache" / "bareway")


def test_it_is_built_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _install_go(home / "bin", home / "log")
    assert build.binary() == build.cached()
    assert build.binary().read_text() == "binary\n"
    assert (home / "log").read_text() == "built\n"
    assert "compiling" in capsys.readouterr().err


def test_two_who_need_it_at_once_build_it_once(home: Path) -> None:
    _install_go(home / "bin", home / "log")
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "cluster.build"]
    runs = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    printed = {run.communicate()[0].decode().strip() for run in runs}
    assert printed == {str(build.cached())}
    assert (home / "log").read_text() == "built\n"


def test_a_build_that_fails_leaves_nothing_and_shows_why(home: Path) -> None:
    _install_go(home / "bin", home / "log", build_code=1)
    with pytest.raises(build.CannotBuild, match=r"something is wrong"):
        build.binary()
    assert [path.name for path in build.cached().parent.iterdir()] == ["lock"]


def test_modules_that_cannot_be_downloaded_are_named(home: Path) -> None:
    _install_go(home / "bin", home / "log", mod_code=1)
    with pytest.raises(build.CannotBuild, match=r"go mod download"):
        build.binary()


def test_a_go_installed_before_is_used_where_the_one_in_path_is_too_old(home: Path) -> None:
    _install_go(home / "bin", home / "old", version="1.19.8")
    _install_go(build.cache() / "go-1.26" / "bin", home / "new")
    build.binary()
    assert (home / "new").exists()
    assert not (home / "old").exists()


def test_a_go_that_cannot_be_installed_is_a_clear_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install_go(home / "bin", home / "old", version="1.19.8")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(build.CannotBuild, match=r"Go 1\.26 or newer is needed") as caught:
        build.binary()
    assert "https://go.dev/dl" in str(caught.value)
