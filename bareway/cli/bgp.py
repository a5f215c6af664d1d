"""``bareway bgp``: sessions with routers, and what each was told; of all nodes of a cluster, or of this one.

Exit codes: 0 every session that shall be is up, 1 something is wrong, 2 no speaker answered, or none knows a
router of that name.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from bareway.cli.asking.here import hear
from bareway.cli.asking.parts import Part
from bareway.cli.asking.place import CannotLook, add_place, is_here, look
from bareway.cli.pages.bgp import bgp_blocks
from bareway.cli.pages.output import add_output, read_form, versioned
from bareway.cli.pages.output import show as show_page
from bareway.cli.pages.sessions import everywhere, only, strangers
from bareway.cli.pages.shapes import Page
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.wrong import wrong_in_peers
from bareway.model.names import NodeName
from bareway.model.plain import plain
from bareway.model.status import SpeakerStatus
from bareway.runtime.settings import DEFAULT_NAMESPACE, SPEAKER_SOCKET

SOCKETS: Final = (SPEAKER_SOCKET,)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("router", nargs="*", help="name or address of a router (default: all)")
    parser.add_argument(
        "--node", action="append", default=[], metavar="NODE", help="only the sessions of this node"
    )
    add_place(parser, sockets=SOCKETS)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    if is_here(arguments, sockets=SOCKETS):
        named = arguments.socket or SOCKETS
        return show(arguments.router, named, output=arguments.output, timeout_s=arguments.timeout)
    return _show_cluster(arguments)


BGP = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)


def _show_cluster(arguments: Namespace) -> ExitCode:
    nodes = [NodeName(name) for name in arguments.node]
    try:
        cluster = look(arguments, Part.SPEAKERS, nodes=nodes)
    except CannotLook as error:
        return could_not_tell(str(error))
    return _show_all(everywhere(cluster, arguments.namespace, arguments.router, nodes), arguments.output)


def _show_all(found: tuple[Page, ExitCode] | str, output: str) -> ExitCode:
    if isinstance(found, str):
        return could_not_tell(found)
    page, code = found
    show_page(page, read_form(output))
    return code


def show(routers: Collection[str], sockets: Sequence[Path], *, output: str, timeout_s: float) -> ExitCode:
    """Ask on these sockets, and print what is said there of ``routers``, or of all."""
    heard = hear(sockets, timeout_s=timeout_s)
    for path in heard.controllers:
        return could_not_tell(f"behind {path} is a controller: it has no routers")
    if heard.is_nobody:
        return could_not_tell(heard.silence)
    if len(sockets) > 1:
        return _show_all(everywhere(heard.cluster(), DEFAULT_NAMESPACE, routers), output)
    (status,) = heard.speakers.values()
    unknown = strangers([status], routers)
    if unknown:
        return could_not_tell(f"the speaker on {status.node} knows no router {', '.join(unknown)}")
    told = only(status, routers)
    wrong = wrong_in_peers(told)
    show_page(Page(blocks=bgp_blocks(told, wrong), data=_data(told, wrong)), read_form(output))
    return ExitCode.SOMETHING_WRONG if wrong else ExitCode.WELL


def _data(status: SpeakerStatus, wrong: Sequence[str]) -> object:
    return versioned(
        {
            "node": status.node,
            "leaving": status.leaving,
            "peers": plain(status.peers),
            "problems": plain(status.bgp_problems),
            "wrong": list(wrong),
        }
    )
