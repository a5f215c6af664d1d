"""``bareway status``: what our programs say about themselves, and what is wrong; of a cluster or one node.

Exit codes: 0 all is well, 1 something is wrong, 2 nobody answered, or not everybody whose answer is needed to
say that all is well. On a node it asks whoever runs there: a speaker, a controller, or both; with
``--socket`` exactly those.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from bareway.cli.asking.here import hear
from bareway.cli.asking.parts import Part
from bareway.cli.asking.place import CannotLook, add_place, is_here, look
from bareway.cli.asking.sockets import SOCKETS
from bareway.cli.pages.output import add_output, read_form, versioned
from bareway.cli.pages.output import show as show_page
from bareway.cli.pages.shapes import Block, Lines, Page
from bareway.cli.pages.status import controller_blocks, speaker_blocks
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.wrong import wrong_in_controller, wrong_in_speaker
from bareway.model.plain import plain
from bareway.model.status import ControllerStatus, SpeakerStatus

Told: TypeAlias = ControllerStatus | SpeakerStatus


def _add_arguments(parser: ArgumentParser) -> None:
    add_place(parser)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    if is_here(arguments):
        return show(arguments.socket, output=arguments.output, timeout_s=arguments.timeout)
    return _show_cluster(arguments)


STATUS = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)


def _show_cluster(arguments: Namespace) -> ExitCode:
    from bareway.cli.pages.standing import standing  # noqa: PLC0415 - the checks, for those who ask about a cluster

    try:
        cluster = look(arguments, Part.NODES, Part.CONFIGURATION, Part.CONTROLLERS, Part.SPEAKERS)
    except CannotLook as error:
        return could_not_tell(str(error))
    page, code = standing(cluster, arguments.namespace, arguments.output)
    show_page(page, arguments.output)
    return code


def show(
    named: Sequence[Path], *, output: str, timeout_s: float, usual: Sequence[Path] = SOCKETS
) -> ExitCode:
    """Ask on the ``named`` sockets, or on the ``usual`` ones if there are none, and print the answers."""
    heard = hear(named, timeout_s=timeout_s, usual=usual)
    told: tuple[Told, ...] = (*heard.controllers.values(), *heard.speakers.values())
    wrong = [sentence for answer in told for sentence in _wrong(answer)]
    show_page(Page(blocks=_blocks(told, wrong), data=lambda: _data(told, wrong)), read_form(output))
    if heard.silent:
        return could_not_tell(heard.silence)
    return ExitCode.SOMETHING_WRONG if wrong else ExitCode.WELL


def _wrong(answer: Told) -> Sequence[str]:
    match answer:
        case SpeakerStatus():
            return wrong_in_speaker(answer)
        case ControllerStatus():
            return wrong_in_controller(answer)


def _data(told: Sequence[Told], wrong: Sequence[str]) -> object:
    return versioned(
        {
            "controllers": [plain(one) for one in told if isinstance(one, ControllerStatus)],
            "speakers": [plain(one) for one in told if isinstance(one, SpeakerStatus)],
            "wrong": list(wrong),
        }
    )


def _blocks(told: Sequence[Told], wrong: Sequence[str]) -> tuple[Block, ...]:
    blocks = [block for one in told if isinstance(one, ControllerStatus) for block in controller_blocks(one)]
    blocks += [block for one in told if isinstance(one, SpeakerStatus) for block in speaker_blocks(one)]
    if wrong:
        blocks.append(Lines(lines=("What is wrong:", *(f"  {sentence}" for sentence in wrong))))
    return tuple(blocks)
