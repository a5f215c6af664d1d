"""Stations that are no members and answer for addresses of ours: one address each, or a great many.

A station that answers for more than three addresses stands in for others (proxy ARP): whatever it
says of a single address means nothing. Since its answers come one by one, judgement waits a moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.gossip.findings import Findings, FindingWord
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

PROXY_FROM: Final = 4
"""More than three addresses answered by one MAC address are no accident."""
JUDGE_S: Final = 0.2
"""Answers to questions asked together come within this."""
FORGET_S: Final = 60.0
"""A station not seen for so long is forgotten."""
STATIONS_MAX: Final = 64
"""Stations remembered: a scanner that invents addresses must not fill the memory."""
ADDRESSES_MAX: Final = 8
"""Addresses remembered of one station: enough to judge it."""


@dataclass(slots=True)
class _Station:
    seen_at: float
    addresses: dict[IPAddress, float] = field(default_factory=dict)
    """And when each is to be judged; infinite once it was."""


@dataclass(slots=True, kw_only=True)
class Strangers:
    """Those seen in the last minute."""

    findings: Findings
    _stations: dict[MacAddress, _Station] = field(default_factory=dict)

    @property
    def deadline(self) -> float:
        """When the next judgement is due."""
        if not self._stations:
            return inf
        times = (at for station in self._stations.values() for at in station.addresses.values())
        return min(times, default=inf)

    def seen(self, mac: MacAddress, address: IPAddress, *, now: float) -> None:
        """A station that is no member's answered for an address."""
        station = self._stations.get(mac)
        if station is None:
            if len(self._stations) >= STATIONS_MAX:
                return
            station = self._stations[mac] = _Station(now)
        station.seen_at = now
        is_room = len(station.addresses) < ADDRESSES_MAX or address in station.addresses
        if is_room and station.addresses.get(address, inf) == inf:
            station.addresses[address] = now + JUDGE_S

    def is_proxy(self, mac: MacAddress) -> bool:
        """Whether it answers for so many that it means nothing."""
        station = self._stations.get(mac)
        return station is not None and len(station.addresses) >= PROXY_FROM

    def are_proxies(self, macs: Iterable[MacAddress]) -> bool:
        """Whether all of these are."""
        return all(self.is_proxy(mac) for mac in macs)

    def judge(self, *, now: float) -> None:
        """Say what is wrong with those whose time has come, and forget who was not seen for long."""
        for mac, station in list(self._stations.items()):
            due = [address for address, at in station.addresses.items() if at <= now]
            word = FindingWord.PROXY_ARP_SUSPECTED if self.is_proxy(mac) else FindingWord.ADDRESS_IN_USE
            if due and word is FindingWord.PROXY_ARP_SUSPECTED:
                self.findings.drop(FindingWord.ADDRESS_IN_USE, mac)
            for address in due:
                station.addresses[address] = inf
                self.findings.note(address, word, mac, None, now=now)
            if now - station.seen_at > FORGET_S:
                del self._stations[mac]
