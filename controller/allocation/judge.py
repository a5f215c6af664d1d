"""What is in force, what should be, and how to tell without deciding everything anew with every look."""

import math
from collections.abc import Callable
from typing import Final

from bareway.decide.allocation.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.objects import ConfigMap
from bareway.resources.in_force import GENERATION, NUMBER, InForce, read_in_force
from controller.allocation.acceptance import (
    Acceptance,
    ConfigurationRefusal,
    Offer,
    accept,
    read_once,
    renewed,
)

AGAIN_S: Final = 1.0  # how late it is noticed that a refused document would take nothing away any more
SHARE: Final = 20  # or, with very many Services, what part of the time goes into finding out


class Judge:
    """Remembers the last good configuration, and its last judgement."""

    def __init__(self, decide: Callable[[Configuration], Allocation], *, clock: Callable[[], float]) -> None:
        """``decide``: who gets which address under a configuration, for the Services of this moment.

        ``clock`` tells how long that takes.
        """
        self._decide = decide
        self._clock = clock
        self._remembered: InForce | None = None
        self._read: tuple[ConfigMap | None, InForce | None] = (None, None)
        self._judged: tuple[Offer | None, InForce | None, int] | None = None
        self._acceptance = Acceptance(in_force=None)
        self._again_s = -math.inf
        self.due_s = math.inf
        """When a document that was refused for its losses is worth another look."""

    def in_force(self, config_map: ConfigMap | None) -> InForce | None:
        """What can be read in the ConfigMap; read once for each version of it."""
        if self._read[0] is not config_map:
            content = read_in_force(config_map, read=read_once) if config_map is not None else None
            in_force = content if isinstance(content, InForce) else None
            self._read = (config_map, in_force)
            self._remembered = in_force or self._remembered
        return self._read[1]

    def judge(
        self, offer: Offer | None, config_map: ConfigMap | None, *, has_changed: bool, now_s: float
    ) -> Acceptance:
        """Judge the newest document against what is in force, or was before somebody took it away.

        Args:
            offer: the newest document.
            config_map: what is in force, as it stands.
            has_changed: Services are others than before.
            now_s: monotonic seconds.
        """
        present, generation = self.in_force(config_map), last_generation(config_map)
        if present is None and self._remembered is not None:
            present = renewed(self._remembered, generation)
            generation = present.generation
        question = (offer, present, generation)
        if question != self._judged or (
            self._depends_on_services and self._is_worth_it(has_changed=has_changed, now_s=now_s)
        ):
            begun_s = self._clock()
            self._acceptance = accept(offer, present=present, generation=generation, decide=self._decide)
            self._judged = question
            self._again_s = now_s + max(AGAIN_S, SHARE * (self._clock() - begun_s))
            self.due_s = math.inf
        return self._acceptance

    @property
    def _depends_on_services(self) -> bool:
        return self._acceptance.refusal is ConfigurationRefusal.TAKES_ADDRESSES_AWAY

    def _is_worth_it(self, *, has_changed: bool, now_s: float) -> bool:
        """Now, or later."""
        if has_changed and now_s < self._again_s:
            self.due_s = self._again_s
        return now_s >= self._again_s and (has_changed or self.due_s <= now_s)


def last_generation(config_map: ConfigMap | None) -> int:
    """As far as it can be read, also in a ConfigMap that somebody damaged: none is given twice."""
    text = config_map.data.get(GENERATION, "") if config_map is not None else ""
    return int(text) if NUMBER.fullmatch(text) else 0
