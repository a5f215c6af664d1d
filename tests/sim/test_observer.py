"""One who only observes, beside groups under random faults: it changes nothing, and in the end knows all."""

from dataclasses import replace

import pytest

from bareway.gossip.events import MemberChanged
from sim.history import CALM_S, RandomRun
from sim.observing import Watcher
from sim.scripts import Lists, Script, draw
from sim.world import World

SEEDS = 20
BUNDLE = 5


def unobserved(seed: int) -> Script:
    """Without a controller of its own, and in the end all can talk to each other."""
    script = draw(seed)
    lists = Lists.CHAOS if script.lists is Lists.CONTROLLER else script.lists
    return replace(script, lists=lists, ends_in_part=False)


def knows_all(watcher: Watcher) -> None:
    world = watcher.world
    seen = watcher.picture()
    running = {host.name for host in world.hosts.values() if host.running}
    if not running:
        assert seen is None
        return
    assert seen is not None
    assert {name for name, member in seen.members.items() if member.alive} == running
    assert watcher.name not in seen.members
    for name in running:
        facts = world.hosts[name].process.own.facts  # type: ignore[union-attr]  # it runs
        assert seen.members[name].eligible == (facts.started and facts.able)
        assert seen.members[name].leaving == facts.leaving
    held = {address: seen.claims[address].node for address in world.wanted if address in seen.claims}
    answered = {address: names[0] for address, names in world.owners().items() if names}
    assert {address: node for address, node in held.items() if node in running} == answered
    assert world.now - seen.stable_since > seen.calm_s


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, BUNDLE))
def test_members_elect_the_same_with_an_observer_and_it_knows_in_the_end_who_lives_and_who_holds_what(
    first: int,
) -> None:
    for seed in range(first, first + BUNDLE):
        script = unobserved(seed)
        alone, observed = RandomRun(seed, script=script), RandomRun(seed, script=script)
        watcher = Watcher(observed.world)
        alone.play()
        observed.play()
        assert observed.world.trace == alone.world.trace, f"seed {seed}"
        assert observed.world.owners() == alone.world.owners()
        watcher.want()
        knows_all(watcher)


def test_an_observer_knows_nothing_without_anybody_and_begins_anew_with_who_comes_back() -> None:
    world = World(seed=7, nodes=3)
    watcher = Watcher(world)
    assert watcher.picture() is None
    world.boot_all()
    world.run(CALM_S)
    knows_all(watcher)
    first = watcher.picture()
    for name in world.names:
        world.power_off(name)
    world.run(CALM_S)
    assert watcher.picture() is None
    world.boot(world.names[1])
    world.run(CALM_S)
    knows_all(watcher)
    again = watcher.picture()
    assert first is not None
    assert again is not None
    assert again.members.keys() == {world.names[1]}, "who did not come back is not held alive"
    assert again.joined == first.joined == frozenset(world.names)


def test_who_knows_the_same_is_asked_nothing_more() -> None:
    world = World(seed=8, nodes=3)
    watcher = Watcher(world)
    world.boot_all()
    world.run(CALM_S)
    knows_all(watcher)
    watcher.pulls = 0
    world.run(60.0)
    assert watcher.pulls == 0


def test_an_observer_believes_a_death_that_the_members_found() -> None:
    world = World(seed=9, nodes=3)
    watcher = Watcher(world)
    world.boot_all()
    world.run(CALM_S)
    watcher.changed.clear()
    world.power_off(world.names[0])
    world.run(CALM_S)
    knows_all(watcher)
    changes = [change for change in watcher.changed if isinstance(change, MemberChanged)]
    assert [change.state for change in changes] == ["Suspect", "Dead"]
