"""Prepares a fresh machine: uv, the environment in .venv, and Debian packages when root.

Run by make with whatever ``python3`` there is, before anything is installed: standard library only. It says
each thing it does before it does it, and does nothing where nothing is missing.

    python3 tests/bootstrap.py                     the environment
    python3 tests/bootstrap.py packages NAME…      Debian packages by name
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
TOOLS = ROOT / ".cache" / "uv"
UV_VERSION = "0.13.8"
PYTHON_MIN = (3, 11)
POLICY = Path("/usr/sbin/policy-rc.d")
"""What Debian asks before it starts or stops a service."""


def say(sentence: str) -> None:
    """One line for the person who waits."""
    print(f"setup: {sentence}", flush=True)


def fail(sentence: str) -> "SystemExit":
    """The one sentence that tells what to do; exit code 2, as for everything that could not be tried."""
    print(f"setup: {sentence}", file=sys.stderr, flush=True)
    return SystemExit(2)


def run(*command: str | Path) -> None:
    """Run a command and stop with its name when it fails."""
    result = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if result.returncode:
        raise fail(f"this failed with exit code {result.returncode}: {' '.join(map(str, command))}")


def python() -> str:
    """The interpreter for the environment: the newest on PATH that is new enough."""
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        path = shutil.which(name)
        if path is None:
            continue
        told = subprocess.run(
            [path, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode == 0 and tuple(map(int, told.stdout.split())) >= PYTHON_MIN:
            return path
    raise fail(
        "Python 3.11 or newer is needed and none was found on PATH; on Debian 12: apt-get install python3"
    )


def uv(interpreter: str) -> str:
    """Path of uv: the one on PATH, else one in a small environment of its own inside the tree."""
    found = shutil.which("uv")
    if found:
        return found
    own = TOOLS / "bin" / "uv"
    if own.exists():
        return str(own)
    say(f"install uv {UV_VERSION} into {TOOLS.relative_to(ROOT)} (once)")
    probe = subprocess.run([interpreter, "-c", "import ensurepip"], capture_output=True, check=False)
    if probe.returncode:
        packages("python3-venv")
    run(interpreter, "-m", "venv", TOOLS)
    run(TOOLS / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}")
    return str(own)


def environment() -> None:
    """Make .venv exactly what requirements.lock says, hashes checked, with this project in it."""
    ready = ENVIRONMENT / "ready"
    wanted = (ROOT / "requirements.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    if ready.exists() and ready.read_bytes() == wanted:
        os.utime(ready)
        return
    interpreter = python()
    tool = uv(interpreter)
    if not (ENVIRONMENT / "bin" / "python").exists():
        say("make the environment .venv")
        run(tool, "venv", "--quiet", "--python", interpreter, ENVIRONMENT)
    say("install the packages that requirements.lock names (about 70; a minute on a slow line)")
    run(tool, "pip", "sync", "--quiet", "--python", ENVIRONMENT / "bin" / "python", "--require-hashes",
        "--compile-bytecode", "requirements.lock")  # fmt: skip
    run(tool, "pip", "install", "--quiet", "--python", ENVIRONMENT / "bin" / "python", "--no-deps",
        "--no-build-isolation", "--editable", ".")  # fmt: skip
    ready.write_bytes(wanted)


def installed(name: str) -> bool:
    """Whether Debian's package ``name`` is installed."""
    told = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode == 0 and told.stdout == "installed"


@contextmanager
def nothing_started() -> Iterator[None]:
    """Keep what is installed from starting: a router of the tests must not speak on this machine's links."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")  # "action forbidden by policy", as invoke-rc.d(8) has it
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def packages(*names: str) -> None:
    """Install what is missing of Debian's packages; without root or apt, say what to install."""
    if shutil.which("dpkg-query") is None:
        say(f"this is not Debian: please see that these are installed by another way: {' '.join(names)}")
        return
    missing = [name for name in names if not installed(name)]
    if not missing:
        return
    if os.geteuid() != 0:
        raise fail(f"missing packages and not root; run: apt-get install {' '.join(missing)}")
    say(f"install Debian packages: {' '.join(missing)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    install = (
        "apt-get",
        "install",
        "-y",
        "-qq",
        "-o",
        "Dpkg::Use-Pty=0",
        "--no-install-recommends",
        *missing,
    )
    with nothing_started():
        first = subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if first.returncode:  # an old list of packages, or none
            run("apt-get", "update", "-qq")
            run(*install)


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            environment()
        case ["packages", *wanted_packages]:
            packages(*wanted_packages)
        case _:
            raise fail(f"unknown argument; {__doc__}")
