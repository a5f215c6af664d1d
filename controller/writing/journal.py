"""One log line for each change of what an operator would ask about: the API, the configuration, the key."""

import logging
from typing import Final

from bareway.model.problems import Problem, Severity
from bareway.resources.in_force import InForce
from controller.allocation.acceptance import Acceptance, ConfigurationRefusal
from controller.watch import Watch

logger = logging.getLogger(__name__)

LEVELS: Final = {Severity.ERROR: logging.ERROR, Severity.WARNING: logging.WARNING}


class Journal:
    """Remembers what was said, and says it again only when it changed."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._said: dict[str, object] = {}
        self._problems: tuple[Problem, ...] = ()

    def write_api(self) -> None:
        """Whether the API server answers: one line an outage, however its story changes, and one after it."""
        troubles = self._watch.troubles
        if troubles and self._is_new("api", "away"):
            logger.warning("the API server is away; trying again", extra={"errors": troubles})
        elif self._watch.connected and self._is_new("api", "here"):
            logger.info("the API server answers")

    def write_configuration(self, acceptance: Acceptance, written: InForce | None) -> None:
        """What is in force, and what is wrong with the newest document."""
        if written is not None and self._is_new("in force", written.generation):
            extra = {"generation": written.generation, "sha256": written.sha256, "source": written.source}
            logger.info("configuration in force", extra=extra)
        self._write_refusal(acceptance)
        # Those that were not there a moment ago: with each new Service that would lose its address there is
        # one more, and another digest in the first.
        before, self._problems = self._problems, acceptance.problems
        for problem in acceptance.problems if before is not acceptance.problems else ():
            if problem in before:
                continue
            place = {"path": problem.path, "line": problem.line}
            extra = {**place, "hint": problem.hint, "detail": problem.message}
            if problem.document:
                extra["document"] = problem.document
            logger.log(LEVELS[problem.severity], "the configuration has a problem", extra=extra)

    def _write_refusal(self, acceptance: Acceptance) -> None:
        if not self._is_new("refusal", acceptance.refusal):
            return
        place = self._watch.source.place
        match acceptance.refusal:
            case ConfigurationRefusal.MISSING if acceptance.in_force is None:
                logger.warning("there is no configuration yet; waiting for it", extra={"source": place})
            case ConfigurationRefusal.MISSING:
                extra = {"source": place}
                logger.warning("the configuration is gone; the last good one stays in force", extra=extra)
            case ConfigurationRefusal.INVALID | ConfigurationRefusal.TAKES_ADDRESSES_AWAY | None:
                pass  # told with the Event about it

    def _is_new(self, about: str, what: object) -> bool:
        if about in self._said and self._said[about] == what:
            return False
        self._said[about] = what
        return True
