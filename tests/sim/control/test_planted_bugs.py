"""The simulator against controllers that are wrong on purpose: each must be found, or it finds nothing."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.remember import remember
from bareway.decide.allocation.stock import Stock
from bareway.decide.announcement.announcers import _Placed
from bareway.model.memory import AllocationMemory
from bareway.model.objects import Lease
from bareway.model.steps import Steps
from controller.allocation import state
from controller.allocation.assumptions import Assumptions
from controller.announcement.lists import Lists
from controller.leading.election import Claim
from controller.leading.fence import Fence, NotLeading
from controller.leading.leadership import Leadership
from controller.watch import Watch
from controller.writing import apply
from sim.control.api import Place
from sim.control.checkers import Broken, Checkers
from sim.control.faults import RandomRun, timeless
from sim.control.loops import VirtualLoop
from sim.control.users import CONFIG
from sim.control.world import World

SEEDS = 1_000
"""Enough for the rarest of these; most are found among the first hundred."""

MOMENTS_S = (0.006, 0.01, 0.014, 0.018, 0.024)
"""After so long a leader may be in the midst of 60 writes."""
Patch = Mapping[str, object]
Plant = Callable[[pytest.MonkeyPatch], None]


def the_former_leaders_writes_are_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    right = Leadership._take

    def take(self: Leadership, claim: Claim, *, now: float) -> None:
        right(self, claim if claim is Claim.FIRST else Claim.RELEASED, now=now)

    patch.setattr(Leadership, "_take", take)


def versions_are_not_checked(patch: pytest.MonkeyPatch) -> None:
    def unconditional(right: Callable[..., Patch]) -> Callable[..., Patch]:
        def make(*arguments: object) -> Patch:
            made = dict(right(*arguments))
            metadata = made["metadata"]
            assert isinstance(metadata, Mapping)
            made["metadata"] = {name: value for name, value in metadata.items() if name != "resourceVersion"}
            return made

        return make

    for name in ("assign_patch", "release_patch"):
        patch.setattr(apply, name, unconditional(getattr(apply, name)))


def a_release_is_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.writing.plan._may_show", lambda *_: True)


def what_was_written_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    for name in ("shown_one", "held_one"):
        patch.setattr(Assumptions, name, lambda _self, _key, mirrored: mirrored)
    for name in ("shown", "held"):
        patch.setattr(Assumptions, name, lambda _self, objects: objects)


def a_restart_forgets_what_is_remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.allocation.state._content", lambda _: AllocationMemory())


def reservations_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Stock, "not_reserved", lambda *_: None)


def holds_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.decide.allocation.freed._hold", lambda *_: None)


def quarantine_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    def forgetful(memory: AllocationMemory, **names: Any) -> AllocationMemory:
        return replace(remember(memory, **names), quarantine={})

    patch.setattr(state, "remember", forgetful)


def groups_are_split(patch: pytest.MonkeyPatch) -> None:
    def split(placed: Iterable[_Placed]) -> Steps[list[list[_Placed]]]:
        yield
        return [[replace(one, addresses=(address,))] for one in placed for address in one.addresses]

    patch.setattr("bareway.decide.announcement.announcers._linked", split)


def the_age_of_a_lease_is_told_by_its_renew_time(patch: pytest.MonkeyPatch) -> None:
    right = Leadership._learn

    def learn(self: Leadership, lease: Lease | None, *, now: float) -> None:
        right(self, lease, now=now)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        if lease is not None and lease.renewed_at:
            self._changed_at = now - (loop.unix() - int(lease.renewed_at))

    patch.setattr(Leadership, "_learn", learn)


def nothing_is_listed_afresh(patch: pytest.MonkeyPatch) -> None:
    async def relist(self: Watch) -> None:
        """What is mirrored is good enough."""

    patch.setattr(Watch, "relist", relist)


def the_status_comes_before_the_list(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lists, "_is_stored", lambda *_: True)


def generations_begin_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.decide.announcement.spread._next_generation", lambda *_: 1)


def losses_are_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.allocation.acceptance._taken_away", lambda *_: ())


def who_shares_with_a_changed_service_is_overlooked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "_linked", lambda _self, touched: set(touched))


def who_leads_again_writes_what_it_decided_before(patch: pytest.MonkeyPatch) -> None:
    async def admit(self: Fence) -> None:
        if not self._permit.may_write() and not self._is_closed:
            try:
                async with asyncio.timeout(self._limit_s):
                    await self._permit.wait()
            except TimeoutError:
                raise NotLeading("as it should") from None
        if self._is_closed:
            raise NotLeading("as it should")

    patch.setattr(Fence, "_admit", admit)


def strangers_are_overlooked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.allocation.strangers.reckon", lambda last, *_, memory, **__: (last, memory))


def an_address_is_left_to_a_stranger_before_that_is_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.writing.plan._needs_memory", lambda *_: False)


def play_many(first: int) -> None:
    """All seeds, beginning where it was found last, so that it is found soon."""
    for seed in (*range(first, SEEDS), *range(first)):
        RandomRun(seed).play()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("plant", "first"),
    [
        (the_former_leaders_writes_are_not_waited_for, 12),
        (versions_are_not_checked, 96),
        (a_release_is_not_waited_for, 300),
        (what_was_written_is_forgotten, 261),
        (a_restart_forgets_what_is_remembered, 0),
        (reservations_are_ignored, 17),
        (holds_are_ignored, 1),
        (quarantine_is_forgotten, 6),
        (groups_are_split, 0),
        (the_age_of_a_lease_is_told_by_its_renew_time, 187),
        (nothing_is_listed_afresh, 10),
        (the_status_comes_before_the_list, 0),
        (generations_begin_anew, 0),
        (losses_are_accepted, 13),
        (who_shares_with_a_changed_service_is_overlooked, 112),
        (strangers_are_overlooked, 6),
        (an_address_is_left_to_a_stranger_before_that_is_written, 15),
        (who_leads_again_writes_what_it_decided_before, 7),
    ],
)
def test_a_planted_bug_is_found(plant: Plant, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken, match="replay: make sim WORLD=control SEED="):
        play_many(first)


def lead_again_in_the_midst_of_writing(after_s: float) -> None:
    """Frozen with writes still to begin; another leads meanwhile and ends, so that it leads again at once.

    With no more Services than random histories have, all writes of a pass begin in the same moment.
    """
    world = World(1)
    Checkers(world)
    pool = {"name": "p", "protocol": "layer2", "addresses": ["192.0.2.0/24"]}
    world.put(CONFIG, {"data": {"config": json.dumps({"address-pools": [pool]})}})
    try:
        for name in ("a", "b"):
            world.start(name)
        world.run(4.0)
        former = world.leader()
        (other,) = (one for one in world.processes if one is not former)
        assert former is not None
        spec = {"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80}]}
        for number in range(60):
            world.put(Place("services", "x", f"s{number:02}"), {"spec": spec})
        world.run(after_s)
        former.freeze(5.0)
        world.run(4.9)
        assert world.leader() is other
        other.end()
        world.run(5.0)
        assert (world.leader(), former.elector.term) == (former, 2)
        assert all(service.ingress for service in world.api.services().values())
    finally:
        world.close()


def lead_again_often() -> None:
    for after_s in MOMENTS_S:
        lead_again_in_the_midst_of_writing(after_s)


@pytest.mark.slow
def test_who_leads_again_writes_nothing_that_it_decided_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with timeless():
        lead_again_often()
        who_leads_again_writes_what_it_decided_before(monkeypatch)
        with pytest.raises(Broken, match="writes, and has not seen what was there"):
            lead_again_often()
