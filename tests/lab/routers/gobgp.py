"""GoBGP: one process, asked by its own command; it knows no kernel and no BFD."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lab.commands import CommandFailed
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

API_PORT = 50051
STATES = ("unknown", "idle", "connect", "active", "opensent", "openconfirm", "established")
FAMILIES = ("ipv4", "ipv6")
ORDINARY, LARGE, NEXT_HOP, AS_PATH, MED, LOCAL_PREFERENCE, REACH = 8, 32, 3, 2, 4, 5, 14
"""Types of path attributes (RFC 4271 section 5, RFC 1997, RFC 8092, RFC 4760)."""


class Gobgp:
    """A BGP router that forwards nothing: what it was told is all there is to see."""

    name = "gobgp"
    fills_kernel = False
    yields_to_drained = False

    def __init__(self, machine: Machine, configuration: Configuration) -> None:
        must_be_installed("gobgpd", "gobgpd")
        self.machine = machine
        self._folder = Folder("gobgp")
        self._peers = [neighbour.address for neighbour in configuration.neighbours]
        (self._folder / "conf").write_text(text(configuration))
        self.process: Process
        self.start()

    def start(self) -> None:
        own = ("-t", "toml", "-f", self._folder / "conf", "--pprof-disable")
        self.process = self.machine.start("gobgpd", "gobgpd", *own, "--api-hosts", f"127.0.0.1:{API_PORT}")

        def answers() -> bool:
            self.process.must_run()
            return all(self._neighbour(peer) for peer in self._peers)

        wait_for(answers, what="GoBGP", within_s=READY_WITHIN_S, poll_s=0.1)

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
        return self.machine.run("gobgp", "-p", str(API_PORT), *words)

    def session(self, peer: str) -> str:
        state = self._neighbour(peer).get("state", {}).get("session_state", 0)
        return STATES[state] if isinstance(state, int) else str(state).lower()

    def imported(self, peer: str) -> int:
        families = self._neighbour(peer).get("afi_safis", ())
        return sum(int(family.get("state", {}).get("received", 0)) for family in families)

    def refresh(self, peer: str) -> None:
        self.ask("neighbor", peer, "softresetin")

    def routes(self) -> Mapping[str, Route]:
        return together(
            (prefix, _announced(path))
            for family in FAMILIES
            for prefix, paths in (self._json("global", "rib", "-a", family) or {}).items()
            for path in paths
        )

    def _neighbour(self, peer: str) -> Mapping[str, Any]:
        try:
            return self._json("neighbor", peer) or {}
        except CommandFailed:  # it does not listen yet
            return {}

    def _json(self, *words: str) -> Any:
        return msgspec.json.decode(self.ask("-j", *words) or "null")


def text(configuration: Configuration) -> str:
    """The configuration in TOML."""
    lines = [
        "[global.config]",
        f"as = {configuration.asn}",
        f'router-id = "{configuration.router_id}"',
        f"local-address-list = [{', '.join(map(repr, configuration.addresses))}]",
    ]
    for neighbour in configuration.neighbours:
        lines += _session(configuration, neighbour)
    return "\n".join(lines) + "\n"


def _session(configuration: Configuration, neighbour: Neighbour) -> Iterator[str]:
    yield "[[neighbors]]"
    yield "[neighbors.config]"
    yield f'neighbor-address = "{neighbour.address}"'
    yield f"peer-as = {neighbour.asn}"
    if neighbour.password:
        yield f'auth-password = "{neighbour.password}"'
    yield "[neighbors.transport.config]"
    yield "passive-mode = true"
    yield f'local-address = "{neighbour.local}"'
    yield "[neighbors.timers.config]"
    yield f"hold-time = {configuration.hold_time_s}"
    yield "idle-hold-time-after-reset = 1"
    yield "[neighbors.graceful-restart.config]"
    yield "enabled = true"
    yield "helper-only = true"
    if neighbour.ttl_security:
        yield "[neighbors.ttl-security.config]"
        yield "enabled = true"
        yield "ttl-min = 255"
    for family in FAMILIES:
        yield "[[neighbors.afi-safis]]"
        yield "[neighbors.afi-safis.config]"
        yield f'afi-safi-name = "{family}-unicast"'
        yield "[neighbors.afi-safis.mp-graceful-restart.config]"
        yield "enabled = true"


def _announced(path: Mapping[str, Any]) -> Announced:
    attributes = {attribute["type"]: attribute for attribute in path["attrs"]}
    reach = attributes.get(REACH, {})
    hop = reach.get("nexthop") or attributes.get(NEXT_HOP, {}).get("nexthop") or ""
    segments = attributes.get(AS_PATH, {}).get("as_paths", ())
    return Announced(
        peer=path.get("neighbor-ip") or path.get("source-id", ""),
        next_hops=(hop,),
        as_path=tuple(asn for segment in segments for asn in segment["asns"]),
        communities=frozenset(map(_community, attributes.get(ORDINARY, {}).get("communities", ()))),
        large_communities=frozenset(map(_large, attributes.get(LARGE, {}).get("value", ()))),
        local_preference=attributes.get(LOCAL_PREFERENCE, {}).get("value"),
        med=attributes.get(MED, {}).get("metric"),
        is_stale=bool(path.get("stale", False)),
    )


def _community(number: int) -> str:
    return f"{number >> 16}:{number & 0xFFFF}"


def _large(value: Mapping[str, int]) -> str:
    return ":".join(str(value[part]) for part in ("ASN", "LocalData1", "LocalData2"))
