"""One scenario of layer 2, as often as wanted, for both families side by side; JSON on standard output.

    python -m bench.layer2 --scenario power-off --trials 30 [--nodes 8] [--profile fast] [--family 46]
    python -m bench.layer2 --scenario soak --loss 1 --hours 1
    python -m bench.layer2 --scenario all --trials 30 [--runs power-off,arp]

As root, in network namespaces of its own.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.arguments import EXIT_COULD_NOT_TRY, EXIT_MISSED
from bench.layer2 import (
    away,
    blackout,
    disturbed,
    failover,
    idle,
    many,
    overload,
    peers,
    planned,
    soak,
    start,
)
from bench.layer2.campaign import RESULTS, campaign
from bench.layer2.conditions import FAMILIES, Conditions
from bench.layer2.targets import FAILOVER_TRIALS
from bench.trials import heed_interrupts, say
from lab.commands import LabError, what_is_missing

SCENARIOS: dict[str, Callable[[Conditions], object]] = {
    "power-off": failover.power_off,
    "peers": peers.power_off,
    "cut": failover.cut,
    "two-left": failover.two_left,
    "one-left": failover.one_left,
    "kill": disturbed.disturb(disturbed.CRASH),
    "freeze": disturbed.disturb(disturbed.FREEZE),
    "gossip-cut": disturbed.disturb(disturbed.GOSSIP_CUT),
    "cable-1s": disturbed.disturb(disturbed.CABLE_1_S),
    "cable-5s": disturbed.disturb(disturbed.CABLE_5_S),
    "sigterm": planned.sigterm,
    "drain": planned.drain,
    "roll": planned.roll,
    "soak": soak.soak,
    "api-away": away.api_away,
    "many": many.many,
    "takeover": many.takeover,
    "start": start.start,
    "blackout": blackout.blackout,
    "idle": idle.idle,
    "overload": overload.overload,
}
OWN: dict[str, dict[str, float]] = {
    "soak": {"nodes": 8, "trials": 10, "minutes": 60, "loss": 1},
    "api-away": {"trials": 3, "minutes": 10},
    "many": {"addresses": 5000},
    "takeover": {"addresses": 1000},
    "start": {"addresses": 5000},
    "blackout": {"addresses": 100},
    "idle": {"addresses": 1000, "nodes": 8, "trials": 1},
    "overload": {"addresses": 1000, "nodes": 8, "trials": 1},
}
"""Conditions of a scenario where the command line says nothing, if they are not those of all."""


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
    parser.add_argument("--scenario", choices=[*sorted(SCENARIOS), "all"], required=True)
    unless_said = argparse.SUPPRESS
    parser.add_argument("--trials", type=int, default=unless_said)
    parser.add_argument("--nodes", type=int, default=unless_said)
    parser.add_argument("--family", choices=sorted(FAMILIES), default=unless_said)
    parser.add_argument("--profile", choices=("default", "fast", "wan"), default=unless_said)
    parser.add_argument("--addresses", type=int, default=unless_said)
    parser.add_argument("--loss", type=float, default=unless_said, help="per cent of frames")
    parser.add_argument("--minutes", type=float, default=unless_said)
    parser.add_argument("--hours", type=lambda text: 60 * float(text), dest="minutes", default=unless_said)
    parser.add_argument("--runs", type=lambda text: text.split(","), default=[], help="of all: these only")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of all: where the results are kept")
    given = vars(parser.parse_args(arguments))
    scenario = given.pop("scenario")
    if sentence := what_is_missing():
        say(sentence)
        return EXIT_COULD_NOT_TRY
    heed_interrupts()
    runs, folder = given.pop("runs"), given.pop("folder")
    if scenario == "all":
        return everything(given, runs, folder)
    conditions = msgspec.convert({"trials": 5, **OWN.get(scenario, {}), **given}, Conditions)
    try:
        found = SCENARIOS[scenario](conditions)
    except LabError as error:
        say(f"not measured: {error}")
        return EXIT_COULD_NOT_TRY
    result = Result(scenario=scenario, conditions=conditions, load=round(os.getloadavg()[0], 2), found=found)
    print(msgspec.json.format(msgspec.json.encode(result), indent=1).decode())
    return 0


def everything(given: Mapping[str, float], runs: Sequence[str], folder: Path) -> int:
    """Run the campaign; 1 if a row is missed."""
    short = ("--minutes", f"{given['minutes']:g}") if "minutes" in given else ()
    more = dict.fromkeys(("soak-1", "soak-5", "api-away"), short)
    trials = int(given.get("trials", FAILOVER_TRIALS))
    summary = campaign(trials=trials, more=more, only=runs, folder=folder)
    print(msgspec.json.format(msgspec.json.encode(summary), indent=1).decode())
    return EXIT_MISSED if summary.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
