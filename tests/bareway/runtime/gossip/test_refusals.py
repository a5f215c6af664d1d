"""Whom the driver refuses, and how it says so."""

from bareway.gossip.events import Dial, DialFailed, Opened
from bareway.gossip.sealing import Keyring, Refusal
from bareway.model.names import NodeName
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.report import TurnedAway
from support.gossip import KEYRING, LOOPBACK, introduce, station, until

ALICE = NodeName("alice")
BOB = NodeName("bob")
CAROL = NodeName("carol")


async def test_a_peer_with_another_key_is_refused_counted_and_told_of_once() -> None:
    stranger = Keyring([b"the key of another cluster"])
    async with station("alice") as alice, station("bob", keyring=stranger) as bob:
        introduce(alice, bob)
        for attempt in range(1, 4):
            alice.act(Dial(peer=BOB))
            await until(lambda: alice.dropped(Refusal.UNKNOWN_KEY) == attempt)  # noqa: B023 - used at once
            await until(lambda: not alice.driver._dialling)
        assert alice.machine.events.count(DialFailed(peer=BOB, refused=False, turned_away=True)) == 3
        assert bob.machine.events == []
        assert alice.notices[1:] == [TurnedAway(source="bob", reason=Refusal.UNKNOWN_KEY)]
        await until(lambda: bob.dropped(Refusal.UNKNOWN_KEY) == 3)
        assert bob.notices[1:] == [TurnedAway(source=LOOPBACK, reason=Refusal.UNKNOWN_KEY)]


async def test_a_refusal_is_told_again_after_the_peer_was_let_in_meanwhile() -> None:
    stranger = Keyring([b"the key of another cluster"])
    async with station("alice") as alice:
        for keyring in (stranger, KEYRING, stranger):
            before = len(alice.machine.events)
            async with station("bob", keyring=keyring) as bob:
                introduce(alice, bob)
                alice.act(Dial(peer=BOB))
                await until(lambda: len(alice.machine.events) >= before + 2)  # noqa: B023 - used at once
        assert alice.refusals == [Refusal.UNKNOWN_KEY, Refusal.UNKNOWN_KEY]


async def test_a_caller_whose_name_nobody_knows_is_refused() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        bob.driver.locate({CAROL: Where(LOOPBACK, 1)})
        alice.act(Dial(peer=BOB))
        await until(lambda: bob.dropped(Refusal.UNKNOWN_NAME) == 1)
        rejected = DialFailed(peer=BOB, refused=False, turned_away=True)
        await until(lambda: rejected in alice.machine.events)


async def test_whoever_answers_with_another_name_than_the_dialled_one_is_refused() -> None:
    async with station("alice") as alice, station("bob") as bob:
        introduce(alice, bob)
        alice.driver.locate({CAROL: bob.where, BOB: bob.where})
        alice.act(Dial(peer=CAROL))
        rejected = DialFailed(peer=CAROL, refused=False, turned_away=True)
        await until(lambda: rejected in alice.machine.events)
        assert alice.refusals == [Refusal.UNKNOWN_NAME]


async def test_a_node_that_dials_itself_notices() -> None:
    async with station("alice") as alice:
        alice.driver.locate({ALICE: alice.where})
        alice.act(Dial(peer=ALICE))
        await until(lambda: DialFailed(peer=ALICE, refused=False) in alice.machine.events)
        assert alice.dropped(Refusal.OWN_NAME) >= 1


async def test_a_new_key_beside_the_old_one_lets_members_of_both_kinds_in() -> None:
    old, new = b"the key so far", b"the key that follows"
    both = station("alice", keyring=Keyring([old])), station("bob", keyring=Keyring([new]))
    async with both[0] as alice, both[1] as bob:
        introduce(alice, bob)
        alice.act(Dial(peer=BOB))
        await until(lambda: alice.dropped(Refusal.UNKNOWN_KEY) == 1)
        alice.driver.use(Keyring([new, old]))
        alice.act(Dial(peer=BOB))
        await until(lambda: Opened(peer=BOB) in alice.machine.events)
        await until(lambda: Opened(peer=ALICE) in bob.machine.events)
