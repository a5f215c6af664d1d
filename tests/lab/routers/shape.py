"""What a lab asks of a router, whoever wrote it: its sessions, its routes, its kernel's routes, its end."""

import atexit
import shutil
import socket
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from lab.commands import CannotTry, ip
from lab.machine import Machine
from lab.process import Process

READY_WITHIN_S = 15.0
"""A router starts in a fraction of a second, unless the machine is busy."""
DEVICE_ROUTES = frozenset({"kernel", "boot", "ra"})
"""Origins of routes that no routing daemon made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One node as the router is configured for it."""

    address: str
    local: str
    """The router's own address towards it."""
    asn: int
    password: str = ""
    has_bfd: bool = False
    """100 ms times 3."""
    ttl_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What every router is told, each in its own words. It waits for the nodes to connect."""

    asn: int
    router_id: str
    neighbours: tuple[Neighbour, ...]
    hold_time_s: int = 9
    fills_kernel: bool = True
    """Where a router can; False for measures of BGP alone."""

    @property
    def addresses(self) -> list[str]:
        """The router's own, each once."""
        return sorted({neighbour.local for neighbour in self.neighbours})


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A prefix as one node announced it."""

    peer: str
    next_hops: tuple[str, ...]
    as_path: tuple[int, ...] = ()
    communities: frozenset[str] = frozenset()
    large_communities: frozenset[str] = frozenset()
    local_preference: int | None = None
    med: int | None = None
    is_stale: bool = False
    """Kept by graceful restart, although its session has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """All that a router was told of one prefix, a path for each node."""

    paths: tuple[Announced, ...]

    @property
    def next_hops(self) -> frozenset[str]:
        """Of all paths."""
        return frozenset(hop for path in self.paths for hop in path.next_hops)

    @property
    def is_stale(self) -> bool:
        return any(path.is_stale for path in self.paths)

    @property
    def communities(self) -> frozenset[str]:
        """What every path carries."""
        return frozenset.intersection(*(path.communities for path in self.paths))

    def by(self, peer: str) -> Announced | None:
        """What this node announced."""
        return next((path for path in self.paths if path.peer == peer), None)


def together(found: Iterable[tuple[str, Announced]]) -> Mapping[str, Route]:
    """Paths under their prefixes."""
    paths: dict[str, list[Announced]] = defaultdict(list)
    for prefix, path in found:
        paths[prefix].append(path)
    return {prefix: Route(paths=tuple(several)) for prefix, several in paths.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of one session, at one moment."""

    is_up: bool
    imported: int


class Router(Protocol):
    """What each of the four answers. Addresses and prefixes are text, as ``ipaddress`` writes them."""

    name: str
    fills_kernel: bool
    """Its routes are the machine's; else it knows them, and forwards nothing."""
    yields_to_drained: bool
    """By itself or by the policy that we give it, GRACEFUL_SHUTDOWN makes a route the last choice."""

    @property
    def process(self) -> Process:
        """The one that speaks BGP."""

    def session(self, peer: str) -> str:
        """``established`` or another state in small letters; ``idle`` if it knows no such peer."""

    def routes(self) -> Mapping[str, Route]:
        """What it was told, best or not."""

    def imported(self, peer: str) -> int:
        """How many prefixes it has of this peer; cheap."""

    def refresh(self, peer: str) -> None:
        """Ask for all routes again (RFC 2918)."""

    def start(self) -> None:
        """Once more, after `kill` or `stop`."""

    def kill(self) -> None:
        """Without a word."""

    def freeze(self) -> None:
        """It reads no more, and its connections stay."""

    def thaw(self) -> None: ...

    def stop(self) -> None:
        """End it, and take away what it wrote."""


class Folder:
    """Where a router's configuration and sockets are: short of name, and readable by its own user."""

    def __init__(self, name: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"bareway-{name}-"))
        atexit.register(self.remove)  # of a run that ends too early to stop its routers

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def takes_questions(path: Path) -> bool:
    """Whether somebody listens there; a socket has its name a moment earlier."""
    with socket.socket(socket.AF_UNIX) as it:
        try:
            it.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def must_be_installed(program: str, package: str) -> None:
    """A router that is not here is a failure with its sentence, never a skipped test."""
    if shutil.which(program) is None:
        raise CannotTry(f"{program} is not here: make routers, or apt-get install {package}")


def kernel_routes(machine: Machine) -> Mapping[str, Mapping[str, int]]:
    """The machine's routes that a daemon made: prefix → next hop → weight."""
    found: dict[str, dict[str, int]] = {}
    for family in ("-4", "-6"):
        shown = ip("-n", machine.namespace, family, "-j", "route", "show", "table", "main")
        for route in msgspec.json.decode(shown or "[]"):
            if route.get("protocol") in DEVICE_ROUTES:
                continue
            hops = found.setdefault(_prefix(route["dst"], family), {})
            hops.update({_gateway(hop): hop.get("weight", 1) for hop in route.get("nexthops", [route])})
    return found


def _gateway(hop: Mapping[str, Any]) -> str:
    via = hop.get("via", {}).get("host")
    return str(hop.get("gateway") or via or hop.get("dev", ""))


def _prefix(destination: str, family: str) -> str:
    """``ip`` leaves out the length of a host's prefix."""
    if "/" in destination or destination == "default":
        return destination
    return f"{destination}/{32 if family == '-4' else 128}"
