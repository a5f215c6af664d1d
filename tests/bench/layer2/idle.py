"""What a speaker costs that has nothing to do: CPU, and the memory of its Pod with all that runs in it."""

import msgspec

from bench.layer2.conditions import Conditions
from bench.trials import say
from lab.multitude import Multitude, multitude
from lab.waiting import pause

WINDOW_S = 60.0
"""All addresses are told of once a minute: that much belongs to being idle."""
MB = 1e6
KIB = 1024


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """Of one speaker, its supervisor included."""

    cpu_percent: float
    """Of one core."""
    pss_mb: float
    """In MB of 1,000,000 bytes; what the speakers of this machine share is counted once among them."""
    rss_mb: float
    """What each of them shares with others counted whole, in each of its processes."""


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """All speakers, over one minute; nobody ever asked them for their status."""

    addresses: int
    members: int
    cpu_percent_max: float
    pss_mb_max: float
    rss_mb_max: float
    speakers: dict[str, Quiet]


def idle(conditions: Conditions) -> list[Idle]:
    """Minute after minute."""
    with multitude(
        count=conditions.addresses,
        nodes=conditions.nodes,
        families=conditions.families,
        flags=("--profile", conditions.profile),
        together=True,  # whoever starts first takes all: evening that out, ten a minute, is not idling
    ) as crowd:
        say(f"{conditions.addresses} addresses on {conditions.nodes} nodes")
        crowd.wait_quiet()
        return [rest(crowd, seconds=WINDOW_S) for _ in range(conditions.trials)]


def rest(crowd: Multitude, *, seconds: float) -> Idle:
    """Look at them before and after."""
    programs = {node.name: crowd.speaker(node) for node in crowd.site.nodes}
    before = {name: program.cpu_s() for name, program in programs.items()}
    pause(seconds)
    speakers: dict[str, Quiet] = {}
    for name, program in programs.items():
        used_s, memory = program.cpu_s() - before[name], program.pod_memory_kb()
        speakers[name] = Quiet(
            cpu_percent=round(100 * used_s / seconds, 3),
            pss_mb=round(memory["Pss"] * KIB / MB, 1),
            rss_mb=round(memory["Rss"] * KIB / MB, 1),
        )
    found = Idle(
        addresses=len(crowd.addresses),
        members=len(speakers),
        cpu_percent_max=max(one.cpu_percent for one in speakers.values()),
        pss_mb_max=max(one.pss_mb for one in speakers.values()),
        rss_mb_max=max(one.rss_mb for one in speakers.values()),
        speakers=speakers,
    )
    say(
        f"  {found.addresses} addresses, {found.members} members: CPU up to {found.cpu_percent_max} %,"
        f" PSS up to {found.pss_mb_max} MB (RSS {found.rss_mb_max} MB)"
    )
    return found
