"""Words for telling a story about a group: a group that is up, who holds what, what moved and when."""

from collections.abc import Sequence

from bareway.gossip.profile import START_MAX_S, ProfileName
from bareway.model.names import IPAddress, NodeName
from sim.checkers import Checkers
from sim.world import World

FLOOD_S = 0.01
Owners = dict[IPAddress, list[NodeName]]


def settled(seed: int, *, nodes: int = 3, addresses: int = 20, profile: str = "default") -> World:
    """A group that is up, with checkers on."""
    world = World(seed=seed, nodes=nodes, addresses=addresses, profile=ProfileName(profile))
    Checkers(world)
    world.boot_all()
    world.run(START_MAX_S + 1)
    return world


def busiest(world: World) -> NodeName:
    owners = world.owners()
    return max(world.names, key=lambda name: sum(names == [name] for names in owners.values()))


def moved(before: Owners, after: Owners) -> list[IPAddress]:
    return [address for address, names in before.items() if after[address] != names]


def taken_over_at(world: World, addresses: Sequence[IPAddress], since: float) -> float:
    """When the last of these was announced by somebody."""
    announced = {
        address: when for when, _, some in reversed(world.announced) if when >= since for address in some
    }
    return max(announced[address] for address in addresses)


def held_by(world: World, name: NodeName) -> list[IPAddress]:
    return [address for address, names in world.owners().items() if names == [name]]
