"""Routers that speak BFD without BGP: BIRD 2 and FRR's bfdd, from Debian's packages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from lab.machine import Machine
from lab.process import Process
from lab.routers.bird import BirdProcess
from lab.routers.frr import FrrProcesses


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


class Bird:
    """BIRD 2 with nothing but BFD."""

    says_when_it_ends_a_session = False

    def __init__(self, machine: Machine, neighbours: Sequence[Neighbour]) -> None:
        self._neighbours = neighbours
        self._bird = BirdProcess(machine)
        self._bird.start(self._text(100, 3))
        self.process = self._bird.process

    def session(self, address: str) -> Seen | None:
        shown = self._bird.ask("show bfd sessions")
        row = re.search(rf"^ *{re.escape(address)} +\S+ +(\S+) +\S+ +([\d.]+) +([\d.]+)", shown, re.MULTILINE)
        if row is None:
            return None
        interval, timeout = (round(float(row.group(n)) * 1000) for n in (2, 3))
        return Seen(is_up=row.group(1) == "Up", interval_ms=interval, timeout_ms=timeout)

    def configure(self, interval_ms: int, multiplier: int) -> None:
        self._bird.configure(self._text(interval_ms, multiplier))

    def shut(self) -> None:
        self._bird.ask("disable b")

    def times_up(self) -> list[str]:
        return re.findall(r"\d\d:\d\d:\d\d\.\d+", self._bird.ask("show bfd sessions"))  # up since then

    def stop(self) -> None:
        self._bird.remove()

    def _text(self, interval_ms: int, multiplier: int) -> str:
        options = (
            f"min rx interval {interval_ms} ms; min tx interval {interval_ms} ms; multiplier {multiplier};"
        )
        lines = [
            "router id 192.0.2.1;",
            "protocol device {}",
            f'protocol bfd b {{ interface "*" {{ {options} }}; multihop {{ {options} }};',
        ]
        for neighbour in self._neighbours:
            hops = "multihop on" if neighbour.is_multihop else ""
            where = "" if neighbour.is_multihop else 'dev "eth0"'
            lines.append(f"neighbor {neighbour.address} {where} local {neighbour.local} {hops};")
        return "\n".join([*lines, "}\n"])


class Frr:
    """zebra and bfdd."""

    says_when_it_ends_a_session = True

    def __init__(self, machine: Machine, neighbours: Sequence[Neighbour]) -> None:
        self._neighbours = neighbours
        self._frr = FrrProcesses(machine)
        self._frr.start("zebra")
        self.process = self._frr.bfdd()
        self.configure(100, 3)

    def session(self, address: str) -> Seen | None:
        shown = msgspec.json.decode(self._frr.ask("bfdd", "show bfd peers json"))
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
        counters = msgspec.json.decode(self._frr.ask("bfdd", "show bfd peers counters json"))
        return [f"{peer['peer']} {peer['session-down']}" for peer in counters]

    def stop(self) -> None:
        self._frr.remove()

    def _set(self, *options: str) -> None:
        words = ["bfd"]
        for neighbour in self._neighbours:
            how = "multihop" if neighbour.is_multihop else "interface eth0"
            local = f"local-address {neighbour.local}"
            order = f"{how} {local}" if neighbour.is_multihop else f"{local} {how}"
            words += [f"peer {neighbour.address} {order}", *options, "exit"]
        self._frr.set("bfdd", words)
