"""``bareway completion SHELL``: a script that completes verbs, flags and fixed values in a shell.

Needs no cluster. Exit code: 0.
"""

import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from bareway.cli.grammar import phrases
from bareway.cli.shells import SHELLS
from bareway.cli.verb import ExitCode, Verb

HOW_TO: Final = """\
bash, in ~/.bashrc:                     source <(bareway completion bash)
zsh, in ~/.zshrc after compinit:        source <(bareway completion zsh)
fish, in ~/.config/fish/config.fish:    bareway completion fish | source

kubectl asks a program of its own, anywhere on PATH, when it completes `kubectl bareway`:
  bareway completion kubectl > ~/bin/kubectl_complete-bareway
  chmod +x ~/bin/kubectl_complete-bareway
"""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.description = f"{parser.description}\n\n{HOW_TO}"
    parser.add_argument("shell", metavar="SHELL", choices=tuple(SHELLS), help=", ".join(SHELLS))


def _run(arguments: Namespace) -> ExitCode:
    sys.stdout.write(SHELLS[arguments.shell](phrases()))
    return ExitCode.WELL


COMPLETION = Verb(add_arguments=_add_arguments, run=_run)
