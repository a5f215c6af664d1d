"""The image of the container that holds a Pod's namespaces: one static program that waits for ever."""

import struct
import tempfile
from pathlib import Path
from typing import Final

from cluster.image_archive import Image, architecture, write_image, write_layer

BASE: Final = 0x400000  # where a static program is usually loaded
HEADERS_BYTES: Final = 64 + 56
# x86-64: pause(2) is call 34, in a loop. arm64 has no pause: ppoll(2), call 73, with nothing to poll.
CODE: Final = {
    "amd64": (62, bytes.fromhex("b8 22000000 0f05 ebf7")),
    "arm64": (
        183,
        bytes.fromhex("000080d2 010080d2 020080d2 030080d2 040080d2 280980d2 010000d4 f9ffff17"),
    ),
}


def program() -> bytes:
    """An ELF executable (System V ABI, chapter 4): file header, one loaded segment, the code."""
    machine, code = CODE[architecture()]
    size = HEADERS_BYTES + len(code)
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bits, little-endian, version 1
    # executable, machine, version, entry, program headers at 64, no sections, flags, sizes and counts
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, BASE + HEADERS_BYTES, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    # load, read and execute, offset, addresses, sizes, alignment
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return identity + header + segment + code


def build(name: str, target: Path) -> Image:
    """Write the image to ``target``."""
    with tempfile.TemporaryDirectory(prefix="bareway-pause-") as directory:
        root = Path(directory) / "root"
        root.mkdir()
        (root / "pause").write_bytes(program())
        (root / "pause").chmod(0o755)
        layer = write_layer(root, Path(directory) / "layer.tar.gz")
        return write_image(name, [layer], {"Entrypoint": ["/pause"]}, target)
