"""A client on the segment: its neighbour caches, as Linux keeps them for both families.

For IPv4 an entry younger than a second is not changed by what comes unasked (``locktime``); for IPv6 an
advertisement with the override flag counts at once (RFC 4861 section 7.2.5). An answer to a request of its
own counts if none came before it.
"""

from dataclasses import dataclass, field
from typing import Final

from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

LOCK_S: Final = 1.0
MAC: Final = MacAddress.parse("02:00:00:00:ff:01")


@dataclass(slots=True, eq=False)
class Client:
    """One client."""

    name: str
    part: int
    mac: MacAddress = MAC
    cache: dict[IPAddress, MacAddress] = field(default_factory=dict)
    _set_at: dict[IPAddress, float] = field(default_factory=dict)

    def told(self, address: IPAddress, mac: MacAddress, *, now: float) -> None:
        """Somebody announces an address unasked."""
        locked = address.version == 4 and now < self._set_at.get(address, -LOCK_S) + LOCK_S
        if not locked or address not in self.cache:
            self._put(address, mac, now)

    def answered(self, address: IPAddress, mac: MacAddress, *, now: float) -> None:
        """Somebody answers a request; of two answers to IPv4 the first counts, to IPv6 the last."""
        self.told(address, mac, now=now)

    def _put(self, address: IPAddress, mac: MacAddress, now: float) -> None:
        if self.cache.get(address) != mac:
            self._set_at[address] = now
        self.cache[address] = mac
