"""``bareway drain NODE``: the annotation ``bareway.io/drain`` on the Node, and its speaker hands over.

The node announces again what nobody else can announce: alone it is never without use.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Final

from bareway.cli.verb import ExitCode, Verb
from bareway.cli.writing.marks import add_cluster, annotate, find_node, mark
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.resources.kinds import NODES
from bareway.runtime.kube.client import KubeClient

REASON: Final = "bareway drain"
REASON_MAX: Final = 200  # characters; read in one line


async def drain(client: KubeClient, name: NodeName, reason: str) -> str:
    """Set the mark; what was done, in a sentence."""
    node = await find_node(client, name)
    if node.drain == reason:
        return f"{name} is drained already ({reason})"
    await annotate(client, NODES.object_path(ObjectKey("", name)), DRAIN_ANNOTATION, reason)
    return (
        f"{name} is drained ({reason}): other nodes take over what it announces."
        f" When you are done: bareway undrain {name}"
    )


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="name of the Node")
    parser.add_argument(
        "--reason",
        type=_reason,
        default=REASON,
        metavar="TEXT",
        help=f'shown to whoever asks why (default: "{REASON}")',
    )
    add_cluster(parser)


def _run(arguments: Namespace) -> ExitCode:
    return mark(arguments, lambda client: drain(client, NodeName(arguments.node), arguments.reason))


def _reason(text: str) -> str:
    if not text.strip() or len(text) > REASON_MAX or not text.isprintable():
        raise ArgumentTypeError(f"{text[:REASON_MAX]!r} is not one line of up to {REASON_MAX} characters")
    return text.strip()


DRAIN = Verb(add_arguments=_add_arguments, run=_run)
