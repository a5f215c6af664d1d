"""A node that announces what it is told, by the speaker's own BGP driver: no cluster, no configuration.

For what a router sees of our bytes, and for measures of the engine; Services are the whole speaker's affair.
"""

import os
import signal
import sys
from pathlib import Path

import msgspec

from lab.machine import Machine
from lab.process import Process, Records
from lab.stations import IMPORTABLE
from lab.waiting import wait_for

ESTABLISHED_WITHIN_S = 15.0


class PlannedPeer(msgspec.Struct, frozen=True, kw_only=True):
    """A peer, in the fields of ``PeerSettings``."""

    name: str
    address: str
    local_asn: int
    peer_asn: int
    router_id: str
    port: int = 179
    source_address: str = ""
    is_passive: bool = False
    ttl_security: bool = False
    password: str = ""
    hold_time_s: int = 9
    connect_retry_s: float = 1.0
    graceful_restart: bool = True
    has_bfd: bool = False
    """100 ms times 3."""


class PlannedRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """So many prefixes of one length in a row, with the same attributes."""

    first: str
    count: int = 1
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    local_preference: int | None = None
    med: int | None = None
    link_bandwidth: float | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the node shall do from now on."""

    peers: tuple[PlannedPeer, ...]
    routes: tuple[PlannedRoutes, ...] = ()
    """Told to every peer."""
    is_draining: bool = False
    at_end: str = "Restart"
    """Why it ends at SIGTERM: a ``StopReason``."""


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the node says; times are CLOCK_MONOTONIC."""

    at: float
    kind: str
    """``state``, ``notification``, ``fault``, ``status``, ``ready``; ``wanted`` as routes are handed over."""
    peer: str = ""
    state: str = ""
    reason: str = ""
    is_ours: bool = False
    code: int = 0
    subcode: int = 0
    told: int = 0
    owed: int = 0
    held_back: int = 0
    digest: str = ""
    established: int = 0


class Announcer:
    """The program on its machine, below the process that keeps BFD sessions."""

    def __init__(self, machine: Machine, plan: Plan, *, folder: Path, name: str = "bgp") -> None:
        self.machine = machine
        self._name = name
        self._file = folder / f"{machine.name}-{name}.json"
        self._memory = folder / f"{machine.name}-{name}.bfd"
        self.plan = plan
        self.process: Process
        self.start()

    def start(self) -> None:
        """Start it, also once more after its end."""
        self._file.write_bytes(msgspec.json.encode(self.plan))
        keeper = (sys.executable, "-I", "-m", "speaker.bfd", "--memory", str(self._memory))
        program = (sys.executable, "-m", "lab.tools.bgp_node", str(self._file))
        self.process = self.machine.start(self._name, *keeper, *program, environment=IMPORTABLE)
        self._words = Records(self.process.output, Word)

    def become(self, plan: Plan) -> None:
        """Another plan, at once."""
        self.plan = plan
        self._file.write_bytes(msgspec.json.encode(plan))
        self._tell(signal.SIGHUP)

    def words(self, kind: str, peer: str = "") -> list[Word]:
        """All it said so far."""
        self.process.must_run()
        return [word for word in self._words.all() if word.kind == kind and peer in ("", word.peer)]

    def state(self, peer: str) -> str:
        """As it was told last."""
        states = self.words("state", peer)
        return states[-1].state if states else "IDLE"

    def wait(self, peer: str, state: str = "ESTABLISHED", *, within_s: float = ESTABLISHED_WITHIN_S) -> None:
        wait_for(lambda: self.state(peer) == state, what=f"{peer} to be {state}", within_s=within_s)

    def status(self, peer: str) -> Word:
        """As it is now."""
        before = len(self.words("status", peer))
        self._tell(signal.SIGUSR1)
        wait_for(lambda: len(self.words("status", peer)) > before, what="a status", within_s=10.0)
        return self.words("status", peer)[-1]

    @property
    def program(self) -> int:
        """The pid of the program below the process that keeps BFD sessions."""
        (pid,) = self.process.children()
        return pid

    def _tell(self, number: signal.Signals) -> None:
        """To the program alone; before it is ready a signal would end it."""
        wait_for(lambda: self.words("ready"), what=f"{self._name} to be ready", within_s=10.0)
        os.kill(self.program, number)
