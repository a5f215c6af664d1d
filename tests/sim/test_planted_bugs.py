"""The simulator against machines that are wrong on purpose: each fault must be found, or it finds nothing."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.gossip.claims import Claim
from bareway.gossip.disputes import Disputes
from bareway.gossip.edges import Edges
from bareway.gossip.events import Permission, Wish
from bareway.gossip.guard import Guard
from bareway.gossip.member import Report
from bareway.gossip.membership import Membership
from bareway.gossip.ownership import Ownership
from bareway.gossip.profile import ProfileName
from bareway.gossip.quorum import Quorum
from bareway.gossip.readiness import Readiness
from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from bareway.model.rank import ranked
from sim.broken import Broken
from sim.history import RandomRun
from sim.scripts import Fault, Lists, Script

SEEDS = 1000

Plant = Callable[[pytest.MonkeyPatch], None]


def eligible_before_push_pull(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Readiness, "start_at", lambda self, **_names: self.ready_at)


def a_tie_of_claims_is_broken_by_view(patch: pytest.MonkeyPatch) -> None:
    def beats(new: Claim, old: Claim) -> bool:
        return new.version > old.version  # whichever came first stays

    patch.setattr("bareway.gossip.claims.beats", beats)


def the_fence_does_not_trip(patch: pytest.MonkeyPatch) -> None:
    right = Guard.permission

    def permission(self: Guard, address: IPAddress, *, ran_at: float, now: float) -> Permission:
        return right(self, address, ran_at=now, now=now)

    patch.setattr(Guard, "paused", lambda *_args, **_names: None)
    patch.setattr(Guard, "permission", permission)


def the_beaten_go_on(patch: pytest.MonkeyPatch) -> None:
    right = Ownership.serves

    def serves(self: Ownership, address: IPAddress) -> bool:
        return right(self, address) or (address in self.answering and not self.silenced)

    patch.setattr(Ownership, "serves", serves)


def no_greater_side(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Disputes, "answer_to", lambda *_args, **_names: None)


def no_digest_exchange(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Edges, "differs", lambda *_args, **_names: None)


def who_leaves_takes_from_who_leaves(patch: pytest.MonkeyPatch) -> None:
    def is_handed_over(self: Ownership, holder: NodeName) -> bool:
        return self.order.standings[holder].leaving

    def place(self: Ownership, candidates: Iterable[NodeName], address: IPAddress, wish: Wish) -> int:
        return self.order.place(self.me, list(candidates), address, wish)

    patch.setattr(Ownership, "_is_handed_over", is_handed_over)
    patch.setattr(Ownership, "_place", place)


def an_older_list_moves_back(patch: pytest.MonkeyPatch) -> None:
    right = Ownership.claim_for

    def note_ahead(self: Ownership, address: IPAddress, wish: Wish | None, claim: Claim | None) -> bool:
        return claim is not None and wish is not None and 0 < wish.generation != claim.generation

    def claim_for(self: Ownership, address: IPAddress) -> Claim:
        claim = right(self, address)
        is_older = claim.generation < self.table.generation
        return self.table.next_claim(address, self.me) if is_older else claim

    patch.setattr(Ownership, "_note_ahead", note_ahead)
    patch.setattr(Ownership, "claim_for", claim_for)


def no_crash_grace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.membership.CRASH_GRACE_S", 0.0)


def the_drained_stop_at_once(patch: pytest.MonkeyPatch) -> None:
    right = Ownership.serves

    def serves(self: Ownership, address: IPAddress) -> bool:
        return right(self, address) and not self.order.standings[self.me].leaving

    patch.setattr(Ownership, "serves", serves)


def the_isolated_answer_without_asking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Quorum, "is_isolated", lambda *_args, **_names: False)


def safe_needs_no_majority(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Quorum, "is_fresh", lambda *_args, **_names: True)
    patch.setattr(Quorum, "ends_at", lambda *_args, **_names: float("inf"))


def only_the_first_in_order_claims(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.ownership.LADDER_STEP_S", 1e9)


def who_is_accused_is_silent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Membership, "_hear_of_myself", lambda *_args, **_names: None)


def who_was_away_accuses(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Edges, "delay_by", lambda *_args, **_names: None)


def a_death_needs_no_suspicion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bareway.gossip.suspicion.suspicion_timeout", lambda **_names: 0.0)


def an_incarnation_is_raised_by_others(patch: pytest.MonkeyPatch) -> None:
    right = Membership.hear

    def hear(self: Membership, report: Report, *, now: float) -> None:
        mine = report.name == self.me
        right(self, report if mine else replace(report, incarnation=report.incarnation + 1), now=now)

    patch.setattr(Membership, "hear", hear)


def play_many(first: int) -> None:
    """All seeds, beginning where it was found last, so that it is found soon."""
    for seed in (*range(first, SEEDS), *range(first)):
        RandomRun(seed).play()


PLANTS = [
    (eligible_before_push_pull, 16),
    (only_the_first_in_order_claims, 68),
    (a_tie_of_claims_is_broken_by_view, 7),
    (the_fence_does_not_trip, 17),
    (the_beaten_go_on, 0),
    (no_greater_side, 3),
    (no_digest_exchange, 1),
    (who_leaves_takes_from_who_leaves, 8),
    (an_older_list_moves_back, 14),
    (no_crash_grace, 44),
    (the_drained_stop_at_once, 9),
    (the_isolated_answer_without_asking, 1),
    (safe_needs_no_majority, 32),
    (who_is_accused_is_silent, 0),
    (who_was_away_accuses, 15),
    (a_death_needs_no_suspicion, 0),
    (an_incarnation_is_raised_by_others, 0),
]
"""Each with a seed that finds it."""


def who_is_first_does_not_know() -> Script:
    """A new address, and the one whom it is given to by order has lost the API."""
    names = tuple(NodeName(f"node{number}") for number in range(1, 6))
    first = ranked(names, ip_address("192.0.2.10"))[0]

    def fault(at: float, kind: str) -> Fault:
        return Fault(at=at, kind=kind, name=first, others=names, seconds=1.0, number=0)

    return Script(
        seed=0,
        nodes=len(names),
        keys=1,
        profile=ProfileName.DEFAULT,
        partition=Partition.AVAILABLE,
        lists=Lists.NONE,
        as_bytes=False,
        lag_s=0.1,
        calm_at=30.0,
        ends_in_part=False,
        faults=(fault(8.5, "api away"), fault(9.0, "want")),
    )


def test_that_only_the_first_in_order_claims_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    RandomRun(0, script=who_is_first_does_not_know()).play()
    only_the_first_in_order_claims(monkeypatch)
    with pytest.raises(Broken, match=r"nobody answers for 192\.0\.2\.10"):
        RandomRun(0, script=who_is_first_does_not_know()).play()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("plant", "first"), PLANTS)
def test_a_planted_bug_is_found(plant: Plant, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken, match="replay: make sim SEED="):
        play_many(first)
