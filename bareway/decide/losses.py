"""What a new configuration would take away: addresses in use that their Services could not keep under it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bareway.decide.requests import quoted
from bareway.decide.verdicts import Allocation, Granted, Verdict, WhyNot
from bareway.model.names import IPAddress, ServiceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A Service that would lose what it shows."""

    service: ServiceKey
    addresses: tuple[IPAddress, ...]
    reason: WhyNot

    def __str__(self) -> str:
        """MetalLB's sentence, and why."""
        held = quoted(self.addresses)
        return f'service "{self.service}" cannot own {held} under new config: {self.reason.message}'


def losses(before: Allocation, after: Allocation) -> tuple[Loss, ...]:
    """Who keeps an address in ``before`` and not in ``after``, by name; both of the same Services."""
    return tuple(sorted(_losses(before, after), key=lambda loss: loss.service))


def _losses(before: Allocation, after: Allocation) -> Iterator[Loss]:
    for key in (key for key, verdict in before.verdicts.items() if _keeps(verdict)):
        lost = after.verdicts[key].cleared
        if lost is not None:
            yield Loss(service=key, addresses=lost.addresses, reason=lost.reason)


def _keeps(verdict: Verdict) -> bool:
    return isinstance(verdict, Granted) and verdict.kept
