"""A stand-in for the web server of ``manifests/examples``: there is no registry to fetch the real one from.

Under the name that the example asks for, so that the example is applied as it is.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster.image_archive import Image, Layer, write_image
from cluster.image_contents import PREFIX

SERVER: Final = """
import http.server, signal, socket, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"Hello from {socket.gethostname()} to {self.client_address[0]}.".encode())
    def log_message(self, *arguments):
        pass
signal.signal(signal.SIGTERM, lambda *arguments: sys.exit())
http.server.ThreadingHTTPServer.request_queue_size = 256
http.server.ThreadingHTTPServer(("", 80), Page).serve_forever()
"""


def build(example: Path, layers: Sequence[Layer], target: Path) -> Image:
    """Write the image to ``target``; the layers must hold Python."""
    named = re.search(r"^\s+image: (\S+)$", example.read_text(), re.MULTILINE)
    if named is None:
        raise ValueError(f"{example} names no image")
    settings = {"Cmd": [f"{PREFIX}/bin/python", "-c", SERVER]}
    return write_image(f"docker.io/library/{named[1]}", layers, settings, target)
