"""Groups larger than a full mesh, in short; ``python -m sim.scale`` has a thousand members."""

import pytest

from bareway.gossip.profile import ProfileName
from bareway.gossip.rings import Rings
from sim.scale.__main__ import holds
from sim.scale.measure import measure
from sim.scale.world import ScaleWorld


@pytest.mark.parametrize(
    ("members", "profile", "bound_s"),
    [
        pytest.param(40, ProfileName.DEFAULT, 0.8, id="forty"),
        pytest.param(12, ProfileName.FAST, 0.28, id="twelve, fast"),
        pytest.param(3, ProfileName.DEFAULT, 0.8, id="three"),
    ],
)
def test_everybody_knows_of_a_death_in_time_and_nobody_is_buried_alive(
    members: int, profile: ProfileName, bound_s: float
) -> None:
    scale = measure(members=members, kills=min(4, members - 2), profile=profile)
    assert (scale.missed, scale.false_deaths, scale.views) == (0, 0, 1)
    assert scale.detection_max_s <= bound_s
    assert holds(scale) or profile is ProfileName.FAST


def test_a_lossy_network_delays_a_death_and_kills_nobody() -> None:
    scale = measure(members=24, kills=2, loss=0.05, calm_s=4.0)
    assert (scale.missed, scale.false_deaths, scale.views) == (0, 0, 1)


def test_a_member_of_a_large_group_sends_little_and_has_the_edges_of_its_rings() -> None:
    world = ScaleWorld(seed=7, members=40)
    world.run(1.0)
    rings = Rings(world.names)
    assert all(set(world.edges_of(name)) == rings.neighbours(name) for name in world.names)
    assert max(sent.total for sent in world.sent.values()) <= 8 * 11 + 8 * 2


def test_two_runs_of_one_seed_are_the_same() -> None:
    assert measure(members=14, kills=2, seed=3) == measure(members=14, kills=2, seed=3)


def test_a_third_of_the_group_dies_at_once_and_the_rest_agrees() -> None:
    world = ScaleWorld(seed=5, members=36)
    for name in world.names[::3]:
        world.kill(name)
    world.run(4.0)
    assert world.views == {frozenset(world.machines)}
    rings = Rings(world.machines)
    world.run(8.0)
    assert all(set(world.edges_of(name)) == rings.neighbours(name) for name in world.machines)
