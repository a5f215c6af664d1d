"""What both builders of the image do alike to ``/opt/bareway``, an environment with all packages in it.

``python image_contents.py PREFIX PYPROJECT`` removes what no program of ours imports, writes the programs
that pyproject.toml names, and compiles everything to bytecode: a container's root may not be written to, so
that Python would else compile at every start. The Dockerfile runs this file alone: standard library only.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PREFIX: Final = "/opt/bareway"
"""Where the environment is in the image, and first in its PATH."""
OWN_PACKAGES: Final = ("bareway", "controller", "speaker")
LEFT_OUT: Final = ("kubernetes/aio", "pip", "setuptools", "wheel")
"""A second client that nobody here imports, 30 MB with its bytecode; and what can install things."""
OWN_MODULE: Final = rf"/site-packages/({'|'.join(OWN_PACKAGES)})/"
PLAIN: Final = ".pyc"
STRIPPED: Final = ".opt-2.pyc"
"""What ``compileall -o 2`` writes; by the plain name it is read without the flag ``-OO``: that is for all."""

PROGRAM: Final = """\
#!{prefix}/bin/python
import sys

from {module} import {function}

sys.exit({function}())
"""


class CannotBuild(Exception):
    """The image cannot be built; the message says what to do."""


def main(prefix: Path, pyproject: Path) -> None:
    """Finish an environment that has all packages in it."""
    leave_out(site_packages(prefix))
    write_programs(prefix / "bin", pyproject)
    compile_bytecode(prefix / "lib")


def site_packages(prefix: Path) -> Path:
    """Where the environment at ``prefix`` has its packages."""
    return prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def leave_out(packages: Path) -> None:
    """Remove what the image does without, and bytecode that came along."""
    for unwanted in LEFT_OUT:
        shutil.rmtree(packages / unwanted, ignore_errors=True)
    for cache in list(packages.rglob("__pycache__")):
        shutil.rmtree(cache)


def programs(pyproject: Path) -> Mapping[str, str]:
    """Name and ``module:function`` of each program."""
    found: Mapping[str, str] = tomllib.loads(pyproject.read_text())["project"]["scripts"]
    return found


def write_programs(directory: Path, pyproject: Path) -> None:
    """Write the programs as files to be run."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, target in programs(pyproject).items():
        module, _, function = target.partition(":")
        path = directory / name
        path.write_text(PROGRAM.format(prefix=PREFIX, module=module, function=function))
        path.chmod(0o755)


def compile_bytecode(tree: Path, *, root: Path | None = None) -> None:
    """Compile all modules below ``tree``; with ``root``, as if that were ``/``.

    The bytecode is never compared with its source, which has another time in every layer. It is the same each
    time: made in one fresh process, since it shows the order of sets and what was compiled before. Modules of
    others leave their docstrings and assertions behind, which no program of ours reads: 2 MB of each process.
    """
    fixed = [] if root is None else ["-s", str(root), "-p", "/"]
    _compile([tree], [*fixed, "-o", "2", "-x", OWN_MODULE])
    for stripped in list(tree.rglob(f"*{STRIPPED}")):
        stripped.rename(stripped.with_name(stripped.name.removesuffix(STRIPPED) + PLAIN))
    own = [package for name in OWN_PACKAGES for package in tree.glob(f"*/site-packages/{name}")]
    if own:
        _compile(own, fixed)


def _compile(trees: Sequence[Path], options: Sequence[str]) -> None:
    command = [sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    environment = {"PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [*command, *options, *map(str, trees)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotBuild(f"not everything in {trees} can be compiled:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
