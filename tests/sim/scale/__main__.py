"""``python -m sim.scale [--members 1000]``: deaths in a large group, as one JSON object; minutes of one core.

Exit code 1 if a bound does not hold: 99 % of all know within 0.8 s, at most 200 messages a member and second.
"""

import argparse
import sys

from msgspec import json

from bareway.gossip.profile import ProfileName
from sim.scale.measure import Scale, measure

DETECTION_MAX_S = 0.8
MESSAGES_MAX_PER_S = 200


def holds(scale: Scale) -> bool:
    """Whether everybody knew in time, nobody was buried alive, and it cost little enough."""
    return (
        scale.detection_p99_s <= DETECTION_MAX_S
        and scale.messages_per_s_max <= MESSAGES_MAX_PER_S
        and (scale.missed, scale.false_deaths, scale.views) == (0, 0, 1)
    )


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="sim.scale", description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", type=ProfileName, default=ProfileName.DEFAULT)
    wish = parser.parse_args(arguments)
    scale = measure(
        members=wish.members, kills=wish.kills, loss=wish.loss, seed=wish.seed, profile=wish.profile
    )
    print(json.format(json.encode(scale)).decode())
    return 0 if holds(scale) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
