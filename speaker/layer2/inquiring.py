"""Asks the links who has an address, over sockets of its own: whatever answers for us need not know of it.

The sockets hear nothing while nothing is asked, and what concerns the addresses in question otherwise.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from math import inf
from typing import Final

from bareway.layer2.bpf import Program
from bareway.layer2.drops import PacketError
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.filter import ANY_ARP, ANY_NDP, arp_filter, ndp_filter
from bareway.layer2.forms import asking
from bareway.layer2.probe import Asked, Event, Heard, Probe, Prober, Tick, Told
from bareway.layer2.responder import DECODE, ETHERTYPES, claimed
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress
from speaker.layer2.hearing import Ear
from speaker.layer2.links import Link
from speaker.layer2.sending import Answer, Surroundings
from speaker.layer2.sockets import PacketPort

EXACT_MAX: Final = 16
"""Addresses asked for at once that are worth an exact filter; for more, all about neighbours comes in."""
EVERYTHING: Final = {ETHERTYPE_ARP: ANY_ARP, ETHERTYPE_IPV6: ANY_NDP}


class Inquirer:
    """The questions of all links together."""

    def __init__(self, around: Callable[[], Surroundings]) -> None:
        """``around`` is called when it is needed: the surroundings know the inquirer too."""
        self._around = around
        self._prober = Prober()
        self._mouths: dict[int, Mouth] = {}
        self._answers: defaultdict[IPAddress, list[Answer]] = defaultdict(list)
        self._wake: asyncio.TimerHandle | None = None

    def add(self, link: Link, ports: Mapping[int, PacketPort]) -> None:
        """Ask on this link too; the ports, by ethertype, are closed by ``remove``."""
        self._mouths[link.index] = Mouth(link, ports, self._heard, self._around())
        self._mouths[link.index].attend(self._prober.addresses)

    def follow(self, link: Link) -> None:
        """The link has another MAC or name now."""
        self._mouths[link.index].link = link

    def remove(self, index: int) -> None:
        """Ask there no more."""
        self._mouths.pop(index).close()

    def close(self) -> None:
        """Ask nothing more and tell nobody."""
        for index in tuple(self._mouths):
            self.remove(index)
        if self._wake is not None:
            self._wake.cancel()
        self._answers.clear()

    def ask(self, address: IPAddress, probes: int, on_answer: Answer) -> None:
        """Ask on every link of the address; ``on_answer`` is called 30 ms after the last probe."""
        self._answers[address].append(on_answer)
        for mouth in self._mouths.values():
            mouth.attend({address})
        self._go_on(Asked(address, probes))

    def _heard(self, address: IPAddress, mac: MacAddress) -> None:
        if address in self._answers and mac not in self._around().own_macs and mac.is_host:
            self._go_on(Heard(address, mac))

    def _go_on(self, event: Event) -> None:
        now = self._around().clock()
        outputs = self._prober.handle(event, now=now)
        self._wait(now)
        for address in (output.address for output in outputs if isinstance(output, Probe)):
            for mouth in self._mouths.values():
                mouth.ask(address)
        self._tell([output for output in outputs if isinstance(output, Told)])

    def _tell(self, over: Sequence[Told]) -> None:
        if over:
            for mouth in self._mouths.values():
                mouth.rest(self._prober.addresses)
        for told in over:
            for on_answer in self._answers.pop(told.address, ()):
                on_answer(told.macs)

    def _wait(self, now: float) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._prober.deadline != inf:
            delay = self._prober.deadline - now
            self._wake = asyncio.get_running_loop().call_later(delay, self._go_on, Tick())


class Mouth:
    """One link: asks there, and hears what is said about the addresses in question."""

    def __init__(
        self,
        link: Link,
        ports: Mapping[int, PacketPort],
        on_claim: Callable[[IPAddress, MacAddress], None],
        around: Surroundings,
    ) -> None:
        self.link = link
        self._ports = ports
        self._on_claim = on_claim
        self._around = around
        self._passing: dict[int, set[IPAddress] | None] = {ethertype: set() for ethertype in ports}
        """What the filters let through, at least what is asked for; None = all that concerns neighbours."""
        self._ears = [
            Ear(port, self._listening(ethertype), around.counters, clock=around.clock, turns=around.turns)
            for ethertype, port in ports.items()
        ]

    def attend(self, addresses: Collection[IPAddress]) -> None:
        """Hear what is said about these too."""
        for ethertype, passing in self._passing.items():
            if passing is not None:
                more = {address for address in addresses if ETHERTYPES[address.version] == ethertype}
                self._tune(ethertype, passing | more)

    def rest(self, addresses: Collection[IPAddress]) -> None:
        """Only these are still asked for: hear less, where that is worth a change."""
        for ethertype, passing in self._passing.items():
            left = {address for address in addresses if ETHERTYPES[address.version] == ethertype}
            if not left or (passing is None and len(left) <= EXACT_MAX):
                self._tune(ethertype, left)

    def ask(self, address: IPAddress) -> None:
        """Send one probe, if the address may be on this link."""
        if not self.link.speaks(address) or not self._around.allows(address, self.link.name):
            return
        try:
            self._ports[ETHERTYPES[address.version]].send(asking(address, my_mac=self.link.mac))
        except OSError as error:
            self._around.counters.failed(error)

    def close(self) -> None:
        """Leave the link."""
        for ear in self._ears:
            ear.close()
        for port in self._ports.values():
            port.close()

    def _tune(self, ethertype: int, wanted: set[IPAddress]) -> None:
        if wanted == self._passing[ethertype]:
            return
        is_exact = len(wanted) <= EXACT_MAX
        try:
            self._ports[ethertype].attach(_filter(ethertype, wanted) if is_exact else EVERYTHING[ethertype])
        except OSError as error:
            self._around.counters.failed(error)
        else:
            self._passing[ethertype] = wanted if is_exact else None

    def _listening(self, ethertype: int) -> Callable[[bytes], None]:
        decode, drops = DECODE[ethertype], self._around.counters.drops

        def listen(frame: bytes) -> None:
            try:
                claim = claimed(decode(frame))
            except PacketError as error:
                drops[error.reason] += 1
            else:
                self._on_claim(claim.address, claim.mac)

        return listen


def _filter(ethertype: int, addresses: Collection[IPAddress]) -> Program:
    if ethertype == ETHERTYPE_ARP:
        return arp_filter(address for address in addresses if isinstance(address, IPv4Address))
    return ndp_filter(address for address in addresses if isinstance(address, IPv6Address))
