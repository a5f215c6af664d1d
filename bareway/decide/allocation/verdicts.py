"""What ``allocate`` decided for each Service, and why: granted or refused, with a word for every "no"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from bareway.model.names import IPAddress, PoolName, ServiceKey


class Refusal(StrEnum):
    """Why a Service gets no address, loses one, or gets none from a certain pool."""

    NO_CLUSTER_ADDRESS = "NoClusterAddress"
    NOT_DUAL_STACK = "NotDualStack"
    """It requires both families and has a clusterIP of one only."""
    INVALID_REQUEST = "InvalidRequest"
    WRONG_FAMILY = "WrongFamily"
    NOT_IN_ANY_POOL = "NotInAnyPool"
    HELD_BY_ANOTHER = "HeldByAnother"
    """Without the same sharing key."""
    OTHER_BACKENDS = "OtherBackends"
    """Held with the same sharing key, but policy Local and served by other Pods."""
    PORT_IN_USE = "PortInUse"
    """Held by Services that it could share with, but for a port."""
    OTHER_ADDRESS_REQUESTED = "OtherAddressRequested"
    OTHER_POOL_REQUESTED = "OtherPoolRequested"
    NO_SUCH_POOL = "NoSuchPool"
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"
    SERVICE_NOT_SELECTED = "ServiceNotSelected"
    QUOTA_EXHAUSTED = "QuotaExhausted"
    RESERVED = "Reserved"
    """For Services of other names."""
    ON_HOLD = "OnHold"
    """It waits for the Service that held it last."""
    QUARANTINED = "Quarantined"
    """A stranger answers for it."""
    AUTO_ASSIGN_OFF = "AutoAssignOff"
    POOL_EXHAUSTED = "PoolExhausted"
    NO_FREE_ADDRESS = "NoFreeAddress"
    SECOND_FAMILY_NOT_SERVED = "SecondFamilyNotServed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """One "no": the word, MetalLB's sentence where it has one, and what it speaks of, if anything."""

    word: Refusal
    message: str
    pool: PoolName | None = None
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Addresses that the Service shows and may not keep."""

    addresses: tuple[IPAddress, ...]
    reasons: tuple[WhyNot, ...]
    """Of each address one."""

    @property
    def reason(self) -> WhyNot:
        """The first: Events have one sentence."""
        return self.reasons[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The Service's addresses."""

    addresses: tuple[IPAddress, ...]
    """IPv4 before IPv6, unless the Service shows these in another order: then in that one."""
    pools: tuple[PoolName, ...]
    """Of each address one."""
    kept: bool
    """It shows exactly these already."""
    shares_with: tuple[ServiceKey, ...] = ()
    """Who else holds one of the addresses, oldest first; of very many only the first."""
    cleared: Cleared | None = None
    """What it shows beside these, and why that goes."""
    reasons: tuple[WhyNot, ...] = ()
    """Why pools before these were passed over, and what else it does not get."""

    @property
    def pool(self) -> str:
        """As it is written beside the addresses: ``office``, or ``office,office-v6`` if they differ."""
        return ",".join(dict.fromkeys(self.pools))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No address, until something that ``reason`` or ``reasons`` speak of changes."""

    reason: WhyNot
    cleared: Cleared | None = None
    reasons: tuple[WhyNot, ...] = ()
    """Why each pool was passed over, or each requested address is not given."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why there is no address at all, then why none of each pool; each sentence once."""
        return tuple(dict.fromkeys(why.message for why in (self.reason, *self.reasons)))


Verdict: TypeAlias = Granted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """All verdicts for one View."""

    verdicts: Mapping[ServiceKey, Verdict]
    """Of every Service that asks us, and of no other."""
    released: frozenset[ServiceKey] = frozenset()
    """Services that ask us no more, by type or by class, and still show what we gave them."""
    used: Mapping[PoolName, int] = field(default_factory=dict)
    """Addresses of each pool that are held."""
    used_ipv6: Mapping[PoolName, int] = field(default_factory=dict)
    """Of these the IPv6 ones."""
    holders: Mapping[IPAddress, tuple[ServiceKey, ...]] = field(default_factory=dict)
    """Who holds each address of a pool, oldest first; also what other load balancers show there."""
    wake_at: int | None = None
    """When a hold or a quarantine ends that somebody waits for, in Unix seconds; None = nobody does."""
