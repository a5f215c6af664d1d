"""What the controller may do to the world, as data; doing one twice changes nothing more."""

from dataclasses import dataclass
from typing import TypeAlias

from bareway.model.announcer_lists import Shard
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.services import Condition, Service
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
    """Show these addresses in the Service's status, the pool's name in its annotation, and say so."""

    service: Service
    """As it was read: its resourceVersion is the condition of the write."""
    addresses: tuple[IPAddress, ...]
    pool: str
    condition: Condition
    then: tuple[Emit, ...] = ()
    """Told when it is done, and only then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearIngress:
    """Show no address and no pool's name, and say why; without ``condition`` say nothing any more."""

    service: Service
    condition: Condition | None = None
    then: tuple[Emit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCondition:
    """Say something else of addresses that stay as they are."""

    service: Service
    condition: Condition | None
    then: tuple[Emit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Say what is to be said of a write: its answer was lost, and the Service shows that it was made."""

    write: "ServiceWrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConfiguration:
    """Put a configuration in force; ``over`` is the resourceVersion of the one before, empty to create."""

    key: ObjectKey
    over: str
    in_force: InForce
    then: tuple[Emit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteState:
    """Put down what allocation remembers; ``over`` as above."""

    key: ObjectKey
    over: str
    memory: AllocationMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteShard:
    """Put down a part of the announcer lists; ``over`` as above."""

    key: ObjectKey
    over: str
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """Create the Secret that seals gossip, with a fresh key; an existing one is never touched."""

    key: ObjectKey


ServiceWrite: TypeAlias = SetIngress | ClearIngress | SetCondition
Write: TypeAlias = ServiceWrite | WriteConfiguration | WriteState | WriteShard | CreateKey
Effect: TypeAlias = Emit | Confirm | Write
