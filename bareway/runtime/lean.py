"""Imports aiohttp without the system's certificates: 75 ms and 1.7 MB of each start.

It reads them, as soon as it is imported, for TLS contexts of its own that no program of ours uses: the API
server is checked by the authority that comes with the credentials, and where they name none, the context is
made then. To be imported before anything that imports aiohttp.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PLACES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where OpenSSL is told to look instead of its own places."""


@contextmanager
def _without_certificates() -> Iterator[None]:
    environ = os.environ  # noqa: TID251 - it is no setting of ours, and as before a moment later
    before = {name: environ.pop(name, None) for name in PLACES}
    environ.update(dict.fromkeys(PLACES, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            del environ[name]
            if value is not None:
                environ[name] = value


with _without_certificates():
    import aiohttp  # noqa: F401 - all that it is for
