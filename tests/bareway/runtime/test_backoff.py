"""bareway.runtime.backoff: delays grow, stay under the cap and are not the same for two clients."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bareway.runtime.backoff import Backoff


@given(st.integers(), st.integers(min_value=1, max_value=40))
def test_each_delay_lies_in_the_upper_half_of_a_step_that_doubles_up_to_the_cap(
    seed: int, failures: int
) -> None:
    backoff = Backoff(rng=Random(seed), first_s=0.25, cap_s=30.0)
    step_s = 0.25
    for _ in range(failures):
        assert step_s / 2 <= backoff.next_s() <= step_s
        step_s = min(30.0, step_s * 2)


def test_after_a_success_it_begins_anew() -> None:
    backoff = Backoff(rng=Random("a"), first_s=1.0, cap_s=30.0)
    for _ in range(8):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_two_clients_that_fail_together_do_not_come_back_together() -> None:
    one, other = Backoff(rng=Random("a"), cap_s=30.0), Backoff(rng=Random("b"), cap_s=30.0)
    assert [one.next_s() for _ in range(5)] != [other.next_s() for _ in range(5)]
