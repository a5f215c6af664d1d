"""Somebody with the gossip key takes a node's place: what he reaches, and what he does not."""

from bareway.gossip.claims import Claim
from bareway.gossip.events import Received
from bareway.gossip.message import News
from bareway.model.names import NodeName
from sim.stories import busiest, held_by, settled
from sim.world import World

SOON_S = 2.0


def claims_all(world: World, thief: NodeName, *, generation: int) -> None:
    """It tells all others that every address is its own."""
    claims = tuple(Claim(address=key, generation=generation, count=1, node=thief) for key in world.wanted)
    for name in world.names:
        if name != thief:
            world.give(world.hosts[name], Received(peer=thief, message=News(claims=claims)))


def test_with_the_key_addresses_can_be_taken_away_from_those_who_hold_them() -> None:
    world = settled(1)
    thief = world.names[0]
    assert {name for names in world.owners().values() for name in names} > {thief}
    claims_all(world, thief, generation=1_000)
    world.run(0.05)
    assert {name for names in world.owners().values() for name in names} <= {thief}


def test_what_a_thief_took_is_served_again_when_its_node_is_held_dead() -> None:
    world = settled(2)
    thief = world.names[0]
    claims_all(world, thief, generation=1_000)
    world.power_off(thief)
    world.run(SOON_S)
    assert not held_by(world, thief)
    assert all(len(names) == 1 for names in world.owners().values())
    assert busiest(world) != thief
