"""How long a suspicion lasts, against the figures of memberlist's own tests."""

import pytest

from bareway.gossip.suspicion import Suspicion, suspicion_timeout
from bareway.model.names import NodeName

A, B, C, D = (NodeName(name) for name in "abcd")


@pytest.mark.parametrize(
    ("confirmations", "elapsed_s", "remaining_s"),
    [(0, 0, 30), (1, 2, 14), (2, 3, 4.81), (3, 4, -2), (4, 5, -3), (5, 10, -8)],
)
def test_the_time_left_is_that_of_memberlist(
    confirmations: int, elapsed_s: float, remaining_s: float
) -> None:
    # TestSuspicion_remainingSuspicionTime: three confirmations needed, 2 s to 30 s
    timeout = suspicion_timeout(confirmations=confirmations, needed=3, minimum_s=2, maximum_s=30)
    assert timeout - elapsed_s == pytest.approx(remaining_s, abs=0.01)


@pytest.mark.parametrize(("confirmations", "seconds"), [(0, 2.0), (1, 1.25), (2, 0.81), (3, 0.5), (4, 0.5)])
def test_each_confirmation_shortens_it(confirmations: int, seconds: float) -> None:
    # TestSuspicion_Timer: three needed, 0.5 s to 2 s
    timeout = suspicion_timeout(confirmations=confirmations, needed=3, minimum_s=0.5, maximum_s=2)
    assert timeout == pytest.approx(seconds, abs=0.01)


def suspicion(*accusers: NodeName) -> Suspicion:
    return Suspicion(started_at=10.0, minimum_s=0.25, accusers=frozenset(accusers))


@pytest.mark.parametrize(
    ("accusers", "observers", "lasts_s"),
    [
        pytest.param([A], 1, 0.25, id="nobody else could confirm"),
        pytest.param([A], 2, 1.5, id="one other could, and did not"),
        pytest.param([A, B], 2, 0.25, id="one other could, and did"),
        pytest.param([A], 9, 1.5, id="none of many"),
        pytest.param([A, B], 9, 0.711, id="one of many"),
        pytest.param([A, B, C], 9, 0.25, id="two of many"),
        pytest.param([A, B, C, D], 9, 0.25, id="more add nothing"),
    ],
)
def test_it_lasts_by_how_many_could_confirm_and_did(
    accusers: list[NodeName], observers: int, lasts_s: float
) -> None:
    assert suspicion(*accusers).ends_at(observers=observers) == pytest.approx(10.0 + lasts_s, abs=0.001)


def test_an_accuser_counts_once_and_only_the_first_three_are_worth_telling() -> None:
    assert suspicion(A).joined_by(A) == suspicion(A)
    assert suspicion(A, B).counts_more
    assert not suspicion(A, B, C).counts_more


def test_it_waits_for_who_did_not_listen() -> None:
    assert suspicion(A).delayed_by(2.0).ends_at(observers=1) == 12.25
