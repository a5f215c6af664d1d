"""What is remembered, between what is stored and the next decision."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap
from bareway.resources.state import write_state
from controller.allocation.state import GATHERED_S, State
from support.builders import configuration, ips, key, pool, service

KEY = ObjectKey("bareway-system", "bareway-state")
(ONE,) = ips("192.0.2.1")
REMEMBERS = configuration(replace(pool("a", "192.0.2.0/30"), hold_after_delete_s=60.0))
HELD = AllocationMemory(holders={ONE: (key("web"),)})
FREED = AllocationMemory(quarantine={ONE: 2_000_000_000})


def stored(memory: AllocationMemory, version: str = "1") -> ConfigMap:
    return ConfigMap(key=KEY, resource_version=version, data=write_state(memory))


def follow(state: State, of: Configuration = REMEMBERS, *held: str) -> None:
    services = [service(name, ingress=[address]) for name, address in zip(("web", "api"), held, strict=False)]
    view = AllocationView(configuration=of, services=services, memory=state.wanted)
    state.follow(allocate(view), of, {one.key: one for one in services}, now=0)


def test_a_start_goes_on_with_what_is_stored() -> None:
    state = State()
    state.read(stored(HELD))
    assert (state.stored, state.wanted, state.version) == (HELD, HELD, "1")


def test_what_is_remembered_is_wanted_and_is_due_at_once_the_first_time() -> None:
    state = State()
    state.read(None)
    follow(state, REMEMBERS, "192.0.2.1")
    assert (state.stored, state.wanted, state.version) == (AllocationMemory(), HELD, "")
    assert state.is_due(now_s=0)


def test_later_changes_are_gathered_for_a_while() -> None:
    state = State()
    follow(state, REMEMBERS, "192.0.2.1")
    state.asked(state.wanted, now_s=10)
    assert not state.is_due(now_s=10 + GATHERED_S / 2)
    assert state.due_s == 10 + GATHERED_S
    assert state.is_due(now_s=10 + GATHERED_S)


def test_nothing_is_due_while_it_is_stored_as_wanted() -> None:
    state = State()
    state.read(stored(HELD))
    assert state.due_s == float("inf")


def test_to_find_what_we_wrote_changes_nothing() -> None:
    state = State()
    follow(state, REMEMBERS, "192.0.2.1")
    state.asked(state.wanted, now_s=0)
    follow(state, REMEMBERS, "192.0.2.1", "192.0.2.2")
    newer = state.wanted
    state.read(stored(HELD))
    assert (state.stored, state.wanted) == (HELD, newer)


def test_what_another_wrote_counts() -> None:
    state = State()
    state.read(stored(HELD))
    state.read(stored(FREED, "2"))
    assert state.wanted == FREED


@pytest.mark.parametrize(
    "left", [None, ConfigMap(key=KEY, data={"memory": "nonsense"})], ids=["gone", "damaged"]
)
def test_what_somebody_took_away_is_still_known_and_wanted(left: ConfigMap | None) -> None:
    state = State()
    state.read(stored(HELD))
    state.read(left)
    assert (state.stored, state.wanted) == (AllocationMemory(), HELD)


def test_where_no_pool_remembers_nothing_is_wanted() -> None:
    state = State()
    follow(state, configuration(pool("a", "192.0.2.0/30")), "192.0.2.1")
    assert state.wanted == AllocationMemory()


def test_what_is_planned_and_not_shown_yet_is_not_remembered() -> None:
    state = State()
    waiting = service("api", requested="192.0.2.1")
    view = AllocationView(configuration=REMEMBERS, services=[waiting])
    state.follow(allocate(view), REMEMBERS, {waiting.key: waiting}, now=0)
    assert state.wanted == AllocationMemory()
