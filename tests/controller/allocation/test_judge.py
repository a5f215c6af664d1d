"""When a document is judged anew, and what is in force meanwhile."""

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap, ObjectReference
from bareway.model.services import Service
from bareway.resources.in_force import write_in_force
from controller.allocation.acceptance import ConfigurationRefusal, Offer
from controller.allocation.judge import AGAIN_S, Judge, last_generation
from support.builders import service

KEY = ObjectKey("bareway-system", "bareway-config")
ABOUT = ObjectReference(kind="ConfigMap", key=ObjectKey("bareway-system", "config"))
OLD = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
NEW = "address-pools: [{name: b, protocol: layer2, addresses: [198.51.100.0/24]}]"


def offer(document: str) -> Offer:
    return Offer(document=document, source="a test", about=ABOUT)


def written(document: str, generation: int = 1) -> ConfigMap:
    data = write_in_force(document, generation=generation, source="a test")
    return ConfigMap(key=KEY, resource_version=str(generation), data=data)


class Rig:
    """A judge, the Services that it decides about, and how often it did."""

    def __init__(self, *services: Service) -> None:
        self.services = [*services]
        self.decisions = 0
        self.judge = Judge(self._decide, clock=lambda: 0.0)

    def _decide(self, configuration: Configuration) -> Allocation:
        self.decisions += 1
        return allocate(AllocationView(configuration=configuration, services=self.services))


def test_a_document_that_is_in_force_costs_no_decision_however_often_it_is_looked_at() -> None:
    rig = Rig(service(ingress=["192.0.2.1"]))
    stored = written(OLD)
    for second in range(5):
        found = rig.judge.judge(offer(OLD), stored, has_changed=True, now_s=second)
        assert (found.refusal, found.in_force) == (None, rig.judge.in_force(stored))
    assert rig.decisions == 0


def test_a_refused_document_costs_a_decision_a_second_at_most_and_none_while_nothing_changes() -> None:
    rig = Rig(service(ingress=["192.0.2.1"]))
    stored = written(OLD)
    for step in range(30):
        rig.judge.judge(offer(NEW), stored, has_changed=step < 20, now_s=step * AGAIN_S / 10)
    assert rig.decisions == 2 * 3, "under both documents: at first, after a second, and once it was due"
    rig.judge.judge(offer(NEW), stored, has_changed=False, now_s=100)
    assert rig.decisions == 2 * 3


def test_a_refused_document_comes_into_force_once_nobody_would_lose_anything() -> None:
    rig = Rig(service(ingress=["192.0.2.1"]))
    stored = written(OLD)
    first = rig.judge.judge(offer(NEW), stored, has_changed=True, now_s=0)
    assert first.refusal is ConfigurationRefusal.TAKES_ADDRESSES_AWAY
    rig.services.clear()
    early = rig.judge.judge(offer(NEW), stored, has_changed=True, now_s=AGAIN_S / 2)
    assert (early.refusal, rig.judge.due_s) == (first.refusal, AGAIN_S)
    later = rig.judge.judge(offer(NEW), stored, has_changed=False, now_s=AGAIN_S)
    assert later.refusal is None
    assert later.in_force is not None
    assert later.in_force.generation == 2


def test_another_document_is_judged_at_once() -> None:
    rig = Rig(service(ingress=["192.0.2.1"]))
    rig.judge.judge(offer(NEW), written(OLD), has_changed=True, now_s=0)
    found = rig.judge.judge(
        offer(NEW + "\n" + OLD[len("address-pools: ") :]), written(OLD), has_changed=False, now_s=0
    )
    assert found.refusal is ConfigurationRefusal.INVALID


@pytest.mark.parametrize("damage", [None, ConfigMap(key=KEY, resource_version="9", data={"generation": "8"})])
def test_what_was_in_force_is_remembered_and_written_anew_when_it_is_lost(damage: ConfigMap | None) -> None:
    rig = Rig()
    rig.judge.judge(offer(OLD), written(OLD, 3), has_changed=False, now_s=0)
    found = rig.judge.judge(offer("address-pools: ["), damage, has_changed=False, now_s=1)
    assert found.refusal is ConfigurationRefusal.INVALID
    assert found.in_force is not None
    assert (found.in_force.document, found.in_force.generation) == (OLD, 4 if damage is None else 9)


@pytest.mark.parametrize(
    ("text", "generation"),
    [("7", 7), ("", 0), ("x", 0), ("-1", 0), ("9" * 5000, 0), ("\u0661", 0)],
    ids=["number", "empty", "word", "negative", "longer than Python reads", "other digits"],
)
def test_a_generation_is_read_as_far_as_it_is_one(text: str, generation: int) -> None:
    config_map = ConfigMap(key=ObjectKey("bareway-system", "bareway-config"), data={"generation": text})
    assert last_generation(config_map) == generation
    assert last_generation(None) == 0
