"""What members find goes into the memory and to whom it concerns; what nobody knows stays said."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.strangers import PROXY_MIN, QUARANTINE_S
from bareway.gossip.findings import Finding, FindingWord
from bareway.model.mac import MacAddress
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, NodeName, ObjectKey, ServiceKey
from bareway.model.objects import ObjectReference
from bareway.model.services import Condition, Service
from controller.allocation.strangers import StrangerWatch
from controller.writing.effects import Emit
from support.builders import configuration, ips, key, pool, service

CONFIGURATION = configuration(pool("a", "192.0.2.0/28"))
MAC = MacAddress.parse("02:00:00:00:00:07")
ABOUT = ObjectReference(kind="ConfigMap", key=ObjectKey("bareway-system", "bareway-config"))
EMPTY = AllocationMemory()
NOW = 1_000


def found(*addresses: str) -> tuple[Finding, ...]:
    word, by = FindingWord.ADDRESS_IN_USE, NodeName("a")
    return tuple(Finding(address=one, word=word, mac=MAC, node=None, by=by) for one in ips(*addresses))


class Table:
    """Services that hold addresses, and a watch for strangers beside them."""

    def __init__(self, *services: Service) -> None:
        self.services = {one.key: one for one in services}
        self.watch = StrangerWatch()
        self.memory = EMPTY

    def look(self, findings: Iterable[Finding] | None, *, fresh: Iterable[str] = ()) -> frozenset[ServiceKey]:
        allocation = allocate(AllocationView(configuration=CONFIGURATION, services=self.services.values()))
        self.memory, keys = self.watch.look(
            findings,
            configuration=CONFIGURATION,
            allocation=allocation,
            services=self.services,
            fresh=lambda: frozenset(ips(*fresh)),
            memory=self.memory,
            now=NOW,
        )
        return keys

    @property
    def in_use(self) -> Mapping[IPAddress, MacAddress] | None:
        return self.watch.in_use

    def news(self) -> list[Emit]:
        return [*self.watch.news(ABOUT)]


ONE, TWO = service("one", ingress=["192.0.2.1"]), service("two", ingress=["192.0.2.2"])


def test_a_fresh_address_goes_into_quarantine_and_an_older_one_is_said() -> None:
    table = Table(ONE, TWO)
    table.look(())
    assert table.look(found("192.0.2.1", "192.0.2.2"), fresh=["192.0.2.1"]) == {key("two")}
    assert table.memory.quarantine == {ips("192.0.2.1")[0]: NOW + QUARANTINE_S}
    assert table.watch.in_use == {ips("192.0.2.2")[0]: MAC}
    assert table.look(found("192.0.2.2")) == frozenset(), "it is said already"
    assert table.look(()) == {key("two")}, "and taken back"


def test_an_address_that_one_of_its_sharers_asks_for_stays() -> None:
    shared = {"metallb.io/allow-shared-ip": "k"}
    asking = service("one", ingress=["192.0.2.1"], requested="192.0.2.1", annotations=shared)
    table = Table(asking, service("two", ingress=["192.0.2.1"], annotations=shared, ports=[443]))
    table.look(())
    assert table.look(found("192.0.2.1"), fresh=["192.0.2.1"]) == {key("one"), key("two")}
    assert table.memory is EMPTY


def test_while_nothing_is_known_nothing_is_said_and_then_all_is_looked_at_that_was_said_before() -> None:
    said = Condition(is_true=True, reason="AddressInUse", message="as it was")
    table = Table(replace(ONE, condition=said), TWO)
    assert (table.look(None), table.in_use) == (frozenset(), None)
    assert table.look(()) == {key("one")}
    assert table.in_use == {}
    assert table.look(None) == frozenset()
    assert table.in_use == {}, "what was known once stays known while nobody is seen"


def test_a_station_that_stands_in_for_others_is_told_once() -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, PROXY_MIN + 1)]
    table = Table(*(service(f"s{number}", ingress=[one]) for number, one in enumerate(addresses)))
    table.look(found(*addresses[:-1]))
    assert table.news() == []
    table.look(found(*addresses))
    (emit,) = table.news()
    assert (emit.about, emit.notice.reason) == (ABOUT, "ProxyArpSuspected")
    assert emit.notice.message.startswith(
        "02:00:00:00:00:07 answers for 4 addresses of Services, such as 192"
    )
    table.look(found(*addresses))
    assert table.news() == []
