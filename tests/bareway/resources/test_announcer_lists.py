"""The ConfigMaps of announcer lists: what is written is read again, damage is named, sizes are bounded."""

import json
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.objects import ConfigMap
from bareway.model.steps import PIECE, finish
from bareway.resources.announcer_lists import (
    DATA_KEY,
    ENTRY_NODES_MAX,
    PROBLEMS_MAX,
    TEXT_MAX,
    read_lists,
    read_shard,
    read_shard_in_steps,
    shard_key,
    shard_keys,
    write_shard,
)

A, B = NodeName("a"), NodeName("b")
ONE = ip_address("192.0.2.10")


def config_map(text: str) -> ConfigMap:
    return ConfigMap(key=shard_key("bareway-system", 10), data={DATA_KEY: text})


def written(**changes: object) -> str:
    good = {
        "generation": 7,
        "nodes": ["a", "b"],
        "addresses": {"192.0.2.10": [5, 1, 0]},
        "new": ["192.0.2.10"],
    }
    return json.dumps({**good, **changes})


def test_a_shard_is_written_as_agreed() -> None:
    shard = Shard(
        generation=7,
        entries={
            ip_address("2001:db8::1"): Entry(generation=7, nodes=(A,)),
            ONE: Entry(generation=5, nodes=(B, A)),
        },
        new=frozenset([ONE]),
    )
    assert write_shard(shard) == {
        "announcers": '{"generation":7,"nodes":["a","b"],'
        '"addresses":{"192.0.2.10":[5,1,0],"2001:db8::1":[7,0]},"new":["192.0.2.10"],"adopted":[]}'
    }


def test_a_shard_of_an_earlier_or_later_version_is_read_by_what_is_known_of_it() -> None:
    shard = read_shard(config_map(written(later={"x": 1})))
    assert shard == Shard(
        generation=7, entries={ONE: Entry(generation=5, nodes=(B, A))}, new=frozenset([ONE])
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("{", "", id="not JSON"),
        pytest.param("[" * 100_000, "", id="nested without end"),
        pytest.param("[]", "", id="a list"),
        pytest.param(" " * (TEXT_MAX + 1), "", id="too long"),
        pytest.param(written(generation=-1), ".generation", id="generation below zero"),
        pytest.param(written(generation=True), ".generation", id="generation true"),
        pytest.param(written(generation=2**52 + 1), ".generation", id="generation too great"),
        pytest.param(written(nodes=["a", ""]), ".nodes", id="a node without a name"),
        pytest.param(written(nodes="ab"), ".nodes", id="nodes are text"),
        pytest.param(written(addresses=[]), ".addresses", id="addresses are a list"),
        pytest.param(written(addresses={"x": [1]}), ".addresses", id="no address"),
        pytest.param(written(addresses={"fe80::1%eth0": [1]}), ".addresses", id="an address with a zone"),
        pytest.param(written(addresses={"192.0.2.1": []}), ".addresses[192.0.2.1]", id="empty entry"),
        pytest.param(written(addresses={"192.0.2.1": 1}), ".addresses[192.0.2.1]", id="entry is a number"),
        pytest.param(written(addresses={"192.0.2.1": [1, 2]}), ".addresses[192.0.2.1]", id="no such node"),
        pytest.param(
            written(addresses={"192.0.2.1": [1, -1]}), ".addresses[192.0.2.1]", id="node below zero"
        ),
        pytest.param(written(addresses={"192.0.2.1": [1, 0, 0]}), ".addresses[192.0.2.1]", id="node twice"),
        pytest.param(
            written(addresses={"192.0.2.1": ["1"]}), ".addresses[192.0.2.1]", id="generation as text"
        ),
        pytest.param(
            written(
                nodes=[f"n{n}" for n in range(20)], addresses={"192.0.2.1": [1, *range(ENTRY_NODES_MAX + 1)]}
            ),
            ".addresses[192.0.2.1]",
            id="too many nodes",
        ),
        pytest.param(written(new={}), ".new", id="new is no list"),
        pytest.param(written(new=[1]), ".new", id="new holds a number"),
        pytest.param(written(adopted=["x"]), ".adopted", id="adopted holds no address"),
    ],
)
def test_damage_is_named_with_its_place_and_a_way_out(text: str, path: str) -> None:
    problems = read_shard(config_map(text))
    assert isinstance(problems, list)
    assert problems[0].path.startswith(f"data.announcers{path}")
    assert "delete ConfigMap bareway-system/bareway-announcers-a" in problems[0].hint


def test_all_mistakes_are_named_at_once_up_to_a_limit() -> None:
    problems = read_shard(config_map(written(generation="x", new=0)))
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == ["data.announcers.generation", "data.announcers.new"]
    many = read_shard(config_map(written(addresses={f"x{n}": [1] for n in range(500)})))
    assert isinstance(many, list)
    assert len(many) == PROBLEMS_MAX


def test_a_generation_in_an_entry_that_was_raised_by_hand_is_counted_from() -> None:
    shard = read_shard(config_map(written(addresses={"192.0.2.10": [99, 0]})))
    assert isinstance(shard, Shard)
    assert AnnouncerLists((shard, *(Shard(),) * 15)).generation == 99


def test_marks_without_an_entry_are_dropped() -> None:
    shard = read_shard(config_map(written(new=["192.0.2.99"], adopted=["192.0.2.98"])))
    assert isinstance(shard, Shard)
    assert not shard.new | shard.adopted


def test_the_sixteen_config_maps_have_their_names() -> None:
    keys = shard_keys("ns")
    assert keys[0] == ObjectKey("ns", "bareway-announcers-0")
    assert keys[15] == ObjectKey("ns", "bareway-announcers-f")
    assert len(set(keys)) == SHARDS


def test_shards_that_are_missing_are_empty() -> None:
    shard = Shard(generation=3)
    assert read_lists({2: shard}).shards == (Shard(), Shard(), shard, *(Shard(),) * 13)


NODES = st.lists(st.sampled_from([NodeName(name) for name in ("a", "b", "c.example", "d-4")]), unique=True)
ENTRIES = st.builds(Entry, generation=st.integers(0, 9), nodes=NODES.map(tuple))


ADDRESSES = st.ip_addresses().filter(lambda one: one.version == 4 or one.ipv4_mapped is None)
"""As we hold them: an IPv4 address that is written as IPv6 is read as what it is."""


@given(st.dictionaries(ADDRESSES, ENTRIES, max_size=8), st.integers(9, 2**52))
def test_what_is_written_is_read_again(entries: dict[IPAddress, Entry], generation: int) -> None:
    shard = Shard(
        generation=generation,
        entries=entries,
        new=frozenset(list(entries)[::2]),
        adopted=frozenset(list(entries)[::3]),
    )
    (text,) = write_shard(shard).values()
    assert read_shard(config_map(text)) == shard
    (again,) = write_shard(shard).values()
    assert again == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["generation", "nodes", "addresses", "new", "192.0.2.1"]), inner
            )
        ),
    )
)
def test_whatever_stands_there_is_read_or_named(content: object) -> None:
    assert read_shard(config_map(json.dumps(content)))


def test_ten_thousand_addresses_on_500_nodes_fit_with_names_at_their_limit() -> None:
    nodes = [NodeName(f"{number:03}.{'n' * 249}") for number in range(500)]
    entries = {
        ip_address(2**125 + 2**64 * number + 1): Entry(
            generation=10**9, nodes=tuple(nodes[(number + k) % 500] for k in range(3))
        )
        for number in range(2 * 10_000 // SHARDS)  # twice a shard's share
    }
    (text,) = write_shard(Shard(generation=10**9, entries=entries, new=frozenset(entries))).values()
    assert len(text) < TEXT_MAX / 2


def test_a_great_shard_is_read_a_piece_at_a_time() -> None:
    addresses = {f"10.0.{n >> 8}.{n & 255}": [1, 0] for n in range(4 * PIECE)}
    great = config_map(written(addresses=addresses, new=[]))
    assert sum(1 for _ in read_shard_in_steps(great)) == 4
    assert finish(read_shard_in_steps(great)) == read_shard(great)
