"""The handshake: what a connection is for, which version both speak, which keys seal it, and garbage."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.sealing import (
    NONCE_BYTES,
    VERSION,
    VERSION_MIN,
    Handshake,
    Keyring,
    Purpose,
    Refusal,
    Refused,
    Session,
)
from bareway.model.names import NodeName

ALICE, BOB = NodeName("alice"), NodeName("bob")
OLD, NEW = b"the old key", b"the new key"


def end(
    me: NodeName, *, dialled: bool, keys: tuple[bytes, ...] = (NEW,), purpose: Purpose = Purpose.EDGE
) -> Handshake:
    nonce = me.encode().ljust(NONCE_BYTES)
    return Handshake(
        me=me, keyring=Keyring(keys), nonce=nonce, dialled=dialled, admitted=None, purpose=purpose
    )


def shake(caller: Handshake, callee: Handshake, *, hello: bytes | None = None) -> tuple[Session, Session]:
    """Both sessions; ``hello`` is what the callee gets in the place of the caller's."""
    proof = caller.receive(callee.hello).send
    callee.receive(hello or caller.hello)
    assert proof is not None
    answered = callee.receive(proof)
    assert answered.send is not None
    assert answered.session is not None
    opened = caller.receive(answered.send).session
    assert opened is not None
    return opened, answered.session


@pytest.mark.parametrize("purpose", Purpose)
def test_both_ends_know_what_the_connection_is_for(purpose: Purpose) -> None:
    both = shake(end(ALICE, dialled=True, purpose=purpose), end(BOB, dialled=False))
    assert [session.purpose for session in both] == [purpose, purpose]


def test_who_is_dialled_has_no_say_in_the_purpose() -> None:
    both = shake(end(ALICE, dialled=True), end(BOB, dialled=False, purpose=Purpose.PROBE))
    assert [session.purpose for session in both] == [Purpose.EDGE, Purpose.EDGE]


def test_a_purpose_changed_on_the_way_ends_the_handshake() -> None:
    caller = end(ALICE, dialled=True)
    fields = msgspec.msgpack.decode(caller.hello)
    forged = msgspec.msgpack.encode([*fields[:4], int(Purpose.PROBE)])
    with pytest.raises(Refused) as caught:
        shake(caller, end(BOB, dialled=False), hello=forged)
    assert caught.value.reason is Refusal.WRONG_SEAL


@pytest.mark.parametrize(
    ("fields", "purpose"),
    [
        pytest.param([VERSION_MIN], Purpose.EDGE, id="of a version that knows no purpose"),
        pytest.param([VERSION + 1, 99], Purpose.EDGE, id="a purpose of a later version"),
        pytest.param([VERSION, 1], Purpose.PROBE, id="a probe"),
    ],
)
def test_a_hello_of_another_version_is_understood(fields: list[int], purpose: Purpose) -> None:
    """The other end is played by hand: it derives its keys from the very bytes that it sent."""
    version, *rest = fields
    callee, caller = end(BOB, dialled=False), end(ALICE, dialled=True)
    sent = msgspec.msgpack.encode([version, "alice", b"a" * NONCE_BYTES, list(Keyring([NEW]).ids), *rest])
    caller.hello = sent  # type: ignore[misc]  # a program of another version, which we have not got
    caller._nonce = b"a" * NONCE_BYTES
    _, theirs = shake(caller, callee)
    assert (theirs.version, theirs.purpose) == (min(version, VERSION), purpose)


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_before_the_first_is_refused(version: int) -> None:
    sent = msgspec.msgpack.encode([version, "alice", b"a" * NONCE_BYTES, list(Keyring([NEW]).ids)])
    with pytest.raises(Refused) as caught:
        end(BOB, dialled=False).receive(sent)
    assert caught.value.reason is Refusal.BAD_HELLO


@pytest.mark.parametrize(
    ("mine", "theirs", "sealed_by"),
    [
        pytest.param((NEW, OLD), (NEW, OLD), {NEW}, id="both have the new one"),
        pytest.param((NEW, OLD), (OLD,), {OLD}, id="one has only the former"),
        pytest.param((NEW, OLD), (OLD, NEW), {NEW, OLD}, id="each seals with its own first"),
    ],
)
def test_a_session_tells_which_keys_seal_it(
    mine: tuple[bytes, ...], theirs: tuple[bytes, ...], sealed_by: set[bytes]
) -> None:
    both = shake(end(ALICE, dialled=True, keys=mine), end(BOB, dialled=False, keys=theirs))
    assert [session.key_ids for session in both] == [{Keyring([key]).ids[0] for key in sealed_by}] * 2


def test_what_was_recorded_of_one_handshake_opens_no_other() -> None:
    caller, callee = end(ALICE, dialled=True), end(BOB, dialled=False)
    proof = caller.receive(callee.hello).send
    assert proof is not None
    again = Handshake(
        me=BOB, keyring=Keyring((NEW,)), nonce=b"fresh".ljust(NONCE_BYTES), dialled=False, admitted=None
    )
    again.receive(caller.hello)
    with pytest.raises(Refused) as caught:
        again.receive(proof)
    assert caught.value.reason is Refusal.WRONG_SEAL


ANYTHING: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
NEARLY = st.tuples(
    st.integers(-1, 3) | ANYTHING,
    st.sampled_from(["alice", "bob", ""]) | ANYTHING,
    st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES) | ANYTHING,
    st.just(list(Keyring([NEW]).ids)) | ANYTHING,
    st.integers(-1, 3) | ANYTHING,
)


@given(st.lists(ANYTHING, max_size=7) | NEARLY.map(list) | NEARLY.map(lambda made: list(made[:4])))
def test_what_is_nearly_a_hello_begins_a_handshake_or_is_refused(fields: list[object]) -> None:
    callee = end(BOB, dialled=False)
    try:
        step = callee.receive(msgspec.msgpack.encode(fields))
    except Refused:
        return
    assert step.session is None, "nobody has proven anything yet"
    with pytest.raises(Refused):
        callee.receive(bytes(24))


@given(st.binary(max_size=100))
def test_no_proof_but_the_right_one_opens_a_session(garbage: bytes) -> None:
    caller, callee = end(ALICE, dialled=True), end(BOB, dialled=False)
    proof = caller.receive(callee.hello).send
    callee.receive(caller.hello)
    if garbage == proof:
        return
    with pytest.raises(Refused):
        callee.receive(garbage)
