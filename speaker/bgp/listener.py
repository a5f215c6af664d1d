"""Takes the connections that routers open to us, where a peer is passive; of anybody else none.

A port that somebody else holds (another BGP speaker of the node) is told and tried again, and concerns nobody
whom we dial. Addresses, not the wildcard, where every passive peer names ours: then both speakers fit.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bareway.bgp.peers import PeerSettings
from bareway.model.names import IPAddress
from bareway.model.problems import Problem, Severity
from speaker.bgp.sockets import IPV6, Place, address_of, close_hard, listen, reserved, set_key

RETRY_S: Final = 5.0
"""Between two attempts to take a port."""
ACCEPTED_MOST: Final = 16
"""In one turn of the loop."""
BREATH_S: Final = 0.02
"""After so many at once nobody is taken for a moment: 800 a second cost some per cent of a core."""
ANY: Final[Mapping[int, IPAddress]] = {4: IPv4Address(0), 6: IPv6Address(0)}
OUT_OF_SOCKETS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ConnectionRefusal(StrEnum):
    """Why a connection was closed at once."""

    UNKNOWN_SOURCE = "UnknownSource"
    """No peer has that address."""
    TOO_MANY = "TooMany"
    """That peer has opened many, which are not closed yet."""
    VANISHED = "Vanished"
    """It was over before it could be taken."""
    NOT_SIGNED = "NotSigned"
    """The entry that it would be for has a key, and the door has none for that address."""


@dataclass(slots=True)
class BgpCounters:
    """Of connections that others opened."""

    accepted: int = 0
    refused: dict[ConnectionRefusal, int] = field(default_factory=dict)

    def refuse(self, reason: ConnectionRefusal) -> None:
        """One more."""
        self.refused[reason] = self.refused.get(reason, 0) + 1


class Door:
    """One listening socket, or the attempts to have it."""

    def __init__(
        self,
        address: IPAddress,
        port: int,
        *,
        keys: Mapping[IPAddress, bytes],
        take: Callable[[socket.socket, Place, Container[IPAddress]], None],
    ) -> None:
        self._address = address
        self._port = port
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._keys: dict[IPAddress, bytes] = {}
        self._wanted_keys = keys
        self._timer: asyncio.TimerHandle | None = None
        self.problem: Problem | None = None
        self._open()

    def sign(self, keys: Mapping[IPAddress, bytes]) -> None:
        """Who must sign with which key; of others no signature is taken."""
        self._wanted_keys = keys
        if self._socket is not None:
            try:
                self._sign(self._socket, keys)
            except OSError as error:  # who has to sign must not come in without
                self._give_up(error)

    def close(self) -> None:
        """Take nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _sign(self, it: socket.socket, keys: Mapping[IPAddress, bytes]) -> None:
        for peer in [*self._keys.keys() - keys.keys(), *keys]:
            key = keys.get(peer, b"")
            if self._keys.get(peer, b"") != key:
                set_key(it, peer, key)
        self._keys = dict(keys)

    def _open(self) -> None:
        self._timer, self._keys = None, {}
        try:
            self._socket = reserved(self._address, self._port)
            self._sign(self._socket, self._wanted_keys)
            listen(self._socket)
        except OSError as error:
            self._give_up(error)
            return
        self.problem = None
        self._listen()

    def _give_up(self, error: OSError) -> None:
        """For now."""
        self.close()
        self.problem = Problem(
            path="peers",
            message=f"cannot take BGP connections on {self._address} port {self._port}: {error.strerror}",
            hint=_hint(error.errno),
            severity=Severity.WARNING,
        )
        self._timer = self._loop.call_later(RETRY_S, self._open)

    def _listen(self) -> None:
        self._timer = None
        if self._socket is not None:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        if self._socket is None:
            return
        for _ in range(ACCEPTED_MOST):
            try:
                it, remote = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in OUT_OF_SOCKETS:
                    break
                continue  # the caller has gone
            self._take(it, remote, self._keys)
        self._loop.remove_reader(self._socket)
        self._timer = self._loop.call_later(BREATH_S, self._listen)


class Listener:
    """All doors, and whom they are for."""

    def __init__(
        self,
        *,
        port: int,
        is_open_to_all: bool,
        counters: BgpCounters,
        on_connection: Callable[[str, socket.socket], bool],
    ) -> None:
        """Prepare a listener.

        Args:
            port: to listen on.
            is_open_to_all: peers that we dial may dial us, too.
            counters: what is refused is counted here.
            on_connection: gets a peer's name and the connection; False = that has too many.
        """
        self._port = port
        self._is_open_to_all = is_open_to_all
        self._counters = counters
        self._on_connection = on_connection
        self._doors: dict[IPAddress, Door] = {}
        self._peers: tuple[PeerSettings, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Ports that are not to be had."""
        return tuple(door.problem for door in self._doors.values() if door.problem is not None)

    def serve(self, peers: Iterable[PeerSettings]) -> None:
        """Be there for these peers and no others."""
        self._peers = tuple(peers)
        wanted = self._wanted()
        for address in self._doors.keys() - wanted:
            self._doors.pop(address).close()
        for address in sorted(wanted - self._doors.keys(), key=str):
            self._doors[address] = Door(
                address,
                self._port,
                keys=_keys(self._peers, address, is_open_to_all=self._is_open_to_all),
                take=self._take,
            )
        for address, door in self._doors.items():
            door.sign(_keys(self._peers, address, is_open_to_all=self._is_open_to_all))

    def close(self) -> None:
        """Take nobody any more."""
        self.serve(())

    def _wanted(self) -> set[IPAddress]:
        callers = [peer for peer in self._peers if peer.is_passive or self._is_open_to_all]
        wanted: set[IPAddress] = set()
        for version, everywhere in ANY.items():
            ours = {peer.source_address for peer in callers if peer.address.version == version}
            wanted |= {everywhere} if None in ours else {address for address in ours if address is not None}
        return wanted

    def _take(self, it: socket.socket, remote: Place, signers: Container[IPAddress]) -> None:
        """One who came in by a door where ``signers`` have to sign."""
        try:
            peer = self._peer_of(address_of(remote), address_of(it.getsockname()))
        except OSError:  # its interface has gone, or it has
            self._refuse(it, ConnectionRefusal.VANISHED)
            return
        if peer is None:
            self._refuse(it, ConnectionRefusal.UNKNOWN_SOURCE)
        elif peer.password and peer.address not in signers:  # it may have spoken before it gets that key
            self._refuse(it, ConnectionRefusal.NOT_SIGNED)
        elif not self._on_connection(peer.name, it):
            self._refuse(it, ConnectionRefusal.TOO_MANY)
        else:
            self._counters.accepted += 1

    def _refuse(self, it: socket.socket, reason: ConnectionRefusal) -> None:
        self._counters.refuse(reason)
        close_hard(it)

    def _peer_of(self, remote: IPAddress, local: IPAddress) -> PeerSettings | None:
        """Of several entries for one address that with our end as its source, then one that is passive."""
        fitting = [
            peer
            for peer in self._peers
            if is_same(peer.address, remote) and peer.source_address in (None, local)
        ]
        fitting.sort(key=_rank)
        return fitting[0] if fitting else None


def _rank(peer: PeerSettings) -> tuple[bool, bool]:
    """Of several entries for one address the one that names our end comes first, then one that is passive."""
    return peer.source_address is None, not peer.is_passive


def _keys(
    peers: Iterable[PeerSettings], door: IPAddress, *, is_open_to_all: bool
) -> Mapping[IPAddress, bytes]:
    """Who signs with which key at one door: of several entries for one address the one that is meant there.

    That may be one without a key, beside another that we dial with one. A door for all our addresses has one
    key for each peer, and rather one than none, but that of an entry that we only dial just where no other
    takes calls. Entries that differ in it need a source address each: a connection goes on by the key of its
    own entry, and one that was not signed never for an entry with a key.
    """
    known = [peer for peer in peers if peer.address.version == door.version]
    called = {peer.address for peer in known if peer.is_passive}
    meant: dict[tuple[IPAddress, IPAddress | None], bytes] = {}
    for peer in sorted(known, key=_rank):
        if door.is_unspecified:
            is_here = is_open_to_all or peer.is_passive or peer.address not in called
        else:
            is_here = peer.source_address in (None, door)
        if is_here:
            # Nobody comes in for an entry behind the first one of its place (`Listener._peer_of`).
            place = peer.source_address if door.is_unspecified else door
            meant.setdefault((peer.address, place), peer.password)
    keys: dict[IPAddress, bytes] = {}
    for (address, _), key in meant.items():
        if key:
            keys.setdefault(address, key)
    return keys


def is_same(configured: IPAddress, seen: IPAddress) -> bool:
    """A link-local address without a link is the same on every one."""
    if isinstance(configured, IPv6Address) and configured.scope_id is None and seen.version == IPV6:
        return configured.packed == seen.packed
    return configured == seen


def _hint(number: int | None) -> str:
    if number == errno.EADDRINUSE:
        return (
            "another program has the port: give that peer a source-address, or let this node dial the router"
        )
    if number in (errno.EACCES, errno.EPERM):
        return "grant CAP_NET_BIND_SERVICE"
    return ""
