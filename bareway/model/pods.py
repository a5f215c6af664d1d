"""A Pod as far as it tells where a speaker runs."""

from dataclasses import dataclass
from typing import Final

from bareway.model.names import IPAddress, NodeName, ObjectKey

SPEAKER_LABELS: Final = "app=bareway,component=speaker"
"""The selector of the speakers' Pods, as the API takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A Pod at one moment."""

    key: ObjectKey
    node: NodeName | None = None
    """spec.nodeName; None: not placed yet."""
    host_addresses: tuple[IPAddress, ...] = ()
    """status.hostIPs, or the one in status.hostIP."""
    is_gone: bool = False
    """status.phase says that it ended and will not come back (Succeeded, Failed: evicted)."""
