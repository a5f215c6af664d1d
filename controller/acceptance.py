"""Whether the document that a user wrote comes into force; a bad one never replaces a good one.

A document is refused as a whole if it cannot be read, or if a Service would lose an address under it that it
may keep under the present one. Then the present one stays, and everything that is wrong is listed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bareway.decide.losses import losses
from bareway.decide.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.objects import ObjectReference
from bareway.model.problems import Problem
from bareway.resources.configurations import ConfigurationReading, read_configuration
from bareway.resources.in_force import InForce, digest

LOSSES_MAX: Final = 20  # told at once; an Event holds 1,024 characters

# Decided anew with every look at the cluster; the last few documents are read once.
read_once: Callable[[str], ConfigurationReading] = lru_cache(maxsize=4)(read_configuration)


class ConfigurationRefusal(StrEnum):
    """Why the newest document is not in force."""

    MISSING = "ConfigurationMissing"
    INVALID = "ConfigurationInvalid"
    TAKES_ADDRESSES_AWAY = "ConfigurationTakesAddressesAway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A document that asks to come into force."""

    document: str
    source: str
    """Where it stands, for people."""
    about: ObjectReference
    """The object that Events about it belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What should be in force, and what is wrong with the newest document."""

    in_force: InForce | None
    """None while there never was a good one."""
    offer: Offer | None = None
    refusal: ConfigurationRefusal | None = None
    problems: tuple[Problem, ...] = ()
    """Errors of a refused document; warnings of one in force."""


def accept(
    offer: Offer | None,
    *,
    present: InForce | None,
    generation: int,
    decide: Callable[[Configuration], Allocation],
) -> Acceptance:
    """Judge the newest document.

    Args:
        offer: the document, if there is one.
        present: what is in force now.
        generation: the highest ever given to a configuration in force.
        decide: who gets which address under a configuration, for the Services of this moment.
    """
    if offer is None:
        return Acceptance(in_force=present, refusal=ConfigurationRefusal.MISSING)
    reading = read_once(offer.document)
    if reading.configuration is None:
        refusal = ConfigurationRefusal.INVALID
        return Acceptance(in_force=present, offer=offer, refusal=refusal, problems=reading.problems)
    if present is not None and offer.document == present.document:
        return Acceptance(in_force=present, offer=offer, problems=reading.problems)
    lost = _taken_away(present, reading.configuration, decide)
    if lost:
        refusal = ConfigurationRefusal.TAKES_ADDRESSES_AWAY
        return Acceptance(in_force=present, offer=offer, refusal=refusal, problems=lost)
    accepted = InForce(
        configuration=reading.configuration,
        document=offer.document,
        sha256=digest(offer.document),
        generation=generation + 1,
        source=offer.source,
    )
    return Acceptance(in_force=accepted, offer=offer, problems=reading.problems)


def renewed(remembered: InForce, generation: int) -> InForce:
    """The same configuration, to be written once more: somebody deleted or damaged what was written."""
    return replace(remembered, generation=max(remembered.generation, generation) + 1)


def _taken_away(
    present: InForce | None, candidate: Configuration, decide: Callable[[Configuration], Allocation]
) -> tuple[Problem, ...]:
    after = decide(candidate)
    if present is None:
        return _emptied(candidate, after)
    lost = losses(decide(present.configuration), after)
    told = [_problem(f"new config not compatible with assigned IPs: {loss}") for loss in lost[:LOSSES_MAX]]
    if len(lost) > LOSSES_MAX:
        told.append(_problem(f"and {len(lost) - LOSSES_MAX} more Services"))
    return tuple(told)


def _emptied(candidate: Configuration, after: Allocation) -> tuple[Problem, ...]:
    """The very first document may take addresses away that no pool allows; an empty one would take all."""
    holders = sum(verdict.cleared is not None for verdict in after.verdicts.values())
    if candidate.pools or not holders:
        return ()
    message = f"new config not compatible with assigned IPs: no pools, and {holders} Services hold IPs"
    return (_problem(message),)


def _problem(message: str) -> Problem:
    return Problem(path="", message=message)
