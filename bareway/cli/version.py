"""``bareway version``: the version of this command, which is that of the package it came with."""

from argparse import ArgumentParser, Namespace

from bareway import __version__
from bareway.cli.verb import ExitCode, Verb


def _add_arguments(_parser: ArgumentParser) -> None:
    """There are none."""


def _run(_arguments: Namespace) -> ExitCode:
    print(f"bareway {__version__}")
    return ExitCode.WELL


VERSION = Verb(add_arguments=_add_arguments, run=_run)
