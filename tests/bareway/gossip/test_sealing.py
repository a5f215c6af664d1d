from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.sealing import (
    FRAME_BYTES_MAX,
    FRAMES_MAX,
    HELLO_BYTES_MAX,
    KEY_ID_BYTES,
    KEYS_MAX,
    NAME_BYTES_MAX,
    NONCE_BYTES,
    PAYLOAD_BYTES_MAX,
    VERSION,
    Handshake,
    Hello,
    Keyring,
    Refusal,
    Refused,
    Session,
)
from bareway.model.names import NodeName

ALICE = NodeName("alice")
BOB = NodeName("bob")
KEY = b"what `openssl rand -base64 128` printed, line breaks\nincluded\n"
OTHER_KEY = b"another cluster's key"
THIRD_KEY = b"a key nobody uses any longer"


def dialling(
    *,
    me: NodeName = ALICE,
    to: NodeName = BOB,
    keys: tuple[bytes, ...] = (KEY,),
    nonce: bytes = b"a" * NONCE_BYTES,
) -> Handshake:
    return Handshake(me=me, keyring=Keyring(keys), nonce=nonce, dialled=True, admitted={to})


def accepting(
    *,
    me: NodeName = BOB,
    admitted: frozenset[NodeName] | None = None,
    keys: tuple[bytes, ...] = (KEY,),
    nonce: bytes = b"b" * NONCE_BYTES,
) -> Handshake:
    return Handshake(me=me, keyring=Keyring(keys), nonce=nonce, dialled=False, admitted=admitted)


def shake(caller: Handshake, callee: Handshake) -> tuple[Session, Session]:
    """Let both ends finish, and return the caller's and the callee's session."""
    proof = caller.receive(callee.hello).send
    assert proof is not None
    assert callee.receive(caller.hello).send is None
    answered = callee.receive(proof)
    assert answered.session is not None
    assert answered.send is not None
    opened = caller.receive(answered.send)
    assert opened.session is not None
    return opened.session, answered.session


def sessions() -> tuple[Session, Session]:
    return shake(dialling(), accepting())


def refusal_of(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.reason


def hello(
    *,
    version: int = VERSION,
    name: str = "alice",
    nonce: bytes = b"n" * NONCE_BYTES,
    key_ids: list[bytes] | None = None,
) -> bytes:
    ids = list(Keyring([KEY]).ids) if key_ids is None else key_ids
    return msgspec.msgpack.encode(Hello(version=version, name=name, nonce=nonce, key_ids=ids))


def test_two_ends_with_one_key_open_a_session_and_know_each_other_by_name() -> None:
    alice, bob = sessions()
    assert (alice.peer, bob.peer) == (BOB, ALICE)


@given(payloads=st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=20))
def test_what_one_end_seals_the_other_opens_in_order(payloads: list[tuple[bool, bytes]]) -> None:
    alice, bob = sessions()
    for from_alice, payload in payloads:
        sender, receiver = (alice, bob) if from_alice else (bob, alice)
        assert receiver.open(sender.seal(payload)) == payload


def test_a_sealed_payload_cannot_be_read_in_the_frame() -> None:
    alice, _ = sessions()
    assert b"192.0.2.10" not in alice.seal(b"I hold 192.0.2.10")


def test_a_callee_shows_a_stranger_nothing_sealed_before_the_stranger_has_proven_the_key() -> None:
    assert accepting().receive(dialling(keys=(KEY,)).hello).send is None


@given(bit=st.integers(min_value=0))
def test_any_flipped_bit_of_a_frame_is_refused(bit: int) -> None:
    alice, bob = sessions()
    frame = bytearray(alice.seal(b"claims"))
    bit %= len(frame) * 8
    frame[bit // 8] ^= 1 << bit % 8
    assert refusal_of(lambda: bob.open(bytes(frame))) in {Refusal.WRONG_SEAL, Refusal.REPLAYED}


@given(bit=st.integers(min_value=0), of_caller=st.booleans())
def test_no_session_stands_when_any_bit_of_a_hello_was_flipped_on_the_way(
    bit: int, *, of_caller: bool
) -> None:
    caller, callee = dialling(), accepting()
    there, back = bytearray(caller.hello), bytearray(callee.hello)
    flipped = there if of_caller else back
    bit %= len(flipped) * 8
    flipped[bit // 8] ^= 1 << bit % 8

    def converse() -> None:
        proof = caller.receive(bytes(back)).send
        callee.receive(bytes(there))
        assert proof is not None
        callee.receive(proof)

    assert refusal_of(converse) is not Refusal.REPLAYED


@given(garbage=st.binary(max_size=HELLO_BYTES_MAX + 1))
def test_garbage_for_a_hello_is_refused_and_never_anything_else_raised(garbage: bytes) -> None:
    with pytest.raises(Refused):
        accepting().receive(garbage)


@given(garbage=st.binary(max_size=200))
def test_garbage_for_a_frame_is_refused_and_never_anything_else_raised(garbage: bytes) -> None:
    _, bob = sessions()
    with pytest.raises(Refused):
        bob.open(garbage)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(b"", Refusal.BAD_HELLO, id="empty"),
        pytest.param(b"\xc1" * 40, Refusal.BAD_HELLO, id="not msgpack"),
        pytest.param(msgspec.msgpack.encode([1, "alice"]), Refusal.BAD_HELLO, id="fields missing"),
        pytest.param(b"\x94\x01\xa1\xff\xc4\x00\x90", Refusal.BAD_HELLO, id="name is not UTF-8"),
        pytest.param(hello(version=0), Refusal.BAD_HELLO, id="version 0"),
        pytest.param(hello(name=""), Refusal.BAD_HELLO, id="no name"),
        pytest.param(hello(name="a\nb"), Refusal.BAD_HELLO, id="name with a line break"),
        pytest.param(hello(name="é" * 127), Refusal.BAD_HELLO, id="name of 254 bytes"),
        pytest.param(hello(nonce=b"n" * 15), Refusal.BAD_HELLO, id="short nonce"),
        pytest.param(hello(key_ids=[]), Refusal.BAD_HELLO, id="no key"),
        pytest.param(hello(key_ids=[bytes(8)] * (KEYS_MAX + 1)), Refusal.BAD_HELLO, id="nine keys"),
        pytest.param(hello(key_ids=[bytes(KEY_ID_BYTES)]), Refusal.UNKNOWN_KEY, id="foreign key"),
        pytest.param(hello(name="bob"), Refusal.OWN_NAME, id="our own name"),
        pytest.param(hello(name="mallory"), Refusal.UNKNOWN_NAME, id="name not admitted"),
        pytest.param(b"\x00" * (HELLO_BYTES_MAX + 1), Refusal.TOO_LARGE, id="too large"),
    ],
)
def test_a_hello_is_refused_with_its_reason(frame: bytes, reason: Refusal) -> None:
    callee = accepting(admitted=frozenset({ALICE}))
    assert refusal_of(lambda: callee.receive(frame)) is reason


def test_a_hello_of_a_later_version_with_more_fields_is_understood() -> None:
    later = msgspec.msgpack.encode([VERSION + 1, "alice", b"n" * 16, list(Keyring([KEY]).ids), 7, "more"])
    assert accepting().receive(later).session is None


def test_the_longest_name_and_the_fullest_keyring_fit_into_a_hello() -> None:
    keys = [bytes([number]) for number in range(KEYS_MAX)]
    largest = hello(name="n" * NAME_BYTES_MAX, key_ids=list(Keyring(keys).ids))
    assert len(largest) <= HELLO_BYTES_MAX
    accepting(keys=tuple(keys)).receive(largest)


def test_who_dials_bob_refuses_to_be_answered_by_carol() -> None:
    carol = accepting(me=NodeName("carol"))
    assert refusal_of(lambda: dialling(to=BOB).receive(carol.hello)) is Refusal.UNKNOWN_NAME


def test_a_caller_that_names_our_key_without_having_it_is_refused() -> None:
    callee = accepting()
    callee.receive(hello())
    pretended = bytes(8) + b"\x00" * 16
    assert refusal_of(lambda: callee.receive(pretended)) is Refusal.WRONG_SEAL


def test_our_own_frames_sent_back_to_us_are_refused() -> None:
    alice, bob = sessions()
    assert refusal_of(lambda: alice.open(alice.seal(b"x"))) is Refusal.WRONG_SEAL
    assert refusal_of(lambda: bob.open(bob.seal(b"x"))) is Refusal.WRONG_SEAL


def test_a_frame_of_an_earlier_session_of_the_same_two_is_refused() -> None:
    earlier, _ = shake(dialling(), accepting(nonce=b"1" * NONCE_BYTES))
    _, bob = shake(dialling(), accepting(nonce=b"2" * NONCE_BYTES))
    assert refusal_of(lambda: bob.open(earlier.seal(b"x"))) is Refusal.WRONG_SEAL


def test_a_whole_recorded_conversation_cannot_be_played_to_the_callee_again() -> None:
    caller, callee = dialling(), accepting(nonce=b"1" * NONCE_BYTES)
    proof = caller.receive(callee.hello).send
    assert proof is not None
    again = accepting(nonce=b"2" * NONCE_BYTES)
    again.receive(caller.hello)
    assert refusal_of(lambda: again.receive(proof)) is Refusal.WRONG_SEAL


def test_a_proof_that_says_something_is_refused() -> None:
    caller, callee = dialling(), accepting()
    caller.receive(callee.hello)
    callee.receive(caller.hello)
    session = caller._session
    assert session is not None
    session._sealed = 0
    assert refusal_of(lambda: callee.receive(session.seal(b"not empty"))) is Refusal.BAD_HELLO


@pytest.mark.parametrize(
    ("taken", "next_frame"),
    [
        pytest.param([0], 0, id="replayed"),
        pytest.param([], 1, id="one cut out"),
        pytest.param([0], 2, id="reordered"),
        pytest.param([0, 1], 0, id="replayed later"),
    ],
)
def test_a_frame_out_of_its_place_is_refused(taken: list[int], next_frame: int) -> None:
    alice, bob = sessions()
    frames = [alice.seal(b"x") for _ in range(3)]
    for place in taken:
        bob.open(frames[place])
    assert refusal_of(lambda: bob.open(frames[next_frame])) is Refusal.REPLAYED


def test_a_payload_of_the_largest_size_passes_and_one_byte_more_is_refused_at_both_ends() -> None:
    alice, bob = sessions()
    frame = alice.seal(bytes(PAYLOAD_BYTES_MAX))
    assert len(frame) == FRAME_BYTES_MAX
    assert bob.open(frame) == bytes(PAYLOAD_BYTES_MAX)
    assert refusal_of(lambda: alice.seal(bytes(PAYLOAD_BYTES_MAX + 1))) is Refusal.TOO_LARGE
    assert refusal_of(lambda: bob.open(bytes(FRAME_BYTES_MAX + 1))) is Refusal.TOO_LARGE


def test_a_session_ends_before_a_counter_could_come_twice() -> None:
    alice, bob = sessions()
    alice._sealed = bob._opened = FRAMES_MAX - 1
    bob.open(alice.seal(b"the last"))
    assert refusal_of(lambda: alice.seal(b"x")) is Refusal.SPENT
    alice._sealed, bob._opened = FRAMES_MAX - 1, FRAMES_MAX
    frame = FRAMES_MAX.to_bytes(8, "big") + alice.seal(b"x")[8:]
    assert refusal_of(lambda: bob.open(frame)) is Refusal.SPENT


@pytest.mark.parametrize(
    ("callers", "callees"),
    [
        pytest.param((KEY,), (KEY, OTHER_KEY), id="new key installed at one end"),
        pytest.param((KEY, OTHER_KEY), (OTHER_KEY, KEY), id="new key in use at one end"),
        pytest.param((OTHER_KEY,), (THIRD_KEY, OTHER_KEY, KEY), id="old key removed at one end"),
    ],
)
def test_a_key_is_rotated_without_a_gap(callers: tuple[bytes, ...], callees: tuple[bytes, ...]) -> None:
    alice, bob = shake(dialling(keys=callers), accepting(keys=callees))
    assert bob.open(alice.seal(b"there")) == b"there"
    assert alice.open(bob.seal(b"back")) == b"back"


class RecordingKeyring(Keyring):
    """A keyring that remembers which keys were taken for which direction: outgoing first."""

    def __init__(self, secrets: list[bytes]) -> None:
        super().__init__(secrets)
        self.taken: list[bytes] = []

    def session_key(self, key_id: bytes, salt: bytes, info: bytes) -> bytes:
        self.taken.append(key_id)
        return super().session_key(key_id, salt, info)


def test_each_end_seals_with_its_own_first_key() -> None:
    ours = RecordingKeyring([KEY, OTHER_KEY])
    caller = Handshake(me=ALICE, keyring=ours, nonce=bytes(NONCE_BYTES), dialled=True, admitted={BOB})
    shake(caller, accepting(keys=(OTHER_KEY, KEY)))
    first, second = ours.ids
    assert ours.taken == [first, second]


def test_the_two_directions_have_different_keys() -> None:
    alice, bob = sessions()
    assert alice.seal(b"same") != bob.seal(b"same")


def test_keys_that_agree_in_their_first_32_bytes_are_different_keys() -> None:
    same_start = b"0123456789abcdef0123456789abcdef"
    caller = dialling(keys=(same_start + b"1",))
    callee = accepting(keys=(same_start + b"2",))
    assert refusal_of(lambda: caller.receive(callee.hello)) is Refusal.UNKNOWN_KEY


def test_a_key_has_the_same_id_on_every_node_and_two_keys_have_two() -> None:
    first, second = Keyring([KEY, OTHER_KEY]).ids
    assert Keyring([KEY]).ids == (first,)
    assert first != second
    assert len(first) == KEY_ID_BYTES


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param([], id="no key"),
        pytest.param([b""], id="empty key"),
        pytest.param([bytes([n]) for n in range(KEYS_MAX + 1)], id="nine keys"),
    ],
)
def test_a_keyring_without_a_usable_key_is_refused_at_once(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(secrets)


def test_a_handshake_without_a_whole_nonce_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="nonce"):
        dialling(nonce=b"short")


# Written down from version 2, with the key and the nonces above: what one release sends, another must
# understand. The hello and the proof of who calls, and the answer: proofs that open say that keys are equal.
HELLO_OF_ALICE = bytes.fromhex("9502a5616c696365c410" + "61" * 16 + "91c408b983e847b91588f900")
PROOF_OF_ALICE = bytes.fromhex("0000000000000000" + "af34b11cc49c1ce03868898aa6ad5c54")
PROOF_OF_BOB = bytes.fromhex("0000000000000000" + "222d4e93b2ed8833da005f96e6f3c79c")


def test_keys_are_derived_as_other_releases_derive_them() -> None:
    caller, callee = dialling(), accepting()
    assert caller.hello == HELLO_OF_ALICE
    assert caller.receive(callee.hello).send == PROOF_OF_ALICE
    callee.receive(HELLO_OF_ALICE)
    assert callee.receive(PROOF_OF_ALICE).send == PROOF_OF_BOB
