from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.addresses import AddressRange, parse_range
from bareway.resources.grammar.addresses import Addresses, shortest_prefix
from support.configurations import error, errors, pool, pool_with

SMALL = st.tuples(st.integers(0, 300), st.integers(0, 300)).map(sorted)


def v4(first: int, last: int) -> AddressRange:
    return AddressRange(IPv4Address(first), IPv4Address(last))


@given(SMALL, st.integers(0, 2**32 - 301))
def test_the_shortest_prefix_in_a_range_is_the_least_of_all_in_it(ends: list[int], base: int) -> None:
    addresses = v4(base + ends[0], base + ends[1])
    prefixes = summarize_address_range(IPv4Address(base + ends[0]), IPv4Address(base + ends[1]))
    assert shortest_prefix(addresses) == min(prefix.prefixlen for prefix in prefixes)


def test_a_prefix_of_a_whole_family_is_the_shortest_of_all() -> None:
    assert shortest_prefix(parse_range("0.0.0.0/0")) == 0
    assert shortest_prefix(parse_range("::/0")) == 0
    assert shortest_prefix(parse_range("::1-::1")) == 128


@given(st.lists(SMALL, max_size=8), st.integers(0, 310))
def test_an_address_is_found_in_ranges_however_they_overlap(ranges: list[list[int]], number: int) -> None:
    addresses = Addresses([v4(first, last) for first, last in ranges])
    assert (IPv4Address(number) in addresses) == any(first <= number <= last for first, last in ranges)
    assert IPv6Address(number) not in addresses


@given(st.lists(SMALL, min_size=2, max_size=8))
def test_entries_overlap_exactly_if_two_of_them_do(ranges: list[list[int]]) -> None:
    written = ", ".join(f"{IPv4Address(first)}-{IPv4Address(last)}" for first, last in ranges)
    later = {
        f"address-pools[0].addresses[{two}]"
        for two in range(len(ranges))
        for one in range(two)
        if v4(*ranges[one]).overlaps(v4(*ranges[two]))
    }
    told = {problem.path for problem in errors(pool_with(f"addresses: [{written}]"))}
    assert bool(told) == bool(later)
    assert told <= later


def test_a_wide_entry_is_seen_behind_narrow_ones() -> None:
    addresses = "10.0.0.0/8, 10.0.0.1-10.0.0.2, 10.0.0.5-10.0.0.6, 10.9.0.0/16"
    told = errors(pool_with(f"addresses: [{addresses}]"))
    assert [problem.path for problem in told] == [f"address-pools[0].addresses[{n}]" for n in (1, 2, 3)]


def test_neighbours_do_not_overlap() -> None:
    assert len(pool("addresses: [192.0.2.0/28, 192.0.2.16/28, 192.0.1.0/24]").ranges) == 3


def test_an_overlap_says_where_the_other_one_stands() -> None:
    problem = error(pool_with("addresses: [192.0.2.0/24, 192.0.2.7-192.0.2.9]"))
    assert problem.hint == 'that one stands in line 2, in pool "a"'
    extension = "address-pools: [{name: b, protocol: layer2, addresses: [192.0.2.0/25]}]"
    problem = error(pool_with("name: a"), extension)
    assert (problem.document, problem.path) == ("bareway", "address-pools[0].addresses[0]")
    assert problem.hint == 'that one stands in line 2, in pool "a"'
    problem = error("", extension.replace("]}]", ", 192.0.2.9-192.0.2.9]}]"))
    assert problem.hint == 'that one stands in bareway, line 1, in pool "b"'
