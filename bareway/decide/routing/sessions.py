"""With which peers a node has a session, and with which settings; or why not.

A session never begins without its key: a router that wants one would only refuse, and one that wants none
would take routes from a connection that its operator believes to be protected.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final
from zlib import crc32

from bareway.bgp.peers import PeerSettings
from bareway.model.configuration import Configuration, DynamicAsn, Peer
from bareway.model.names import NodeName
from bareway.model.nodes import Node
from bareway.model.selectors import any_matches

KEY_MAX: Final = 80  # bytes; the kernel takes no longer key (RFC 2385)


class SessionRefusal(StrEnum):
    """Why a node has no session with a peer."""

    NODE_UNKNOWN = "nodeUnknown"
    """Its own Node is not there, so neither are its labels and addresses."""
    NODE_NOT_SELECTED = "nodeNotSelected"
    """The node selectors of the peer leave it out."""
    KEY_MISSING = "keyMissing"
    """The Secret is not there, or cannot be read."""
    KEY_UNUSABLE = "keyUnusable"
    """The Secret has no key ``password``, or one that is empty or longer than 80 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Of one node, with the peers in the order of the document."""

    settings: Mapping[str, PeerSettings] = field(default_factory=dict)
    refused: Mapping[str, SessionRefusal] = field(default_factory=dict)


def sessions_of(
    node: Node | None, configuration: Configuration, passwords: Mapping[str, bytes | None]
) -> Sessions:
    """Decide for one node; ``passwords`` are those found in Secrets, by name; None = the Secret has none."""
    settings: dict[str, PeerSettings] = {}
    refused: dict[str, SessionRefusal] = {}
    for peer in configuration.peers:
        found = _settings(node, peer, passwords)
        if isinstance(found, SessionRefusal):
            refused[peer.name] = found
        else:
            settings[peer.name] = found
    return Sessions(settings=settings, refused=refused)


def secrets_of(node: Node | None, configuration: Configuration) -> frozenset[str]:
    """Names of the Secrets whose passwords the sessions of ``node`` need."""
    if node is None:
        return frozenset()
    peers = selected_peers(node, configuration)
    return frozenset(peer.password_secret for _, peer in peers if peer.password_secret)


def selected_peers(node: Node, configuration: Configuration) -> Iterator[tuple[int, Peer]]:
    """The peers that ``node`` has sessions with, each with its place in the document."""
    for number, peer in enumerate(configuration.peers):
        if not peer.node_selectors or any_matches(peer.node_selectors, node.labels):
            yield number, peer


def is_internal(peer: Peer) -> bool:
    """Whether the peer is of our own AS, as we show it to that peer."""
    match peer.dynamic_asn:
        case DynamicAsn.INTERNAL:
            return True
        case DynamicAsn.EXTERNAL:
            return False
        case None:
            return peer.peer_asn == (peer.local_asn or peer.my_asn)


def router_id_of(node: Node) -> IPv4Address:
    """The first IPv4 address of the node; of one that has none, a number made from its name."""
    for address in node.addresses:
        if isinstance(address, IPv4Address):
            return address
    return _number_of(node.name)


def clashing(nodes: Iterable[Node]) -> Mapping[IPv4Address, tuple[NodeName, ...]]:
    """Nodes that would show the same router id: a router keeps a session with one of them alone."""
    found: dict[IPv4Address, list[NodeName]] = {}
    for node in sorted(nodes, key=lambda node: node.name):
        found.setdefault(router_id_of(node), []).append(node.name)
    return {number: tuple(names) for number, names in found.items() if len(names) > 1}


def _settings(
    node: Node | None, peer: Peer, passwords: Mapping[str, bytes | None]
) -> PeerSettings | SessionRefusal:
    if node is None:
        return SessionRefusal.NODE_UNKNOWN
    if peer.node_selectors and not any_matches(peer.node_selectors, node.labels):
        return SessionRefusal.NODE_NOT_SELECTED
    password: bytes | None = None
    if peer.password_secret:
        if peer.password_secret not in passwords:
            return SessionRefusal.KEY_MISSING
        password = passwords[peer.password_secret]
        if not password or len(password) > KEY_MAX:
            return SessionRefusal.KEY_UNUSABLE
    return PeerSettings.of(peer, router_id=router_id_of(node), password=password)


def _number_of(name: NodeName) -> IPv4Address:
    """Alike after each restart; zero is no router id (RFC 6286)."""
    return IPv4Address(crc32(name.encode()) or 1)
