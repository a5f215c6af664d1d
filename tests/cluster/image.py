"""Builds the image without a Docker engine: ``python -m cluster.image`` writes ``dist/bareway-VERSION.tar``.

The same content as the Dockerfile's, from this machine's own Python and the environment that ``make`` keeps;
for trying out and for machines without a registry: ``ctr -n k8s.io images import dist/bareway-0.1.0.tar``.
Layers that did not change are kept in ``${XDG_CACHE_HOME:-~/.cache}/bareway/layers``.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import bareway
from cluster.build import cache
from cluster.image_archive import Image, Layer, write_image, write_layer
from cluster.image_contents import PREFIX, CannotBuild
from cluster.image_packages import shared_objects, stage_own, stage_packages
from cluster.image_system import NOBODY, stage_system

PROJECT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = PROJECT / "requirements-runtime.lock"
NAME: Final = f"docker.io/library/bareway:{bareway.__version__}"
"""``bareway:0.1.0`` in full, as the manifests' name is read by every runtime."""
SETTINGS: Final = {
    "Env": [f"PATH={PREFIX}/bin:/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1", "MALLOC_ARENA_MAX=1"],
    "User": f"{NOBODY}:{NOBODY}",
    "WorkingDir": "/",
    "Cmd": ["bareway"],
    "Labels": {
        "org.opencontainers.image.title": "bareway",
        "org.opencontainers.image.version": bareway.__version__,
        "org.opencontainers.image.licenses": "Apache-2.0",
    },
}
MB: Final = 1_000_000
KEPT_MAX: Final = 4
SIZE_MAX_BYTES: Final = 120 * MB  # compressed; a node fetches it before it can announce anything


def build(target: Path) -> Image:
    """Write the image to ``target``."""
    with tempfile.TemporaryDirectory(prefix="bareway-image-") as directory:
        return write_image(NAME, layers(Path(directory)), SETTINGS, target)


def layers(place: Path) -> tuple[Layer, Layer, Layer]:
    """The system, the packages, our own code: files below ``place``, which must be empty."""
    builders = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("image*.py")))
    basis = f"{sys.version}{sys.executable}{LOCK.read_text()}{builders}"
    return (
        _kept("system", basis, place, lambda root: stage_system(root, linking=shared_objects(LOCK))),
        _kept("packages", basis, place, lambda root: stage_packages(root, LOCK)),
        _made("own", place, lambda root: stage_own(root, PROJECT)),
    )


def _kept(name: str, basis: str, place: Path, stage: Callable[[Path], None]) -> Layer:
    """A copy of the layer that was made before from the same ``basis``, or a new one, which is kept.

    Another checkout on this machine may do the same at this moment: nobody works with the kept file itself.
    """
    kept = cache() / "layers" / f"{name}-{hashlib.sha256(basis.encode()).hexdigest()[:16]}.tar.gz"
    kept.parent.mkdir(parents=True, exist_ok=True)
    copy = place / f"{name}.tar.gz"
    try:
        shutil.copyfile(kept, copy)
        kept.touch()
    except FileNotFoundError:
        layer = _made(name, place, stage)
        half_done = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copyfile(layer.path, half_done)
        half_done.rename(kept)
        _forget(kept.parent, name)
        return layer
    return Layer.of(copy)


def _forget(directory: Path, name: str) -> None:
    """Keep the layers that were used last: one for each of a few checkouts."""
    used = sorted(directory.glob(f"{name}-*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in used[KEPT_MAX:]:
        old.unlink(missing_ok=True)


def _made(name: str, place: Path, stage: Callable[[Path], None]) -> Layer:
    root = place / name
    root.mkdir()
    stage(root)
    return write_layer(root, place / f"{name}.tar.gz")


def main() -> None:
    """Build, and say where it is and how large."""
    target = Path(sys.argv[1]) if sys.argv[1:] else PROJECT / "dist" / f"bareway-{bareway.__version__}.tar"
    try:
        image = build(target)
    except CannotBuild as error:
        sys.exit(f"cannot build the image: {error}")
    parts = " + ".join(f"{layer.size / MB:.1f}" for layer in image.layers)
    print(f"{image.path}: {image.name}, {image.compressed_bytes / MB:.1f} MB compressed ({parts})")
    if image.compressed_bytes > SIZE_MAX_BYTES:
        sys.exit(f"that is more than {SIZE_MAX_BYTES / MB:.0f} MB: see what came in")


if __name__ == "__main__":
    main()
