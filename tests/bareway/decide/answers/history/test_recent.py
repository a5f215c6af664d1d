from collections import Counter
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.answers.history.recent import ALL_MAX, EACH_MAX, Recent
from bareway.model.names import IPAddress

KEYS = [ip_address(f"192.0.2.{number}") for number in range(1, 6)]
A, B, C, *_ = KEYS


def filled(*events: tuple[IPAddress, int], all_max: int = 4, each_max: int = 3) -> Recent[int]:
    recent: Recent[int] = Recent(all_max=all_max, each_max=each_max)
    for address, event in events:
        recent.add(address, event)
    return recent


def test_what_fits_is_kept_in_order() -> None:
    recent = filled((A, 1), (B, 2), (A, 3))
    assert (recent.all(), recent.of(A), recent.of(B), recent.of(C)) == ((1, 2, 3), (1, 3), (2,), ())
    assert recent.dropped == 0


def test_of_one_address_the_oldest_goes_first_and_others_stay() -> None:
    recent = filled((B, 0), (A, 1), (A, 2), (A, 3), (A, 4))
    assert (recent.all(), recent.of(A), recent.of(B)) == ((0, 2, 3, 4), (2, 3, 4), (0,))
    assert recent.dropped == 1


def test_of_all_the_oldest_goes_first_whosever_it_is() -> None:
    recent = filled((B, 0), (A, 1), (A, 2), (C, 3), (A, 4))
    assert (recent.all(), recent.of(B)) == ((1, 2, 3, 4), ())
    recent = filled((A, 0), (B, 1), (B, 2), (C, 3), (A, 4))
    assert (recent.all(), recent.of(A)) == ((1, 2, 3, 4), (4,))


@given(st.lists(st.sampled_from(KEYS), max_size=60), st.integers(1, 9), st.integers(1, 4))
def test_it_holds_the_newest_within_both_limits_and_counts_the_rest(
    addresses: list[IPAddress], all_max: int, each_max: int
) -> None:
    events = [(address, number) for number, address in enumerate(addresses)]
    recent = filled(*events, all_max=all_max, each_max=each_max)
    kept = recent.all()
    assert list(kept) == sorted(kept)
    assert len(kept) == len(recent) <= all_max
    assert recent.dropped == len(events) - len(kept)
    assert kept[-1:] == tuple(number for _, number in events[-1:])
    shown = Counter(address for address, number in events if number in kept)
    assert all(count <= each_max for count in shown.values())
    for address in KEYS:
        own = tuple(number for other, number in events if other == address)
        assert recent.of(address) == own[len(own) - len(recent.of(address)) :]
        assert set(recent.of(address)) == {number for number in own if number in kept}
    assert set(recent._numbers) == set(shown)  # nothing is held of an address that has nothing


def test_thousands_of_addresses_that_move_at_once_stay_within_the_limit() -> None:
    recent: Recent[int] = Recent()
    for number in range(3 * ALL_MAX):
        recent.add(ip_address(0x0A000000 + number), number)
    assert (len(recent), recent.dropped) == (ALL_MAX, 2 * ALL_MAX)
    assert len(recent._numbers) == ALL_MAX
    for number in range(2 * EACH_MAX):
        recent.add(A, number)
    assert recent.of(A) == tuple(range(EACH_MAX, 2 * EACH_MAX))
    assert len(recent) == ALL_MAX
