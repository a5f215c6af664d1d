"""What a Service's condition ``bareway.io/AddressAssigned`` says: has it what it asks for, and if not, why.

The condition is the memory of what was told: Events about a Service are sent when it changes, so that neither
a restart nor another leader tells anything twice. Who shares an address is not in it: each newcomer would
rewrite the conditions of all the others.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from bareway.decide.allocation.requests import quoted
from bareway.decide.allocation.verdicts import Granted, Refusal, Refused, Verdict, WhyNot
from bareway.model.services import Condition, Service
from bareway.resources.events import MESSAGE_MAX

REMARKS: Final = (Refusal.INVALID_REQUEST, Refusal.SECOND_FAMILY_NOT_SERVED)
"""What is worth a word although there is an address; which pools were passed over is not."""


class Reason(StrEnum):
    """The word where nothing is wrong."""

    ASSIGNED = "Assigned"


def condition_of(verdict: Verdict, service: Service, *, now: int) -> Condition:
    """What the Service's condition should be; the very one that it has, if that says so already.

    Args:
        verdict: what was decided for it.
        service: as it is shown.
        now: Unix seconds; written where the status changes.
    """
    is_true = isinstance(verdict, Granted)
    reason, message = _told(verdict)
    before = service.condition
    if before is None or before.is_true is not is_true or not before.since:
        since = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
    else:
        since = before.since
    return Condition(
        is_true=is_true,
        reason=reason,
        message=message[:MESSAGE_MAX],
        since=since,
        generation=service.generation,
    )


def _told(verdict: Verdict) -> tuple[str, str]:
    """Reason and message."""
    match verdict:
        case Granted(addresses=addresses, pool=pool):
            remarks = weighty(verdict)
            assigned = f"assigned {quoted(addresses)} from pool {pool}"
            return remarks[0].word if remarks else Reason.ASSIGNED, "; ".join([assigned, *_messages(remarks)])
        case Refused(reason=why):
            return why.word, "; ".join(verdict.sentences)


def weighty(granted: Granted) -> tuple[WhyNot, ...]:
    """The reasons that the Service's owner should know although it has an address."""
    return tuple(reason for reason in granted.reasons if reason.word in REMARKS)


def _messages(reasons: Iterable[WhyNot]) -> list[str]:
    return [*dict.fromkeys(reason.message for reason in reasons)]
