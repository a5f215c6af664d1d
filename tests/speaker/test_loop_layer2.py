"""What is configured under ``layer2``, what is listed and what is marked reaches gossip and the wire."""

import logging
from dataclasses import replace
from ipaddress import ip_address
from math import inf

import pytest

from bareway.decide.announcement.leaving import LeavingReason
from bareway.gossip.events import Announce, Found, ListsKnown, OwnFacts, PartitionPolicy, Wanted
from bareway.gossip.findings import Finding, FindingWord
from bareway.gossip.member import Facts, LinkFact, Member, MemberState, Report
from bareway.model.announcer_lists import Entry, Shard, shard_of
from bareway.model.configuration import Partition
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, NodeName, ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.resources.announcer_lists import LABEL, shard_key, write_shard
from bareway.resources.kinds import CONFIG_MAPS, NODES, SERVICES
from speaker import loop
from support.builders import names
from support.rig import ETH0, Rig, rig
from support.until import until

A, B = ip_address("192.0.2.1"), ip_address("192.0.2.2")
POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
ETH1_ONLY = POOL.replace("}", ", interfaces: [eth1]}")
SAFE = POOL + "layer2: {partition: safe, gratuitous-interval: 10s, duplicate-check: false}\n"
MOVE = POOL + "layer2: {on-cordon: move}\n"
SYSTEM = "bareway-system"
ETH1 = replace(ETH0, name=InterfaceName("eth1"))


async def put_list(made: Rig, shard: Shard, address: object = A) -> ObjectKey:
    key = shard_key(SYSTEM, shard_of(ip_address(str(address))))
    await made.create(CONFIG_MAPS, key.name, SYSTEM, labels=LABEL, data=write_shard(shard))
    return key


def listed(generation: int, *nodes: str, new: bool = False) -> Shard:
    entry = Entry(generation=generation, nodes=tuple(map(NodeName, nodes)))
    return Shard(generation=generation, entries={A: entry}, new=frozenset([A] if new else []))


def member(name: str, *links: LinkFact) -> Member:
    report = Report(
        name=NodeName(name),
        epoch=1,
        incarnation=1,
        state=MemberState.ALIVE,
        facts=Facts(links=links),
        by=NodeName(name),
    )
    return Member(report=report, since=0.0)


async def mark(made: Rig, name: str, value: str | None) -> None:
    body = {"metadata": {"annotations": {DRAIN_ANNOTATION: value}}}
    await made.client.merge_patch(NODES.object_path(ObjectKey("", name)), body)


async def test_without_lists_gossip_knows_that_there_are_none() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted and made.gossip.last(Wanted).lists == ListsKnown(current=True))


async def test_an_entry_of_the_lists_is_told_and_so_is_its_change() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        key = await put_list(made, listed(4, "b", "a", new=True))
        await until(lambda: made.wanted and made.wanted[A].generation == 4)
        assert made.wanted is not None
        assert (made.wanted[A].nodes, made.wanted[A].is_new) == (("b", "a"), True)
        assert made.gossip.last(Wanted).lists == ListsKnown(generation=4, exist=True, current=True)
        data = {"data": write_shard(listed(7, "a"))}
        await made.client.merge_patch(CONFIG_MAPS.object_path(key), data)
        await until(lambda: made.wanted and made.wanted[A].generation == 7)
        assert (made.wanted[A].nodes, made.wanted[A].is_new) == (("a",), False)


async def test_nothing_is_ready_before_the_lists_are_read() -> None:
    async with rig() as made:
        await made.config(POOL)
        await until(lambda: made.watch.ready)
        made.watch.lists.are_read = False
        assert made.watch.view() is None
        await made.speaker.look()
        assert made.gossip.last(OwnFacts).ready is False


async def test_a_list_that_cannot_be_read_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        key = await put_list(made, listed(4, "b"))
        await until(lambda: made.wanted and made.wanted[A].generation == 4)
        with caplog.at_level(logging.WARNING, "speaker"):
            body = {"data": {"announcers": "{"}}
            await made.client.merge_patch(CONFIG_MAPS.object_path(key), body)
            await until(lambda: made.watch.lists.problems)
            for _ in range(2):
                await made.speaker.look()
        assert made.wanted is not None
        assert made.wanted[A].generation == 4
        told = [r for r in caplog.records if "lists cannot be read" in r.getMessage()]
        assert len(told) == 1
        assert str(key) in vars(told[0])["detail"]


async def test_the_section_layer2_reaches_gossip_and_the_wire_without_a_restart() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await put_list(made, listed(4, "a", new=True))
        await until(lambda: made.wanted and made.wanted[A].is_new)
        assert made.gossip.last(PartitionPolicy).partition is Partition.AVAILABLE
        assert made.wire.intervals_s == []  # as it is by default
        await change_config(made, SAFE)
        await until(lambda: made.gossip.last(PartitionPolicy).partition is Partition.SAFE)
        await until(lambda: made.wanted and not made.wanted[A].is_new)
        assert made.wire.intervals_s == [10.0]
        await change_config(made, SAFE.replace("10s", "0"))
        await until(lambda: made.wire.intervals_s == [10.0, inf])


async def change_config(made: Rig, document: str) -> None:
    path = CONFIG_MAPS.object_path(ObjectKey(SYSTEM, "config"))
    await made.client.merge_patch(path, {"data": {"config": document}})


async def test_a_node_without_the_link_that_the_pool_names_is_left_out_by_its_own_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "LINKS_LOOK_S", 0.01)
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        await made.node("b", "198.51.100.2")
        await made.node("silent", "198.51.100.3")
        members = [member("a"), member("b", ETH1)]
        made.speaker.connect(made.gossip, lambda: members)
        await made.config(ETH1_ONLY)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted and made.wanted[A].tiers == (names("b", "silent"),))
        members[1] = member("b", ETH0)  # nobody tells; it is looked at
        await until(lambda: made.wanted and made.wanted[A].tiers == (names("silent"),))
        made.speaker.links_changed((ETH0, ETH1))
        await until(lambda: made.wanted and made.wanted[A].tiers == (names("a", "silent"),))


async def test_the_wire_is_told_where_an_address_may_be_announced_before_it_is() -> None:
    async with rig() as made:
        await made.config(ETH1_ONLY)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)
        assert made.wire.reconsidered == 1
        eth0, eth1 = InterfaceName("eth0"), InterfaceName("eth1")
        assert [made.speaker.allows(A, link) for link in (eth0, eth1)] == [False, True]
        assert made.speaker.allows(B, eth0)  # of no pool that chooses
        await change_config(made, POOL)
        await until(lambda: made.wire.reconsidered == 2)
        assert made.speaker.allows(A, eth0)


async def test_a_drain_mark_is_a_fact_of_this_node_alone_and_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "speaker")
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        await made.node("b", "198.51.100.2")
        await made.config(POOL)
        await mark(made, "b", "not ours")
        await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
        await mark(made, "a", "new disk")
        await until(lambda: made.gossip.last(OwnFacts).leaving)
        assert made.gossip.last(OwnFacts).able
        assert made.speaker.leaving() is LeavingReason.DRAINED
        await mark(made, "a", None)
        await until(lambda: not made.gossip.last(OwnFacts).leaving)
    told = [(r.getMessage(), vars(r).get("detail")) for r in caplog.records if "this node" in r.getMessage()]
    assert told[-2:] == [
        ("this node hands over what it announces", "Drained"),
        ("this node takes addresses again", None),
    ]


async def test_a_drain_mark_waits_for_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a look at thousands of Services takes, or the pause after it."""
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        await made.config(POOL)
        await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)  # all that was written is looked at, and one change makes one look
        monkeypatch.setattr(loop, "PAUSE_MIN_S", 3600.0)
        await made.client.delete(SERVICES.path("default", "web"))
        await until(lambda: made.wanted == {})  # that was the last look for an hour
        await mark(made, "a", "new disk")
        await until(lambda: made.gossip.last(OwnFacts).leaving)
        await mark(made, "a", None)
        await until(lambda: not made.gossip.last(OwnFacts).leaving)


async def test_a_cordon_moves_only_where_that_is_configured() -> None:
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        body = {"spec": {"unschedulable": True}}
        await made.client.merge_patch(NODES.object_path(ObjectKey("", "a")), body)
        await made.config(POOL)
        await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
        await change_config(made, MOVE)
        await until(lambda: made.gossip.last(OwnFacts).leaving)
        assert made.speaker.leaving() is LeavingReason.CORDONED


async def test_who_stops_says_that_and_not_its_drain_mark() -> None:
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        await mark(made, "a", "x")
        await made.config(POOL)
        await until(lambda: made.speaker.leaving() is LeavingReason.DRAINED)
        await made.speaker.leave()
        assert made.speaker.leaving() is LeavingReason.STOPPING


async def test_a_finding_about_an_address_is_an_event_on_its_services() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)
        made.speaker.on_output(Announce(addresses=(A,)))
        mac = MacAddress.parse("02:00:00:00:00:99")
        finding = Finding(address=A, word=FindingWord.ADDRESS_IN_USE, mac=mac, node=None, by=NodeName("a"))
        made.speaker.on_output(Found(finding=finding))
        assert ("default/web", "AddressInUse") in [(about, why) for about, why, _ in made.recorder.told]


async def test_keys_and_addresses_of_groups_are_told_apart() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)
        assert made.speaker.addresses_of(A) == (A,)
        assert made.speaker.addresses_of(B) == (B,)  # not known: itself
        assert made.speaker.key_of(A) is None
        made.speaker.on_output(Announce(addresses=(A,)))
        assert made.speaker.key_of(A) == A


async def test_a_node_that_comes_and_goes_is_no_reason_to_look_at_all_services_but_its_labels_are() -> None:
    async with rig() as made:
        await made.node("b", "198.51.100.2")
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)
        await made.speaker.look()
        before, node = made.speaker.decided, ObjectKey("", "b")
        lost = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
        await made.client.merge_patch(NODES.path(None, "b", "status"), lost)
        await until(lambda: not made.watch.nodes.objects[node].is_ready)
        await made.speaker.look()
        assert made.speaker.decided is before
        await made.client.merge_patch(NODES.object_path(node), {"metadata": {"labels": {"zone": "x"}}})
        await until(lambda: made.watch.nodes.objects[node].labels)
        await made.speaker.look()
        assert made.speaker.decided is not before
