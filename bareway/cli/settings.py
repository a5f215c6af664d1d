"""What the command learns from its environment: which cluster, and what kind of terminal it writes to."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KUBECONFIG: Final = "KUBECONFIG"
WIDTH_WITHOUT: Final = 80  # columns of a terminal that does not say how many it has
DUMB: Final = frozenset({"dumb", "unknown"})
"""Values of TERM of a terminal that obeys nothing but letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where the answer is read."""

    is_rich: bool = False
    """A person looks at it, on a terminal that can show more than letters; else it is a pipe or a file."""
    has_colours: bool = False
    columns: int = WIDTH_WITHOUT


def terminal() -> Terminal:
    """What standard output is."""
    return terminal_of(os.environ, is_terminal=sys.stdout.isatty())


def terminal_of(environ: Mapping[str, str], *, is_terminal: bool) -> Terminal:
    """The same from what the environment says (``NO_COLOR`` as https://no-color.org has it)."""
    is_rich = is_terminal and environ.get("TERM", "") not in DUMB
    columns = shutil.get_terminal_size((WIDTH_WITHOUT, 24)).columns
    return Terminal(is_rich=is_rich, has_colours=is_rich and not environ.get("NO_COLOR"), columns=columns)


def usual_kubeconfig() -> Path | None:
    """The file that kubectl would take; None where there is none, as in a Pod."""
    return kubeconfig_of(os.environ, Path.home())


def kubeconfig_of(environ: Mapping[str, str], home: Path) -> Path | None:
    """The same from what the environment says."""
    named = environ.get(KUBECONFIG, "")
    if named:
        return Path(named)
    usual = home / ".kube" / "config"
    return usual if usual.exists() else None
