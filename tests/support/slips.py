"""A slip in a command that a page shows, and what a command may name."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACEHOLDER: Final = re.compile(r"[A-Z][A-Z0-9-]*|…|\.\.\.")
"""What the reader is to replace."""


class Slip(Exception):
    """The command cannot be what its writer meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where commands are typed: at the top of the project, beside the files that their page shows."""

    root: Path
    files: Collection[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether a command may name this file or folder."""
        return name in self.files or bool(PLACEHOLDER.fullmatch(name)) or (self.root / name).exists()
