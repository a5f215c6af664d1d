"""The BFD sessions beside BGP sessions: which ones the process above us shall keep, and what follows of them.

Without that process the BGP sessions run by their hold time alone, and a Problem says so. A router that BFD
has lost loses its session (RFC 9384); one that takes its side of BFD down on purpose has said nothing of the
path (RFC 5882 section 3.2).
"""

import socket
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv6Address
from typing import Final, TypeAlias

from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.register import Path
from bareway.bgp.events import BfdDown, BfdUp
from bareway.bgp.peers import PeerSettings
from bareway.model.configuration import BfdProfile
from bareway.model.problems import Problem, Severity
from speaker.bfd.client import DEFAULTS, BfdClient, wanted
from speaker.bfd.records import Report, Wanted
from speaker.bgp.addresses import bare, is_far
from speaker.layer2.netlink import AddressMessage

OnChange: TypeAlias = Callable[[str, BfdUp | BfdDown], None]
AWAY: Final = Problem(
    path="bfd-profiles",
    message="no BFD here: the sessions are watched by their hold time alone",
    hint="start the speaker as the manifests do, below speaker.bfd",
    severity=Severity.WARNING,
)


class BfdWatch:
    """All BFD sessions of this node's peers."""

    def __init__(self, connection: socket.socket | None, *, on_change: OnChange) -> None:
        self._on_change = on_change
        self._client = None if connection is None else BfdClient(connection, on_state=self._told)
        self._peers: dict[Path, list[str]] = {}
        self._paths: dict[str, Path] = {}
        self._up: set[Path] = set()
        self._last: tuple[Wanted, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That nobody keeps the sessions, if any are wanted."""
        is_away = self._client is None or not self._client.is_open
        return (AWAY,) if is_away and self._paths else ()

    def reports(self) -> Mapping[str, Report]:
        """How each peer's session stood when it was last told."""
        sessions = {} if self._client is None else self._client.sessions
        return {name: sessions[path] for name, path in self._paths.items() if path in sessions}

    def ask(self) -> None:
        """Have the figures of ``reports`` brought up to date."""
        if self._client is not None and self._paths:
            self._client.ask()

    def watch(
        self,
        peers: Iterable[PeerSettings],
        profiles: Mapping[str, BfdProfile],
        addresses: Callable[[], list[AddressMessage]],
    ) -> None:
        """From now on these peers, those with a profile; two of one address share a session."""
        self._peers, self._paths = {}, {}
        found: dict[Path, Wanted] = {}
        for peer in peers:
            if not peer.bfd_profile:
                continue
            path = _path(peer, is_multihop=is_far(addresses(), peer))
            self._peers.setdefault(path, []).append(peer.name)
            self._paths[peer.name] = path
            found.setdefault(path, wanted(path, profiles.get(peer.bfd_profile, DEFAULTS)))
        self._up &= found.keys()
        sessions = tuple(found.values())
        if self._client is not None and sessions != self._last:
            self._client.want(sessions)
        self._last = sessions

    def announce_restart(self) -> None:
        """We end soon, and shall be back."""
        if self._client is not None and self._paths:
            self._client.announce_restart()

    def call_off_restart(self) -> None:
        """We do not come back: the usual detection times hold again."""
        if self._client is not None and self._paths:
            self._client.want(self._last)

    def close(self) -> None:
        """Say and hear nothing more; the sessions go on for a minute."""
        if self._client is not None:
            self._client.close()

    def _told(self, path: Path, state: State, diagnostic: Diagnostic) -> None:
        del diagnostic
        if state is State.UP:
            self._up.add(path)
            self._tell(path, BfdUp())
        elif path in self._up:
            self._up.discard(path)
            if self._client is not None and self._client.sessions[path].remote_state is not State.ADMIN_DOWN:
                self._tell(path, BfdDown())

    def _tell(self, path: Path, event: BfdUp | BfdDown) -> None:
        for name in tuple(self._peers.get(path, ())):
            self._on_change(name, event)


def _path(peer: PeerSettings, *, is_multihop: bool) -> Path:
    address = peer.address
    interface = (address.scope_id or "") if isinstance(address, IPv6Address) else ""
    return Path(peer=bare(address), local=peer.source_address, interface=interface, is_multihop=is_multihop)
