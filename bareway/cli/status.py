"""``bareway status``: what the programs on this node say about themselves.

Without ``--socket`` it asks whoever runs here: a speaker, a controller, or both. Exit codes: 0 all is well, 1
one of them names something that is wrong, 2 nobody answered, or one who was asked for by name did not.
"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path

from bareway.cli.sockets import Answer, Silent, ask
from bareway.cli.status_text import controller_text, speaker_text
from bareway.cli.table import printable
from bareway.cli.verb import ExitCode, Verb
from bareway.cli.wrong import wrong_in_controller, wrong_in_speaker
from bareway.model.plain import plain
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.runtime.settings import CONTROLLER_SOCKET, SPEAKER_SOCKET

SOCKETS = (CONTROLLER_SOCKET, SPEAKER_SOCKET)
JSON_VERSION = 1
TIMEOUT_S = 3.0  # a program that is well answers in a millisecond; one that is busy in less than this
TIMEOUT_MAX_S = 3_600.0


def _add_arguments(parser: ArgumentParser) -> None:
    places = " and ".join(str(path) for path in SOCKETS)
    parser.add_argument(
        "--socket",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help=f"ask there (default: {places})",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument(
        "--timeout", type=seconds, default=TIMEOUT_S, metavar="S", help=f"default: {TIMEOUT_S:g} s"
    )


def show(
    named: Sequence[Path], *, output: str, timeout_s: float, usual: Sequence[Path] = SOCKETS
) -> ExitCode:
    """Ask on the ``named`` sockets, or on the ``usual`` ones if there are none, and print the answers."""
    answers = [ask(path, timeout_s) for path in named or usual]
    told = [answer for answer in answers if not isinstance(answer, Silent)]
    silent = [answer for answer in answers if isinstance(answer, Silent)]
    if told and not named:
        silent = [answer for answer in silent if not answer.is_absent]  # a node need not run both
    wrong = [sentence for answer in told for sentence in _wrong(answer)]
    sys.stdout.write(_json(told, wrong) if output == "json" else _text(told, wrong))
    if silent:
        print(f"bareway: {printable('; '.join(one.sentence for one in silent))}", file=sys.stderr)
        return ExitCode.COULD_NOT_TELL
    return ExitCode.SOMETHING_WRONG if wrong else ExitCode.WELL


def _run(arguments: Namespace) -> ExitCode:
    return show(arguments.socket, output=arguments.output, timeout_s=arguments.timeout)


STATUS = Verb(add_arguments=_add_arguments, run=_run)


def seconds(text: str) -> float:
    """What ``--timeout`` says."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.0 < found <= TIMEOUT_MAX_S:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds up to {TIMEOUT_MAX_S:g}")
    return found


def _wrong(answer: Answer) -> Sequence[str]:
    match answer:
        case SpeakerStatus():
            return wrong_in_speaker(answer)
        case ControllerStatus():
            return wrong_in_controller(answer)
        case Silent():
            return ()


def _json(told: Sequence[Answer], wrong: Sequence[str]) -> str:
    page = {
        "version": JSON_VERSION,
        "controllers": [plain(one) for one in told if isinstance(one, ControllerStatus)],
        "speakers": [plain(one) for one in told if isinstance(one, SpeakerStatus)],
        "wrong": list(wrong),
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _text(told: Sequence[Answer], wrong: Sequence[str]) -> str:
    parts = [controller_text(one) for one in told if isinstance(one, ControllerStatus)]
    parts += [speaker_text(one) for one in told if isinstance(one, SpeakerStatus)]
    if wrong:
        parts.append("What is wrong:\n" + "".join(f"  {printable(sentence)}\n" for sentence in wrong))
    return "\n".join(parts)
