"""The packages of the image, taken from the environment that ``make`` keeps: no network, no second resolver.

What requirements-runtime.lock names is copied file by file, as each package's own record lists them; a
version other than the locked one is an error.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from cluster.image_contents import (
    OWN_PACKAGES,
    PREFIX,
    CannotBuild,
    compile_bytecode,
    leave_out,
    site_packages,
    write_programs,
)
from cluster.image_system import INTERPRETER

ENVIRONMENT: Final = PREFIX.lstrip("/")
SETTINGS: Final = """\
home = /usr/local/bin
include-system-site-packages = false
version = {version}
"""

_LOCKED = re.compile(r"^([A-Za-z0-9].*?)\s*\\?$", re.MULTILINE)


def locked(lock: Path) -> Iterator[Distribution]:
    """The installed packages that ``lock`` names for this machine."""
    for line in _LOCKED.findall(lock.read_text()):
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found = distribution(requirement.name)
        except PackageNotFoundError:
            raise CannotBuild(f"{requirement} is not installed: run `make setup`") from None
        if not requirement.specifier.contains(found.version, prereleases=True):
            raise CannotBuild(f"{found.name} {found.version} is installed, locked is {requirement}")
        yield found


def shared_objects(lock: Path) -> Iterator[Path]:
    """The compiled modules of the packages, for their libraries to be found."""
    for package in locked(lock):
        for path, source in _files(package):
            if ".so" in path.suffixes:
                yield source


def stage_packages(root: Path, lock: Path) -> None:
    """Make the environment with everything that is not ours below ``root``."""
    prefix = root / ENVIRONMENT
    packages = site_packages(prefix)
    for package in locked(lock):
        for path, source in _files(package):
            (packages / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, packages / path)
    leave_out(packages)
    version = ".".join(map(str, sys.version_info[:3]))
    (prefix / "pyvenv.cfg").write_text(SETTINGS.format(version=version))
    (prefix / "bin").mkdir()
    for name in ("python", "python3"):
        (prefix / "bin" / name).symlink_to(INTERPRETER)
    compile_bytecode(prefix / "lib", root=root)


def stage_own(root: Path, project: Path) -> None:
    """Make our part of the environment below ``root``."""
    prefix = root / ENVIRONMENT
    packages = site_packages(prefix)
    for name in OWN_PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyi", "README.md")
        shutil.copytree(project / name, packages / name, ignore=ignored)
    shutil.copyfile(project / "LICENSE", prefix / "LICENSE")
    write_programs(prefix / "bin", project / "pyproject.toml")
    compile_bytecode(prefix / "lib", root=root)


def _files(package: Distribution) -> Iterator[tuple[Path, Path]]:
    """Path below site-packages, and source, of each file; programs and bytecode are made anew."""
    if package.files is None:
        raise CannotBuild(f"{package.name} has no list of its files: run `make clean setup`")
    for path in package.files:
        if ".." not in path.parts and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield Path(path), Path(str(package.locate_file(path)))
