"""What gossip costs a member that is left in peace: ``python -m bench.machine``, in CPU time.

Eight edges at the pace of each profile, codec and sealing included, sockets not; with and without addresses.
"""

import time
from collections.abc import Sequence
from ipaddress import ip_address
from random import Random

from msgspec import Struct, json

from bareway.gossip.claims import Claim
from bareway.gossip.events import (
    Event,
    ListsKnown,
    Opened,
    Output,
    OwnFacts,
    PeersKnown,
    Received,
    Send,
    Tick,
    Wanted,
    Wish,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import MemberState, Report
from bareway.gossip.message import Heartbeat, Message, News, Pull, State, decode, encode
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.sealing import Session
from bareway.model.names import NodeName

ME = NodeName("me")
PEERS = [NodeName(f"peer{number}") for number in range(8)]
SECONDS = 60.0
"""Of the member's own time."""


class Idle(Struct, frozen=True, kw_only=True):
    """One member."""

    profile: str
    addresses: int
    cpu_percent: float
    """Of one core."""
    us_per_frame: float
    """For each frame that came, with all that the member itself did and said meanwhile."""
    worst_turn_ms: float
    """The longest single call of the machine, the start with all addresses included."""


class _Member:
    """A machine behind sealed edges, with peers that know what it knows."""

    def __init__(self, profile: ProfileName, addresses: int) -> None:
        self.profile = PROFILES[profile]
        self._now = 0.0
        self.worst_turn_s = 0.0
        self.machine = GossipMachine(me=ME, epoch=1, profile=self.profile, rng=Random("idle"), now=0.0)
        self._in = {peer: _session(peer) for peer in PEERS}
        self._out = {peer: _session(peer) for peer in PEERS}
        keys = [ip_address(0x0A000000 + number) for number in range(addresses)]
        self._tell(PeersKnown(peers=frozenset(PEERS)))
        self._tell(Wanted(addresses={key: Wish() for key in keys}, lists=ListsKnown()))
        self._tell(OwnFacts(ready=True, able=True))
        reports = tuple(
            Report(name=peer, epoch=1, incarnation=0, state=MemberState.ALIVE, by=peer) for peer in PEERS
        )
        claims = tuple(
            Claim(address=key, generation=0, count=1, node=(*PEERS, ME)[place % 9])
            for place, key in enumerate(keys)
        )
        for peer in PEERS:
            (pull,) = [
                output.message
                for output in self._tell(Opened(peer=peer))
                if isinstance(output, Send) and isinstance(output.message, Pull)
            ]
            self._hear(peer, State(number=pull.number, last=True, reports=reports, claims=claims), 0.0)
        self._hear(PEERS[0], News(), 0.0)

    def _tell(self, event: PeersKnown | Wanted | OwnFacts | Opened) -> list[Output]:
        return self._handle(event, 0.0)

    def _hear(self, peer: NodeName, message: Message, now: float) -> None:
        self._handle(Received(peer=peer, message=message), now)

    def _handle(self, event: Event, now: float) -> list[Output]:
        began = time.thread_time()
        outputs = self.machine.handle(event, now=now)
        self.worst_turn_s = max(self.worst_turn_s, time.thread_time() - began)
        return outputs

    def beat_of(self, sequence: int) -> bytes:
        """What each peer says."""
        return encode(
            Heartbeat(
                sequence=sequence,
                interval_ms=self.profile.interval_ms,
                generation=0,
                view_digest=self.machine._membership.digest,
                claims_digest=self.machine._election.table.digest,
                side=self.machine._sides.own(now=0.0),
            )
        )

    def live(self, seconds: float, *, since: float) -> tuple[float, int]:
        """CPU seconds, and frames that came."""
        sealed = {
            peer: [
                session.seal(self.beat_of(number)) for number in range(int(seconds / self.profile.interval_s))
            ]
            for peer, session in ((peer, _session(peer)) for peer in PEERS)
        }
        self._in = {peer: _session(peer) for peer in PEERS}
        began, frames, now = time.process_time(), 0, since
        for number in range(len(sealed[PEERS[0]])):
            for place, peer in enumerate(PEERS):
                now = since + (number + place / len(PEERS)) * self.profile.interval_s
                self._turn(now)
                message = decode(self._in[peer].open(sealed[peer][number]))
                self._say(self._handle(Received(peer=peer, message=message), now))
                frames += 1
        return time.process_time() - began, frames

    def _turn(self, now: float) -> None:
        while self.machine.deadline <= now:
            self._now = max(self.machine.deadline, self._now)
            self._say(self._handle(Tick(), self._now))
        self._now = now

    def _say(self, outputs: Sequence[Output]) -> None:
        encoded: dict[int, bytes] = {}
        for output in outputs:
            if isinstance(output, Send):
                frame = encoded.get(id(output.message)) or encode(output.message)
                encoded[id(output.message)] = frame
                self._out[output.peer].seal(frame)


def _session(peer: NodeName) -> Session:
    return Session(peer=peer, outgoing=bytes(32), incoming=bytes(32))


def measure(profile: ProfileName, addresses: int, *, seconds: float = SECONDS) -> Idle:
    """Let a member start, and then live in peace."""
    member = _Member(profile, addresses)
    member.live(5.0, since=0.0)
    cpu_s, frames = member.live(seconds, since=5.0)
    return Idle(
        profile=profile,
        addresses=addresses,
        cpu_percent=round(100 * cpu_s / seconds, 3),
        us_per_frame=round(1e6 * cpu_s / frames, 1),
        worst_turn_ms=round(1000 * member.worst_turn_s, 2),
    )


if __name__ == "__main__":
    rows = [measure(profile, addresses) for profile in ProfileName for addresses in (0, 1_000, 5_000)]
    print(json.format(json.encode(rows)).decode())
