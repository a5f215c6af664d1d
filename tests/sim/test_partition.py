"""The network in two: each side serves, and when they meet again nothing moves away from the greater one."""

import pytest

from bareway.model.names import NodeName
from sim.checkers import Checkers
from sim.stories import Owners, settled
from sim.world import World

MEET_S = 4.0
"""Reconnection after a long silence, and the exchange of claims."""


def part(world: World, group: list[NodeName], seconds: float) -> tuple[Owners, Owners]:
    """Cut a group off for a while; who owned what before and after."""
    before = world.owners()
    world.isolate(group)
    world.run(seconds)
    world.heal()
    world.run(MEET_S)
    return before, world.owners()


@pytest.mark.parametrize("seconds", [0.2, 1.0, 1.5, 5.0, 12.0])
@pytest.mark.parametrize(
    ("nodes", "cut_off"),
    [
        pytest.param(3, [3], id="one of three"),
        pytest.param(3, [1], id="the first of three"),
        pytest.param(5, [4, 5], id="two of five"),
        pytest.param(4, [3, 4], id="half of four, without the lowest name"),
        pytest.param(2, [2], id="one of two, without the lowest name"),
    ],
)
def test_nothing_moves_away_from_the_greater_side(nodes: int, cut_off: list[int], seconds: float) -> None:
    world = settled(nodes, nodes=nodes)
    smaller = [world.names[number - 1] for number in cut_off]
    before, after = part(world, smaller, seconds)
    assert all(len(names) == 1 for names in after.values())
    kept = {address: names for address, names in before.items() if names[0] not in smaller}
    assert {address: after[address] for address in kept} == kept


@pytest.mark.parametrize("seconds", [0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8])
def test_a_cut_as_long_as_the_detection_still_ends_with_one_owner_each(seconds: float) -> None:
    world = settled(9, nodes=4)
    _, after = part(world, world.names[2:], seconds)
    assert all(len(names) == 1 for names in after.values())


def test_during_a_partition_both_sides_serve_everything() -> None:
    world = settled(1, nodes=5)
    smaller, greater = world.names[3:], world.names[:3]
    world.isolate(smaller)
    world.run(3)
    for names in world.owners().values():
        assert len([name for name in names if name in smaller]) == 1
        assert len([name for name in names if name in greater]) == 1


def test_when_the_sides_meet_the_doubt_lasts_no_longer_than_a_flood() -> None:
    world = settled(2, nodes=5)
    checkers = Checkers(world)
    part(world, world.names[3:], 5)
    assert checkers.longest_twice_s < 0.05


def test_a_blip_shorter_than_the_silence_is_nobodys_death() -> None:
    world = settled(3)
    told = len(world.trace)
    before, after = part(world, [world.names[0]], 0.3)
    assert before == after
    assert not any("Dead" in line for line in world.trace[told:])


def test_a_pair_that_cannot_hear_each_other_stays_alive_by_the_word_of_the_others() -> None:
    world = settled(4, nodes=4)
    before, told = world.owners(), len(world.trace)
    world.cut(world.names[0], world.names[1])
    world.run(15)
    assert world.owners() == before
    assert not any("Dead" in line for line in world.trace[told:])


@pytest.mark.parametrize("direction", [(0, 1), (1, 0)])
def test_a_cut_in_one_direction_kills_nobody_whom_a_third_hears(direction: tuple[int, int]) -> None:
    world = settled(5)
    before, told = world.owners(), len(world.trace)
    source, target = (world.names[each] for each in direction)
    world.cut(source, target, both=False)
    world.run(10)
    world.heal()
    world.run(MEET_S)
    assert world.owners() == before
    assert not any("Dead" in line for line in world.trace[told:])


def test_who_dies_where_nobody_hears_it_is_found_dead_all_the_same() -> None:
    world = settled(6, nodes=3)
    far, middle, near = world.names
    world.cut(far, near)  # only the one in the middle hears the far one
    world.run(3)
    world.power_off(far)
    world.power_off(middle)
    world.run(8)
    assert all(names == [near] for names in world.owners().values())


def test_after_the_whole_group_lost_power_it_starts_again_by_rank() -> None:
    world = settled(7)
    before = world.owners()
    for name in world.names:
        world.power_off(name)
    world.run(1)
    world.boot_all()
    world.run(5)
    assert world.owners() == before


def test_a_healed_node_that_had_everything_gives_it_back() -> None:
    world = settled(8)
    lonely = world.names[2]
    world.isolate([lonely])
    world.run(2)
    # alone it is told to stop and go on, which makes it claim once more, with higher counts
    for able in (False, True):
        world.tell(lonely, able=able)
        world.run(4)
    owners = world.owners().items()
    before = {address: [name for name in names if name != lonely] for address, names in owners}
    world.heal()
    world.run(MEET_S)
    assert world.owners() == before


def test_a_claim_that_the_others_missed_is_found_by_the_digest() -> None:
    world = settled(1)
    address, (owner,) = next(iter(world.owners().items()))
    other = next(name for name in world.names if name != owner)
    process = world.hosts[other].process
    assert process is not None
    table = process._election.table
    table.hear(table.next_claim(address, other))  # and nobody is told
    world.run(6)
    assert world.owners()[address] == [other]


@pytest.mark.parametrize(
    ("nodes", "cut_off"),
    [
        pytest.param(3, [3], id="one of three"),
        pytest.param(5, [4, 5], id="two of five"),
        pytest.param(8, [6, 7, 8], id="three of eight"),
        pytest.param(12, [10, 11, 12], id="three of twelve, which are no full mesh"),
    ],
)
@pytest.mark.parametrize("seed", range(4, 8))
def test_a_client_of_the_smaller_side_is_told_who_has_each_address_now(
    seed: int, nodes: int, cut_off: list[int]
) -> None:
    """It asks nobody: what it learnt there it keeps until somebody tells it otherwise."""
    world = settled(seed, nodes=nodes, addresses=12)
    smaller = [world.names[number - 1] for number in cut_off]
    world.isolate(smaller)
    far = next(client for client in world.segment.clients if client.part)
    world.run(8.0)
    for key in world.wanted:
        world.segment.resolve(far, key)
    world.run(0.5)
    assert far.cache
    far.part = 0
    world.heal()
    world.run(MEET_S)
    macs = {host.mac: name for name, host in world.hosts.items()}
    owners = world.owners()
    stale = {key: macs[far.cache[key]] for key in world.wanted if [macs[far.cache[key]]] != owners[key]}
    assert stale == {}
