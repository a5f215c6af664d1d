from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.allocation.free import FreeAddresses, Intervals, _Span, is_buggy, usable_count
from bareway.model.addresses import AddressRange
from bareway.model.configuration import Pool
from bareway.model.names import IPAddress, PoolName
from support.builders import configuration, ips, pool


def taken(free: FreeAddresses, of: Pool, count: int) -> list[str]:
    """The next addresses that the pool gives, each taken before the next is asked for."""
    found: list[str] = []
    for _ in range(count):
        address = free.lowest(of, 4)
        if address is None:
            break
        free.take(address)
        found.append(str(address))
    return found


@given(st.lists(st.integers(0, 40)))
def test_intervals_are_the_set_of_what_was_added(numbers: list[int]) -> None:
    intervals = Intervals()
    for number in numbers:
        intervals.add(number)
    there = set(numbers)
    assert [n for n in range(42) if n in intervals] == sorted(there)
    for start in range(42):
        assert intervals.next_free(start) == next(n for n in range(start, 99) if n not in there)
    borders = sum(n - 1 not in there for n in there)
    assert len(intervals) == borders, "no two intervals touch"


def test_a_full_range_is_one_interval_whatever_the_order() -> None:
    intervals = Intervals()
    for number in (5, 3, 1, 2, 4, 0):
        intervals.add(number)
    assert len(intervals) == 1


def test_the_lowest_address_is_given_first_and_given_again_when_it_is_free_again() -> None:
    of = pool("a", "192.0.2.0/30")
    assert taken(FreeAddresses(configuration(of)), of, 9) == [
        "192.0.2.0",
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
    ]
    free = FreeAddresses(configuration(of))
    for held in ips("192.0.2.0", "192.0.2.2"):
        free.take(held)
    assert taken(free, of, 9) == ["192.0.2.1", "192.0.2.3"]


def test_ranges_are_used_in_the_order_of_the_document() -> None:
    of = pool("a", "192.0.2.8/31", "192.0.2.0/31")
    assert taken(FreeAddresses(configuration(of)), of, 3) == ["192.0.2.8", "192.0.2.9", "192.0.2.0"]


def test_a_family_that_the_pool_lacks_has_no_free_address() -> None:
    of = pool("a", "192.0.2.0/31")
    assert FreeAddresses(configuration(of)).lowest(of, 6) is None


def test_each_family_has_its_own_lowest_address() -> None:
    of = pool("a", "2001:db8::/126", "192.0.2.0/31")
    free = FreeAddresses(configuration(of))
    assert free.lowest(of, 6) == ip_address("2001:db8::")
    assert free.lowest(of, 4) == ip_address("192.0.2.0")


@pytest.mark.parametrize(
    ("address", "buggy"),
    [("192.0.2.0", True), ("192.0.2.255", True), ("192.0.2.1", False), ("2001:db8::", False)],
)
def test_buggy_addresses_are_the_ends_of_class_c(address: str, *, buggy: bool) -> None:
    assert is_buggy(ip_address(address)) is buggy


def test_buggy_addresses_are_neither_given_nor_allowed_where_they_are_to_be_avoided() -> None:
    careful = pool("careful", "192.0.2.254-192.0.3.1", avoid_buggy_ips=True)
    careless = pool("careless", "198.51.100.0/31")
    free = FreeAddresses(configuration(careful, careless))
    assert free.pool_of(ip_address("192.0.2.255")) is None
    assert free.pool_of(ip_address("198.51.100.0")) is careless
    assert taken(free, careful, 9) == ["192.0.2.254", "192.0.3.1"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.15", "a"),
        ("192.0.2.16", None),
        ("192.0.1.255", None),
        ("192.0.2.32", "b"),
        ("2001:db8::", "b"),
        ("2001:db7:ffff::", None),
        ("255.255.255.255", None),
        ("::192.0.2.1", None),
    ],
)
def test_the_pool_of_an_address_is_the_one_whose_range_it_is_in(address: str, name: str | None) -> None:
    free = FreeAddresses(
        configuration(pool("b", "2001:db8::/32", "192.0.2.32/28"), pool("a", "192.0.2.0/28"))
    )
    found = free.pool_of(ip_address(address))
    assert (found.name if found else None) == name


def test_an_address_of_no_pool_is_taken_without_harm() -> None:
    of = pool("a", "192.0.2.0/31")
    free = FreeAddresses(configuration(of))
    free.take(ip_address("10.0.0.1"))
    assert free.lowest(of, 4) == ip_address("192.0.2.0")


def test_a_great_pool_costs_nothing() -> None:
    """A scan of a /8, or of the buggy addresses in it, would not end within the test's time."""
    great = pool("great", "10.0.0.0/8", avoid_buggy_ips=True)
    greater = pool("greater", "2001:db8::/48")
    free = FreeAddresses(configuration(great, greater))
    assert usable_count(great) == 2**24 - 2 * 2**16
    assert usable_count(greater) == 2**80
    assert taken(free, great, 1000)[-1] == "10.0.3.238"
    assert free.lowest(greater, 6) == ip_address("2001:db8::")
    (span,) = free._spans[great.name, 4]
    assert len(span.taken) == 1, "avoided addresses leave no gaps that every search would stumble over"


@given(first=st.integers(0, 1200), count=st.integers(1, 900))
def test_usable_addresses_are_counted_as_if_one_walked_over_them(first: int, count: int) -> None:
    start = int(ip_address("192.0.2.0")) + first
    one = AddressRange(ip_address(start), ip_address(start + count - 1))
    of = Pool(name=PoolName("a"), ranges=(one,), avoid_buggy_ips=True)
    walked: list[IPAddress] = [ip_address(number) for number in range(start, start + count)]
    assert usable_count(of) == sum(not is_buggy(address) for address in walked)
    assert usable_count(Pool(name=PoolName("a"), ranges=(one,))) == count


def test_ipv6_knows_no_buggy_addresses() -> None:
    assert usable_count(pool("a", "2001:db8::/120", avoid_buggy_ips=True)) == 256


def test_the_addresses_of_one_family_are_counted_alone() -> None:
    both = pool("a", "192.0.2.0/24", "2001:db8::/120", avoid_buggy_ips=True)
    assert [usable_count(both, version) for version in (4, 6, None)] == [254, 256, 510]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20))))
def test_what_was_taken_out_of_intervals_is_not_in_them(steps: list[tuple[bool, int]]) -> None:
    intervals = Intervals()
    there: set[int] = set()
    for is_added, number in steps:
        if is_added:
            intervals.add(number)
            there.add(number)
        else:
            intervals.remove(number)
            there.discard(number)
        assert [n for n in range(22) if n in intervals] == sorted(there)
        assert len(intervals) == sum(n - 1 not in there for n in there), "no two intervals touch"


def test_an_interval_is_split_in_its_place_among_others() -> None:
    intervals = Intervals()
    for number in (0, 1, 2, 10, 20):
        intervals.add(number)
    intervals.remove(1)
    assert [n for n in range(22) if n in intervals] == [0, 2, 10, 20]
    assert [intervals.next_free(n) for n in (0, 2, 10, 20)] == [1, 3, 11, 21]


def test_a_pool_of_many_single_addresses_is_not_walked_from_its_beginning_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    lowest = _Span.lowest

    def counted(span: _Span) -> IPAddress | None:
        nonlocal asked
        asked += 1
        return lowest(span)

    monkeypatch.setattr(_Span, "lowest", counted)
    of = pool("a", *(f"192.0.2.{number}/32" for number in range(200)), "2001:db8::/127")
    free = FreeAddresses(configuration(of))
    order: list[IPAddress] = []
    while (address := free.lowest(of, 4)) is not None:
        free.take(address)
        order.append(address)
    assert order == [*ips(*(f"192.0.2.{number}" for number in range(200)))]
    assert asked < 3 * 200
    for number in (150, 20, 90):
        free.release(order[number])
    assert free.lowest(of, 4) == order[20]
    free.take(order[20])
    assert free.lowest(of, 4) == order[90]
    assert free.lowest(of, 6) == ips("2001:db8::")[0]


def test_a_released_address_is_given_again_before_higher_ones() -> None:
    of = pool("a", "192.0.2.0/29")
    free = FreeAddresses(configuration(of))
    taken(free, of, 5)
    free.release(ip_address("192.0.2.2"))
    free.release(ip_address("10.0.0.1"))
    assert taken(free, of, 2) == ["192.0.2.2", "192.0.2.5"]


def test_positions_are_in_the_order_in_which_a_pool_gives_its_addresses() -> None:
    of = pool("a", "192.0.2.8/31", "2001:db8::/127", "192.0.2.0/31")
    free = FreeAddresses(configuration(of))
    given_in_order = ips("192.0.2.8", "192.0.2.9", "2001:db8::", "192.0.2.0", "192.0.2.1")
    assert sorted(given_in_order, key=free.position) == [*given_in_order]


def test_an_address_of_no_pool_comes_before_all() -> None:
    (elsewhere,) = ips("10.9.9.9")
    assert FreeAddresses(configuration(pool("a"))).position(elsewhere) == (-1, int(elsewhere))
