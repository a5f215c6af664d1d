"""One scenario of BGP, as often as wanted; JSON on standard output.

    python -m bench.bgp --scenario routes --trials 5 [--family 46] [--addresses 100000]

As root, in network namespaces of its own.
"""

import argparse
import os
import sys
from collections.abc import Callable

import msgspec

from bench.arguments import EXIT_COULD_NOT_TRY
from bench.bgp import changes, faults, neighbours, routes, services, weights
from bench.bgp.conditions import Conditions
from bench.trials import say
from lab.commands import LabError, what_is_missing

SCENARIOS: dict[str, Callable[[Conditions], object]] = {
    "routes": routes.flood,
    "services": services.starts,
    "changes": changes.changes,
    **{fault: faults.measure(fault) for fault in faults.FAULTS},
    "faults": faults.measure(*faults.FAULTS),
    "weights": weights.weights,
    "neighbours": neighbours.neighbours,
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
    parser.add_argument("--family", choices=("4", "6", "46"), default="46")
    parser.add_argument("--addresses", type=int, default=0, help="routes or Services")
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
