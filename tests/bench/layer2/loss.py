"""A share of the frames between the nodes is lost, each way.

Each node's card drops what comes from the others, on its way in, so that no sender notices, and of all kinds:
gossip, ARP, neighbour discovery. What the client, the observer, the API server and the backends say is not
touched. Counted in the kernel.
"""

import re
from collections.abc import Sequence

import msgspec

from lab.machine import Machine

NOTHING = "table netdev lab_loss\ndelete table netdev lab_loss\n"
TABLE = """table netdev lab_loss {{
  chain ingress {{
    type filter hook ingress device "{interface}" priority 0
    ether saddr {{ {others} }} counter
    ether saddr {{ {others} }} numgen random mod 10000 < {share} counter drop
  }}
}}
"""
COUNTER = re.compile(r"counter packets (\d+)")


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """What the nodes' cards saw of each other."""

    frames: int
    lost: int

    @property
    def percent(self) -> float:
        """The share that was lost."""
        return 100 * self.lost / self.frames if self.frames else 0.0


def lose(nodes: Sequence[Machine], percent: float) -> None:
    """From now on, anew: after a power cut a node's card has forgotten."""
    for node in nodes:
        others = ", ".join(other.mac for other in nodes if other is not node)
        share = round(100 * percent)
        table = TABLE.format(interface=node.cable.interface, others=others, share=share)
        node.run("nft", "-f", "-", stdin=NOTHING + table)


def lose_nothing(nodes: Sequence[Machine]) -> None:
    """No more, and nothing is counted either."""
    for node in nodes:
        node.run("nft", "-f", "-", stdin=NOTHING)


def lost(nodes: Sequence[Machine]) -> Lost:
    """So far."""
    pairs = [
        COUNTER.findall(node.run("nft", "list", "table", "netdev", "lab_loss"))
        for node in nodes
        if node.is_on
    ]
    return Lost(frames=sum(int(pair[0]) for pair in pairs), lost=sum(int(pair[1]) for pair in pairs))
