"""A site with many Services, and which node announces which of their addresses."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import msgspec

from bench.layer2.conditions import Conditions
from bench.trials import say
from lab import manifests
from lab.apis import EmbeddedApi, program
from lab.machine import Machine
from lab.network import Lab
from lab.site import Site
from lab.system import System
from lab.waiting import wait_for

POOLS = ("192.0.2.200-192.0.2.254", "198.51.100.0/24", "2001:db8:1::1000/116")
"""Room for 300 addresses of IPv4; those outside the link's network are asked for on it all the same."""
HELD_WITHIN_S = 60.0


class Crowd:
    """A settled system with ``conditions.addresses`` Services."""

    def __init__(self, system: System, services: list[str]) -> None:
        self.system = system
        self.services = services

    @property
    def site(self) -> Site:
        """Where it stands."""
        return self.system.site

    def held_by(self, node: Machine) -> list[str]:
        """What this node announces, once every Service's addresses are announced by somebody."""

        def whole() -> dict[str, list[str]] | None:
            held = {one.name: announced(self.system, one) for one in self.site.nodes}
            many = sum(map(len, held.values()))
            return held if many == self.expected and held[node.name] else None

        held = wait_for(whole, what="all addresses to be announced", within_s=HELD_WITHIN_S, poll_s=0.2)
        return sorted(held[node.name], key=lambda address: (ip_address(address).version, address))

    @property
    def expected(self) -> int:
        """How many addresses there are."""
        return len(self.services)


class _Address(msgspec.Struct):
    address: str
    announced_by: str | None = None


class _Speaker(msgspec.Struct):
    addresses: list[_Address] = []


class _Page(msgspec.Struct):
    speakers: list[_Speaker]


def announced(system: System, node: Machine) -> list[str]:
    """What the speaker of a node says it announces."""
    socket = system.site.lab.logs / f"{node.name}-speaker.sock"
    page = node.run(
        str(program("bareway")), "status", "-o", "json", "--socket", str(socket), accept=(0, 1, 2)
    )
    try:
        speakers = msgspec.json.decode(page, type=_Page).speakers
    except msgspec.MsgspecError:
        return []
    return [one.address for each in speakers for one in each.addresses if one.announced_by == node.name]


@contextmanager
def crowded(conditions: Conditions) -> Iterator[Crowd]:
    """Build it, half of the Services of each family if both are wanted."""
    with Lab() as lab:
        say(f"building the site with {conditions.addresses} Services on {conditions.nodes} nodes")
        system = System(Site(lab, nodes=conditions.nodes), EmbeddedApi)
        system.speaker_flags = ("--profile", conditions.profile)
        system.site.client.run("ip", "route", "replace", "198.51.100.0/24", "dev", "eth0")
        system.start_cluster()
        system.start_all()
        system.configure(*POOLS)
        families = conditions.families
        objects: list[str] = []
        names = [f"web-{number}" for number in range(conditions.addresses)]
        for number, name in enumerate(names):
            family = families[number % len(families)]
            objects.append(manifests.service(name, families=(family,)))
            objects.append(manifests.endpoint_slice(name, system.site.backends, family=family))
        system.apply(*objects)
        system.settle()
        yield Crowd(system, names)
