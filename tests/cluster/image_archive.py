"""Layers and images as the OCI image specification has them, in one tar file (image-spec v1.1, image layout).

The same content gives the same bytes: names are sorted, times and owners are zero. What is not written:
anything for more than one platform.
"""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cluster.image_contents import CannotBuild

ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
COMPRESSION: Final = 6  # what registries' clients use; 9 saves 1 per cent for three times the time
WORLD_WRITABLE: Final = frozenset({"tmp"})
CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A compressed tree of files."""

    path: Path
    diff_id: str
    """Digest of the tar before compression; the image is known by these."""
    digest: str
    """Digest of the file."""
    size: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The layer in a file."""
        whole, packed = hashlib.sha256(), hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                packed.update(chunk)
        with gzip.open(path) as content:
            while chunk := content.read(CHUNK_BYTES):
                whole.update(chunk)
        return cls(
            path=path,
            diff_id=f"sha256:{whole.hexdigest()}",
            digest=f"sha256:{packed.hexdigest()}",
            size=path.stat().st_size,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is in an archive."""

    name: str
    path: Path
    layers: tuple[Layer, ...]
    compressed_bytes: int
    """As a registry counts it: layers, configuration and manifest."""


def write_layer(tree: Path, target: Path) -> Layer:
    """Pack everything below ``tree``."""
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=COMPRESSION, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(tree.rglob("*")):
            _add(archive, path, path.relative_to(tree).as_posix())
    return Layer.of(target)


def write_image(name: str, layers: Sequence[Layer], settings: Mapping[str, object], target: Path) -> Image:
    """Write an archive that ``ctr images import``, ``docker load`` and ``skopeo copy oci-archive:`` read."""
    configuration = _json(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(CONFIG_TYPE, configuration),
            "layers": [
                {"mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size} for layer in layers
            ],
        }
    )
    index = _json(
        {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": [
                {
                    **_descriptor(MANIFEST_TYPE, manifest),
                    "platform": {"architecture": architecture(), "os": "linux"},
                    "annotations": {
                        "io.containerd.image.name": name,
                        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
                    },
                }
            ],
        }
    )
    _write_archive(target, index, (configuration, manifest), layers)
    size = len(configuration) + len(manifest) + sum(layer.size for layer in layers)
    return Image(name=name, path=target, layers=tuple(layers), compressed_bytes=size)


def architecture() -> str:
    """This machine's, as images call it."""
    if platform.machine() not in ARCHITECTURES:
        known = " and ".join(ARCHITECTURES)
        raise CannotBuild(f"images are built on {known} only; this machine is {platform.machine()}")
    return ARCHITECTURES[platform.machine()]


def _write_archive(target: Path, index: bytes, documents: Iterable[bytes], layers: Iterable[Layer]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    half_done = target.with_suffix(".part")
    with tarfile.open(half_done, "w", format=tarfile.PAX_FORMAT) as archive:
        _add_bytes(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add_bytes(archive, "index.json", index)
        for document in documents:
            _add_bytes(archive, _blob(_digest(document)), document)
        for layer in layers:
            _add(archive, layer.path, _blob(layer.digest))
    half_done.rename(target)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add one file, link or directory, as root's, without its time."""
    info = archive.gettarinfo(str(path), name)
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    if info.isfile():
        info.type, info.mode = tarfile.REGTYPE, 0o755 if info.mode & 0o100 else 0o644
        with path.open("rb") as file:
            archive.addfile(info, file)
    else:
        info.mode = 0o1777 if name in WORLD_WRITABLE else 0o755
        archive.addfile(info)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()
