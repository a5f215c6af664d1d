"""``bareway uninstall``: takes away what Bareway wrote into objects of others, and looks for what is left.

Without ``--yes`` it only says what it would do. Programs, rights and namespace go by ``kubectl delete -k``.
Exit codes: 0 done, or nothing is left; 1 refused, or something is left; 2 that could not be found out.
"""

from argparse import ArgumentParser, Namespace

from bareway.cli.asking.place import add_kubeconfig
from bareway.cli.asking.running import run
from bareway.cli.pages.output import add_output, show
from bareway.cli.pages.shapes import Page
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.pages.uninstall import done_page, plan_page, refusal_page, verify_page
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.leftovers import RemovalRefusal, leftovers, removals, running
from bareway.model.remains import Remains

NEEDED = frozenset({"services", "nodes"})
"""Without these nobody knows what there is to take away."""
PROGRAMS = frozenset({"deployments", "pods"})


def _add_arguments(parser: ArgumentParser) -> None:
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--yes", action="store_true", help="do it; without, it is only said what would be done")
    mode.add_argument(
        "--verify", action="store_true", help="look whether anything is left, and write nothing"
    )
    parser.add_argument(
        "--keep-addresses",
        action="store_true",
        help="leave the addresses in the Services' status, for the load balancer that comes next",
    )
    add_kubeconfig(parser)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    from bareway.cli.asking.gathering import NoCluster  # noqa: PLC0415 - aiohttp, not for a help text
    from bareway.cli.asking.remains import NoAnswer  # noqa: PLC0415 - as above

    try:
        page, code = run(_work(arguments))
    except (NoCluster, NoAnswer) as error:
        return could_not_tell(f"the cluster cannot be asked: {error}")
    show(page, arguments.output)
    return code


UNINSTALL = Verb(add_arguments=_add_arguments, run=_run)


async def _work(arguments: Namespace) -> tuple[Page, ExitCode]:
    from bareway.cli.asking.gathering import open_cluster  # noqa: PLC0415 - as above
    from bareway.cli.asking.remains import look_for_remains  # noqa: PLC0415 - as above
    from bareway.cli.writing.removing import Remover  # noqa: PLC0415 - as above

    keep: bool = arguments.keep_addresses
    async with open_cluster(arguments.kubeconfig) as client:
        remains = await look_for_remains(client, arguments.namespace)
        if arguments.verify:
            return verify_page(remains, keep_addresses=keep), verdict(remains, keep_addresses=keep)
        planned = removals(remains, keep_addresses=keep)
        if not arguments.yes:
            return plan_page(remains, planned, keep_addresses=keep), _found_out(remains, ExitCode.WELL)
        refusal = refusal_of(remains)
        if refusal is not None:
            code = ExitCode.SOMETHING_WRONG
            if refusal is RemovalRefusal.PROGRAMS_UNKNOWN:
                code = ExitCode.COULD_NOT_TELL
            return refusal_page(refusal, remains), code
        remover = Remover(client, remains, keep_addresses=keep)
        await remover.remove(planned)
    code = ExitCode.SOMETHING_WRONG if remover.failed else ExitCode.WELL
    return done_page(remover.done, remover.failed, remains), _found_out(remains, code)


def refusal_of(remains: Remains) -> RemovalRefusal | None:
    """Why nothing may be taken away yet; None: it may."""
    if running(remains):
        return RemovalRefusal.PROGRAMS_RUN
    unknown = {one.subject for one in remains.unknown}
    return RemovalRefusal.PROGRAMS_UNKNOWN if unknown & PROGRAMS else None


def verdict(remains: Remains, *, keep_addresses: bool) -> ExitCode:
    """Whether anything is left: what was found counts, whatever else could not be looked for."""
    if leftovers(remains, keep_addresses=keep_addresses):
        return ExitCode.SOMETHING_WRONG
    return ExitCode.COULD_NOT_TELL if remains.unknown else ExitCode.WELL


def _found_out(remains: Remains, code: ExitCode) -> ExitCode:
    unknown = {one.subject for one in remains.unknown}
    return ExitCode.COULD_NOT_TELL if unknown & NEEDED else code
