"""``bareway move ADDRESS NODE``: the annotation ``bareway.io/announce-from`` on the Services of an address.

Services that share an address, or are linked by several, are announced together and marked together. The
controller follows the mark as long as it stands there; why it cannot is an Event on the Service.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from bareway.cli.verb import ExitCode, Verb
from bareway.cli.writing.marks import CannotMark, add_cluster, annotate, find_node, find_services, mark
from bareway.decide.announcement.leaving import leaving_reason
from bareway.decide.announcement.moves import ANNOUNCE_FROM
from bareway.model.configuration import OnCordon
from bareway.model.names import IPAddress, NodeName
from bareway.model.services import Service
from bareway.resources.kinds import SERVICES
from bareway.runtime.kube.client import KubeClient

NAMES_SHOWN: Final = 5
"""Services named in the answer; more share an address only in tests."""


async def move(client: KubeClient, address: IPAddress, name: NodeName) -> str:
    """Set the mark; what was done, in a sentence."""
    node = await find_node(client, name)
    reason = leaving_reason(node, OnCordon.KEEP)
    if reason is not None:
        hint = f"; bareway undrain {name} ends that" if node.drain is not None else ""
        raise CannotMark(f"{name} hands over what it announces ({reason}), so nothing moves there{hint}")
    linked = await _linked(client, address)
    unmarked = [service for service in linked if service.annotations.get(ANNOUNCE_FROM) != name]
    if not unmarked:
        return f"{address} ({_names(linked)}) is to be announced from {name} already"
    await _mark(client, unmarked, name)
    return (
        f"{address} ({_names(linked)}) is to be announced from {name}."
        f" To leave it to the controller again: bareway move {address} --undo"
    )


async def undo(client: KubeClient, address: IPAddress) -> str:
    """Take the mark away; what was done, in a sentence."""
    linked = await _linked(client, address)
    marked = [service for service in linked if ANNOUNCE_FROM in service.annotations]
    if not marked:
        return f"no node is named for {address} ({_names(linked)})"
    await _mark(client, marked, None)
    return f"where {address} ({_names(linked)}) is announced is left to the controller again"


async def _linked(client: KubeClient, address: IPAddress) -> list[Service]:
    """The Services that are announced together with ``address``, by name."""
    rest = [one for one in await find_services(client) if one.ingress]
    linked: list[Service] = []
    addresses = {address}
    while found := [one for one in rest if not addresses.isdisjoint(one.ingress)]:
        linked += found
        rest = [one for one in rest if addresses.isdisjoint(one.ingress)]
        addresses.update(one for service in found for one in service.ingress)
    if not linked:
        raise CannotMark(f"no Service of type LoadBalancer has the address {address}")
    return sorted(linked, key=lambda service: service.key)


async def _mark(client: KubeClient, services: Iterable[Service], name: NodeName | None) -> None:
    for service in services:
        await annotate(client, SERVICES.object_path(service.key), ANNOUNCE_FROM, name)


def _names(services: list[Service]) -> str:
    shown = ", ".join(str(service.key) for service in services[:NAMES_SHOWN])
    return shown if len(services) <= NAMES_SHOWN else f"{shown}, …"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", type=_address, help="external address of a Service")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("node", metavar="NODE", nargs="?", help="name of the Node that shall announce it")
    target.add_argument("--undo", action="store_true", help="leave it to the controller again")
    add_cluster(parser)


def _run(arguments: Namespace) -> ExitCode:
    if arguments.undo:
        return mark(arguments, lambda client: undo(client, arguments.address))
    return mark(arguments, lambda client: move(client, arguments.address, NodeName(arguments.node)))


def _address(text: str) -> IPAddress:
    try:
        return ip_address(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an IP address") from error


MOVE = Verb(add_arguments=_add_arguments, run=_run)
