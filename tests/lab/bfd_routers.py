"""Routers that speak BFD without BGP: BIRD 2 and FRR's bfdd, from Debian's packages."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from lab.commands import LabError, run
from lab.machine import Machine
from lab.process import Process
from lab.waiting import wait_for

FRR = Path("/usr/lib/frr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One session as the router is configured for it."""

    address: str
    local: str
    is_multihop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One session as the router shows it; intervals in milliseconds."""

    is_up: bool
    interval_ms: int
    """What the router sends with."""
    timeout_ms: int
    """After which it gives us up."""


class Router(Protocol):
    """What the tests ask of each."""

    process: Process
    says_when_it_ends_a_session: bool

    def session(self, address: str) -> Seen | None: ...
    def configure(self, interval_ms: int, multiplier: int) -> None: ...
    def shut(self) -> None:
        """Take the sessions down on purpose, and go on running."""
        ...

    def times_up(self) -> list[str]:
        """What differs once a session has gone down and come up again."""
        ...

    def stop(self) -> None: ...


def missing(name: str) -> str | None:
    """The sentence with which a test fails where the router is not installed."""
    is_there = shutil.which("bird") if name == "bird" else (FRR / "bfdd").exists()
    package = "bird2" if name == "bird" else "frr"
    return None if is_there else f"BFD is tried against {name}, which is not here: apt-get install {package}"


class Bird:
    """BIRD 2 with nothing but BFD."""

    says_when_it_ends_a_session = False

    def __init__(self, machine: Machine, neighbours: Sequence[Neighbour]) -> None:
        self._machine = machine
        self._neighbours = neighbours
        self._folder = Path(tempfile.mkdtemp(prefix="bareway-bird-"))
        self._write(100, 3)
        words = ("-c", self._folder / "conf", "-s", self._folder / "ctl", "-P", self._folder / "pid")
        self.process = machine.start("bird", "bird", "-f", *words)
        wait_for((self._folder / "ctl").exists, what="BIRD's control socket", within_s=10.0)

    def session(self, address: str) -> Seen | None:
        shown = self._ask("show bfd sessions")
        row = re.search(rf"^ *{re.escape(address)} +\S+ +(\S+) +\S+ +([\d.]+) +([\d.]+)", shown, re.MULTILINE)
        if row is None:
            return None
        interval, timeout = (round(float(row.group(n)) * 1000) for n in (2, 3))
        return Seen(is_up=row.group(1) == "Up", interval_ms=interval, timeout_ms=timeout)

    def configure(self, interval_ms: int, multiplier: int) -> None:
        self._write(interval_ms, multiplier)
        self._ask("configure")

    def shut(self) -> None:
        self._ask("disable b")

    def times_up(self) -> list[str]:
        return re.findall(r"\d\d:\d\d:\d\d\.\d+", self._ask("show bfd sessions"))  # up since then

    def stop(self) -> None:
        self.process.kill()
        shutil.rmtree(self._folder)

    def _ask(self, question: str) -> str:
        return self._machine.run("birdc", "-s", str(self._folder / "ctl"), question)

    def _write(self, interval_ms: int, multiplier: int) -> None:
        options = (
            f"min rx interval {interval_ms} ms; min tx interval {interval_ms} ms; multiplier {multiplier};"
        )
        lines = [
            f'log "{self._folder / "log"}" all;',
            "router id 192.0.2.1;",
            "protocol device {}",
            f'protocol bfd b {{ interface "*" {{ {options} }}; multihop {{ {options} }};',
        ]
        for neighbour in self._neighbours:
            hops = "multihop on" if neighbour.is_multihop else ""
            where = "" if neighbour.is_multihop else 'dev "eth0"'
            lines.append(f"neighbor {neighbour.address} {where} local {neighbour.local} {hops};")
        (self._folder / "conf").write_text("\n".join([*lines, "}"]))


class Frr:
    """zebra and bfdd; they run as the user frr, who has to be able to write where they live."""

    says_when_it_ends_a_session = True

    def __init__(self, machine: Machine, neighbours: Sequence[Neighbour]) -> None:
        self._machine = machine
        self._neighbours = neighbours
        self._folder = Path(tempfile.mkdtemp(prefix="bareway-frr-"))
        (self._folder / "empty.conf").touch()
        run("chown", "-R", "frr:frrvty", str(self._folder))
        self._zebra = self._daemon("zebra", awaits="zserv.api")
        self.process = self._daemon("bfdd", "--bfdctl", str(self._folder / "bfdd.sock"), awaits="bfdd.vty")
        self.configure(100, 3)

    def session(self, address: str) -> Seen | None:
        shown = msgspec.json.decode(self._vtysh("show bfd peers json"))
        for peer in shown:
            if peer["peer"] == address:
                interval = max(peer["transmit-interval"], peer["remote-receive-interval"])
                heard = max(peer["receive-interval"], peer["remote-transmit-interval"])
                timeout = heard * peer["remote-detect-multiplier"]
                return Seen(is_up=peer["status"] == "up", interval_ms=interval, timeout_ms=timeout)
        return None

    def configure(self, interval_ms: int, multiplier: int) -> None:
        options = [f"receive-interval {interval_ms}", f"transmit-interval {interval_ms}"]
        options += [f"detect-multiplier {multiplier}", "no shutdown"]
        self._set(*options)

    def shut(self) -> None:
        self._set("shutdown")

    def times_up(self) -> list[str]:
        counters = msgspec.json.decode(self._vtysh("show bfd peers counters json"))
        return [f"{peer['peer']} {peer['session-down']}" for peer in counters]

    def stop(self) -> None:
        for process in (self.process, self._zebra):
            process.kill()
        shutil.rmtree(self._folder)

    def _set(self, *options: str) -> None:
        words = ["configure terminal", "bfd"]
        for neighbour in self._neighbours:
            how = "multihop" if neighbour.is_multihop else "interface eth0"
            local = f"local-address {neighbour.local}"
            order = f"{how} {local}" if neighbour.is_multihop else f"{local} {how}"
            words += [f"peer {neighbour.address} {order}", *options, "exit"]
        self._vtysh(*words)

    def _vtysh(self, *words: str) -> str:
        arguments = [part for word in words for part in ("-c", word)]
        return self._machine.run("vtysh", "--vty_socket", str(self._folder), *arguments)

    def _daemon(self, name: str, *more: str, awaits: str) -> Process:
        folder = self._folder
        words = ["-z", f"{folder}/zserv.api", "--vty_socket", str(folder), "-P", "0"]
        words += ["-f", f"{folder}/empty.conf", "-i", f"{folder}/{name}.pid", "--log", f"file:{folder}/log"]
        process = self._machine.start(name, str(FRR / name), *words, *more)

        def is_ready() -> bool:
            if not process.is_running:
                raise LabError(process.tail())
            return (folder / awaits).exists() and (folder / f"{name}.vty").exists()

        wait_for(is_ready, what=f"FRR's {name}", within_s=15.0)
        return process
