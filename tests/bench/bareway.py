"""Bareway on the site of the lab: powered off, killed, at rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.trials import measured, say
from lab.apis import EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.site import Site, Watchers
from lab.system import System
from lab.trial import Trial, steady_owner

PRODUCT = "bareway"


@contextmanager
def running() -> Iterator[System]:
    """Controller and speakers with one published Service, all settled."""
    with Lab() as lab:
        say("building the site with Bareway on three nodes")
        system = System(Site(lab), EmbeddedApi)
        system.start_cluster()
        system.start_all()
        system.configure()
        system.publish()
        system.settle()
        yield system


def _repeat(
    system: System,
    trials: int,
    fault: str,
    strike: Callable[[Machine], None],
    repair: Callable[[Machine], None],
) -> list[Trial]:
    watchers = Watchers(system.site, system.address_of())
    steady_owner(watchers)

    def repaired(node: Machine) -> None:
        repair(node)
        system.settle()

    done: list[Trial] = []
    for _ in range(trials):
        done += measured(watchers, PRODUCT, fault, strike, repaired)
    return done


def measure_power_off(trials: int) -> list[Trial]:
    """Power the owner off so many times; each time it comes back before the next."""
    with running() as system:
        return _repeat(system, trials, "power off", Machine.power_off, system.repair)


def measure_kill(trials: int) -> list[Trial]:
    """kill -9 of the owner's speaker; the node itself goes on forwarding."""
    with running() as system:
        return _repeat(
            system,
            trials,
            "kill -9",
            lambda owner: system.speakers[owner.name].kill(),
            system.restart_speaker,
        )
