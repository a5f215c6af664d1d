"""What every scenario begins with: Bareway on a site, one Service published, its addresses watched."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from bench.layer2.conditions import Conditions
from bench.trials import say
from lab.apis import EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.site import Site, Watchers
from lab.system import System
from lab.trial import steady_owner
from lab.waiting import wait_for

SETTLED_WITHIN_S = 30.0


class Stage:
    """A settled system; ``watched`` has one entry for each address of the Service ``web``."""

    def __init__(self, system: System, conditions: Conditions) -> None:
        self.system = system
        self.conditions = conditions
        self.watched = [Watchers(system.site, address) for address in addresses(system, conditions)]

    @property
    def site(self) -> Site:
        """Where it stands."""
        return self.system.site

    def owner(self) -> Machine:
        """The node that answers for all of them, once it alone does."""
        return wait_for(self._one_owner, what="one owner of every address", within_s=SETTLED_WITHIN_S)

    def _one_owner(self) -> Machine | None:
        owners = {steady_owner(watchers) for watchers in self.watched}
        return owners.pop() if len(owners) == 1 else None


def addresses(system: System, conditions: Conditions) -> list[str]:
    """The addresses of the Service, IPv4 first, once all of them are there."""
    path = "jsonpath={.status.loadBalancer.ingress[*].ip}"

    def assigned() -> list[str]:
        found = system.kubectl("get", "service", "web", "-o", path).split()
        return found if len(found) == len(conditions.families) else []

    found = wait_for(assigned, what="the addresses of web", within_s=SETTLED_WITHIN_S, poll_s=0.1)
    return sorted(found, key=lambda address: ip_address(address).version)


@contextmanager
def staged(conditions: Conditions) -> Iterator[Stage]:
    """Build it, and take it away at the end."""
    with Lab() as lab:
        say(f"building the site with Bareway on {conditions.nodes} nodes")
        system = System(Site(lab, nodes=conditions.nodes), EmbeddedApi)
        system.speaker_flags = ("--profile", conditions.profile)
        system.start_cluster()
        system.start_all()
        system.configure()
        system.publish(families=conditions.families)
        system.settle()
        yield Stage(system, conditions)
