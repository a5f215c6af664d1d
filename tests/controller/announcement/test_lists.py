"""Announcer lists on the controller's desk: what is written when, by what is stored, decided and seen."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from math import inf
from random import Random

import pytest

from bareway.decide.announcement.members import Member
from bareway.decide.announcement.spread import NEW_S
from bareway.gossip.claims import Claim
from bareway.gossip.events import Event, Output, Tick
from bareway.gossip.findings import Finding, FindingWord
from bareway.gossip.member import LinkFact
from bareway.gossip.observer import Observer, Picture, Seen
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.roles import observer_name
from bareway.model.announcer_lists import SHARDS, shard_of
from bareway.model.names import InterfaceName, ObjectKey
from bareway.model.rank import ranked
from bareway.model.services import FamilyPolicy, TrafficPolicy
from bareway.resources.announcer_lists import DATA_KEY, write_shard
from bareway.resources.kinds import Deleted
from controller.announcement.gossip import MEET_S, TOLD_S, Gossip, _Watched
from controller.writing.effects import SetCondition
from support.builders import node, service
from support.listing import CALM_S, CONDITION, NAMES, POOL, SETTINGS, Eyes, Table, place
from support.spreading import MAC

# ------------------------------------------------------------ before an address is shown


def test_a_fresh_address_waits_until_its_shard_is_stored_and_nothing_else_does() -> None:
    table = Table()
    fresh = table.add("web")
    other = SetCondition(service=service("default/old"), condition=CONDITION)
    assert table.look(fresh, other, is_lost=True) == (other,)
    assert table.look(fresh, other) == (other,)
    assert table.look(fresh, other) == (fresh, other)
    assert table.stored(fresh.addresses[0]) == (1, ranked(NAMES, fresh.addresses[0]))


def test_what_is_shown_already_waits_for_nothing() -> None:
    table = Table()
    write = table.add("web")
    table.show(write)
    again = replace(write, service=table.services[write.service.key])
    assert table.look(again) == (again,)


def test_the_lists_know_where_a_service_of_policy_local_is_served() -> None:
    table = Table()
    table.serve("web", "b")
    table.serve("else", "a", "c")
    address = place(table, "web", traffic_policy=TrafficPolicy.LOCAL)
    assert table.stored(address)[1] == ("b",)


def test_all_that_share_an_address_are_looked_at_together() -> None:
    table = Table(document=POOL.replace("192.0.2.0/24", "192.0.2.0/24, 2001:db8::/120"))
    both, six = (ip_address("10.96.0.10"), ip_address("fd00::10")), (ip_address("fd00::11"),)
    keyed = {"metallb.io/allow-shared-ip": "key"}
    policy = FamilyPolicy.REQUIRE_DUAL_STACK
    write = table.add("one", annotations=keyed, cluster_addresses=both, family_policy=policy)
    table.look(write)
    table.show(write)
    _, address = write.addresses
    asking = {**keyed, "metallb.io/loadBalancerIPs": str(address)}
    second = table.add("two", annotations=asking, cluster_addresses=six, ports=())
    assert second.addresses == (address,)
    assert table.look(second) == (second,), "it is listed with the other one's IPv4 address"


def test_a_burst_is_listed_ahead_with_its_first() -> None:
    table = Table()
    first = [table.add(f"web-{number}") for number in range(10)]
    table.look(*first)
    count = len(table.written)
    assert count <= SHARDS
    assert table.look(*first) == tuple(first)
    for write in first:
        table.show(write)
    following = [table.add(f"web-{number}") for number in range(10, 20)]
    listed = {address for write in table.written for address in write.shard.entries}
    at_once = [write for write in following if write.addresses[0] in listed]
    assert len(at_once) >= 5, "but those whose shard had nothing to write with the first"
    assert [write for write in table.look(*following) if write in at_once] == at_once


def test_what_of_a_burst_nobody_was_given_goes_from_the_lists_after_a_minute() -> None:
    table = Table()
    burst = [table.add(f"web-{number}") for number in range(10)]
    table.look(*burst)
    began = table.now
    for write in burst:
        table.show(write)
    given = {write.addresses[0] for write in burst}
    assert table.listed() > given, "what may follow is listed with them"
    while table.listed() != given:
        assert table.now < began + NEW_S + 10
        table.look(after_s=max(0.1, min(table.lists.due_s - table.now, 60.0)))
    assert table.now >= began + NEW_S, "not sooner: they may be given yet"


# ------------------------------------------------------------ what operators mark


def test_a_drained_node_announces_nothing_new_and_what_it_had_goes_to_others() -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    (first, second, third) = table.stored(address)[1]
    table.mark(node(first, drain="new disk"))
    table.settle()
    assert table.stored(address)[1][0] == second
    assert table.stored(address)[1][-1] == first, "drained ones come last"
    table.mark(node(second, taints=["node.kubernetes.io/out-of-service"]))
    table.settle()
    assert table.stored(address)[1] == (third, first, second) or table.stored(address)[1][0] == third


@pytest.mark.parametrize(
    ("document", "moves"),
    [
        pytest.param(POOL, False, id="which keeps what is there"),
        pytest.param("{layer2: {on-cordon: move}, " + POOL + "}", True, id="which moves all"),
    ],
)
def test_a_cordon_keeps_new_addresses_away(document: str, moves: bool) -> None:
    table = Table(document=document)
    old = place(table, "web")
    table.settle()
    first = table.stored(old)[1][0]
    table.mark(node(first, unschedulable=True))
    fresh = [place(table, f"more-{number}") for number in range(9)]
    assert {table.stored(address)[1][0] for address in fresh} == {*NAMES} - {first}
    table.settle()
    assert (table.stored(old)[1][0] != first) is moves


def test_a_node_that_a_service_names_and_that_cannot_announce_it_is_told_once() -> None:
    table = Table()
    place(table, "web")
    table.serve("web", *NAMES)
    table.annotate("web", {"bareway.io/announce-from": "nowhere"})
    told = table.tell()
    words = "NoSuchMember: there is no speaker on a node of that name"
    named = 'not announced from node "nowhere", which bareway.io/announce-from names'
    assert told == [("NotMoved", f"{named}: {words}")]
    assert table.tell() == []
    table.mark(node("nowhere", network_unavailable=True))
    assert [reason for reason, _ in table.tell()] == ["NotMoved"], "another reason is news"
    table.mark(node("nowhere"))
    assert table.tell() == []
    assert table.stored(table.services[ObjectKey("default", "web")].ingress[0])[1][0] == "nowhere"


# ------------------------------------------------------------ afterwards


def test_a_restart_finds_nothing_to_write() -> None:
    table = Table()
    place(table, "web")
    table.settle()
    table.written.clear()
    table.begin()
    table.settle()
    assert table.written == []


def test_addresses_that_are_gone_go_from_the_lists_gathered() -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    key = ObjectKey("default", "web")
    del table.services[key]
    table.allocator.remove(key)
    table.allocator.settle(now=0)
    table.look(SetCondition(service=service("default/x"), condition=None))
    table.settle()
    with pytest.raises(KeyError):
        table.stored(address)


def test_what_somebody_else_wrote_is_the_present_list() -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    last = ranked(NAMES, address)[-1]
    shard = table.lists.lists.shards[shard_of(address)]
    entry = replace(shard.entries[address], generation=40, nodes=(last,))
    theirs = replace(shard, generation=40, entries={address: entry})
    key = ObjectKey(SETTINGS.namespace, f"bareway-announcers-{shard_of(address):x}")
    table.store(key, write_shard(theirs)[DATA_KEY])
    table.settle()
    assert table.stored(address) == (40, (last,))
    assert table.lists.lists.generation >= 40


@pytest.mark.parametrize("text", [pytest.param("{", id="broken"), pytest.param(None, id="deleted")])
def test_a_shard_that_is_lost_is_written_anew(text: str | None, caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    key = ObjectKey(SETTINGS.namespace, f"bareway-announcers-{shard_of(address):x}")
    if text is None:
        table.watch.lists._store.apply(Deleted(key, "9"))
    else:
        table.store(key, text)
    table.settle()
    assert table.stored(address)[1] == ranked(NAMES, address)
    assert bool(caplog.records) is (text is not None)


def test_what_gossip_moved_is_listed_within_ten_seconds() -> None:
    eyes = Eyes()
    eyes.show()
    table = Table(eyes)
    address = place(table, "web")
    table.serve("web", *NAMES)
    table.settle()
    first, second, _ = table.stored(address)[1]
    eyes.show(Claim(address=address, generation=9, count=2, node=second), dead=[first], generation=9)
    began = table.now
    table.look()
    while table.stored(address)[1][0] == first:
        assert table.now < began + 10
        table.look(after_s=max(0.1, table.lists.due_s - table.now))
    assert table.stored(address)[1][0] == second
    assert table.stored(address)[0] == 10, "above all that was heard"
    assert eyes.generation == 10
    assert eyes.wanted == {address}


# ------------------------------------------------------------ what is seen


LINK = LinkFact(name=InterfaceName("eth0"), mac=MAC, networks=(ip_network("192.0.2.0/24"),))


def picture(*, now: float) -> Picture:
    seen = Seen(name=NAMES[0], alive=True, eligible=False, leaving=True, links=(LINK,))
    return Picture(
        members={NAMES[0]: seen},
        claims={},
        joined=frozenset(NAMES[:2]),
        generation=3,
        stable_since=now,
        calm_s=CALM_S,
    )


def test_who_never_saw_anybody_waits_a_moment_and_who_did_is_sure_of_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = Table()
    gossip = Gossip(SETTINGS, watch=table.watch, name="pod", rng=Random(1), on_change=lambda: None)
    began = gossip._began_at
    waiting = gossip.observed(now=began + 1)
    assert waiting is not None
    assert (set(waiting.members), waiting.changed_at) == (set(NAMES), began + MEET_S)
    assert gossip.observed(now=began + MEET_S) is None
    monkeypatch.setattr(gossip, "picture", picture)
    seen = gossip.observed(now=began + 9)
    assert seen is not None
    member = Member(name=NAMES[0], eligible=False, draining=True, links=(LINK,))
    assert seen.members == {NAMES[0]: member}
    for marked in (node(NAMES[0], unschedulable=True), node(NAMES[0], drain="")):
        table.mark(marked)
        cordoned = gossip.observed(now=began + 9)
        assert cordoned is not None
        assert cordoned.members == {NAMES[0]: replace(member, cordoned=True)}
    assert (seen.joined, seen.generation, seen.changed_at) == (frozenset(NAMES[:2]), 3, began + 9)
    monkeypatch.setattr(gossip, "picture", lambda now: None)
    blind = gossip.observed(now=began + 10)
    assert blind is not None
    assert (set(blind.members), blind.changed_at) == (set(NAMES), inf)


def test_what_members_find_is_not_known_until_all_of_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table()
    gossip = Gossip(SETTINGS, watch=table.watch, name="pod", rng=Random(1), on_change=lambda: None)
    found = (
        Finding(
            address=ip_address("192.0.2.1"),
            word=FindingWord.ADDRESS_IN_USE,
            mac=MAC,
            node=None,
            by=NAMES[0],
        ),
    )
    assert gossip.findings(now=1e9) is None, "nobody was met"
    profile = PROFILES[ProfileName.DEFAULT]
    gossip._observer = Observer(me=observer_name("pod"), profile=profile, rng=Random(1), now=0.0)
    monkeypatch.setattr(Observer, "findings", lambda _: found)
    monkeypatch.setattr(gossip, "picture", picture)
    gossip._say()
    seen_at = gossip._seen_at
    assert seen_at is not None
    assert (gossip.alive, gossip.known) == (1, 2)
    assert gossip.findings(now=seen_at + TOLD_S - 0.1) is None
    assert gossip.findings(now=seen_at + TOLD_S) == found
    monkeypatch.setattr(gossip, "picture", lambda now: None)
    gossip._say()
    assert gossip.findings(now=seen_at + 1e9) is None, "it begins anew with the next who is met"
    assert (gossip.alive, gossip.known) == (0, 2)


def test_the_program_hears_of_a_change_and_of_nothing_else() -> None:
    calls: list[int] = []

    class Changing(Observer):
        def handle(self, event: Event, *, now: float) -> list[Output]:
            self.version += now > 1
            return []

    observer = Changing(
        me=observer_name("pod"), profile=PROFILES[ProfileName.DEFAULT], rng=Random(1), now=0.0
    )
    watched = _Watched(observer=observer, on_change=lambda: calls.append(1))
    watched.handle(Tick(), now=1.0)
    assert calls == []
    watched.handle(Tick(), now=2.0)
    assert calls == [1]
