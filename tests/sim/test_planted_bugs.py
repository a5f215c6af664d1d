"""The simulator against machines that are wrong on purpose: each fault must be found, or it finds nothing."""

from collections.abc import Callable
from functools import partial

import pytest

from bareway.gossip.machine import GossipMachine
from bareway.gossip.ownership import Ownership
from bareway.gossip.readiness import Readiness
from bareway.gossip.sides import Sides
from bareway.model.names import IPAddress
from sim import test_failover as failover
from sim import test_partition as partition
from sim.checkers import Broken
from sim.faults import RandomRun

SEEDS = 60
"""Enough for the rarest of these; most are found among the first ten."""

Plant = Callable[[pytest.MonkeyPatch], None]


def no_digest_exchange(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.edges.Edges.differs", lambda *_args, **_names: None)


def the_fence_does_not_trip(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Readiness, "fence", lambda *_args, **_names: None)
    patch.setattr(GossipMachine, "may_answer", lambda self, address, *, now: address in self.answering)


def the_beaten_go_on(patch: pytest.MonkeyPatch) -> None:
    right = Ownership.serves

    def serves(self: Ownership, address: IPAddress) -> bool:
        return right(self, address) or (address in self.answering and not self.silenced)

    patch.setattr(Ownership, "serves", serves)


def no_ladder(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.ownership.LADDER_STEP_S", 0.0)


def only_the_first_in_order_claims(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.ownership.LADDER_STEP_S", 1e9)


def eligible_before_push_pull(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Readiness, "start_at", lambda self, **_names: self.ready_at)


def no_greater_side(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sides, "outweigh", lambda *_args, **_names: False)


def no_crash_grace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.membership.CRASH_GRACE_S", 0.0)


def play_many() -> None:
    for seed in range(SEEDS):
        RandomRun(seed).play()


@pytest.mark.slow
@pytest.mark.parametrize("plant", [the_fence_does_not_trip, the_beaten_go_on])
def test_random_faults_find(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken, match="replay: make sim SEED="):
        play_many()


@pytest.mark.parametrize(
    ("plant", "story"),
    [
        (no_digest_exchange, partition.test_a_claim_that_the_others_missed_is_found_by_the_digest),
        (no_ladder, partial(failover.test_a_group_that_starts_together_shares_by_metallbs_rank, 4)),
        (only_the_first_in_order_claims, failover.test_a_first_in_order_that_hangs_delays_but_does_not_block),
        (eligible_before_push_pull, failover.test_who_meets_nobody_starts_after_three_seconds),
        (no_greater_side, partition.test_a_healed_node_that_had_everything_gives_it_back),
        (no_crash_grace, partial(failover.test_a_crash_moves_nothing_if_the_process_is_back_in_time, 1, 0.8)),
    ],
)
def test_a_story_finds(plant: Plant, story: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        story()
