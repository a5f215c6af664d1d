"""What announcer lists follow: who is given which address now, together with whom, and what comes next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.configuration import Configuration
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the lists follow."""

    configuration: Configuration
    allocation: Allocation
    services: Mapping[ServiceKey, Service]
    """As they are shown."""


def granted(allocation: Allocation, key: ServiceKey) -> tuple[IPAddress, ...]:
    """The addresses that the Service was given."""
    verdict = allocation.verdicts.get(key)
    return verdict.addresses if isinstance(verdict, Granted) else ()


def linked(keys: Iterable[ServiceKey], allocation: Allocation) -> list[ServiceKey]:
    """These Services and all that share an address with one of them, directly or through others."""
    found = dict.fromkeys(keys)
    todo = [*found]
    while todo:
        for address in granted(allocation, todo.pop()):
            for other in allocation.holders.get(address, ()):
                if other not in found:
                    found[other] = None
                    todo.append(other)
    return [*found]


def following(address: IPAddress, count: int) -> Iterator[IPAddress]:
    """As many as there are before the family ends; those of no pool belong to no group."""
    last = 2**address.max_prefixlen - 1
    make = type(address)
    return (make(number) for number in range(int(address) + 1, min(int(address) + count, last) + 1))
