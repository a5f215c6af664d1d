"""What is kept of addresses that nobody shows: reserved, on hold, in quarantine.

Remembered here from what the API server ever held, so that a controller that forgets is found out.
"""

from collections.abc import Iterator

from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service
from sim.control.truth import Truth, may_share

SKEW_MAX_S = 5
"""How far the time of day of a controller may be off."""
SLACK_S = 2 * SKEW_MAX_S + 2
"""By which an end that one controller wrote may come earlier to another."""


class Keeping:
    """Holds and quarantines as of now."""

    def __init__(self) -> None:
        self._holds: dict[IPAddress, tuple[ServiceKey, int]] = {}
        self._quarantine: dict[IPAddress, tuple[int, int]] = {}
        """Until when, and at which revision that was written."""

    def note(self, before: Truth, after: Truth, *, unix: int, revision: int) -> None:
        """Something was written."""
        for address, hold in after.memory.holds.items():
            if before.memory.holds.get(address) != hold:
                self._holds[address] = hold.service, hold.until
        for address, until in after.memory.quarantine.items():
            if before.memory.quarantine.get(address) != until:
                self._quarantine[address] = until, revision
        self._note_releases(before, after, unix=unix)
        for address in [*self._holds]:
            name, _ = self._holds[address]
            pool = after.pool_of(address)
            if pool is None or pool.hold_after_delete_s <= 0 or _has_another(after, name, address):
                del self._holds[address]

    def _note_releases(self, before: Truth, after: Truth, *, unix: int) -> None:
        """Who was written down as holder shows it no more: it waits, whether a controller saw that or not."""
        for address, keys in after.memory.holders.items():
            pool = after.pool_of(address)
            if pool is None or pool.hold_after_delete_s <= 0 or not keys or any(_shows(after, address)):
                continue
            if any(_shows(before, address)):
                self._holds[address] = keys[0], unix + int(pool.hold_after_delete_s)

    def why_not(self, service: Service, address: IPAddress, truth: Truth, *, unix: int, seen: int) -> str:
        """Why the Service may not be given the address; empty if it may, as far as was ``seen``."""
        reserved = _reserved_for(truth, address)
        if reserved and service.key not in reserved:
            return f"which is reserved for {min(reserved)}"
        name, until = self._holds.get(address, (service.key, 0))
        is_kept = name != service.key and not reserved and unix < until - SLACK_S
        if (
            is_kept
            and not _others_show(truth, service, address)
            and not _joins(truth, service, name, address)
        ):
            return f"which waits for {name}"
        is_wanted = str(address) in (service.annotation("loadBalancerIPs") or service.requested_address)
        shunned_until, revision = self._quarantine.get(address, (0, 0))
        if unix < shunned_until - SLACK_S and revision <= seen and not (is_wanted or reserved):
            return f"which is in quarantine until {shunned_until}"
        return ""


def _shows(truth: Truth, address: IPAddress) -> Iterator[bool]:
    return (True for one in truth.services.values() if one.is_load_balancer and address in one.ingress)


def _others_show(truth: Truth, service: Service, address: IPAddress) -> bool:
    return any(
        one.key != service.key and one.is_load_balancer and address in one.ingress
        for one in truth.services.values()
    )


def _joins(truth: Truth, service: Service, name: ServiceKey, address: IPAddress) -> bool:
    """Whether it may share the address with the one that it waits for, which is about to get it."""
    other, pool = truth.services.get(name), truth.pool_of(address)
    return other is not None and may_share(service, other, share_local=pool is not None and pool.share_local)


def _reserved_for(truth: Truth, address: IPAddress) -> set[ServiceKey]:
    kept = (pool.reserve.items() for pool in truth.configuration.pools)
    return {name for reserve in kept for name, addresses in reserve if address in addresses}


def _has_another(truth: Truth, key: ServiceKey, address: IPAddress) -> bool:
    service = truth.services.get(key)
    return service is not None and any(one.version == address.version for one in service.ingress)
