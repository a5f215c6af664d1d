"""Announcer lists while thousands wait for a controller: each shard is written once, not with each pass."""

from collections import Counter
from collections.abc import Iterable

import pytest

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.spread import MARKS_S, NEW_S, unassigned
from bareway.model.announcer_lists import SHARDS, shard_of
from bareway.model.configuration import Configuration
from bareway.model.names import IPAddress
from bareway.model.nodes import Node
from controller.announcement.lists import AHEAD_FACTOR, AHEAD_MAX, CROWD, PATIENT_MAX
from controller.announcement.pauses import BURST_PAUSE_S
from controller.writing.effects import SetIngress
from support.listing import Table

WIDE = "address-pools: [{name: p, protocol: layer2, addresses: [172.16.0.0/16]}]"
ROUTED = "address-pools: [{name: p, protocol: bgp, addresses: [172.16.0.0/16]}]"
COUNT = CROWD + 200
PASS = CROWD + 10


def crowd(table: Table) -> list[SetIngress]:
    """They wait; the writes that they need, of which a pass does but some."""
    for number in range(COUNT - 1):
        table.put(f"web-{number:04}")
    last = table.add(f"web-{COUNT:04}")
    return [*table.needed(), last]


def written(table: Table) -> Counter[str]:
    return Counter(write.key.name for write in table.written)


def test_all_that_wait_are_listed_with_the_first_of_them() -> None:
    table = Table(document=WIDE)
    writes = crowd(table)
    first, rest = writes[:PASS], writes[PASS:]
    assert table.look(*first) == (), "their shards come before them"
    given = {write.addresses[0] for write in writes}
    assert table.listed() == given
    assert set(written(table).values()) == {1}
    assert table.look(*first) == tuple(first)
    for write in first:
        table.show(write)
    assert table.look(*rest) == tuple(rest), "they wait for nothing"
    assert set(written(table).values()) == {1}


def test_what_was_listed_for_later_is_new_for_as_long_as_what_came_first() -> None:
    table = Table(document=WIDE)
    writes = crowd(table)
    table.look(*writes[:PASS])
    began = table.now
    for write in writes:
        table.show(write)
    given = {write.addresses[0] for write in writes}
    assert news(table) == given
    while news(table):
        table.look(after_s=max(0.1, min(table.lists.due_s - table.now, 30.0)))
        assert table.now < began + NEW_S + 60
    assert table.now >= began + NEW_S - MARKS_S


def test_who_comes_late_in_a_long_crowd_is_new_from_then_on() -> None:
    table = Table(document=WIDE)
    writes = crowd(table)
    table.look(*writes[:PASS])
    late = writes[-1]
    table.look(late, after_s=NEW_S / 2 + MARKS_S)
    given_at = table.lists._spread.given_at  # type: ignore[union-attr]  # it has looked
    assert given_at[late.addresses[0]] >= table.now
    assert given_at[writes[0].addresses[0]] < table.now


def test_an_address_that_somebody_struck_from_a_shard_is_listed_again_before_it_is_shown() -> None:
    table = Table(document=WIDE)
    writes = crowd(table)
    table.look(*writes[:PASS])
    late = writes[-1]
    number = shard_of(late.addresses[0])
    key = next(write.key for write in table.written if write.key.name.endswith(f"-{number:x}"))
    table.store(key, '{"generation": 9, "nodes": [], "addresses": {}}')
    assert table.look(late) == ()
    assert late.addresses[0] in table.listed()
    assert table.look(late) == (late,)


def test_what_is_routed_waits_for_no_list() -> None:
    table = Table(document=ROUTED)
    writes = crowd(table)
    assert table.look(*writes[:PASS]) == tuple(writes[:PASS])
    assert table.look(*writes[PASS:]) == tuple(writes[PASS:])
    assert table.written == []


def test_what_nobody_waits_for_is_written_a_few_shards_at_a_time() -> None:
    table = Table(document=WIDE)
    for write in (writes := crowd(table)):
        table.show(write)
    count = 0
    while not table.written:
        table.look(after_s=max(0.1, min(table.lists.due_s - table.now, 30.0)))
        count += 1
        assert count < 10
    assert len(table.written) <= PATIENT_MAX
    while table.listed() != {write.addresses[0] for write in writes}:
        former = len(table.written)
        table.look()
        assert former < len(table.written) <= former + PATIENT_MAX
    assert set(written(table).values()) == {1}
    assert len(written(table)) == SHARDS


def test_everything_is_looked_at_when_a_crowd_is_served_and_not_in_its_midst() -> None:
    table = Table(document=WIDE)
    writes = crowd(table)
    first, rest = writes[:PASS], writes[PASS:]
    while not table.look(*first):
        pass
    gone = table.add("zzz-gone")
    table.look(gone)
    table.look(gone)
    del table.services[gone.service.key]
    table.allocator.remove(gone.service.key)
    table.allocator.settle(now=0)
    table.look(*first, after_s=BURST_PAUSE_S * 2)
    assert gone.addresses[0] in table.listed()
    for write in writes:
        table.show(write)
    table.settle()
    assert table.listed() == {write.addresses[0] for write in (*first, *rest)}


def news(table: Table) -> set[IPAddress]:
    """What the lists call new."""
    return {address for shard in table.lists.lists.shards for address in shard.new}


@pytest.mark.parametrize("count", [20, CROWD])
def test_few_are_listed_with_what_may_follow(count: int) -> None:
    table = Table(document=WIDE)
    for number in range(count - 1):
        table.put(f"web-{number:04}")
    last = table.add("web-9999")
    writes = [*table.needed(), last]
    table.look(*writes)
    assert table.listed() > {write.addresses[0] for write in writes}


def test_what_comes_next_is_worked_out_twice_for_hundreds_that_come_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First a few, then as many as a burst may need: not once for each of the shards that they fall into."""
    asked: list[int] = []

    def counting(
        configuration: Configuration, nodes: Iterable[Node], addresses: Iterable[IPAddress]
    ) -> tuple[Group, ...]:
        found = unassigned(configuration, nodes, addresses)
        asked.append(len(found))
        return found

    monkeypatch.setattr("controller.announcement.lists.unassigned", counting)
    table = Table(document=WIDE)
    for number in range(200):
        write = table.add(f"web-{number:03}")
        while not table.look(write):
            pass
        table.show(write)
    assert asked == [AHEAD_FACTOR, AHEAD_MAX]
