"""FRR: zebra, bgpd and bfdd, as users of their own; asked over their vty sockets."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from lab.commands import CannotTry, LabError, run
from lab.machine import Machine
from lab.process import Process
from lab.routers.shape import (
    READY_WITHIN_S,
    Announced,
    Configuration,
    Folder,
    Neighbour,
    Route,
    takes_questions,
    together,
)
from lab.waiting import wait_for

PROGRAMS = Path("/usr/lib/frr")
OWNER = "frr:frrvty"
END_OF_ANSWER = b"\0\0\0"
"""Then comes the code of the command."""
ANSWER_WITHIN_S = 10.0
WELL = frozenset({0, 1})
"""Done; and done with a warning."""
WELL_KNOWN = {"gracefulShutdown": "65535:0"}
"""Communities that it shows by name."""
BFD = ("receive-interval 100", "transmit-interval 100", "detect-multiplier 3")


class FrrProcesses:
    """The daemons, in a folder that they may write to."""

    def __init__(self, machine: Machine) -> None:
        if not (PROGRAMS / "zebra").exists():
            raise CannotTry("FRR is not here: make routers, or apt-get install frr")
        self._machine = machine
        self._folder = Folder("frr")
        (self._folder / "empty.conf").touch()
        run("chown", "-R", OWNER, str(self._folder.path))
        self.processes: dict[str, Process] = {}

    def start(self, name: str, *more: str) -> Process:
        """Start zebra, bgpd or bfdd, zebra first; return when it can be asked."""
        folder = self._folder
        (folder / f"{name}.vty").unlink(missing_ok=True)
        awaited = [folder / f"{name}.vty"]
        if name == "zebra":
            (folder / "zserv.api").unlink(missing_ok=True)
            awaited.append(folder / "zserv.api")
        words = ["-z", f"{folder / 'zserv.api'}", "--vty_socket", str(folder.path), "-P", "0"]
        words += ["-f", f"{folder / 'empty.conf'}", "-i", f"{folder / name}.pid"]
        words += ["--log", f"file:{folder / 'log'}", *more]
        process = self._machine.start(name, str(PROGRAMS / name), *words)
        self.processes[name] = process

        def is_ready() -> bool:
            process.must_run()
            return all(map(takes_questions, awaited))

        wait_for(is_ready, what=f"FRR's {name}", within_s=READY_WITHIN_S)
        return process

    def bfdd(self) -> Process:
        return self.start("bfdd", "--bfdctl", f"{self._folder / 'bfdd.sock'}")

    def ask(self, daemon: str, *commands: str) -> str:
        """The answer to the last command, given in one sitting to this daemon."""
        with socket.socket(socket.AF_UNIX) as vty:
            vty.settimeout(ANSWER_WITHIN_S)
            vty.connect(f"{self._folder / daemon}.vty")
            said = ""
            for command in ("enable", *commands):
                vty.sendall(command.encode() + b"\0")
                said = _answer(vty, command)
            return said

    def set(self, daemon: str, commands: Iterable[str]) -> None:
        """Configure it."""
        self.ask(daemon, "configure terminal", *commands)

    def remove(self) -> None:
        for process in reversed(self.processes.values()):
            process.kill()
        self._folder.remove()


def _answer(vty: socket.socket, command: str) -> str:
    said = b""
    while said[-4:-1] != END_OF_ANSWER:
        more = vty.recv(1 << 16)
        if not more:
            raise LabError(f"FRR hung up at {command!r}")
        said += more
    text = said[:-4].decode()
    if said[-1] not in WELL:
        raise LabError(f"FRR answers {command!r} with {text.strip()!r}")
    return text


class Frr:
    """A BGP router that fills its machine's kernel, with ECMP by the weights that nodes give."""

    name = "frr"
    fills_kernel = True
    yields_to_drained = True

    def __init__(self, machine: Machine, configuration: Configuration) -> None:
        self.machine = machine
        self._configuration = configuration
        self._frr = FrrProcesses(machine)
        self._frr.start("zebra")
        if any(neighbour.has_bfd for neighbour in configuration.neighbours):
            self._frr.bfdd()
            self._frr.set("bfdd", bfd(configuration))
        self.start()

    @property
    def process(self) -> Process:
        return self._frr.processes["bgpd"]

    def start(self) -> None:
        self._frr.start("bgpd")
        self._frr.set("bgpd", text(self._configuration))

    def kill(self) -> None:
        self.process.kill()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def stop(self) -> None:
        self._frr.remove()

    def ask(self, command: str, *, daemon: str = "bgpd") -> str:
        return self._frr.ask(daemon, command)

    def session(self, peer: str) -> str:
        shown = self._json(f"show bgp neighbors {peer} json").get(peer, {})
        return str(shown.get("bgpState", "Idle")).lower()

    def is_watched(self, peer: str) -> bool:
        """Whether the peer's death would be noticed by BFD now."""
        shown = msgspec.json.decode(self.ask("show bfd peers json", daemon="bfdd"))
        return any(one["peer"] == peer and one["status"] == "up" for one in shown)

    def imported(self, peer: str) -> int:
        shown = self._json(f"show bgp neighbors {peer} json").get(peer, {})
        families = shown.get("addressFamilyInfo", {}).values()
        return sum(int(family.get("acceptedPrefixCounter", 0)) for family in families)

    def refresh(self, peer: str) -> None:
        for family in ("ipv4", "ipv6"):
            self.ask(f"clear bgp {family} unicast {peer} soft in")

    def routes(self) -> Mapping[str, Route]:
        return together(self._paths())

    def _paths(self) -> Iterator[tuple[str, Announced]]:
        for family in ("ipv4", "ipv6"):
            for prefix in self._json(f"show bgp {family} unicast json").get("routes", {}):
                shown = self._json(f"show bgp {family} unicast {prefix} json")
                for path in shown.get("paths", ()):
                    yield prefix, _announced(path)

    def _json(self, command: str) -> Mapping[str, Any]:
        decoded: Mapping[str, Any] = msgspec.json.decode(self.ask(command) or "{}")
        return decoded


def text(configuration: Configuration) -> Iterator[str]:
    """The configuration in FRR's words."""
    yield f"router bgp {configuration.asn}"
    yield f"bgp router-id {configuration.router_id}"
    yield "no bgp ebgp-requires-policy"
    yield "no bgp default ipv4-unicast"
    yield "bgp bestpath as-path multipath-relax"
    for neighbour in configuration.neighbours:
        yield from _session(configuration, neighbour)
    for family in ("ipv4", "ipv6"):
        yield f"address-family {family} unicast"
        yield "maximum-paths 16"
        yield "maximum-paths ibgp 16"
        for neighbour in configuration.neighbours:
            yield f"neighbor {neighbour.address} activate"
        yield "exit-address-family"


def _session(configuration: Configuration, neighbour: Neighbour) -> Iterator[str]:
    who = f"neighbor {neighbour.address}"
    yield f"{who} remote-as {neighbour.asn}"
    yield f"{who} passive"
    yield f"{who} update-source {neighbour.local}"
    yield f"{who} timers {configuration.hold_time_s // 3} {configuration.hold_time_s}"
    if neighbour.password:
        yield f"{who} password {neighbour.password}"
    if neighbour.has_bfd:
        yield f"{who} bfd"
    if neighbour.ttl_security:
        yield f"{who} ttl-security hops 1"


def bfd(configuration: Configuration) -> Iterator[str]:
    """bgpd wants the sessions; here is how fast they are."""
    yield "bfd"
    for neighbour in configuration.neighbours:
        if neighbour.has_bfd:
            yield f"peer {neighbour.address} local-address {neighbour.local} interface eth0"
            yield from BFD
            yield "exit"


def _announced(path: Mapping[str, Any]) -> Announced:
    hops = sorted(path.get("nexthops", ()), key=lambda hop: hop.get("scope") != "global")
    return Announced(
        peer=path["peer"]["peerId"],
        next_hops=tuple(hop["ip"] for hop in hops),
        as_path=tuple(int(asn) for asn in path["aspath"]["string"].split() if asn.isdecimal()),
        communities=frozenset(
            WELL_KNOWN.get(each, each) for each in path.get("community", {}).get("list", ())
        ),
        large_communities=frozenset(path.get("largeCommunity", {}).get("list", ())),
        local_preference=path.get("locPrf"),
        med=path.get("metric") or None,
        is_stale=bool(path.get("stale", False)),
    )
