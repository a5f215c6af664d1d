"""An address is left to a stranger only after that is written down: a successor would give it again."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.strangers import QUARANTINE_S
from bareway.model.memory import AllocationMemory
from bareway.model.services import Service
from bareway.resources.in_force import InForce
from controller.writing.effects import ClearIngress, Effect, SetIngress, WriteState
from controller.writing.plan import Shown, plan
from support.builders import configuration, ips, pool, service
from support.written import after, assigned, decided, showing

NOW = 1_000
SHUNNED = ips("192.0.2.0")[0]
WEB = assigned(service("web", ingress=["192.0.2.0"]))


def planned(shown: Shown, *addresses: str, is_due: bool = False) -> tuple[Effect, ...]:
    """What is done once a stranger answers for the address, if the pool has these."""
    of = configuration(pool("a", *addresses))
    in_force = InForce(configuration=of, document="…", sha256="…", generation=1, source="a test")
    shunning = AllocationMemory(quarantine={SHUNNED: NOW + QUARANTINE_S})
    known = replace(shown, in_force=in_force, memory=shunning)
    desired = replace(decided(in_force, known, now=NOW), is_memory_due=is_due)
    return plan(desired, replace(known, memory=shown.memory))


@pytest.mark.parametrize(
    ("addresses", "then"),
    [
        pytest.param(["192.0.2.0/31"], SetIngress, id="for another one"),
        pytest.param(["192.0.2.0/32"], ClearIngress, id="for none, since there is none"),
    ],
)
def test_what_is_left_to_a_stranger_is_written_down_first(addresses: list[str], then: type[Effect]) -> None:
    shown = showing(WEB)
    (first,) = planned(shown, *addresses)
    assert isinstance(first, WriteState)
    assert first.memory.quarantine.keys() == {SHUNNED}
    (second,) = planned(after(shown, [first]), *addresses)
    assert isinstance(second, then)


def test_others_wait_for_nothing() -> None:
    fresh: Service = service("new")
    effects = planned(showing(WEB, fresh), "192.0.2.0/30")
    assert [type(effect) for effect in effects] == [WriteState, SetIngress]
    assert isinstance(effects[1], SetIngress)
    assert effects[1].service.key == fresh.key
