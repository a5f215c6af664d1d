"""Shards: where a group belongs, and which entry counts."""

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard, shard_of
from bareway.model.names import IPAddress, NodeName


def test_the_shard_is_the_first_hexadecimal_digit_of_the_keys_sha_256() -> None:
    """Reckoned with ``printf %s 192.0.2.10 | sha256sum``."""
    assert f"{shard_of(ip_address('192.0.2.10')):x}" == "6"
    assert f"{shard_of(ip_address('2001:db8::1')):x}" == "5"


@given(st.ip_addresses())
def test_every_address_has_a_shard(address: IPAddress) -> None:
    assert 0 <= shard_of(address) < SHARDS


def test_the_entry_of_the_key_counts_else_the_newest_of_its_addresses() -> None:
    key, other = ip_address("192.0.2.10"), ip_address("2001:db8::1")
    old = Entry(generation=3, nodes=(NodeName("a"),))
    new = Entry(generation=7, nodes=(NodeName("b"),))
    shards = [Shard(generation=number) for number in range(SHARDS)]
    shards[0] = Shard(entries={other: old})
    shards[5] = Shard(generation=5, entries={other: new})
    lists = AnnouncerLists(tuple(shards))
    assert lists.generation == 15
    assert lists.entry((key, other), key) == new
    shards[shard_of(key)] = Shard(entries={key: old})
    assert AnnouncerLists(tuple(shards)).entry((key, other), key) == old
    assert AnnouncerLists().entry((key, other), key) is None
