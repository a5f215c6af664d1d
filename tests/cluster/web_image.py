"""A stand-in for the web server of ``manifests/examples``: there is no registry to fetch the real one from.

Under the name that the example asks for, so that the example is applied as it is.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster.image_archive import Image, Layer, write_image
from cluster.image_contents import PREFIX

# Cheap enough to be asked a hundred times a second without a share of the processor worth mentioning.
SERVER: Final = r"""
import asyncio, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *arguments: sys.exit())
async def answer(reader, writer):
    try:
        async with asyncio.timeout(5):
            await reader.readuntil(b"\r\n\r\n")
            guest = writer.get_extra_info("peername")[0]
            page = f"Hello from {socket.gethostname()} to {guest}.".encode()
            head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(page)}\r\n\r\n".encode()
            writer.write(head + page)
            await writer.drain()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()
async def main():
    async with await asyncio.start_server(answer, "", 80, backlog=256) as server:
        await server.serve_forever()
asyncio.run(main())
"""


def build(example: Path, layers: Sequence[Layer], target: Path) -> Image:
    """Write the image to ``target``; the layers must hold Python."""
    named = re.search(r"^\s+image: (\S+)$", example.read_text(), re.MULTILINE)
    if named is None:
        raise ValueError(f"{example} names no image")
    settings = {"Cmd": [f"{PREFIX}/bin/python", "-c", SERVER]}
    return write_image(f"docker.io/library/{named[1]}", layers, settings, target)
