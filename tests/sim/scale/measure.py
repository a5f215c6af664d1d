"""How fast a large group knows of a death, and what that costs: power failures one after the other."""

from statistics import mean, median

from msgspec import Struct

from bareway.gossip.member import MemberState
from bareway.gossip.profile import ProfileName
from bareway.model.names import NodeName
from sim.scale.world import ScaleWorld

BETWEEN_S = 0.5
"""Between two deaths: the second begins while the first is not known yet."""
AFTER_S = 3.0
"""So long after the last one all must know, and nothing may be left of it."""


class Scale(Struct, frozen=True, kw_only=True):
    """One run; times from the moment when the power failed."""

    members: int
    profile: str
    loss: float
    seed: int
    kills: int
    first_p50_s: float
    """Until the first member knows."""
    all_p50_s: float
    """Until all know."""
    detection_p99_s: float
    """Over all pairs of one that died and one that noticed."""
    detection_max_s: float
    missed: int
    """Pairs of which nothing was noticed."""
    false_deaths: int
    """Deaths of members that lived."""
    views: int
    """Different views at the end; 1 is right."""
    calm_messages_per_s: float
    """Sent by one member, before the first death."""
    messages_per_s: float
    """Sent by one member while deaths are noticed, floods counted."""
    messages_per_s_max: float
    """By the busiest member."""
    by_kind_per_s: dict[str, float]


def measure(
    *,
    members: int,
    kills: int,
    seed: int = 1,
    loss: float = 0.0,
    profile: ProfileName = ProfileName.DEFAULT,
    calm_s: float = 1.0,
) -> Scale:
    """Let a group form, cut the power of some members one after the other, and see who notices when."""
    world = ScaleWorld(seed=seed, members=members, profile=profile, loss=loss)
    world.run(calm_s)
    calm = [counts.total / calm_s for counts in world.sent.values()]
    for counts in world.sent.values():
        counts.by_kind.clear()
    killed_at: dict[NodeName, float] = {}
    began = world.now
    for name in world.rng.sample(world.names, kills):
        world.kill(name)
        killed_at[name] = world.now
        world.run(BETWEEN_S)
    busy_s = world.now - began
    sent = {name: dict(world.sent[name].by_kind) for name in world.machines}
    world.run(AFTER_S)
    found: dict[str, list[float]] = {name: [] for name in killed_at}
    false_deaths = 0
    for when, who, change in world.changes:
        if change.state is not MemberState.DEAD or who not in world.machines:
            continue
        if change.name in killed_at:
            found[change.name].append(when - killed_at[change.name])
        else:
            false_deaths += 1
    times = sorted(time for some in found.values() for time in some)
    totals = [sum(kinds.values()) / busy_s for kinds in sent.values()]
    kinds = sorted({kind for some in sent.values() for kind in some})
    return Scale(
        members=members,
        profile=profile,
        loss=loss,
        seed=seed,
        kills=kills,
        first_p50_s=_round(median(min(some, default=AFTER_S) for some in found.values())),
        all_p50_s=_round(median(max(some, default=AFTER_S) for some in found.values())),
        detection_p99_s=_round(times[int(0.99 * (len(times) - 1))]),
        detection_max_s=_round(times[-1]),
        missed=kills * len(world.machines) - len(times),
        false_deaths=false_deaths,
        views=len(world.views),
        calm_messages_per_s=_round(mean(calm)),
        messages_per_s=_round(mean(totals)),
        messages_per_s_max=_round(max(totals)),
        by_kind_per_s={
            kind: _round(mean(some.get(kind, 0) / busy_s for some in sent.values())) for kind in kinds
        },
    )


def _round(value: float) -> float:
    return round(value, 4)
