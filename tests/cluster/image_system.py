"""The part of the image below our packages: this machine's own Python and the libraries that it links to.

It stands where the official Python image has it (``/usr/local``). No shell, no package manager, no compiler;
host names are looked up by files and DNS, which glibc 2.34 and later can do by itself.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cluster.image_contents import CannotBuild, compile_bytecode

VERSION: Final = f"python{sys.version_info[0]}.{sys.version_info[1]}"
INTERPRETER: Final = f"/usr/local/bin/{VERSION}"
NOBODY: Final = 65534

UNUSED: Final = frozenset(
    {
        "__pycache__",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "site-packages",
        "test",
        "tests",
        "tkinter",
        "turtledemo",
    }
)
"""Folders of the standard library: tests, windows, other packages, and what installs some."""
UNUSED_MODULES: Final = re.compile(r"(_test|_ctypes_test|_xx|xx|_tkinter).*\.so")
BUILDS_ONLY: Final = "config-"
"""What is needed to link another interpreter, with a static library of 20 MB."""

ETC: Final = {
    "passwd": f"root:x:0:0:root:/root:/sbin/nologin\nnobody:x:{NOBODY}:{NOBODY}:nobody:/:/sbin/nologin\n",
    "group": f"root:x:0:\nnogroup:x:{NOBODY}:\n",
    "nsswitch.conf": "hosts: files dns\n",
}
LOADER_PLACES: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
MOUNT_POINTS: Final = ("dev", "proc", "run/bareway", "sys", "tmp")

_LINKED = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_UNLINKED = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)


def stage_system(root: Path, *, linking: Iterable[Path]) -> None:
    """Make the tree of the image at ``root``, without our packages.

    Args:
        root: an empty directory.
        linking: more shared objects whose libraries must be there, such as those of packages.
    """
    interpreter = Path(os.path.realpath(sys.executable))
    _copy(interpreter, root / INTERPRETER.lstrip("/"))
    for name in ("python3", "python"):
        (root / "usr/local/bin" / name).symlink_to(VERSION)
    standard = root / "usr/local/lib" / VERSION
    shutil.copytree(sysconfig.get_path("stdlib"), standard, ignore=_unused)
    compile_bytecode(standard, root=root)
    for name, text in ETC.items():
        _write(root / "etc" / name, text)
    for place in MOUNT_POINTS:
        (root / place).mkdir(parents=True)
    for library, file in libraries([interpreter, *standard.rglob("*.so"), *linking]):
        _copy(file, root / library.relative_to("/"))


def libraries(programs: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Each shared library that ``programs`` link to: its place in the image, and its file here.

    A library from an unusual place, as of a Python built by hand, goes beside the C library, where the loader
    finds it without being told. Those inside packages come with their packages.

    Raises:
        CannotBuild: one of them is not installed, or this is not glibc.
    """
    named = sorted(_linked(programs))
    beside = next((path.parent for path in named if path.name.startswith("libc.so")), None)
    if beside is None:
        raise CannotBuild("this Python is not linked to glibc: its libraries cannot be found with ldd")
    for path in named:
        if "site-packages" not in path.parts:
            is_usual = any(path.is_relative_to(place) for place in LOADER_PLACES)
            yield (path if is_usual else beside / path.name), Path(os.path.realpath(path))


def _linked(programs: Iterable[Path]) -> set[Path]:
    command = ["ldd", *map(str, programs)]
    done = subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C"}, check=False)
    absent = sorted(set(_UNLINKED.findall(done.stdout)))
    if absent:
        raise CannotBuild(f"these libraries are linked to and not installed: {', '.join(absent)}")
    return {Path(name) for name in _LINKED.findall(done.stdout)}


def _unused(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name in UNUSED or name.startswith(BUILDS_ONLY) or UNUSED_MODULES.fullmatch(name)
    }


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
