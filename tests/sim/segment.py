"""The layer-2 segment: who hears whose frames, questions and answers on it, and stations that are no members.

ARP and NDP are one here: a question for an address goes to everybody, an answer to who asked, an announcement
to everybody. The segment may be in parts, and a station off it altogether.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from bareway.gossip.events import Answered, Ask, Permission, Question, Sighted
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName
from sim.clients import Client
from sim.hosts import Host, Pause
from sim.timeline import Timeline

PROBE_GAP_S = 0.03
"""Between two probes, and until the answers to the last one count."""
REPLY_S = 0.0002
BURST_S = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0)
"""Gratuitous frames after an Announce, as long as the address is ours."""

OnReply: TypeAlias = Callable[[MacAddress], None]


@dataclass(slots=True, eq=False)
class Stranger:
    """A station that answers for addresses that are not its own business."""

    mac: MacAddress
    addresses: frozenset[IPAddress] | None
    """None: for everything, as a router with proxy ARP does."""
    part: int = 0


@dataclass(slots=True, eq=False)
class Poll:
    """One question of a machine, and what was heard of it."""

    host: Host
    life: int
    ask: Ask
    macs: set[MacAddress] = field(default_factory=set)
    is_over: bool = False


class Segment:
    """All stations on one Ethernet."""

    def __init__(
        self,
        timeline: Timeline,
        hosts: Mapping[NodeName, Host],
        addresses_of: Callable[[IPAddress], Iterable[IPAddress]],
        give: Callable[[Host, Answered | Sighted], None],
        rng: Random,
    ) -> None:
        """``addresses_of`` tells all addresses that go with a key."""
        self._timeline = timeline
        self._hosts = hosts
        self._addresses_of = addresses_of
        self._give = give
        self._rng = rng
        self.loss = 0.0
        self.part: dict[NodeName, int] = dict.fromkeys(hosts, 0)
        """In which part of a split segment a host is; -1: on none."""
        self.strangers: list[Stranger] = []
        self.clients = [Client(name="client", part=0), Client(name="far client", part=1)]
        self.double_replies: list[tuple[float, IPAddress, frozenset[NodeName]]] = []
        """When one request was answered by two members."""

    # ------------------------------------------------------------ who hears whom

    def shared(self, one: NodeName, other: NodeName) -> bool:
        """Whether two hosts hear each other's frames."""
        return self.part[one] == self.part[other] >= 0

    def move(self, name: NodeName, part: int) -> None:
        """Plug a host in elsewhere, or (-1) nowhere."""
        self.part[name] = part

    def _in(self, part: int) -> list[Host]:
        if part < 0:
            return []
        return [host for host in self._hosts.values() if self.part[host.name] == part and host.has_link]

    def _is_lost(self) -> bool:
        return self.loss > 0 and self._rng.random() < self.loss

    # ------------------------------------------------------------ announcing

    def announce(self, host: Host, keys: Iterable[IPAddress]) -> None:
        """Now and some times more, as long as they are the host's."""
        keys = tuple(keys)
        self._tell(host, keys, host.life)
        for after_s in BURST_S[1:]:
            self._timeline.at(self._timeline.now + after_s, self._tell, host, keys, host.life)

    def _tell(self, host: Host, keys: tuple[IPAddress, ...], life: int) -> None:
        now, process = self._timeline.now, host.process
        if host.life != life or not host.running or process is None or not host.has_link:
            return
        for key in keys:
            if process.may_answer(key, now=now) is Permission.YES:
                self._tell_clients(host, key)
                self._tell_rivals(host, key)

    def _tell_clients(self, host: Host, key: IPAddress) -> None:
        for client in self.clients:
            if client.part == self.part[host.name]:
                for address in self._addresses_of(key):
                    if not self._is_lost():
                        client.told(address, host.mac, now=self._timeline.now)

    def _tell_rivals(self, host: Host, key: IPAddress) -> None:
        """Others who answer for the same see the frame."""
        for other in self._in(self.part[host.name]):
            if other is not host and key in other.announced and not self._is_lost():
                self._sight(other, key, host.mac, is_solicited=False)

    def _sight(self, host: Host, key: IPAddress, mac: MacAddress, *, is_solicited: bool) -> None:
        at = self._timeline.now + REPLY_S
        self._timeline.at(at, self._give, host, Sighted(address=key, mac=mac, is_solicited=is_solicited))

    def speak_up(self, stranger: Stranger) -> None:
        """A stranger announces what it holds for its own."""
        for host in self._in(stranger.part):
            for key in sorted(host.announced & (stranger.addresses or frozenset()), key=int):
                self._sight(host, key, stranger.mac, is_solicited=False)

    # ------------------------------------------------------------ asking

    def ask(self, host: Host, ask: Ask) -> None:
        """A machine asks the link: probes, then what was heard."""
        poll = Poll(host, host.life, ask)
        for number in range(ask.probes):
            self._timeline.at(self._timeline.now + number * PROBE_GAP_S, self._probe, poll)
        self._timeline.at(self._timeline.now + ask.probes * PROBE_GAP_S, self._tell_answer, poll)

    def _probe(self, poll: Poll) -> None:
        if poll.host.life != poll.life or poll.host.frozen or not poll.host.has_link:
            return

        def hear(mac: MacAddress) -> None:
            if not poll.is_over:
                poll.macs.add(mac)
            elif poll.host.life == poll.life and poll.ask.address in poll.host.announced:
                sighted = Sighted(address=poll.ask.address, mac=mac, is_solicited=True)
                self._give(poll.host, sighted)

        self._question(poll.ask.address, poll.host.mac, self.part[poll.host.name], hear)

    def _tell_answer(self, poll: Poll) -> None:
        poll.is_over = True
        if poll.host.life != poll.life:
            return
        ask = poll.ask
        answered = Answered(address=ask.address, question=ask.question, macs=frozenset(poll.macs))
        self._give(poll.host, answered)
        if ask.question is Question.ISOLATED:
            self._reply_if_alone(poll)

    def _question(self, key: IPAddress, asker: MacAddress, part: int, on_reply: OnReply) -> None:
        """Everybody who hears it may answer."""
        for host in self._in(part):
            if host.mac != asker and not self._is_lost():
                self._timeline.at(
                    self._timeline.now + REPLY_S, self._hear_question, host, key, asker, on_reply
                )
        for stranger in self.strangers:
            of_its_own = stranger.addresses is None or key in stranger.addresses
            if stranger.part == part and of_its_own and not self._is_lost():
                self._timeline.at(self._timeline.now + 2 * REPLY_S, on_reply, stranger.mac)

    def _hear_question(self, host: Host, key: IPAddress, asker: MacAddress, on_reply: OnReply) -> None:
        if not host.powered or host.pause is Pause.WHOLE:
            return
        if host.is_lax:
            self._reply(host, on_reply)
        if host.process is None:
            return
        if host.frozen:
            host.backlog.append(lambda: self._answer(host, key, on_reply))
        else:
            self._answer(host, key, on_reply)

    def _answer(self, host: Host, key: IPAddress, on_reply: OnReply) -> None:
        """The responder of a host: the fence is asked at each reply."""
        if host.process is None:
            return
        match host.process.may_answer(key, now=self._timeline.now):
            case Permission.YES:
                if not host.is_lax:
                    self._reply(host, on_reply)
            case Permission.ASK_FIRST:
                waiting = host.asks.setdefault(key, [])
                waiting.append(lambda: self._reply(host, on_reply))
                if len(waiting) == 1:
                    self.ask(host, Ask(address=key, question=Question.ISOLATED, probes=1))
            case Permission.NO:
                pass

    def _reply_if_alone(self, poll: Poll) -> None:
        host, key = poll.host, poll.ask.address
        waiting = host.asks.pop(key, [])
        if poll.macs or not host.running or host.process is None:
            return
        if host.process.may_answer(key, now=self._timeline.now) is not Permission.NO:
            for reply in waiting:
                reply()

    def _reply(self, host: Host, on_reply: OnReply) -> None:
        if self.part[host.name] >= 0 and not self._is_lost():
            self._timeline.at(self._timeline.now + REPLY_S, on_reply, host.mac)

    # ------------------------------------------------------------ clients

    def resolve(self, client: Client, key: IPAddress) -> None:
        """A client asks for each address of a group, and takes the answers into its cache."""
        now = self._timeline.now
        replies: set[MacAddress] = set()

        def hear(mac: MacAddress) -> None:
            replies.add(mac)
            for address in self._addresses_of(key):
                client.answered(address, mac, now=self._timeline.now)
            names = frozenset(
                host.name for host in self._hosts.values() if host.mac in replies and not host.is_lax
            )
            if len(names) > 1:
                self.double_replies.append((now, key, names))

        self._question(key, client.mac, client.part, hear)
