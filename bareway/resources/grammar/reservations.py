"""Addresses that are kept for a Service by name: the entry ``reserve`` of a pool."""

from collections.abc import Iterator, Mapping, Sequence

from bareway.decide.allocation.free import is_buggy
from bareway.model.addresses import AddressRange, parse_address
from bareway.model.names import IPAddress, ServiceKey
from bareway.resources.document import Items
from bareway.resources.grammar.addresses import Addresses
from bareway.resources.grammar.names import is_namespace, is_object_name
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import Place, Section


class Reservations:
    """All of a configuration: no address is kept for two."""

    def __init__(self) -> None:
        self._kept_for: dict[IPAddress, str] = {}

    def read(
        self, pool: Section, ranges: Sequence[AddressRange], *, avoid_buggy_ips: bool
    ) -> Mapping[ServiceKey, tuple[IPAddress, ...]]:
        """Those of one pool with these addresses."""
        if "reserve" not in pool.found:
            return {}
        addresses = Addresses(ranges)
        reserve: dict[ServiceKey, tuple[IPAddress, ...]] = {}
        for name, place in pool.mapping("reserve"):
            namespace, slash, service = name.partition("/")
            if not slash or not is_namespace(namespace) or not is_object_name(service):
                message = f"{pool.told}invalid Service {quoted(name)} in reserve"
                pool.walk.fail(place, message, hint="write namespace/name")
            reserve[ServiceKey(namespace, service)] = tuple(
                self._allowed(pool, name, place, addresses, avoid_buggy_ips=avoid_buggy_ips)
            )
        return reserve

    def _allowed(
        self, pool: Section, service: str, place: Place, addresses: Addresses, *, avoid_buggy_ips: bool
    ) -> Iterator[IPAddress]:
        for there, text in _texts(pool, place):
            address = parse_address(text)
            told = f"{pool.told}cannot reserve {quoted(text)} for {quoted(service)}: "
            if address is None:
                pool.walk.fail(there, f"{told}invalid IP", hint="write one address like 192.0.2.10")
            elif address not in addresses:
                pool.walk.fail(
                    there, f"{told}not an address of this pool", hint="write it in the pool it is in"
                )
            elif avoid_buggy_ips and is_buggy(address):
                pool.walk.fail(there, f"{told}avoid-buggy-ips forbids it", hint="write another address")
            elif self._kept_for.setdefault(address, service) != service:
                other = self._kept_for[address]
                pool.walk.fail(
                    there, f"{told}it is kept for {quoted(other)}", hint="write it for one of them"
                )
            else:
                yield address


def _texts(pool: Section, place: Place) -> Iterator[tuple[Place, str]]:
    """An address alone, or those of a list."""
    places = place.items() if isinstance(place.tree, Items) else (place,)
    for there in places:
        text = pool.walk.text(there)
        if text is not None:
            yield there, text
