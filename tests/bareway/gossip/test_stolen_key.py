"""What somebody can do who has the gossip key, and how it is made worthless: SECURITY.md says the same."""

import msgspec
import pytest

from bareway.gossip.rotation import Rotation
from bareway.gossip.sealing import Handshake, Hello, Keyring, Refusal, Refused, Session
from bareway.model.names import NodeName

STOLEN, NEW = b"stolen", b"new"
ALICE, BOB = NodeName("alice"), NodeName("bob")
NODES = frozenset({ALICE, BOB})


def end(me: NodeName, nonce: bytes, *, dialled: bool, keyring: Keyring) -> Handshake:
    return Handshake(me=me, keyring=keyring, nonce=nonce, dialled=dialled, admitted=NODES - {me})


def meet(caller: Handshake, callee: Handshake) -> tuple[Session, Session]:
    proof = caller.receive(callee.hello).send
    assert proof is not None
    callee.receive(caller.hello)
    answer = callee.receive(proof)
    assert answer.send is not None
    session = caller.receive(answer.send).session
    assert session is not None
    assert answer.session is not None
    return session, answer.session


def test_with_a_stolen_key_any_nodes_name_can_be_taken() -> None:
    keyring = Keyring([STOLEN])
    thief = end(ALICE, b"t" * 16, dialled=True, keyring=keyring)
    _, taken_for = meet(thief, end(BOB, b"b" * 16, dialled=False, keyring=keyring))
    assert taken_for.peer == ALICE


def test_with_a_stolen_key_what_was_recorded_before_can_be_read() -> None:
    """There is no forward secrecy: both hellos are on the wire, and the rest follows from the key."""
    keyring = Keyring([STOLEN])
    caller = end(ALICE, b"a" * 16, dialled=True, keyring=keyring)
    callee = end(BOB, b"b" * 16, dialled=False, keyring=keyring)
    session, _ = meet(caller, callee)
    recorded = session.seal(b"who holds what")  # the first frame was the proof

    nonce = msgspec.msgpack.decode(callee.hello, type=Hello).nonce
    again = end(BOB, nonce, dialled=False, keyring=Keyring([STOLEN]))
    assert again.hello == callee.hello
    again.receive(caller.hello)
    proof = end(ALICE, b"a" * 16, dialled=True, keyring=keyring).receive(callee.hello).send
    assert proof is not None
    reader = again.receive(proof).session
    assert reader is not None
    assert reader.open(recorded) == b"who holds what"


def test_a_program_that_starts_after_the_key_was_changed_takes_the_stolen_one_no_more() -> None:
    fresh = Rotation()
    fresh.offer(NEW, now=0.0)
    keyring = fresh.keyring
    assert keyring is not None
    callee = end(BOB, b"b" * 16, dialled=False, keyring=keyring)
    thief = end(ALICE, b"t" * 16, dialled=True, keyring=Keyring([STOLEN]))
    with pytest.raises(Refused, match=Refusal.UNKNOWN_KEY):
        callee.receive(thief.hello)
