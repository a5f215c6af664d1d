"""Who gets which address under the configuration in force, from look to look: only what changed costs.

Left out: the decision itself (`bareway.decide`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import ServiceKey
from bareway.model.services import Service

NO_LABELS: Mapping[str, Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What decides beside the Services."""

    configuration: Configuration
    namespaces: Mapping[str, Mapping[str, str]]
    """Labels by name; the very same object as long as none changed."""
    memory: AllocationMemory
    now: int
    """Unix seconds."""

    @property
    def asked_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels, if any pool asks for them: otherwise a new Namespace is no news."""
        asks = any(pool.namespace_selectors for pool in self.configuration.pools)
        return self.namespaces if asks else NO_LABELS


class Decider:
    """Keeps the last decision."""

    def __init__(self, load_balancer_class: str | None) -> None:
        self._class = load_balancer_class
        self._made_for: tuple[Configuration, Mapping[str, Mapping[str, str]]] | None = None
        self._allocator = self._allocator_for(Configuration(), NO_LABELS)

    def decide(
        self,
        circumstances: Circumstances,
        services: Mapping[ServiceKey, Service],
        changed: Collection[ServiceKey],
    ) -> tuple[Allocation, Collection[ServiceKey]]:
        """The decision, and for whom it is, or may be, another than before.

        Args:
            circumstances: what decides beside the Services.
            services: all of them.
            changed: those that may be others than in the last call.
        """
        made_for = circumstances.configuration, circumstances.asked_labels
        is_fresh = self._made_for is None or any(
            one is not other for one, other in zip(made_for, self._made_for, strict=True)
        )
        if is_fresh:
            self._made_for, self._allocator = made_for, self._allocator_for(*made_for)
            changed = services.keys()
        for key in changed:
            service = services.get(key)
            if service is None:
                self._allocator.remove(key)
            else:
                self._allocator.put(service)
        moved = self._allocator.settle(now=circumstances.now, memory=circumstances.memory)
        return self._allocator.allocation, services.keys() if is_fresh else moved

    def afresh(self, circumstances: Circumstances, services: Mapping[ServiceKey, Service]) -> Allocation:
        """The decision under other circumstances, which changes nothing here."""
        view = AllocationView(
            configuration=circumstances.configuration,
            services=services.values(),
            namespaces=circumstances.namespaces,
            memory=circumstances.memory,
            now=circumstances.now,
            load_balancer_class=self._class,
        )
        return allocate(view)

    def _allocator_for(
        self, configuration: Configuration, namespaces: Mapping[str, Mapping[str, str]]
    ) -> Allocator:
        return Allocator(configuration, namespaces=namespaces, load_balancer_class=self._class)
