"""What the verbs share that write an operator's mark into the cluster, with the user's own kubeconfig.

Whoever may not write a Node or a Service by kubectl may not do it here: RBAC and audit see the user. Exit
codes: 0 the mark is as asked for, 1 it cannot be set (no such node, an address that nobody has), 2 the
cluster cannot be asked, or a right is missing.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path

from bareway.cli.asking.live import list_all
from bareway.cli.pages.table import printable
from bareway.cli.settings import usual_kubeconfig
from bareway.cli.verb import ExitCode
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import Node
from bareway.model.services import Service
from bareway.resources.kinds import NODES, SERVICES, Unreadable
from bareway.resources.manifests import Misread
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialsUnusable, open_source
from bareway.runtime.kube.errors import Forbidden, KubeError, NotFound

NAMES_SHOWN = 10
"""Nodes that exist, named to who misspelt one."""


class CannotMark(Exception):
    """It was found out that the mark cannot be set; the sentence says why."""


def add_cluster(parser: ArgumentParser) -> None:
    """The option that says which cluster."""
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="default: $KUBECONFIG or ~/.kube/config, as kubectl"
    )


def mark(arguments: Namespace, work: Callable[[KubeClient], Awaitable[str]]) -> ExitCode:
    """Do ``work`` on the cluster, and print the sentence that it returns."""
    try:
        sentence = asyncio.run(_work(arguments.kubeconfig, work))
    except CannotMark as error:
        return _fail(str(error), ExitCode.SOMETHING_WRONG)
    except Forbidden as error:
        return _fail(f"a right is missing: {error.message}", ExitCode.COULD_NOT_TELL)
    except (KubeError, CredentialsUnusable, Unreadable) as error:
        return _fail(f"the cluster cannot be asked: {error}", ExitCode.COULD_NOT_TELL)
    print(printable(sentence))
    return ExitCode.WELL


async def find_node(client: KubeClient, name: NodeName) -> Node:
    """The Node of this name.

    Raises:
        CannotMark: there is none.
    """
    try:
        return await client.read(NODES, ObjectKey("", name))
    except NotFound:
        raise CannotMark(f"there is no Node {name}{await _known_nodes(client)}") from None


async def find_services(client: KubeClient) -> list[Service]:
    """Every Service that can be read."""
    return [one async for one in list_all(client, SERVICES) if not isinstance(one, Misread)]


async def annotate(client: KubeClient, path: str, annotation: str, value: str | None) -> None:
    """Set one annotation of the object at ``path``; None takes it away."""
    await client.merge_patch(path, {"metadata": {"annotations": {annotation: value}}})


async def _work(kubeconfig: Path | None, work: Callable[[KubeClient], Awaitable[str]]) -> str:
    async with KubeClient(open_source(kubeconfig or usual_kubeconfig())) as client:
        return await work(client)


async def _known_nodes(client: KubeClient) -> str:
    """The names that would do; nothing where we may not list them."""
    try:
        names = sorted([one.name async for one in list_all(client, NODES) if not isinstance(one, Misread)])
    except KubeError:
        return ""
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    return f"; there are {shown}" if names else "; there are none"


def _fail(sentence: str, code: ExitCode) -> ExitCode:
    print(f"bareway: {printable(sentence)}", file=sys.stderr)
    return code
