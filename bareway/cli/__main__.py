"""The ``bareway`` command, installed also as ``kubectl-bareway`` for kubectl to find; a verb is a file."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bareway.cli.status import STATUS
from bareway.cli.verb import ExitCode, Verb
from bareway.cli.version import VERSION

VERBS: tuple[Verb, ...] = (STATUS, VERSION)

INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is ``ExitCode``'s."""
    parser = _parser(Path(sys.argv[0]).name)
    arguments = parser.parse_args(argv)
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


def _parser(called_as: str) -> argparse.ArgumentParser:
    program = "kubectl bareway" if called_as == "kubectl-bareway" else "bareway"
    parser = argparse.ArgumentParser(prog=program, description="See who announces what, and why.")
    parser.set_defaults(verb=None)
    verbs = parser.add_subparsers(title="verbs", metavar="")
    for verb in VERBS:
        below = verbs.add_parser(verb.name, help=verb.summary, description=verb.summary)
        verb.add_arguments(below)
        below.set_defaults(verb=verb)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
