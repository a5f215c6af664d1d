"""What ``allocate`` decides is what a second, plain reading of the rules decides (``support.literal``)."""

from random import Random

import pytest
from hypothesis import given, settings

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Granted, Refused, Verdict
from support.literal import Literal, Outcome
from support.tenancies import draw_view, rngs

pytestmark = pytest.mark.slow


def outcome(verdict: Verdict) -> Outcome:
    cleared = verdict.cleared
    lost = {} if cleared is None else dict(zip(cleared.addresses, cleared.reasons, strict=True))
    return Outcome(
        addresses=verdict.addresses if isinstance(verdict, Granted) else (),
        lost={address: reason.word for address, reason in lost.items()},
        refusal=verdict.reason.word if isinstance(verdict, Refused) else None,
    )


def compared(view: AllocationView) -> None:
    allocation, literal = allocate(view), Literal(view)
    assert {key: outcome(verdict) for key, verdict in allocation.verdicts.items()} == literal.outcomes
    assert {address: {*keys} for address, keys in allocation.holders.items()} == {
        address: {one.key for one in there}
        for address, there in literal.holders.items()
        if literal.pool(address)
    }
    for verdict in allocation.verdicts.values():
        if isinstance(verdict, Granted):
            pools = [literal.pool(address) for address in verdict.addresses]
            assert verdict.pools == tuple(pool.name for pool in pools if pool is not None)


@settings(deadline=None)
@given(rngs())
def test_two_readings_of_the_rules_agree(rng: Random) -> None:
    compared(draw_view(rng))


def test_two_readings_of_the_rules_agree_on_a_thousand_clusters() -> None:
    for seed in range(1000):
        compared(draw_view(Random(seed)))
