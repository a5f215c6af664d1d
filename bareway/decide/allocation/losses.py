"""What a new configuration would take away: addresses in use that their Services could not keep under it.

The annotation ``bareway.io/accept-loss: <digest>`` accepts exactly one loss. The digest is the first 16
hexadecimal digits of the SHA-256 of one line for each address that a Service would lose,

    <namespace>/<name> <address>

each ended by a newline, the addresses in their canonical text, the lines in ascending order of their UTF-8
bytes. So the same loss has the same digest whatever the reason, and any other loss another one. 16 digits are
64 bits: they guard against accepting another loss by accident, not against who may edit the ConfigMap anyway.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from bareway.decide.allocation.requests import quoted
from bareway.decide.allocation.verdicts import Allocation, WhyNot
from bareway.model.names import IPAddress, ServiceKey

DIGEST_DIGITS: Final = 16


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


def digest(lost: Iterable[Loss]) -> str:
    """Of exactly this loss; empty for none."""
    lines = sorted(f"{loss.service} {address}\n".encode() for loss in lost for address in loss.addresses)
    return sha256(b"".join(lines)).hexdigest()[:DIGEST_DIGITS] if lines else ""


def _losses(before: Allocation, after: Allocation) -> Iterator[Loss]:
    for key, verdict in after.verdicts.items():
        former = before.verdicts.get(key)
        if verdict.cleared is None or former is None:
            continue
        lost_anyway = former.cleared.addresses if former.cleared is not None else ()
        lost = [
            (address, reason)
            for address, reason in zip(verdict.cleared.addresses, verdict.cleared.reasons, strict=True)
            if address not in lost_anyway
        ]
        if lost:
            yield Loss(service=key, addresses=tuple(address for address, _ in lost), reason=lost[0][1])
