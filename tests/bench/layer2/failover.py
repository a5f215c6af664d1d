"""A node dies: powered off or cut off; with all nodes there, or with one or two left."""

from collections.abc import Callable

from bench.layer2.conditions import Conditions
from bench.layer2.stage import Stage, staged
from bench.summary import Report, report
from bench.trials import REPEATS_MAX, STALL_MAX_S, say
from lab.machine import Machine
from lab.trial import Trial, measure_each

Repair = Callable[[Stage, Machine], None]


def power_off(conditions: Conditions) -> list[Report]:
    """The owner's node loses power; each time it comes back before the next."""
    return _repeated(conditions, "power off", Machine.power_off, power_on)


def cut(conditions: Conditions) -> list[Report]:
    """The owner's cable is pulled; each time it is plugged in again before the next."""
    return _repeated(conditions, "cable cut", Machine.cut, join)


def two_left(conditions: Conditions) -> list[Report]:
    """One node is off already; another loses power, and one is left."""
    return _repeated(conditions, "power off, two left", Machine.power_off, power_on, absent=1)


def one_left(conditions: Conditions) -> list[Report]:
    """The owner and others lose power at the same moment; of three nodes one is left."""
    with staged(conditions) as stage:

        def strike(owner: Machine) -> None:
            struck = [owner, *[node for node in stage.site.nodes if node is not owner][:-1]]
            for node in struck:
                node.cut()
            for node in struck:
                node.power_off()

        def repair(stage: Stage, owner: Machine) -> None:
            del owner
            for node in stage.site.nodes:
                if not node.is_on:
                    stage.system.repair(node)

        done = [
            trial
            for _ in range(conditions.trials)
            for trial in strike_once(stage, "power off, one left", strike, repair)
        ]
        return reports(done, stage)


def power_on(stage: Stage, node: Machine) -> None:
    """Switch it on again, and start what runs on it."""
    stage.system.repair(node)


def join(stage: Stage, node: Machine) -> None:
    """Plug the cable in again."""
    del stage
    node.join()


def _repeated(
    conditions: Conditions,
    fault: str,
    strike: Callable[[Machine], None],
    repair: Repair,
    *,
    absent: int = 0,
) -> list[Report]:
    with staged(conditions) as stage:
        for node in [node for node in stage.site.nodes if node is not stage.owner()][:absent]:
            node.power_off()
        done = [
            trial for _ in range(conditions.trials) for trial in strike_once(stage, fault, strike, repair)
        ]
    return reports(done, stage)


def strike_once(
    stage: Stage, fault: str, strike: Callable[[Machine], None], repair: Repair
) -> list[list[Trial]]:
    """One fault, repeated while the host itself stood still; a trial for each address."""
    tried: list[list[Trial]] = []
    for _ in range(REPEATS_MAX):
        stage.owner()
        trials = measure_each(stage.watched, "bareway", fault, strike)
        tried.append(trials)
        outages = ", ".join(f"{trial.outage_s:.3f}" for trial in trials)
        say(f"  {trials[0].owner} {fault}; {trials[0].successor} took over; outages {outages} s")
        repair(stage, stage.site.lab.machines[trials[0].owner])
        stage.system.settle()
        stall_s = max(trial.stall_s for trial in trials)
        if stall_s <= STALL_MAX_S:
            break
        say(f"  the host itself stood still for {stall_s * 1000:.0f} ms: repeated")
    return tried


def reports(done: list[list[Trial]], stage: Stage) -> list[Report]:
    """A report for each watched address, in their order."""
    return [report([trials[place] for trials in done]) for place in range(len(stage.watched))]
