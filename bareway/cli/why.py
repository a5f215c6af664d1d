"""``bareway why SERVICE|ADDRESS``: why a Service has no address, who answers for one, and why.

The controller knows all objects and makes the chain, each speaker tells of its links and sessions; where no
controller answers, the objects are read from the API and the same function makes the chain here. Exit codes:
0 served and well, 1 something is wrong or nobody is served at it, 2 it could not be found out, or nobody is
called so.
"""

import json
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bareway.cli.asking.place import IN_ONE_ROUND, CannotLook, add_place, is_here, namespace_of
from bareway.cli.asking.sockets import SOCKETS
from bareway.cli.pages.output import JSON_VERSION, add_output, show
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.model.plain import plain

if TYPE_CHECKING:
    from bareway.decide.answers.why.chain import Outcome, Why

ABOUT_MAX: Final = 512  # characters; the longest name of a Service and its namespace are 317


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "about",
        metavar="SERVICE|ADDRESS",
        help="NAMESPACE/NAME, NAME if only one is called so, or an IP address",
    )
    add_place(parser, at_most=IN_ONE_ROUND)
    add_output(parser)
    # What the command asks of itself inside a Pod: the parts of an answer, to be put together outside.
    parser.add_argument("--as-told", action="store_true", help=SUPPRESS)


def _run(arguments: Namespace) -> ExitCode:
    arguments.about = arguments.about.strip()
    if not arguments.about or len(arguments.about) > ABOUT_MAX:
        return could_not_tell("name a Service as NAMESPACE/NAME, or an IP address")
    try:
        if arguments.as_told:
            return _tell(arguments.socket or SOCKETS, arguments.about, arguments.timeout)
        return _answer(arguments)
    except CannotLook as error:
        return could_not_tell(str(error))


WHY: Final = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)


def _answer(arguments: Namespace) -> ExitCode:
    """The whole of it; its parts, asked in each Pod, are told without what makes and shows a chain."""
    from bareway.cli.pages.why import why_page  # noqa: PLC0415 - a tenth of a second of imports

    found, unasked = _found(arguments)
    show(why_page(found, unasked), arguments.output)
    return _code(found.outcome)


def _code(outcome: "Outcome") -> ExitCode:
    from bareway.decide.answers.why.chain import Outcome  # noqa: PLC0415 - as above

    match outcome:
        case Outcome.SERVED:
            return ExitCode.WELL
        case Outcome.WRONG:
            return ExitCode.SOMETHING_WRONG
        case Outcome.UNKNOWN:
            return ExitCode.COULD_NOT_TELL


def _found(arguments: Namespace) -> "tuple[Why, int]":
    """The chain, and how many speakers were left out."""
    if is_here(arguments):
        from bareway.cli.asking.why_here import why_here  # noqa: PLC0415 - gRPC, on a node

        namespace = namespace_of(arguments)
        found = why_here(arguments.about, arguments.socket, namespace=namespace, timeout_s=arguments.timeout)
        return found, 0
    from bareway.cli.asking.why_outside import why_outside  # noqa: PLC0415 - aiohttp, from outside

    return why_outside(arguments)


def _tell(paths: Sequence[Path], about: str, timeout_s: float) -> ExitCode:
    """Print what the programs here contribute; that it could be asked is all that the exit code says."""
    from bareway.cli.asking.here import hear  # noqa: PLC0415 - gRPC, on a node
    from bareway.cli.asking.sockets import ask_why  # noqa: PLC0415 - as above

    heard = hear(paths, timeout_s=timeout_s, addresses=about.split(","))
    told = (ask_why(path, about, timeout_s) for path in heard.controllers)
    chains = [text for text in told if isinstance(text, str) and text]
    if not heard.speakers and not chains:
        return could_not_tell(heard.silence or "the controller knows nothing yet")
    page = {
        "version": JSON_VERSION,
        "chain": json.loads(chains[0]) if chains else None,
        "speakers": [plain(one) for one in heard.speakers.values()],
    }
    sys.stdout.write(json.dumps(page) + "\n")
    return ExitCode.WELL
