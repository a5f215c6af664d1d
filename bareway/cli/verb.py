"""What every verb of the command is made of, and what its exit code says."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

LOCAL: Final = "--local"
"""Before or after the verb: ask the programs on this node, not a cluster."""


class ExitCode(IntEnum):
    """The answer in a word for scripts; who is ended early has 130 (Ctrl-C) or 141 (its reader went)."""

    WELL = 0
    SOMETHING_WRONG = 1
    """Found out, and it is not well: problems in a document, a Service that is not served."""
    COULD_NOT_TELL = 2
    """Nothing was found out: no socket, no cluster, a missing right, a bad argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """What stands behind one word after ``bareway``; it lives in a file of that name."""

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], ExitCode]
    answers_here: bool = False
    """Whether it knows ``--local``: asks programs, and so can ask those on this node alone."""
