"""``bareway undrain NODE``: takes the operator's mark away; others (taints, a cordon) stay, and are named."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from bareway.cli.verb import ExitCode, Verb
from bareway.cli.writing.marks import add_cluster, annotate, find_node, mark
from bareway.decide.announcement.leaving import leaving_reason
from bareway.model.configuration import OnCordon
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.resources.kinds import NODES
from bareway.runtime.kube.client import KubeClient


async def undrain(client: KubeClient, name: NodeName) -> str:
    """Take the mark away; what was done, in a sentence."""
    node = await find_node(client, name)
    other = leaving_reason(replace(node, drain=None), OnCordon.KEEP)
    rest = f", but it still hands over, by a taint: {other}" if other else ""
    if node.drain is None:
        return f"{name} is not drained{rest}"
    await annotate(client, NODES.object_path(ObjectKey("", name)), DRAIN_ANNOTATION, None)
    return f"{name} is no longer drained{rest or ': it takes addresses again'}"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="name of the Node")
    add_cluster(parser)


def _run(arguments: Namespace) -> ExitCode:
    return mark(arguments, lambda client: undrain(client, NodeName(arguments.node)))


UNDRAIN = Verb(add_arguments=_add_arguments, run=_run)
