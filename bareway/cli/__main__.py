"""The ``bareway`` command, installed also as ``kubectl-bareway`` for kubectl to find; a verb is a file."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bareway.cli.verb import ExitCode, Verb
from bareway.cli.verbs import WORDS

INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is ``ExitCode``'s."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(Path(sys.argv[0]).name, words)
    arguments = parser.parse_args(words)
    if arguments.verb is None:
        parser.print_help()
        return ExitCode.WELL
    verb: Verb = arguments.verb
    try:
        code = verb.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.WELL
    return code


def _parser(called_as: str, words: Sequence[str]) -> argparse.ArgumentParser:
    """Only the verb that is used is loaded: it is the first of ``words``."""
    program = "kubectl bareway" if called_as == "kubectl-bareway" else "bareway"
    parser = argparse.ArgumentParser(prog=program, description="See who announces what, and why.")
    parser.set_defaults(verb=None)
    verbs = parser.add_subparsers(title="verbs", metavar="")
    for word in WORDS:
        below = verbs.add_parser(word.name, help=word.summary, description=word.summary)
        if word.name in words[:1]:
            verb = word.load()
            verb.add_arguments(below)
            below.set_defaults(verb=verb)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
