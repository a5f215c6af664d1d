"""Stations that answer for our addresses: what members find goes into the next decision, and is told.

What follows of it is decided elsewhere (`bareway.decide.allocation.strangers`). Members repeat what they find
every ten seconds, so a controller that begins anew knows of nothing for a while: until then what Services say
of strangers stays as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from bareway.decide.allocation.strangers import Strangers, asks_for, reckon
from bareway.decide.allocation.verdicts import Allocation
from bareway.gossip.findings import Finding
from bareway.model.configuration import Configuration
from bareway.model.mac import MacAddress
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.objects import ObjectReference
from bareway.model.services import Service
from controller.writing.conditions import Reason
from controller.writing.effects import Emit
from controller.writing.notices import proxy_suspected


class StrangerWatch:
    """Keeps what was found."""

    def __init__(self) -> None:
        self._known = Strangers()
        self._told: AbstractSet[MacAddress] = frozenset()
        self.in_use: Mapping[IPAddress, MacAddress] | None = None
        """Addresses in use that stay where they are, and by whom; None while nothing is known for sure."""

    def look(
        self,
        findings: Iterable[Finding] | None,
        *,
        configuration: Configuration,
        allocation: Allocation | None,
        services: Mapping[ServiceKey, Service],
        fresh: Callable[[], AbstractSet[IPAddress]],
        memory: AllocationMemory,
        now: int,
    ) -> tuple[AllocationMemory, frozenset[ServiceKey]]:
        """What is to be remembered from now on, and of which Services something else is to be said.

        Args:
            findings: all that members tell; None = nothing is known yet.
            configuration: the one in force.
            allocation: who holds what.
            services: all of them.
            fresh: tells which addresses were given a moment ago.
            memory: what is remembered until now.
            now: Unix seconds.
        """
        if findings is None or allocation is None:
            return memory, frozenset()
        told = tuple(findings)
        before = self.in_use
        if not told and not before and not self._known.answered:
            self.in_use = self._known.in_use
            return memory, frozenset() if before is not None else _who_says_so(services)

        def holders(address: IPAddress) -> tuple[ServiceKey, ...]:
            return allocation.holders.get(address, ())

        self._known, memory = reckon(
            self._known,
            told,
            memory=memory,
            fresh=fresh() if told else frozenset(),
            is_held=lambda address: bool(holders(address)),
            is_asked_for=lambda address: any(
                asks_for(services[key], address, configuration) for key in holders(address) if key in services
            ),
            now=now,
        )
        self.in_use = self._known.in_use
        if before is None:
            return memory, _who_says_so(services) | _all_of(self.in_use, holders)
        changed = {a for a in {*before, *self.in_use} if before.get(a) != self.in_use.get(a)}
        return memory, _all_of(changed, holders)

    def news(self, about: ObjectReference) -> Iterator[Emit]:
        """Stations that stand in for others: each is told once."""
        before, self._told = self._told, self._known.proxies
        for mac in sorted(self._told - before):
            yield Emit(about=about, notice=proxy_suspected(mac, sorted(map(str, self._known.answered[mac]))))


def _all_of(
    addresses: Iterable[IPAddress], holders: Callable[[IPAddress], Iterable[ServiceKey]]
) -> frozenset[ServiceKey]:
    return frozenset(key for address in addresses for key in holders(address))


def _who_says_so(services: Mapping[ServiceKey, Service]) -> frozenset[ServiceKey]:
    """Services whose condition speaks of a stranger, as an earlier controller left it."""
    return frozenset(
        key
        for key, service in services.items()
        if service.condition is not None and service.condition.reason == Reason.ADDRESS_IN_USE
    )
