"""Proves that both ends of a gossip edge know the cluster's key, and seals what they say to each other.

Both ends send a hello in clear: name, nonce, key ids. Session keys come by HKDF-SHA256 (RFC 5869 section 2)
from the shared key, both nonces and both whole hellos. Frames are AES-256-GCM (RFC 5116 section 5.2) under a
counter that must grow by exactly one: a frame replayed, reordered, injected or cut out ends the edge. The end
that dialled proves the key first, so who does not know it learns nothing from us but our hello. There is no
mode in clear text. A connection may serve as nothing but a proof of life: its purpose is part of the hello.

Not covered: forward secrecy (who learns the key can read what was recorded), and the identity of one node
(who holds the key may take any admitted name).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bareway.gossip.roles import is_observer
from bareway.model.names import NodeName

VERSION: Final = 2
"""What we speak; with who speaks an earlier one we speak that."""
VERSION_MIN: Final = 1
NONCE_BYTES: Final = 16
KEY_ID_BYTES: Final = 8  # 64 bits tell the few keys of one cluster apart
KEYS_MAX: Final = 8  # a rotation needs two; more than a handful is a mistake or an attack
NAME_BYTES_MAX: Final = 253  # a DNS subdomain, which a Node's name is (RFC 1123 section 2.1)
HELLO_BYTES_MAX: Final = 1024  # a name, a nonce and eight key ids need less than 400
PAYLOAD_BYTES_MAX: Final = 64 * 1024  # of one message; larger ones are split by who writes them
COUNTER_BYTES: Final = 8
TAG_BYTES: Final = 16
FRAME_BYTES_MAX: Final = PAYLOAD_BYTES_MAX + COUNTER_BYTES + TAG_BYTES
FRAMES_MAX: Final = 2**32  # under one key and direction: years of heartbeats, far below what AES-GCM bears

_NONCE_PREFIX: Final = bytes(4)  # 4 + 8 bytes of counter are the 12 that AES-GCM wants
_KEY_ID_INFO: Final = b"bareway gossip key id"
_SESSION_INFO: Final = b"bareway gossip session v1 "
_PROOF: Final = b""  # the first sealed frame each way is empty: opening it is all that counts


class Refusal(StrEnum):
    """Why an edge was not opened, or was closed; also the metric's label."""

    BAD_HELLO = "BadHello"
    OWN_NAME = "OwnName"
    UNKNOWN_NAME = "UnknownName"
    UNKNOWN_KEY = "UnknownKey"
    WRONG_SEAL = "WrongSeal"
    REPLAYED = "Replayed"
    TOO_LARGE = "TooLarge"
    SPENT = "Spent"


class Refused(Exception):
    """The other end may not have this edge, or not any longer."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Purpose(IntEnum):
    """What a connection is for; who dials says so."""

    EDGE = 0
    PROBE = 1
    """To see whether somebody lives: it is closed once both have proven the key."""


class Keyring:
    """The cluster's gossip keys: the first seals, each opens, so that one can follow another."""

    __slots__ = ("_keys", "ids")

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Take keys as they stand in the Secret: any bytes, of any length but none."""
        if not 1 <= len(secrets) <= KEYS_MAX:
            raise ValueError(f"a keyring holds 1 to {KEYS_MAX} keys, not {len(secrets)}")
        if not all(secrets):
            raise ValueError("a gossip key must not be empty")
        self._keys = {_derive(secret, KEY_ID_BYTES, b"", _KEY_ID_INFO): secret for secret in secrets}
        self.ids = tuple(self._keys)

    def session_key(self, key_id: bytes, salt: bytes, info: bytes) -> bytes:
        """Derive the key of one direction of one session."""
        return _derive(self._keys[key_id], 32, salt, info)


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """The one frame in clear. Later versions may append fields; this one does not look at them."""

    version: int
    name: str
    nonce: bytes
    key_ids: list[bytes]
    purpose: int = Purpose.EDGE
    """Since version 2; one that we do not know is an edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What follows from a frame of the handshake: a frame to send, and the session once it stands."""

    send: bytes | None = None
    session: "Session | None" = None


class Session:
    """An edge whose other end has proven the key: seals outgoing payloads, opens incoming frames."""

    __slots__ = ("_in", "_opened", "_out", "_sealed", "key_ids", "peer", "purpose", "version")

    def __init__(
        self,
        *,
        peer: NodeName,
        outgoing: bytes,
        incoming: bytes,
        key_ids: frozenset[bytes] = frozenset(),
        version: int = VERSION,
        purpose: Purpose = Purpose.EDGE,
    ) -> None:
        self.peer = peer
        self.key_ids = key_ids
        """Of the cluster's keys from which those of the two directions were derived."""
        self.version = version
        self.purpose = purpose
        self._out = AESGCM(outgoing)
        self._in = AESGCM(incoming)
        self._sealed = 0
        self._opened = 0

    def seal(self, payload: bytes) -> bytes:
        """Seal one payload; its place in the stream is part of the seal.

        Raises:
            Refused: The payload is larger than a peer would take, or the session is spent.
        """
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise Refused(Refusal.TOO_LARGE)
        if self._sealed >= FRAMES_MAX:
            raise Refused(Refusal.SPENT)
        counter = self._sealed.to_bytes(COUNTER_BYTES, "big")
        self._sealed += 1
        return counter + self._out.encrypt(_NONCE_PREFIX + counter, payload, None)

    def open(self, frame: bytes) -> bytes:
        """Open the next frame; after a refusal the session is of no more use.

        Raises:
            Refused: The frame is not the next one, or was not sealed by the other end.
        """
        if len(frame) > FRAME_BYTES_MAX:
            raise Refused(Refusal.TOO_LARGE)
        if len(frame) < COUNTER_BYTES + TAG_BYTES:
            raise Refused(Refusal.WRONG_SEAL)
        counter = frame[:COUNTER_BYTES]
        if int.from_bytes(counter, "big") != self._opened:
            raise Refused(Refusal.REPLAYED)
        if self._opened >= FRAMES_MAX:
            raise Refused(Refusal.SPENT)
        try:
            payload = self._in.decrypt(_NONCE_PREFIX + counter, frame[COUNTER_BYTES:], None)
        except InvalidTag:
            raise Refused(Refusal.WRONG_SEAL) from None
        self._opened += 1
        return payload


class Handshake:
    """One end of a handshake: send ``hello``, then feed ``receive`` until there is a session."""

    __slots__ = ("_admitted", "_dialled", "_keyring", "_me", "_nonce", "_purpose", "_session", "hello")

    def __init__(
        self,
        *,
        me: NodeName,
        keyring: Keyring,
        nonce: bytes,
        dialled: bool,
        admitted: Collection[NodeName] | None,
        purpose: Purpose = Purpose.EDGE,
    ) -> None:
        """Begin a handshake.

        Args:
            me: Our name.
            keyring: The cluster's keys.
            nonce: NONCE_BYTES fresh random bytes.
            dialled: Whether we opened the connection; each end has its part.
            admitted: The names that the other end may have (the one we dialled); None: any but ours.
                Who dialled us may be an observer, too.
            purpose: What we dialled for.
        """
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
        self._me = me
        self._nonce = nonce
        self._keyring = keyring
        self._dialled = dialled
        self._purpose = purpose
        self._admitted = admitted
        self._session: Session | None = None
        self.hello: Final = msgspec.msgpack.encode(
            Hello(version=VERSION, name=me, nonce=nonce, key_ids=list(keyring.ids), purpose=purpose)
        )

    def receive(self, frame: bytes) -> Step:
        """Take the other end's next frame.

        Raises:
            Refused: There will be no session with this one.
        """
        if self._session is None:
            return self._take_hello(frame)
        return self._take_proof(self._session, frame)

    def _take_hello(self, frame: bytes) -> Step:
        hello = _read_hello(frame)
        peer = NodeName(hello.name)
        if peer == self._me:
            raise Refused(Refusal.OWN_NAME)
        if not self._admits(peer):
            raise Refused(Refusal.UNKNOWN_NAME)
        self._session = self._derive_session(peer, hello, frame)
        return Step(send=self._session.seal(_PROOF)) if self._dialled else Step()

    def _admits(self, peer: NodeName) -> bool:
        """By name, or by role: nobody knows the names of observers beforehand, they only hold the key."""
        if self._admitted is None or peer in self._admitted:
            return True
        return is_observer(peer) and not self._dialled

    def _take_proof(self, session: Session, frame: bytes) -> Step:
        if session.open(frame) != _PROOF:
            raise Refused(Refusal.BAD_HELLO)
        return Step(send=None if self._dialled else session.seal(_PROOF), session=session)

    def _derive_session(self, peer: NodeName, theirs: Hello, frame: bytes) -> Session:
        """Derive both directions' keys; each end seals with the first of its keys that the other knows."""
        outgoing_id = _first_shared(self._keyring.ids, theirs.key_ids)
        incoming_id = _first_shared(theirs.key_ids, self._keyring.ids)
        first, second = (self.hello, frame) if self._dialled else (frame, self.hello)
        transcript = sha256(first).digest() + sha256(second).digest()
        salt = self._nonce + theirs.nonce if self._dialled else theirs.nonce + self._nonce
        there, back = _SESSION_INFO + b"there " + transcript, _SESSION_INFO + b"back " + transcript
        outgoing_info, incoming_info = (there, back) if self._dialled else (back, there)
        is_probe = (self._purpose if self._dialled else theirs.purpose) == Purpose.PROBE
        return Session(
            peer=peer,
            key_ids=frozenset({outgoing_id, incoming_id}),
            version=min(VERSION, theirs.version),
            purpose=Purpose.PROBE if is_probe else Purpose.EDGE,
            outgoing=self._keyring.session_key(outgoing_id, salt, outgoing_info),
            incoming=self._keyring.session_key(incoming_id, salt, incoming_info),
        )


def _read_hello(frame: bytes) -> Hello:
    if len(frame) > HELLO_BYTES_MAX:
        raise Refused(Refusal.TOO_LARGE)
    try:
        hello = msgspec.msgpack.decode(frame, type=Hello)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(Refusal.BAD_HELLO) from None
    well = (
        hello.version >= VERSION_MIN  # who speaks a later one than we speaks ours with us
        and 1 <= len(hello.name.encode()) <= NAME_BYTES_MAX
        and hello.name.isprintable()
        and len(hello.nonce) == NONCE_BYTES
        and 1 <= len(hello.key_ids) <= KEYS_MAX
    )
    if not well:
        raise Refused(Refusal.BAD_HELLO)
    return hello


def _first_shared(preferred: Sequence[bytes], known: Collection[bytes]) -> bytes:
    for key_id in preferred:
        if key_id in known:
            return key_id
    raise Refused(Refusal.UNKNOWN_KEY)


def _derive(secret: bytes, length: int, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
