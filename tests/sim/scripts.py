"""What befalls a cluster, as data: drawn from the seed before anything runs, so that a part can be left out.

Each fault has its time; what it cannot do when its time comes (to freeze who is off) it does not do.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from bareway.gossip.profile import ProfileName
from bareway.model.configuration import Partition
from bareway.model.names import NodeName

FAULTS_MIN, FAULTS_MAX = 3, 12
SPAN_S = 14.0
"""Faults begin within this time, in the default profile."""

OFTEN = {
    "off": 3, "crash": 3, "kill": 1, "boot": 4, "freeze": 4, "thaw": 1, "terminate": 2, "leave": 1,
    "drain": 3, "undrain": 2, "drain all": 1, "unable": 1, "able": 1, "link down": 1, "link up": 1,
    "isolate": 3, "split": 2, "gossip off": 2, "gossip cut": 2, "one way": 1, "heal": 4, "heal in part": 3,
    "loss": 1, "list": 5, "move": 2, "want": 2, "want in the dark": 2, "permit": 1,
    "api away": 2, "api back": 2, "api slow": 1, "controller away": 1,
    "stranger": 1, "proxy": 1, "strangers go": 1, "lax": 1, "strict": 1,
}  # fmt: skip
"""Every kind of fault, and how often it is drawn beside the others."""


PARTITIONS = {"isolate", "split", "gossip off"}
QUIET = {"want in the dark", "boot"}
"""Who comes back, or does not know of an address, may do wrong only while nothing else is to blame."""
LONG_SHARE, LONG_S = 0.3, 7.5


class Lists(StrEnum):
    """Where announcer lists come from."""

    NONE = "none"
    CHAOS = "chaos"
    """Written by nobody with a plan, and late to many."""
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that happens."""

    at: float
    kind: str
    name: NodeName
    """Whom it happens to, if it is somebody."""
    others: tuple[NodeName, ...]
    """All hosts in a random order, for kinds that need more of them."""
    seconds: float
    """How long it lasts, where it ends by itself."""
    number: int
    """For what else is to be chosen."""

    def __str__(self) -> str:
        others = ",".join(self.others[: 1 + self.number % 2])
        return f"{self.at:8.3f} {self.kind} {self.name} ({others}; {self.seconds} s; {self.number})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole history before it is played."""

    seed: int
    nodes: int
    keys: int
    profile: ProfileName
    partition: Partition
    lists: Lists
    as_bytes: bool
    """Messages travel as bytes."""
    lag_s: float
    """Until a process knows the API's objects."""
    calm_at: float
    ends_in_part: bool
    """In the end some pairs still cannot talk directly."""
    faults: tuple[Fault, ...]


def pace_of(profile: ProfileName) -> float:
    """How much longer everything takes than in the default profile."""
    return {ProfileName.FAST: 1.0, ProfileName.DEFAULT: 1.0, ProfileName.WAN: 2.0}[profile]


def draw(seed: int) -> Script:
    """The script of a seed."""
    rng = Random(f"script/{seed}")
    profile = rng.choices(
        (ProfileName.DEFAULT, ProfileName.WAN, ProfileName.FAST), weights=(0.42, 0.56, 0.02)
    )[0]
    sizes = (5, 6, 7, 11) if profile is ProfileName.WAN else (5, 6)
    weights = (8, 2, 2, 1) if profile is ProfileName.WAN else (7, 1)
    nodes = rng.choices(sizes, weights=weights)[0]
    names = [NodeName(f"node{number}") for number in range(1, nodes + 1)]
    kinds = {kind: often for kind, often in OFTEN.items() if rng.random() < 0.55}
    pace = pace_of(profile)
    partition = rng.choices((Partition.AVAILABLE, Partition.SAFE), weights=(0.7, 0.3))[0]
    if partition is Partition.SAFE and nodes > 9:
        nodes, names = 7, names[:7]
    faults: list[Fault] = []
    at = rng.choice([0.5, 2.0, 8.5, 8.5, 8.5]) * pace
    end = at + SPAN_S * pace
    while len(faults) < FAULTS_MAX and (len(faults) < FAULTS_MIN or at < end):
        faults.append(
            Fault(
                at=round(at, 3),
                kind=rng.choices(list(kinds or OFTEN), weights=list((kinds or OFTEN).values()))[0],
                name=rng.choice(names),
                others=tuple(rng.sample(names, len(names))),
                seconds=rng.choice([0.2, 0.4, 0.6, 0.9, 1.5, 3.0, 6.0]),
                number=rng.randrange(1000),
            )
        )
        gap_s = rng.choice([0.02, 0.3, 0.8, 1.5, 3.0, 8.0])
        if faults[-1].kind in PARTITIONS and rng.random() < LONG_SHARE:
            at += pace * LONG_S  # longer than any memory of the time before
            faults.append(replace(faults[-1], at=round(at, 3), kind="heal"))
            gap_s = pace * LONG_S
        elif faults[-1].kind in QUIET and rng.random() < LONG_SHARE:
            gap_s = LONG_S
        at += pace * gap_s
    return Script(
        seed=seed,
        nodes=nodes,
        keys=rng.choice([1, 2, 4, 6]),
        profile=profile,
        partition=partition,
        lists=rng.choices((Lists.NONE, Lists.CHAOS, Lists.CONTROLLER), weights=(1, 4, 4))[0],
        as_bytes=rng.random() < 0.0,
        lag_s=rng.choice([0.001, 0.05, 0.1, 0.3, 1.0]),
        calm_at=max(at, 18.0 * pace),
        ends_in_part=rng.random() < 0.4,
        faults=tuple(faults),
    )
