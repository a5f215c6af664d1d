"""``bareway bgp``: the sessions of this node with its routers, as its speaker tells of them.

Exit codes: 0 every session that shall be is up, 1 something is wrong, 2 the speaker did not answer, or knows
no router of that name.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from bareway.cli.bgp_text import bgp_text
from bareway.cli.sockets import Silent, ask
from bareway.cli.status import TIMEOUT_S, seconds
from bareway.cli.table import printable
from bareway.cli.verb import ExitCode, Verb
from bareway.cli.wrong import wrong_in_peers
from bareway.model.plain import plain
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.runtime.settings import SPEAKER_SOCKET

JSON_VERSION = 1


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("router", nargs="*", help="name or address of a router (default: all)")
    parser.add_argument(
        "--socket",
        default=SPEAKER_SOCKET,
        type=Path,
        metavar="PATH",
        help=f"ask there (default: {SPEAKER_SOCKET})",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument(
        "--timeout", type=seconds, default=TIMEOUT_S, metavar="S", help=f"default: {TIMEOUT_S:g} s"
    )


def show(routers: Collection[str], *, socket: Path, output: str, timeout_s: float) -> ExitCode:
    """Ask on ``socket``, and print what it says of ``routers``, or of all."""
    answer = ask(socket, timeout_s)
    if isinstance(answer, Silent):
        return _could_not_tell(answer.sentence)
    if isinstance(answer, ControllerStatus):
        return _could_not_tell(f"behind {socket} is a controller: it has no routers")
    told = _only(answer, routers)
    unknown = set(routers) - {name for one in told.peers for name in (one.name, str(one.address))}
    if unknown:
        return _could_not_tell(f"the speaker on {answer.node} knows no router {', '.join(sorted(unknown))}")
    wrong = wrong_in_peers(told)
    sys.stdout.write(_json(told, wrong) if output == "json" else bgp_text(told, wrong))
    return ExitCode.SOMETHING_WRONG if wrong else ExitCode.WELL


def _only(status: SpeakerStatus, routers: Collection[str]) -> SpeakerStatus:
    if not routers:
        return status
    chosen = tuple(one for one in status.peers if one.name in routers or str(one.address) in routers)
    return replace(status, peers=chosen)


def _json(status: SpeakerStatus, wrong: Sequence[str]) -> str:
    page = {
        "version": JSON_VERSION,
        "node": status.node,
        "leaving": status.leaving,
        "peers": plain(status.peers),
        "problems": plain(status.bgp_problems),
        "wrong": list(wrong),
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _could_not_tell(sentence: str) -> ExitCode:
    print(f"bareway: {printable(sentence)}", file=sys.stderr)
    return ExitCode.COULD_NOT_TELL


def _run(arguments: Namespace) -> ExitCode:
    return show(
        arguments.router, socket=arguments.socket, output=arguments.output, timeout_s=arguments.timeout
    )


BGP = Verb(add_arguments=_add_arguments, run=_run)
