"""One scenario of layer 2, as often as wanted, for both families side by side; JSON on standard output.

    python -m bench.layer2 --scenario power-off --trials 30 [--nodes 8] [--profile fast] [--family 46]

As root, in network namespaces of its own.
"""

import argparse
import os
import sys
from collections.abc import Callable

import msgspec

from bench.arguments import EXIT_COULD_NOT_TRY
from bench.layer2 import disturbed, failover, peers, planned
from bench.layer2.conditions import FAMILIES, Conditions
from bench.trials import say
from lab.commands import LabError, what_is_missing

SCENARIOS: dict[str, Callable[[Conditions], object]] = {
    "power-off": failover.power_off,
    "peers": peers.power_off,
    "cut": failover.cut,
    "two-left": failover.two_left,
    "kill": disturbed.disturb(disturbed.CRASH),
    "freeze": disturbed.disturb(disturbed.FREEZE),
    "gossip-cut": disturbed.disturb(disturbed.GOSSIP_CUT),
    "cable-1s": disturbed.disturb(disturbed.CABLE_1_S),
    "cable-5s": disturbed.disturb(disturbed.CABLE_5_S),
    "sigterm": planned.sigterm,
    "drain": planned.drain,
    "roll": planned.roll,
}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a run."""

    scenario: str
    conditions: Conditions
    load: float
    """Of the last minute, at the end."""
    found: object


def main(arguments: list[str]) -> int:
    """Run one scenario."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), required=True)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--family", choices=sorted(FAMILIES), default="46")
    parser.add_argument("--profile", choices=("default", "fast", "wan"), default="default")
    parser.add_argument("--addresses", type=int, default=1)
    given = vars(parser.parse_args(arguments))
    scenario = given.pop("scenario")
    if sentence := what_is_missing():
        say(sentence)
        return EXIT_COULD_NOT_TRY
    conditions = Conditions(**given)
    try:
        found = SCENARIOS[scenario](conditions)
    except LabError as error:
        say(f"not measured: {error}")
        return EXIT_COULD_NOT_TRY
    result = Result(scenario=scenario, conditions=conditions, load=round(os.getloadavg()[0], 2), found=found)
    print(msgspec.json.format(msgspec.json.encode(result), indent=1).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
