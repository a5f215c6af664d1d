"""``bareway probe ADDRESS``: asks the wire who has an address, from this machine or from a node.

Exit codes: 0 one station answers, and the right one as far as is known; 1 nobody does, several do, or another
one; 2 the link could not be asked.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from bareway.cli.asking.place import add_kubeconfig, add_local, any_socket
from bareway.cli.asking.sockets import SOCKETS
from bareway.cli.asking.wire import CannotProbe, probe
from bareway.cli.pages.findings import findings_block, is_wrong, unknown_block
from bareway.cli.pages.output import add_output, show, versioned
from bareway.cli.pages.shapes import Cell, Column, Lines, Mood, Page, Table, columns
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.settings import usual_kubeconfig
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.probing import (
    Probed,
    ProbeRefusal,
    Station,
    asks_itself,
    judge,
    known_of,
    stations,
)
from bareway.model.cluster import Cluster, Unknown
from bareway.model.names import IPAddress
from bareway.model.plain import plain

COUNT: Final = 3
COUNT_MAX: Final = 1000
TIMEOUT_S: Final = 0.5  # stations answer within milliseconds; a node that asks the link first takes 30 more
TIMEOUT_MAX_S: Final = 60.0
HEAD: Final = (
    *columns("MAC", "NODE", "ANSWERS", "MEDIAN MS"),
    Column("FASTEST MS", wide=True),
    Column("SLOWEST MS", wide=True),
)


def probe_page(probed: Probed, cluster: Cluster, *, asked_from: str) -> tuple[Page, ExitCode]:
    """What is shown of the answers, and how the command ends."""
    known = known_of(cluster.speakers, probed.address)
    findings = judge(probed, known)
    found = stations(probed, known.owners)
    asked = f"Asked {asked_from} on {probed.interface} ({probed.mac}), {_times(probed.asked)}."
    well = () if findings else (Cell(_well(probed, found), Mood.GOOD),)
    table = (Table(columns=HEAD, rows=tuple(_row(one, probed) for one in found)),) if found else ()
    blocks = (
        Lines(lines=(asked, *well)),
        *table,
        *findings_block(findings),
        *unknown_block(cluster.unknown),
    )
    data = versioned(
        {
            "address": str(probed.address),
            "asked_from": asked_from,
            "answers": plain(found),
            "announced_by": known.announced_by,
            "findings": plain(findings),
            "unknown": plain(cluster.unknown),
            "probed": plain(probed),
        }
    )
    code = ExitCode.SOMETHING_WRONG if is_wrong(findings) else ExitCode.WELL
    return Page(blocks=blocks, data=data), code


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", type=_address, help="who has it?")
    parser.add_argument("--node", metavar="NODE", help="ask from this node, by its speaker's Pod")
    parser.add_argument(
        "--interface", metavar="NAME", help="the link to ask on (default: in whose subnet the address lies)"
    )
    parser.add_argument(
        "--count", type=_count, default=COUNT, metavar="N", help=f"how often (default: {COUNT})"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=TIMEOUT_S,
        metavar="S",
        help=f"to listen each time, for a second answer too (default: {TIMEOUT_S:g} s)",
    )
    add_local(parser)
    add_kubeconfig(parser)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    if arguments.node is not None:
        return _from_node(arguments)
    try:
        probed = probe(
            arguments.address,
            interface=arguments.interface,
            count=arguments.count,
            timeout_s=arguments.timeout,
        )
    except CannotProbe as error:
        return could_not_tell(str(error))
    cluster = whose_macs(arguments)
    announcer = asks_itself(probed, known_of(cluster.speakers, probed.address))
    if announcer is not None:
        return could_not_tell(
            f"{ProbeRefusal.OWN_ADDRESS}: this is node {announcer}, which announces {probed.address} itself;"
            " ask from another machine, as by --node NODE"
        )
    page, code = probe_page(probed, cluster, asked_from="from here")
    show(page, arguments.output)
    return code


PROBE = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)


def _from_node(arguments: Namespace) -> ExitCode:
    from bareway.cli.asking.gathering import NoCluster  # noqa: PLC0415 - aiohttp, for those who ask from a node
    from bareway.cli.asking.probe_from import NotAsked, probe_from  # noqa: PLC0415 - as above

    try:
        probed, cluster = probe_from(
            arguments.kubeconfig,
            arguments.namespace,
            arguments.node,
            arguments.address,
            words=_words(arguments),
            timeout_s=arguments.count * arguments.timeout,
        )
    except (NoCluster, NotAsked) as error:
        return could_not_tell(str(error))
    page, code = probe_page(probed, cluster, asked_from=f"from node {arguments.node}")
    show(page, arguments.output)
    return code


def _words(arguments: Namespace) -> Sequence[str]:
    """What the command on the node is told."""
    words = ["probe", str(arguments.address), "--count", str(arguments.count)]
    words += ["--timeout", f"{arguments.timeout:g}", "-o", "json"]
    return [*words, "--interface", arguments.interface] if arguments.interface else words


def whose_macs(arguments: Namespace, sockets: Sequence[Path] = SOCKETS) -> Cluster:
    """Whose MAC addresses are whose, as far as somebody here can say; with ``--local`` the programs here."""
    is_local = getattr(arguments, "local", False)
    if not is_local and (arguments.kubeconfig is not None or usual_kubeconfig() is not None):
        from bareway.cli.asking.gathering import NoCluster  # noqa: PLC0415 - aiohttp, where there is a cluster
        from bareway.cli.asking.probe_from import speakers_of  # noqa: PLC0415 - as above

        try:
            return speakers_of(arguments.kubeconfig, arguments.namespace)
        except NoCluster as error:
            return Cluster(unknown=(Unknown(subject="which node has which MAC", why=str(error)),))
    if any_socket(sockets):
        from bareway.cli.asking.here import NobodyHere, gather_here  # noqa: PLC0415 - gRPC, on a node

        try:
            return gather_here((), timeout_s=TIMEOUT_S, usual=sockets)
        except NobodyHere as error:
            return Cluster(unknown=(Unknown(subject="which node has which MAC", why=str(error)),))
    return Cluster()


def _well(probed: Probed, found: Sequence[Station]) -> str:
    (one,) = found
    return f"{one.named} answers for {probed.address}, and nobody else."


def _row(one: Station, probed: Probed) -> tuple[str, ...]:
    times = (one.median_ms, one.fastest_ms, one.slowest_ms)
    return (one.mac, one.node or "", f"{one.answers} of {probed.asked}", *(f"{each:.1f}" for each in times))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _address(text: str) -> IPAddress:
    try:
        found = ip_address(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an IP address") from error
    if found.is_multicast or found.is_unspecified:
        raise ArgumentTypeError(f"{text} is no address that one station has")
    return found


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= COUNT_MAX:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {COUNT_MAX}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.0 < found <= TIMEOUT_MAX_S:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds up to {TIMEOUT_MAX_S:g}")
    return found
