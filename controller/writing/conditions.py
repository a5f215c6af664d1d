"""What a Service's condition ``bareway.io/AddressAssigned`` says: has it what it asks for, and if not, why.

The condition is the memory of what was told: Events about a Service are sent when it changes, so that neither
a restart nor another leader tells anything twice. Who shares an address is not in it: each newcomer would
rewrite the conditions of all the others.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from bareway.decide.allocation.requests import quoted
from bareway.decide.allocation.verdicts import Granted, Refusal, Refused, Verdict, WhyNot
from bareway.gossip.findings import FindingWord
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress
from bareway.model.services import Condition, Service
from bareway.resources.events import MESSAGE_MAX

REMARKS: Final = (Refusal.INVALID_REQUEST, Refusal.SECOND_FAMILY_NOT_SERVED)
"""What is worth a word although there is an address; which pools were passed over is not."""
NOTHING_IN_USE: Final[Mapping[IPAddress, MacAddress]] = {}


class Reason(StrEnum):
    """The word where nothing is wrong."""

    ASSIGNED = "Assigned"
    ADDRESS_IN_USE = FindingWord.ADDRESS_IN_USE.value
    """It has the address, and so has a station that is no speaker."""


def condition_of(
    verdict: Verdict,
    service: Service,
    *,
    now: int,
    in_use: Mapping[IPAddress, MacAddress] | None = NOTHING_IN_USE,
) -> Condition:
    """What the Service's condition should be; the very one that it has, if that says so already.

    Args:
        verdict: what was decided for it.
        service: as it is shown.
        now: Unix seconds; written where the status changes.
        in_use: addresses for which somebody else answers, and who; None = nobody knows yet: what the
            condition says of that stays.
    """
    is_true = isinstance(verdict, Granted)
    before = service.condition
    if in_use is None and before is not None and _stays(before, verdict, service):
        reason, message = before.reason, before.message
    else:
        reason, message = _told(verdict, in_use or NOTHING_IN_USE)
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


def _stays(before: Condition, verdict: Verdict, service: Service) -> bool:
    """Whether the condition speaks of a stranger, and of the addresses that the Service keeps."""
    keeps = isinstance(verdict, Granted) and verdict.addresses == service.ingress
    return keeps and before.is_true and before.reason == Reason.ADDRESS_IN_USE


def _told(verdict: Verdict, in_use: Mapping[IPAddress, MacAddress]) -> tuple[str, str]:
    """Reason and message."""
    match verdict:
        case Granted(addresses=addresses, pool=pool):
            remarks = weighty(verdict)
            assigned = f"assigned {quoted(addresses)} from pool {pool}"
            others = [f'{in_use[one]} answers for "{one}" too' for one in addresses if one in in_use]
            word = Reason.ADDRESS_IN_USE if others else remarks[0].word if remarks else Reason.ASSIGNED
            return word, "; ".join([assigned, *others, *_messages(remarks)])
        case Refused(reason=why):
            return why.word, "; ".join(verdict.sentences)


def weighty(granted: Granted) -> tuple[WhyNot, ...]:
    """The reasons that the Service's owner should know although it has an address."""
    return tuple(reason for reason in granted.reasons if reason.word in REMARKS)


def _messages(reasons: Iterable[WhyNot]) -> list[str]:
    return [*dict.fromkeys(reason.message for reason in reasons)]
