"""The ``bareway`` command, installed also as ``kubectl-bareway`` for kubectl to find; a verb is a file."""

import argparse
import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bareway.cli.verb import LOCAL, ExitCode, Verb
from bareway.cli.verbs import LOADERS
from bareway.cli.words import WORDS

INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended
PIPE_CLOSED = 141  # and of one whose reader went: what it had to say was not heard, so 0 would be a lie


class _Help(argparse.HelpFormatter):
    """Has room for the longest verb: argparse forgets that verbs are indented twice."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(len(word.name) for word in WORDS) + 2 * self._indent_increment


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is ``ExitCode``'s, or what shells say of a program that was ended."""
    gc.disable()  # it ends soon: to look for garbage among what is imported would take a tenth of its start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a letter that it has not is no reason to fail
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # of a help page too, which argparse ends with
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    finally:
        gc.enable()


def _run(words: Sequence[str]) -> int:
    parser = command_parser(Path(sys.argv[0]).name, words)
    arguments = parser.parse_args(words)
    if arguments.verb is None:
        parser.print_help()
        return ExitCode.WELL
    verb: Verb = arguments.verb
    if arguments.local and not verb.answers_here:
        parser.error(f"{words[words.index(LOCAL) + 1]} asks no programs, so {LOCAL} means nothing to it")
    return verb.run(arguments)


def command_parser(called_as: str, words: Sequence[str]) -> argparse.ArgumentParser:
    """Only the verb that is used is loaded: it is the first of ``words``, but for ``--local``."""
    program = "kubectl bareway" if called_as == "kubectl-bareway" else "bareway"
    parser = argparse.ArgumentParser(
        prog=program, description="See who announces what, and why.", formatter_class=_Help
    )
    parser.set_defaults(verb=None)
    parser.add_argument(LOCAL, action="store_true", help="ask the programs on this node, not a cluster")
    named = next((word for word in words if word != LOCAL), "")
    verbs = parser.add_subparsers(title="verbs", metavar="")
    for word in WORDS:
        below = verbs.add_parser(
            word.name,
            help=word.summary,
            description=word.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if word.name == named:
            verb = LOADERS[word.name]()
            verb.add_arguments(below)
            below.set_defaults(verb=verb)
            below.epilog = f"example: {word.example.replace('bareway', program, 1)}"
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
