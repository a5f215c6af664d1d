"""Which address each Service gets, or why none: a pure function of the pools, the Services, and the memory.

Who shows an address keeps it as long as the configuration, its own request, its families, and those that
share it allow; of two that may not both have it, the older keeps. Then everybody else, oldest first, gets
what it asks for, or the lowest free address. The order in which Services are given does not matter; what
other load balancers show in our pools counts as taken. Left out: who announces
(`bareway.decide.announcement.announcers`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import ServiceKey
from bareway.model.services import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationView:
    """What the decision looks at, at one moment."""

    configuration: Configuration
    services: Iterable[Service]
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of each Namespace by its name."""
    memory: AllocationMemory = field(default_factory=AllocationMemory)
    now: int = 0
    """Unix seconds, as in the memory."""
    load_balancer_class: str | None = None
    """Flag --lb-class."""


def allocate(view: AllocationView) -> Allocation:
    """Decide for every Service that asks us for an address."""
    return Allocations().decide(view)


class Allocations:
    """Decides for one View after another: the same as ``allocate``, at the cost of what differs.

    The mappings of an Allocation that was returned are live: look at it before the next one is asked for.
    """

    def __init__(self) -> None:
        self._view: AllocationView | None = None
        self._allocator: Allocator | None = None
        self._known: dict[ServiceKey, Service] = {}
        self.changed: frozenset[ServiceKey] = frozenset()
        """Whose verdict or release is another one than in the View before."""

    def decide(self, view: AllocationView) -> Allocation:
        """Decide for every Service that asks us for an address."""
        allocator = self._allocator
        if allocator is None or self._view is None or _is_other(self._view, view):
            self._known = {}
            allocator = self._allocator = Allocator(
                view.configuration,
                namespaces=view.namespaces,
                load_balancer_class=view.load_balancer_class,
            )
        self._view = view
        former, self._known = self._known, {service.key: service for service in view.services}
        for key, service in self._known.items():
            if former.get(key) is not service:
                allocator.put(service)
        for key in former.keys() - self._known.keys():
            allocator.remove(key)
        self.changed = allocator.settle(now=view.now, memory=view.memory)
        return allocator.allocation


def _is_other(former: AllocationView, view: AllocationView) -> bool:
    """Whether more than Services, memory, and time differs: then all is decided anew."""
    if (former.configuration, former.load_balancer_class) != (view.configuration, view.load_balancer_class):
        return True
    by_labels = any(pool.namespace_selectors for pool in view.configuration.pools)
    return by_labels and former.namespaces != view.namespaces
