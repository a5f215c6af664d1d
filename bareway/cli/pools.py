"""``bareway pools``: every pool, how many addresses it has, and how many are left.

Exit codes: 0 all is well, 1 a pool is full, the configuration has mistakes, or there is no Bareway; 2 nobody
could be asked, or nobody knows how many are used.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from bareway.cli.asking.parts import Part
from bareway.cli.asking.place import CannotLook, add_place, look
from bareway.cli.pages.findings import absent_block, is_absent, unknown_block
from bareway.cli.pages.output import add_output, show, versioned
from bareway.cli.pages.pool_rows import pools_table
from bareway.cli.pages.shapes import Lines, Page
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.pools import PoolView, full, pools_of
from bareway.model.cluster import Cluster
from bareway.model.plain import plain
from bareway.model.problems import Severity

NONE = "There are no pools: the configuration names none, or there is none in force."


def _add_arguments(parser: ArgumentParser) -> None:
    add_place(parser)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    try:
        cluster = look(arguments, Part.CONTROLLERS, Part.CONFIGURATION, Part.SERVICES)
    except CannotLook as error:
        return could_not_tell(str(error))
    page, code = pools_answer(cluster, arguments.namespace)
    show(page, arguments.output)
    return code


def pools_answer(cluster: Cluster, namespace: str) -> tuple[Page, ExitCode]:
    """What is shown, and how it stands."""
    pools = pools_of(cluster)
    data = versioned({"pools": plain(pools), "unknown": plain(cluster.unknown)})
    if is_absent(cluster):
        return Page(blocks=absent_block(namespace), data=data), ExitCode.SOMETHING_WRONG
    table = pools_table(pools) or ((Lines(lines=(NONE,)),) if not cluster.unknown else ())
    return Page(blocks=(*table, *unknown_block(cluster.unknown)), data=data), _code(cluster, pools)


def _code(cluster: Cluster, pools: Sequence[PoolView]) -> ExitCode:
    if full(pools) or any(one.severity is Severity.ERROR for one in cluster.offered):
        return ExitCode.SOMETHING_WRONG
    is_unknown = any(one.used is None for one in pools) or (not pools and cluster.unknown)
    return ExitCode.COULD_NOT_TELL if is_unknown else ExitCode.WELL


POOLS = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)
