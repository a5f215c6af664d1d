"""Which programs a verb asks: those on this node, or all of a cluster; and the flags that say so.

Those on this node with ``--local`` or ``--socket``, or where there are any and no kubeconfig is named; in
their own Pods also while they are not there yet. What is heavy, gRPC for the one and aiohttp for the other,
is imported when it is known which.
"""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Collection
from pathlib import Path
from typing import Final

from bareway.cli.asking.parts import Part
from bareway.cli.asking.sockets import SOCKETS
from bareway.cli.verb import LOCAL
from bareway.model.cluster import Cluster
from bareway.model.names import NodeName
from bareway.runtime.settings import (
    DEFAULT_NAMESPACE,
    NAMESPACE_FILE,
    own_namespace,
    read_namespace,
)

TIMEOUT_S: Final = 3.0  # a program that is well answers in a millisecond; one that is busy in less than this
TIMEOUT_MAX_S: Final = 3_600.0
OVERALL_FACTOR: Final = 8.0 / 3.0  # several rounds of Pods are asked, and a slow one takes a turn of each
EVERY_SPEAKER: Final = 100_000
IN_ONE_ROUND: Final = 8
"""Speakers that answer side by side, within two seconds: enough to ask who answers for one address."""
SPEAKERS_USUALLY: Final = 16  # as `bareway.cli.asking.pods` has it, which is heavy to import for a help text


class CannotLook(Exception):
    """Nobody could be asked: no program here, no cluster. The sentence says why."""


def add_local(parser: ArgumentParser) -> None:
    """``--local``, which may stand before the verb too."""
    parser.add_argument(
        LOCAL, action="store_true", default=SUPPRESS, help="ask the programs on this node, not a cluster"
    )


def add_place(
    parser: ArgumentParser, *, sockets: Collection[Path] = SOCKETS, at_most: int = SPEAKERS_USUALLY
) -> None:
    """All flags that say who is asked; ``at_most`` speakers are without ``--all``."""
    add_local(parser)
    places = " and ".join(map(str, sockets))
    parser.add_argument(
        "--socket",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help=f"ask on this node, there (default: {places})",
    )
    add_kubeconfig(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"ask every speaker, however many there are (default: up to {at_most})",
    )
    parser.add_argument(
        "--timeout", type=seconds, default=TIMEOUT_S, metavar="S", help=f"for each (default: {TIMEOUT_S:g} s)"
    )


def add_kubeconfig(parser: ArgumentParser) -> None:
    """Which cluster, and where in it Bareway is."""
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="default: $KUBECONFIG or ~/.kube/config, as kubectl"
    )
    parser.add_argument(
        "-n",
        "--namespace",
        type=_namespace,
        default=DEFAULT_NAMESPACE,
        metavar="NAME",
        help=f"where Bareway runs (default: {DEFAULT_NAMESPACE})",
    )


def is_here(
    arguments: Namespace, *, sockets: Collection[Path] = SOCKETS, pod_file: Path = NAMESPACE_FILE
) -> bool:
    """Whether the programs on this node are asked.

    ``pod_file`` is what Kubernetes puts into every Pod: where it stands beside our folder the Pod is ours,
    and its program is asked or waited for. Its rights are for the program, not for who looks at a cluster.
    """
    if getattr(arguments, "local", False) or arguments.socket:
        return True
    if arguments.kubeconfig is not None:
        return False
    return any_socket(sockets) or (pod_file.exists() and any(path.parent.is_dir() for path in sockets))


def namespace_of(arguments: Namespace, *, pod_file: Path = NAMESPACE_FILE) -> str:
    """Where the programs run that are asked: as was said, else in our Pods that of the Pod.

    Of a cluster it is always as was said: who asks may be a Pod of somebody else.
    """
    said: str = arguments.namespace
    if said != DEFAULT_NAMESPACE or not is_here(arguments, pod_file=pod_file):
        return said
    return own_namespace(pod_file)


def look(arguments: Namespace, *parts: Part, nodes: Collection[NodeName] = ()) -> Cluster:
    """What there is to know, of these parts of the cluster; of this node all that its programs say.

    Raises:
        CannotLook: nobody could be asked.
    """
    if is_here(arguments):
        from bareway.cli.asking.here import NobodyHere, gather_here  # noqa: PLC0415 - gRPC, on a node

        try:
            return gather_here(arguments.socket, timeout_s=arguments.timeout)
        except NobodyHere as error:
            raise CannotLook(str(error)) from error
    from bareway.cli.asking.gathering import NoCluster, Wish, gathered  # noqa: PLC0415 - as above
    from bareway.cli.asking.pods import SPEAKERS_ASKED, Patience  # noqa: PLC0415 - aiohttp, from outside

    wish = Wish(
        namespace=arguments.namespace,
        parts=frozenset(parts),
        nodes=frozenset(nodes),
        speakers_max=EVERY_SPEAKER if arguments.all else SPEAKERS_ASKED,
        patience=Patience(pod_s=arguments.timeout, overall_s=arguments.timeout * OVERALL_FACTOR),
    )
    try:
        return gathered(arguments.kubeconfig, wish)
    except NoCluster as error:
        raise CannotLook(f"the cluster cannot be asked: {error}") from error


def seconds(text: str) -> float:
    """What ``--timeout`` says."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.0 < found <= TIMEOUT_MAX_S:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds up to {TIMEOUT_MAX_S:g}")
    return found


def _namespace(text: str) -> str:
    try:
        return read_namespace(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def any_socket(paths: Collection[Path]) -> bool:
    """Whether a program of ours may listen here."""
    try:
        return any(path.is_socket() for path in paths)
    except OSError:  # their folder is not ours to look into
        return False
