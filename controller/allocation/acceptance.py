"""Whether the document that a user wrote comes into force; a bad one never replaces a good one.

A document is refused as a whole if it cannot be read, or if a Service would lose an address under it that it
may keep under the present one, and nobody accepted exactly that loss. Then the present one stays, and
everything that is wrong is listed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bareway.decide.allocation.losses import Loss, losses
from bareway.decide.allocation.losses import digest as loss_digest
from bareway.decide.allocation.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.objects import ObjectReference
from bareway.model.problems import Problem
from bareway.resources.configurations import ConfigurationReading, read_configuration
from bareway.resources.in_force import InForce, digest

ACCEPT_LOSS: Final = "bareway.io/accept-loss"
LOSSES_MAX: Final = 20  # told at once; an Event holds 1,024 characters

# Decided anew with every look at the cluster; the last few documents are read once.
read_once: Callable[[str, str], ConfigurationReading] = lru_cache(maxsize=4)(read_configuration)


class ConfigurationRefusal(StrEnum):
    """Why the newest document is not in force."""

    MISSING = "ConfigurationMissing"
    INVALID = "ConfigurationInvalid"
    TAKES_ADDRESSES_AWAY = "ConfigurationTakesAddressesAway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A document that asks to come into force."""

    document: str
    extension: str = ""
    """The document that says more about the same pools and peers."""
    source: str
    """Where it stands, for people."""
    about: ObjectReference
    """The object that Events about it belong to."""
    accepted_loss: str = ""
    """Digest of the loss that its author accepts."""


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
    reading = read_once(offer.document, offer.extension)
    if reading.configuration is None:
        refusal = ConfigurationRefusal.INVALID
        return Acceptance(in_force=present, offer=offer, refusal=refusal, problems=reading.problems)
    written = (offer.document, offer.extension)
    if present is not None and written == (present.document, present.extension):
        return Acceptance(in_force=present, offer=offer, problems=reading.problems)
    lost = _taken_away(offer, present, reading.configuration, decide)
    if lost:
        refusal = ConfigurationRefusal.TAKES_ADDRESSES_AWAY
        return Acceptance(in_force=present, offer=offer, refusal=refusal, problems=lost)
    accepted = InForce(
        configuration=reading.configuration,
        document=offer.document,
        extension=offer.extension,
        sha256=digest(offer.document, offer.extension),
        generation=generation + 1,
        source=offer.source,
    )
    return Acceptance(in_force=accepted, offer=offer, problems=reading.problems)


def renewed(remembered: InForce, generation: int) -> InForce:
    """The same configuration, to be written once more: somebody deleted or damaged what was written."""
    return replace(remembered, generation=max(remembered.generation, generation) + 1)


def _taken_away(
    offer: Offer,
    present: InForce | None,
    candidate: Configuration,
    decide: Callable[[Configuration], Allocation],
) -> tuple[Problem, ...]:
    """What is lost and was not accepted by its digest."""
    if present is not None:
        lost = losses(decide(present.configuration), decide(candidate))
    elif not candidate.pools:
        lost = _all_lost(decide(candidate))
    else:
        return ()  # the very first one may leave out what others gave; an empty one would take all
    accepting = loss_digest(lost)
    if not lost or offer.accepted_loss == accepting:
        return ()
    name, namespace = offer.about.key.name, offer.about.key.namespace
    annotate = f"kubectl -n {namespace} annotate --overwrite configmap {name} {ACCEPT_LOSS}={accepting}"
    told = [_problem(f"new config not compatible with assigned IPs: {loss}") for loss in lost[:LOSSES_MAX]]
    if len(lost) > LOSSES_MAX:
        told.append(_problem(f"and {len(lost) - LOSSES_MAX} more Services"))
    told[0] = replace(told[0], hint=f"to accept exactly this loss: {annotate}")
    return tuple(told)


def _all_lost(after: Allocation) -> tuple[Loss, ...]:
    return tuple(
        Loss(service=key, addresses=cleared.addresses, reason=cleared.reason)
        for key, verdict in sorted(after.verdicts.items())
        if (cleared := verdict.cleared) is not None
    )


def _problem(message: str) -> Problem:
    return Problem(path="", message=message)
