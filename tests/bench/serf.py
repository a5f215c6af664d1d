"""serf beside Bareway: how long memberlist, MetalLB's detector, takes to call a powered-off node dead.

    python -m bench.serf --trials 10

Debian's package, unmodified, with its default (LAN) timing; the time is that of the first other node's log
line. It announces nothing, so what a client would wait is longer.
"""

import shutil
import sys
import time

import msgspec

from bench.arguments import bench
from bench.summary import Figures, figures
from bench.trials import say
from lab.commands import LabError
from lab.machine import Machine
from lab.network import Lab
from lab.process import Process
from lab.site import Site
from lab.waiting import pause, wait_for

PRODUCT = "serf"
JOINED_WITHIN_S = 20.0
NOTICED_WITHIN_S = 30.0
SETTLED_S = 3.0


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took, in seconds."""

    product: str
    noticed_s: Figures
    trials: list[float]


class Serf:
    """An agent on every node, all joined."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.agents: dict[str, Process] = {}
        for node in site.nodes:
            self.start(node)
        self.settle()

    def start(self, node: Machine) -> None:
        """Start the agent; it looks for the others by itself."""
        others = [f"-retry-join={other.address}" for other in self.site.nodes if other is not node]
        own = (f"-node={node.name}", f"-bind={node.address}", "-rpc-addr=127.0.0.1:7373")
        self.agents[node.name] = node.start(PRODUCT, PRODUCT, "agent", *own, *others)

    def settle(self) -> None:
        """Return once every agent knows all others alive."""

        def whole() -> bool:
            return all(
                node.run(PRODUCT, "members", accept=(0, 1)).count(" alive") == len(self.site.nodes)
                for node in self.site.nodes
            )

        wait_for(whole, what="serf's members to know each other", within_s=JOINED_WITHIN_S, poll_s=0.2)

    def has_noticed(self, victim: Machine) -> bool:
        """Whether one of the others says that it failed."""
        told = f"EventMemberFailed: {victim.name}"
        return any(
            told in agent.output.read_text() for name, agent in self.agents.items() if name != victim.name
        )


def measure_detection(trials: int) -> Detection:
    """Power one node after the other off, in a new site each time: logs are then empty."""
    if shutil.which(PRODUCT) is None:
        raise LabError("serf is not installed: apt-get install serf")
    took = [_once(number) for number in range(trials)]
    return Detection(product=PRODUCT, noticed_s=figures(took), trials=took)


def _once(number: int) -> float:
    with Lab() as lab:
        site = Site(lab)
        serf = Serf(site)
        pause(SETTLED_S)
        victim = site.nodes[number % len(site.nodes)]
        began = time.monotonic()
        victim.power_off()
        wait_for(lambda: serf.has_noticed(victim), what="serf to notice", within_s=NOTICED_WITHIN_S)
        noticed_s = round(time.monotonic() - began, 3)
    say(f"  serf: {victim.name} power off; noticed after {noticed_s:.2f} s")
    return noticed_s


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, lambda trials: (measure_detection(trials), True)))
