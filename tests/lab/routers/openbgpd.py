"""OpenBGPD: asked by its own command; strict in what it takes, without a kernel or BFD on Linux."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from lab.commands import CommandFailed, run
from lab.machine import Machine
from lab.process import Process
from lab.routers.shape import (
    READY_WITHIN_S,
    Announced,
    Configuration,
    Folder,
    Neighbour,
    Route,
    must_be_installed,
    together,
)
from lab.waiting import wait_for

PROGRAM = "/usr/sbin/bgpd"
"""FRR has another program of that name."""
CHROOT = Path("/run/openbgpd")
"""The home of its user, which systemd would make."""


class Openbgpd:
    """A BGP router that forwards nothing: what it was told is all there is to see."""

    name = "openbgpd"
    fills_kernel = False
    yields_to_drained = True

    def __init__(self, machine: Machine, configuration: Configuration) -> None:
        must_be_installed("bgpctl", "openbgpd")
        CHROOT.mkdir(exist_ok=True)
        self.machine = machine
        self._folder = Folder("openbgpd")
        self._socket = self._folder / "socket"
        self._peers = [neighbour.address for neighbour in configuration.neighbours]
        place = self._folder / "conf"
        place.write_text(text(configuration, self._socket))
        place.chmod(0o600)
        self.process: Process
        self.start()

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        self.process = self.machine.start("openbgpd", PROGRAM, "-d", "-v", "-f", self._folder / "conf")

        def answers() -> bool:
            self.process.must_run()
            return all(self._neighbour(peer) for peer in self._peers)

        wait_for(answers, what="OpenBGPD", within_s=READY_WITHIN_S)

    def kill(self) -> None:
        self.process.kill()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def stop(self) -> None:
        self.process.kill()
        self._folder.remove()

    def ask(self, *words: str) -> str:
        return run("bgpctl", "-s", str(self._socket), *words)

    def session(self, peer: str) -> str:
        return str(self._neighbour(peer).get("state", "Idle")).lower()

    def imported(self, peer: str) -> int:
        return int(self._neighbour(peer).get("stats", {}).get("prefixes", {}).get("received", 0))

    def refresh(self, peer: str) -> None:
        self.ask("neighbor", peer, "refresh")

    def routes(self) -> Mapping[str, Route]:
        shown = self._json("show", "rib", "detail").get("rib", ())
        return together((route["prefix"], _announced(route)) for route in shown)

    def _neighbour(self, peer: str) -> Mapping[str, Any]:
        try:
            found = self._json("show", "neighbor", peer).get("neighbors", [{}])
        except CommandFailed:  # it does not listen yet
            return {}
        return found[0] if found else {}

    def _json(self, *words: str) -> Mapping[str, Any]:
        decoded: Mapping[str, Any] = msgspec.json.decode(self.ask("-j", *words) or "{}")
        return decoded


def text(configuration: Configuration, place: Path) -> str:
    """The configuration in OpenBGPD's words; what a drained node announces comes last (RFC 8326)."""
    lines = [
        f"AS {configuration.asn}",
        f"router-id {configuration.router_id}",
        *(f"listen on {address}" for address in configuration.addresses),
        f'socket "{place}"',
        "fib-update no",
        f"holdtime {configuration.hold_time_s}",
        "nexthop qualify via default",
    ]
    for neighbour in configuration.neighbours:
        lines += _session(neighbour)
    lines += [
        "allow from any",
        "deny to any",
        "match from any community GRACEFUL_SHUTDOWN set { localpref 0 }",
    ]
    return "\n".join(lines) + "\n"


def _session(neighbour: Neighbour) -> Iterator[str]:
    yield f"neighbor {neighbour.address} {{"
    yield f"  remote-as {neighbour.asn}"
    # No `local-address`: with it, its listening socket on Linux has no keys, and takes who has none.
    yield "  passive"
    yield "  announce IPv4 unicast"
    yield "  announce IPv6 unicast"
    if neighbour.password:
        yield f'  tcp md5sig password "{neighbour.password}"'
    if neighbour.ttl_security:
        yield "  ttl-security yes"
    yield "}"


def _announced(route: Mapping[str, Any]) -> Announced:
    return Announced(
        peer=route["neighbor"]["remote_addr"],
        next_hops=(route["exit_nexthop"],),
        as_path=tuple(int(asn) for asn in route.get("aspath", "").split()),
        communities=frozenset(map(_community, route.get("communities", ()))),
        large_communities=frozenset(route.get("large_communities", ())),
        local_preference=route.get("localpref"),
        med=route.get("metric") or None,
        is_stale=bool(route.get("stale", False)),
    )


def _community(shown: str) -> str:
    return "65535:0" if shown == "GRACEFUL_SHUTDOWN" else shown
