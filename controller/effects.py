"""What the controller may do to the world, as data; doing one twice changes nothing more."""

from dataclasses import dataclass
from typing import TypeAlias

from bareway.model.names import IPAddress, ObjectKey, PoolName
from bareway.model.objects import ObjectReference
from bareway.model.services import Service
from bareway.resources.events import EventType
from bareway.resources.in_force import InForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One piece of news about an object, as an Event says it."""

    type: EventType
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Tell it."""

    about: ObjectReference
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class SetIngress:
    """Show these addresses in the Service's status, and the pool's name in its annotation."""

    service: Service
    """As it was read: its resourceVersion is the condition of the write."""
    addresses: tuple[IPAddress, ...]
    pool: PoolName
    then: tuple[Emit, ...] = ()
    """Told when it is done, and only then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearIngress:
    """Show no address and no pool's name."""

    service: Service
    then: tuple[Emit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConfiguration:
    """Put a configuration in force; ``over`` is the resourceVersion of the one before, empty to create."""

    key: ObjectKey
    over: str
    in_force: InForce


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """Create the Secret that seals gossip, with a fresh key; an existing one is never touched."""

    key: ObjectKey


Write: TypeAlias = SetIngress | ClearIngress | WriteConfiguration | CreateKey
Effect: TypeAlias = Emit | Write
