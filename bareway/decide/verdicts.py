"""What ``allocate`` decided for each Service, and why: granted or refused, with a word for every "no"."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from bareway.model.names import IPAddress, PoolName, ServiceKey


class Refusal(StrEnum):
    """Why a Service gets no address, loses one, or gets none from a certain pool."""

    NO_CLUSTER_ADDRESS = "NoClusterAddress"
    INVALID_REQUEST = "InvalidRequest"
    WRONG_FAMILY = "WrongFamily"
    NOT_IN_ANY_POOL = "NotInAnyPool"
    HELD_BY_ANOTHER = "HeldByAnother"
    OTHER_ADDRESS_REQUESTED = "OtherAddressRequested"
    OTHER_POOL_REQUESTED = "OtherPoolRequested"
    NO_SUCH_POOL = "NoSuchPool"
    AUTO_ASSIGN_OFF = "AutoAssignOff"
    POOL_EXHAUSTED = "PoolExhausted"
    NO_FREE_ADDRESS = "NoFreeAddress"
    SECOND_FAMILY_NOT_SERVED = "SecondFamilyNotServed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """One "no": the word, MetalLB's sentence where it has one, and the pool it speaks of, if any."""

    word: Refusal
    message: str
    pool: PoolName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Addresses that the Service shows and may not keep."""

    addresses: tuple[IPAddress, ...]
    reason: WhyNot


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The Service's addresses."""

    addresses: tuple[IPAddress, ...]
    pool: PoolName
    kept: bool
    """It shows exactly these already."""
    cleared: Cleared | None = None
    reasons: tuple[WhyNot, ...] = ()
    """Why pools before this one were passed over, and what else it does not get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No address, until something that ``reason`` speaks of changes."""

    reason: WhyNot
    cleared: Cleared | None = None
    reasons: tuple[WhyNot, ...] = ()
    """Why each pool was passed over."""


Verdict: TypeAlias = Granted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """All verdicts for one View."""

    verdicts: Mapping[ServiceKey, Verdict]
    """Of every Service that asks us, and of no other."""
    released: frozenset[ServiceKey]
    """Services that are of type LoadBalancer no more, and still show what a load balancer gave them."""
    used: Mapping[PoolName, int]
    """Addresses of each pool that Services hold."""
