"""What befalls nodes and routers, as data: drawn from the seed before anything runs."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from random import Random
from typing import Final

from sim.routers.cluster import RouterPlan

FAULTS_MIN, FAULTS_MAX = 4, 12
BEGIN_S: Final = 9.0
"""All sessions are up by then, and have been for a hold time."""
OFTEN: Final = {
    "power off": 3, "crash": 4, "kill container": 2, "replace pod": 4, "freeze": 2,
    "drain": 2, "undrain": 2, "retire": 3,
    "cut": 3, "router off": 1, "restart daemon": 1, "stick": 2, "clear": 1, "nonsense": 2,
    "api away": 1, "add": 3, "delete": 2, "move": 4, "color": 2,
}  # fmt: skip
"""Every kind of fault, and how often it is drawn beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that happens."""

    at: float
    kind: str
    node: str
    router: str
    seconds: float
    number: int

    def __str__(self) -> str:
        return f"{self.at:8.3f} {self.kind} {self.node} {self.router} ({self.seconds} s; {self.number})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole history before it is played."""

    seed: int
    nodes: int
    plans: tuple[RouterPlan, ...]
    bfd_ms: int
    sync_s: float
    services: int
    ends_drained: bool
    faults: tuple[Fault, ...]


def draw(seed: int) -> Script:
    """The script of a seed."""
    rng = Random(f"routers/script/{seed}")
    nodes = rng.choice([2, 3, 3, 4])
    plans = tuple(_plan(number, rng) for number in range(1, rng.choice([1, 2, 2]) + 1))
    kinds = {kind: often for kind, often in OFTEN.items() if rng.random() < 0.6} or OFTEN
    faults: list[Fault] = []
    at = BEGIN_S
    for _ in range(rng.randint(FAULTS_MIN, FAULTS_MAX)):
        faults.append(
            Fault(
                at=round(at, 3),
                kind=rng.choices(list(kinds), weights=list(kinds.values()))[0],
                node=f"node{rng.randint(1, nodes)}",
                router=rng.choice(plans).name,
                seconds=rng.choice([0.1, 0.3, 0.8, 1.5, 3.0, 6.0, 12.0]),
                number=rng.randrange(1000),
            )
        )
        at += rng.choice([0.01, 0.2, 1.0, 3.0, 6.0, 9.0])
    return Script(
        seed=seed,
        nodes=nodes,
        plans=plans,
        bfd_ms=rng.choice([300, 400, 600]),
        sync_s=rng.choice([0.1, 0.3, 1.0]),
        services=rng.randint(2, 6),
        ends_drained=rng.random() < 0.3,
        faults=tuple(faults),
    )


def _plan(number: int, rng: Random) -> RouterPlan:
    return RouterPlan(
        name=f"router{number}",
        address=IPv4Address(f"192.0.2.{number}"),
        hold_s=rng.choice([3, 4, 6]),
        restart_s=rng.choice([10, 14]),
        has_bfd=rng.random() < 0.6,
        keeps_on_bfd_down=rng.random() < 0.2,
        ends_what_is_kept=rng.random() < 0.6,
        heeds_shutdown=rng.random() < 0.8,
        has_restart=rng.random() < 0.75,
        dials=rng.random() < 0.5,
        is_internal=rng.random() < 0.3,
    )
