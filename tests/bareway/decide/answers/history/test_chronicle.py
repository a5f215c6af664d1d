"""What is remembered of a group in which things happen: every change once, with its reason and its gap."""

from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from bareway.decide.answers.history.chronicle import HEARD_MAX, Chronicle
from bareway.decide.answers.history.handovers import Background, HandoverReason
from bareway.decide.answers.history.merging import Told
from bareway.decide.answers.history.recent import ALL_MAX, EACH_MAX
from bareway.gossip.changes import Change
from bareway.gossip.claims import Claim
from bareway.gossip.events import Received
from bareway.gossip.message import News
from bareway.gossip.profile import CRASH_GRACE_S, PROFILES, ProfileName
from bareway.model.announcer_lists import Entry, Shard, shard_of
from bareway.model.names import IPAddress, NodeName
from bareway.model.steps import PIECE
from sim.remembering import BEGAN, RememberingWorld, remembering
from sim.stories import busiest, held_by, moved

SEEDS = range(4)
NODE, KEY = NodeName("a"), ip_address("192.0.2.10")
PROFILE = PROFILES[ProfileName.DEFAULT]


def addresses(told: Sequence[Told]) -> list[IPAddress]:
    return [one.handover.address for one in told]


def reasons(told: Sequence[Told]) -> set[str]:
    return {one.handover.reason for one in told}


def holders(told: Sequence[Told]) -> dict[IPAddress, NodeName | None]:
    """Who has each address after all of that."""
    return {one.handover.address: one.handover.holder for one in told}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_group_that_starts_has_claimed_each_address_once(seed: int) -> None:
    world = remembering(seed)
    told = world.told()
    assert sorted(addresses(told), key=int) == sorted(world.wanted, key=int)
    assert reasons(told) == {HandoverReason.FIRST_CLAIM}
    assert holders(told) == {address: names[0] for address, names in world.owners().items()}
    assert all(one.seen_by == tuple(world.names) for one in told)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_silent_death_is_told_with_the_time_for_which_nobody_answered(seed: int) -> None:
    world = remembering(seed)
    dead = busiest(world)
    lost, since = held_by(world, dead), world.now
    world.power_off(dead)
    world.run(3)
    told = world.told(since=since)
    assert sorted(addresses(told), key=int) == sorted(lost, key=int)
    assert reasons(told) == {HandoverReason.HOLDER_DIED}
    assert {one.handover.former for one in told} == {dead}
    announced = {address: when for when, _, some in world.announced if when > since for address in some}
    for one in told:
        gap_s = one.handover.gap_s
        assert gap_s is not None
        assert one.handover.at == world.at_day(announced[one.handover.address])
        silent_s = announced[one.handover.address] - since
        assert silent_s <= gap_s <= silent_s + PROFILE.interval_s
        assert one.gap_by in set(world.names) - {dead}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_process_that_ends_and_stays_away_has_crashed(seed: int) -> None:
    world = remembering(seed)
    dead = busiest(world)
    lost, since = held_by(world, dead), world.now
    world.kill(dead)
    world.run(4)
    told = world.told(since=since)
    assert holders(told).keys() == set(lost)
    assert reasons(told) == {HandoverReason.HOLDER_CRASHED}
    assert all(one.handover.gap_s is not None and one.handover.gap_s >= CRASH_GRACE_S for one in told)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_comes_back_in_time_has_changed_nothing(seed: int) -> None:
    world = remembering(seed)
    since = world.now
    world.kill(busiest(world), restart_s=0.3)
    world.run(4)
    assert world.told(since=since) == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drain_leaves_no_gap_and_says_what_people_wrote(seed: int) -> None:
    world = remembering(seed)
    drained = busiest(world)
    lost, since = held_by(world, drained), world.now
    world.tell(drained, leaving=True)
    world.run(2)
    told = world.told(since=since)
    assert holders(told).keys() == set(lost)
    assert {(one.handover.reason, one.handover.gap_s, one.handover.detail) for one in told} == {
        (HandoverReason.HOLDER_DRAINED, 0.0, "Drained: new disk")
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_speaker_that_is_told_to_end_is_no_drained_node(seed: int) -> None:
    world = remembering(seed)
    ends, since = busiest(world), world.now
    lost = held_by(world, ends)
    world.terminate(ends)
    world.run(2)
    told = world.told(since=since)
    assert holders(told).keys() == set(lost)
    assert {(one.handover.reason, one.handover.gap_s) for one in told} == {
        (HandoverReason.HOLDER_STOPPING, 0.0)
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_who_says_goodbye_before_somebody_claimed_has_left(seed: int) -> None:
    world = remembering(seed)
    gone, since = busiest(world), world.now
    world.leave(gone)
    world.run(2)
    told = world.told(since=since)
    assert reasons(told) == {HandoverReason.HOLDER_LEFT}
    assert all(one.handover.gap_s is not None for one in told)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_without_a_link_says_so_itself(seed: int) -> None:
    world = remembering(seed)
    pulled, since = busiest(world), world.now
    lost = held_by(world, pulled)
    world.link(pulled, up=False)
    world.run(2)
    told = world.told(since=since)
    assert holders(told).keys() == set(lost)
    assert reasons(told) == {HandoverReason.HOLDER_LOST_LINK}


def test_endpoints_that_are_gone_from_a_node_take_the_address_away() -> None:
    world = remembering(1)
    (key, names) = next(iter(world.owners().items()))
    others = frozenset(world.names) - {names[0]}
    since = world.now
    world.want({**world.wanted, key: others})
    world.run(2)
    (one,) = world.told(since=since)
    assert (one.handover.address, one.handover.former) == (key, names[0])
    assert one.handover.reason == HandoverReason.HOLDER_NOT_PERMITTED


@pytest.mark.parametrize(
    ("is_named", "word"),
    [
        pytest.param(False, HandoverReason.MOVED_BY_LIST, id="the controller's wish"),
        pytest.param(True, HandoverReason.MOVED_BY_OPERATOR, id="the operator's"),
    ],
)
def test_a_planned_move_says_whose_wish_it_was(is_named: bool, word: HandoverReason) -> None:
    world = remembering(2)
    (key, names) = next(iter(world.owners().items()))
    target = next(name for name in world.names if name != names[0])
    if is_named:
        world.named[key] = target
    since = world.now
    world.api.write(
        shard_of(key), Shard(generation=7, entries={key: Entry(generation=7, nodes=(target, names[0]))})
    )
    world.run(3)
    (one,) = world.told(since=since)
    assert (one.handover.former, one.handover.holder) == (names[0], target)
    assert (one.handover.reason, one.handover.gap_s) == (word, 0.0)


def test_an_address_that_no_service_has_any_more_is_given_up_and_claimed_anew() -> None:
    world = remembering(3)
    (key, names) = next(iter(world.owners().items()))
    since, wanted = world.now, dict(world.wanted)
    world.want({address: one for address, one in wanted.items() if address != key})
    world.run(10)
    (gone,) = world.told(since=since)
    assert (gone.handover.address, gone.handover.former, gone.handover.holder) == (key, names[0], None)
    assert gone.handover.reason == HandoverReason.GIVEN_UP
    since = world.now
    world.want(wanted)
    world.run(2)
    (again,) = world.told(since=since)
    assert (again.handover.former, again.handover.reason) == (None, HandoverReason.FIRST_CLAIM)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_both_sides_of_a_cut_did_is_told_in_the_order_in_which_it_happened(seed: int) -> None:
    world = remembering(seed, nodes=3)
    cut_off, since = world.names[2], world.now
    before = world.owners()
    world.isolate([cut_off])
    world.run(3)
    healed = world.now
    world.heal()
    world.run(5)
    told = world.told(since=since)
    assert {one.handover.reason for one in told if one.handover.at < world.at_day(healed)} == {
        HandoverReason.HOLDER_DIED
    }
    assert {one.handover.reason for one in told if one.handover.at >= world.at_day(healed)} == {
        HandoverReason.PARTITION_HEALED
    }
    has = {**{key: names[0] for key, names in before.items()}, **holders(told)}
    assert has == {key: names[0] for key, names in world.owners().items()}
    assert moved(before, world.owners()) == [key for key, names in before.items() if names == [cut_off]]


def test_a_restart_of_one_speaker_loses_nothing_and_its_own_memory_begins_anew() -> None:
    world = remembering(4)
    dead = busiest(world)
    world.power_off(dead)
    world.run(3)
    before = world.told()
    survivor = next(name for name in world.names if name != dead)
    world.kill(survivor, restart_s=0.2)
    world.run(5)
    assert world.history(survivor).handovers == ()  # what it learnt from the others is no change of hands
    known = [(one.handover.address, one.handover.holder, one.handover.former) for one in before]
    now = [(one.handover.address, one.handover.holder, one.handover.former) for one in world.told()]
    assert Counter(now) == Counter(known)


def test_one_address_is_told_of_alone() -> None:
    world = remembering(0)
    key = next(iter(world.wanted))
    world.power_off(world.owners()[key][0])
    world.run(3)
    (name, *_) = (name for name, host in world.hosts.items() if host.process is not None)
    history = world.history(name, key)
    assert history.key == key
    assert [one.address for one in history.handovers] == [key, key]
    assert history.since == world.at_day(world.hosts[name].booted_at)


def test_the_times_of_a_chronicle_are_those_of_its_own_clock() -> None:
    world: RememberingWorld = remembering(0)
    history = world.history(world.names[0])
    assert [one.at for one in history.handovers] == sorted(one.at for one in history.handovers)


def test_nothing_is_judged_while_a_failover_is_under_way_and_all_of_it_in_the_end() -> None:
    world = remembering(5, addresses=200)
    dead, since = busiest(world), world.now
    lost = held_by(world, dead)
    world.power_off(dead)
    world.run(1.5)
    survivor = next(name for name in world.names if name != dead)
    chronicle = world.chronicles[survivor]
    assert len(chronicle._aside) == len(lost) > PIECE
    world.run(2)
    assert len(chronicle._aside) == 0
    told = world.told(survivor, since=since)
    assert sorted(addresses(told), key=int) == sorted(lost, key=int)


def test_what_is_put_aside_is_bounded_too() -> None:
    seen = Change(0.0, None, Claim(address=KEY, generation=1, count=1, node=NODE), None, None, None)
    chronicle = Chronicle(NODE, Background(why_leaving=str, named_for=lambda _: None), since=0.0)
    for number in range(2 * ALL_MAX):
        address = ip_address(0x0A000000 + number)
        claim = Claim(address=address, generation=1, count=1, node=NODE)
        chronicle.saw(seen._replace(claim=claim))
    assert len(chronicle._aside) == ALL_MAX
    history = chronicle.history(None, now=1.0, wall=BEGAN)
    assert (len(history.handovers), history.dropped) == (ALL_MAX, ALL_MAX)
    assert len(chronicle._aside) == 0


def test_of_callers_without_number_the_longest_silent_are_forgotten() -> None:
    chronicle = Chronicle(NODE, Background(why_leaving=str, named_for=lambda _: None), since=0.0)
    for number in range(HEARD_MAX + 1):
        chronicle.before(Received(peer=NodeName(f"observer{number}"), message=News()), now=float(number))
    assert len(chronicle._heard) == HEARD_MAX // 2 + 1
    assert f"observer{HEARD_MAX}" in chronicle._heard
    assert "observer0" not in chronicle._heard


def test_who_forgot_something_says_from_when_on_it_knows_all() -> None:
    chronicle = Chronicle(NODE, Background(why_leaving=str, named_for=lambda _: None), since=0.0)

    def claimed(address: IPAddress, moment: float, count: int = 1) -> None:
        claim = Claim(address=address, generation=1, count=count, node=NODE)
        chronicle.saw(Change(moment, None, claim, None, None, None))

    def since_s(key: IPAddress | None = None) -> float:
        return (chronicle.history(key, now=0.0, wall=BEGAN).since - BEGAN).total_seconds()

    for number in range(EACH_MAX):
        claimed(KEY, 10.0 + number, number)
    assert (since_s(), since_s(KEY), since_s(ip_address("192.0.2.11"))) == (0.0, 10.0, 0.0)
    for number in range(ALL_MAX):
        claimed(ip_address(0x0A000000 + number), 1000.0 + number)
    assert (since_s(), since_s(KEY)) == (1000.0, 1000.0)
