"""What allocation remembers, between ``bareway-state`` and the next decision.

Written down at once where an address depends on it (`writing/plan.py` says when), gathered otherwise. What
another wrote there replaces what we know; what cannot be read there is written anew.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bareway.decide.allocation.freed import remembers
from bareway.decide.allocation.remember import remember
from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import ServiceKey
from bareway.model.objects import ConfigMap
from bareway.model.services import Service
from bareway.resources.state import read_state

logger = logging.getLogger(__name__)

GATHERED_S: Final = 1.0  # 1,000 Services created in 8 s are some nine writes
NOTHING: Final = AllocationMemory()


class State:
    """The memory as it is wanted, and as it is stored."""

    def __init__(self) -> None:
        self._read: ConfigMap | None = None
        self._asked: AllocationMemory | None = None
        """What we asked to be written last: to find it there is no news."""
        self._asked_at = -math.inf
        self.stored = NOTHING
        self.wanted = NOTHING

    def read(self, config_map: ConfigMap | None) -> None:
        """Take in what is stored now."""
        if config_map is self._read:
            return
        self._read, self.stored = config_map, _content(config_map)
        if config_map is not None and self.stored not in (NOTHING, self._asked):
            self.wanted = self.stored

    @property
    def version(self) -> str:
        """The resourceVersion of what is stored; empty without it."""
        return self._read.resource_version if self._read is not None else ""

    def follow(
        self,
        allocation: Allocation,
        configuration: Configuration,
        services: Mapping[ServiceKey, Service],
        *,
        now: int,
    ) -> None:
        """Remember what the decision comes to; ``services`` are those that it was made for."""
        if self.wanted != NOTHING or any(map(remembers, configuration.pools)):
            shown = as_shown(allocation, services)
            self.wanted = remember(self.wanted, allocation=shown, configuration=configuration, now=now)

    def is_due(self, *, now_s: float) -> bool:
        """Whether changes were gathered for long enough."""
        return now_s >= self._asked_at + GATHERED_S

    @property
    def due_s(self) -> float:
        """When to write what is gathered."""
        return self._asked_at + GATHERED_S if self.wanted != self.stored else math.inf

    def asked(self, memory: AllocationMemory, *, now_s: float) -> None:
        """It is being written."""
        self._asked, self._asked_at = memory, now_s


def as_shown(allocation: Allocation, services: Mapping[ServiceKey, Service]) -> Allocation:
    """Without what was decided and is not shown yet.

    What is only planned must not be remembered as held: planned anew, it would count as just released, and
    something else would be chosen, with each look.
    """
    holders, verdicts = dict(allocation.holders), dict(allocation.verdicts)
    for key, verdict in allocation.verdicts.items():
        if not isinstance(verdict, Granted) or verdict.kept:
            continue
        planned = [address for address in verdict.addresses if address not in services[key].ingress]
        if planned:
            del verdicts[key]
        for address in planned:
            holders[address] = tuple(holder for holder in holders[address] if holder != key)
    return replace(
        allocation,
        verdicts=verdicts,
        holders={address: keys for address, keys in holders.items() if keys},
    )


def _content(config_map: ConfigMap | None) -> AllocationMemory:
    found = read_state(config_map) if config_map is not None else NOTHING
    if isinstance(found, AllocationMemory):
        return found
    logger.error(
        "what was remembered of addresses cannot be read and is written anew",
        extra={"problems": list(map(str, found))},
    )
    return NOTHING
