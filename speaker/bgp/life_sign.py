"""A file that says until when this speaker had BGP sessions, for the life that comes after it.

Who comes back within the restart time says so in OPEN (the R bit of RFC 4724 section 3): a router then does
not wait for our End-of-RIB before it tells its own routes. The file is written while a session is up, so that
a crash leaves it behind, too; a time of another boot means nothing.
"""

import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

from bareway.bgp.peers import RESTART_TIME_S

BEAT_S: Final = 30.0
"""Between two signs of life."""
RECORD: Final = struct.Struct("!36sd")
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
FILE_NAME: Final = "bgp-alive"


class LifeSign:
    """One file; without a place for it every life is the first one."""

    def __init__(self, path: Path | None, *, boot_id: Path = BOOT_ID) -> None:
        self._path = path
        self._boot_id = boot_id

    def is_recent(self, now: float) -> bool:
        """Whether an earlier life had sessions a moment before ``now``, by a clock that counts since boot."""
        if self._path is None:
            return False
        try:
            boot_id, at = RECORD.unpack(self._path.read_bytes())
        except (OSError, struct.error):
            return False
        return bool(boot_id == self._boot() and at <= now < at + BEAT_S + RESTART_TIME_S)

    def beat(self, now: float) -> None:
        """There are sessions; a file that cannot be written costs no more than a courtesy."""
        if self._path is None:
            return
        fresh = self._path.with_name(f"{self._path.name}.new")
        with suppress(OSError):
            fresh.write_bytes(RECORD.pack(self._boot(), now))
            fresh.replace(self._path)

    def forget(self) -> None:
        """There are none any more, on purpose."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _boot(self) -> bytes:
        return self._boot_id.read_bytes()[:36]
