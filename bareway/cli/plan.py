"""``bareway plan``: what a configuration does to Services, announcers and routes, before it is applied.

From files it needs no cluster and no network; without ``-f`` it looks at the live one. Exit codes: 0 all is
well, 1 mistakes in the configuration, a Service without an address, or an address that would be lost; 2
nothing was found out: an unreadable file, no configuration, no cluster.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bareway.cli.asking.files import (
    CannotTell,
    Problems,
    add_files,
    as_row,
    documents,
    has_error,
    problems_of,
    read_files,
    read_written,
)
from bareway.cli.pages.output import add_output, show
from bareway.cli.pages.plan import against_text, plan_text
from bareway.cli.pages.plan_json import against_page, plan_page
from bareway.cli.pages.shapes import Form, Lines, Page
from bareway.cli.pages.table import printable
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.allocation.losses import losses
from bareway.decide.preview.changes import Changes, changes
from bareway.decide.preview.preview import Action, Cluster, Preview, preview
from bareway.model.configuration import Configuration
from bareway.model.endpoints import EndpointSlice
from bareway.model.nodes import Node
from bareway.model.objects import Namespace as KubernetesNamespace
from bareway.model.problems import Problem, Severity
from bareway.model.services import Service
from bareway.resources.manifests import Found, Place, Written

NO_ENDPOINTS_KNOWN: Final = "no EndpointSlices here: every Service counts as served on every node"
USUAL_NAME: Final = "config"  # of the ConfigMap, in MetalLB as here


def _add_arguments(parser: ArgumentParser) -> None:
    add_files(parser, required=False)
    parser.add_argument(
        "--against", metavar="NEW", help="print only what changes if the configuration in NEW replaces it"
    )
    add_output(parser)
    parser.add_argument("--lb-class", metavar="CLASS", help="the programs' flag of that name")
    parser.add_argument("--ignore-exclude-lb", action="store_true", help="the speakers' flag of that name")
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="for the live cluster")
    parser.add_argument(
        "--config-namespace", metavar="NAME", help="where the ConfigMap is; default: bareway-system"
    )


def _run(arguments: Namespace) -> ExitCode:
    try:
        found = _found(arguments)
        written = _one(documents(found), "these files" if arguments.filename else "the cluster")
        new = (
            _one(documents(read_files([arguments.against])), arguments.against) if arguments.against else None
        )
    except CannotTell as error:
        print(f"bareway: {printable(str(error))}", file=sys.stderr)
        return ExitCode.COULD_NOT_TELL
    cluster = _cluster(found, arguments)
    problems = list(problems_of(found, [written] if new is None else [written, new]))
    if cluster.slices is None and cluster.services:
        warning = Problem(path="", message=NO_ENDPOINTS_KNOWN, severity=Severity.WARNING)
        problems.append((written.place, warning))
    present = read_written(written).configuration
    if new is None:
        return _show_plan(present, cluster, problems, arguments.output)
    return _show_changes(present, read_written(new).configuration, cluster, problems, arguments.output)


def _show_plan(
    configuration: Configuration | None, cluster: Cluster, problems: Problems, output: Form
) -> ExitCode:
    found = preview(configuration, cluster) if configuration is not None else None
    _show(plan_text(found, problems), lambda: plan_page(found, configuration, _rows(problems)), output)
    return _exit_code(found, problems)


def _show_changes(
    present: Configuration | None,
    new: Configuration | None,
    cluster: Cluster,
    problems: Problems,
    output: Form,
) -> ExitCode:
    after = preview(new, cluster) if new is not None else None
    before = preview(present if present is not None else Configuration(), cluster)
    found = changes(before, after) if after is not None else Changes()
    lost = losses(before.allocation, after.allocation) if after is not None else ()
    sessions = {"reset": found.reset, "new": found.opened, "gone": found.gone}
    _show(
        against_text(lost, found.services, found.announcers, sessions, problems),
        lambda: against_page(lost, found.services, found.announcers, sessions, _rows(problems)),
        output,
    )
    return ExitCode.SOMETHING_WRONG if lost else _exit_code(after, problems)


def _exit_code(found: Preview | None, problems: Problems) -> ExitCode:
    if found is None or has_error(problems):
        return ExitCode.SOMETHING_WRONG
    unserved = any(one.reason and one.action in (Action.NONE, Action.RELEASE) for one in found.services)
    return ExitCode.SOMETHING_WRONG if unserved else ExitCode.WELL


def _found(arguments: Namespace) -> Sequence[Found]:
    if arguments.filename:
        return read_files(arguments.filename)
    from bareway.cli.asking.live import read_live  # noqa: PLC0415 - aiohttp takes longer to import than a plan to make

    return read_live(arguments.kubeconfig, arguments.config_namespace)


def _one(written: Sequence[Written], where: str) -> Written:
    """The configuration; no document is not an empty one."""
    usual = [one for one in written if one.config_map is None or one.config_map.name == USUAL_NAME]
    written = usual or written
    if not written:
        raise CannotTell(f"there is no configuration document in {where}")
    if len(written) > 1:
        told = ", ".join(_name(one) for one in written)
        raise CannotTell(f"there are {len(written)} configuration documents, and one is needed: {told}")
    return written[0]


def _name(written: Written) -> str:
    what = f"ConfigMap {written.config_map}" if written.config_map else "a document"
    return f"{what} in {written.place.file}"


def _cluster(found: Sequence[Found], arguments: Namespace) -> Cluster:
    slices = tuple(one for one in found if isinstance(one, EndpointSlice))
    return Cluster(
        services={one.key: one for one in found if isinstance(one, Service)},
        nodes=tuple(one for one in found if isinstance(one, Node)),
        slices=slices or None,
        namespaces={one.name: one.labels for one in found if isinstance(one, KubernetesNamespace)},
        load_balancer_class=arguments.lb_class,
        ignore_exclude_label=arguments.ignore_exclude_lb,
    )


def _rows(problems: Sequence[tuple[Place, Problem]]) -> list[dict[str, object]]:
    return [as_row(problem, place) for place, problem in problems]


def _show(text: str, data: Callable[[], object], output: Form) -> None:
    """Its tables are text on a terminal too: they are compared by eye, column by column."""
    show(Page(blocks=(Lines(lines=tuple(text.splitlines())),), data=data), output)


PLAN = Verb(add_arguments=_add_arguments, run=_run)
