"""What follows when a station that is no speaker answers for an address of ours.

An address that a Service was given a moment ago, and that nobody asked for by name, is exchanged for another
and shunned for a while. One that was asked for, or that clients use already, stays: any station of the link
could take it away from them otherwise; it is told. Who answers for many addresses stands in for others (proxy
ARP): exchanging them would help nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from bareway.decide.allocation.requests import Request, read_request
from bareway.gossip.findings import Finding, FindingWord
from bareway.model.configuration import Configuration
from bareway.model.mac import MacAddress
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress
from bareway.model.services import Service

QUARANTINE_S: Final = 600
"""So long an address is given to nobody, unless somebody asks for it by name."""
PROXY_MIN: Final = 4
"""A station that answers for so many addresses is no host that happens to have one of ours."""
SHUNNED_MAX: Final = 16
"""So many addresses are in quarantine at once: no station, whatever addresses it makes up, empties a pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """What is known of them."""

    answered: Mapping[MacAddress, Mapping[IPAddress, int]] = field(default_factory=dict)
    """For which addresses each station answered, and when that was told last, in Unix seconds."""
    in_use: Mapping[IPAddress, MacAddress] = field(default_factory=dict)
    """Addresses that stay where they are, though somebody else answers for them, and who."""

    @property
    def proxies(self) -> frozenset[MacAddress]:
        """Who answers for so many that it stands in for others."""
        return frozenset(mac for mac, addresses in self.answered.items() if len(addresses) >= PROXY_MIN)


def reckon(
    last: Strangers,
    findings: Iterable[Finding],
    *,
    memory: AllocationMemory,
    fresh: AbstractSet[IPAddress],
    is_held: Callable[[IPAddress], bool],
    is_asked_for: Callable[[IPAddress], bool],
    now: int,
) -> tuple[Strangers, AllocationMemory]:
    """What is known after these findings, and what is to be remembered: the same object if nothing more.

    Args:
        last: what was known.
        findings: all that are told now.
        memory: what is remembered.
        fresh: addresses that were given a moment ago.
        is_held: whether a Service holds an address.
        is_asked_for: whether one of its holders asks for it by name, or it is reserved for one.
        now: Unix seconds.
    """
    told = sorted(findings, key=lambda finding: (finding.address.version, int(finding.address), finding.mac))
    used = [finding for finding in told if finding.word is FindingWord.ADDRESS_IN_USE]
    suspected = {one.mac for one in told if one.word is FindingWord.PROXY_ARP_SUSPECTED}
    known = replace(last, answered=_answered(last, used, now))
    in_use: dict[IPAddress, MacAddress] = {}
    quarantine = {address: until for address, until in memory.quarantine.items() if until > now}
    shunned = len(quarantine)
    for finding in used:
        address = finding.address
        if finding.mac in suspected | known.proxies or not is_held(address):
            continue
        if is_asked_for(address):
            in_use.setdefault(address, finding.mac)
        elif address in quarantine:
            pass  # it is on its way
        elif address in fresh and len(quarantine) < SHUNNED_MAX:
            quarantine[address] = now + QUARANTINE_S
        else:
            in_use.setdefault(address, finding.mac)
    known = replace(known, in_use=in_use)
    return known, memory if len(quarantine) == shunned else replace(memory, quarantine=quarantine)


def asks_for(service: Service, address: IPAddress, configuration: Configuration) -> bool:
    """Whether the Service wants this address and no other."""
    request = read_request(service)
    if isinstance(request, Request) and address in request.addresses:
        return True
    return any(address in pool.reserve.get(service.key, ()) for pool in configuration.pools)


def _answered(
    last: Strangers, used: Iterable[Finding], now: int
) -> Mapping[MacAddress, Mapping[IPAddress, int]]:
    """Who answered for what in the time that a quarantine lasts."""
    found: dict[MacAddress, dict[IPAddress, int]] = {}
    for mac, addresses in last.answered.items():
        young = {address: at for address, at in addresses.items() if now - QUARANTINE_S < at <= now}
        if young:
            found[mac] = young
    for finding in used:
        found.setdefault(finding.mac, {})[finding.address] = now
    return found
