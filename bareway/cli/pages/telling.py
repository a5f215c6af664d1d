"""One sentence on standard error, where nothing could be found out."""

import sys

from bareway.cli.pages.table import printable
from bareway.cli.verb import ExitCode


def could_not_tell(sentence: str) -> ExitCode:
    """Print it."""
    print(f"bareway: {printable(sentence)}", file=sys.stderr)
    return ExitCode.COULD_NOT_TELL
