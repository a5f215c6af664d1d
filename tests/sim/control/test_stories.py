"""Stories with a known end, among them those that random histories told before the end was a good one."""

import json
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from bareway.model.mac import MacAddress
from bareway.model.names import ObjectKey
from sim.control.api import Place
from sim.control.checkers import Checkers
from sim.control.process import Process
from sim.control.speakers import Stranger
from sim.control.truth import truth_of
from sim.control.world import OURS, World

CONFIG = Place("configmaps", OURS, "config")
SOON_S = 2.5
MAC = MacAddress.parse("02:00:00:00:01:01")


@pytest.fixture
def world() -> Iterator[World]:
    """A cluster with one pool, and checkers on."""
    made = World(1)
    Checkers(made)
    configure(made, "192.0.2.0/30")
    yield made
    made.close()


def configure(world: World, *ranges: str) -> None:
    pools = [
        {"name": f"p{number}", "protocol": "layer2", "addresses": [one]} for number, one in enumerate(ranges)
    ]
    world.put(CONFIG, {"data": {"config": json.dumps({"address-pools": pools})}})


def create(world: World, name: str, *, asking: str = "") -> None:
    spec = {"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80, "protocol": "TCP"}]}
    annotations = {"metallb.io/loadBalancerIPs": asking} if asking else {}
    world.put(Place("services", "x", name), {"metadata": {"annotations": annotations}, "spec": spec})


def let_a_stranger_answer(world: World, *addresses: str) -> None:
    for address in addresses:
        world.speakers.strangers[ip_address(address)] = Stranger(MAC, world.now)
    world.find_strangers()


def let_it_go(world: World) -> None:
    world.speakers.strangers.clear()
    world.find_strangers()


def told(world: World, name: str) -> str:
    """What the Service's condition says."""
    condition = world.api.services()[ObjectKey("x", name)].condition
    return condition.reason if condition is not None else ""


def shown(world: World) -> dict[str, list[str]]:
    return {key.name: [*map(str, one.ingress)] for key, one in world.api.services().items()}


def leader(world: World) -> Process:
    found = world.leader()
    assert found is not None
    return found


def test_a_service_is_served_and_the_list_comes_first(world: World) -> None:
    world.start("a")
    world.run(3.0)
    create(world, "web")
    world.run(0.2)
    assert shown(world) == {"web": ["192.0.2.0"]}
    written = [change.place.name for change in world.api.history if change.by == "a"]
    assert written.index("web") > written.index("bareway-announcers-1")


def test_after_a_crash_the_other_goes_on(world: World) -> None:
    world.start("a")
    world.start("b")
    world.run(3.0)
    create(world, "web")
    world.run(0.5)
    leader(world).crash()
    create(world, "shop")
    world.run(6.0)
    assert shown(world) == {"shop": ["192.0.2.1"], "web": ["192.0.2.0"]}


def test_after_a_clean_end_the_other_goes_on_at_once(world: World) -> None:
    world.start("a")
    world.start("b")
    world.run(3.0)
    leader(world).end()
    world.run(0.5)
    create(world, "web")
    world.run(0.5)
    assert shown(world) == {"web": ["192.0.2.0"]}


def test_a_write_that_leaves_after_a_freeze_harms_nobody(world: World) -> None:
    world.start("a")
    world.start("b")
    world.run(3.0)
    frozen = leader(world)
    frozen.freezes_at_write = True
    create(world, "web")
    world.run(12.0)
    assert leader(world) is not frozen
    assert shown(world) == {"web": ["192.0.2.0"]}


def test_a_configuration_that_is_taken_back_before_it_is_written_passes_over_no_service(world: World) -> None:
    world.start("a")
    world.run(3.0)
    world.weather.error_share = 1.0
    configure(world, "192.0.2.0/30", "198.51.100.0/31")
    create(world, "web")
    world.run(0.3)
    configure(world, "192.0.2.0/30")
    world.run(0.1)
    world.weather.error_share = 0.0
    world.run(SOON_S)
    assert shown(world) == {"web": ["192.0.2.0"]}


def test_who_led_before_and_stands_by_now_sees_what_others_gave(world: World) -> None:
    world.start("a")
    world.start("b")
    world.run(3.0)
    former = leader(world)
    create(world, "web")
    world.run(0.5)
    former.freeze(8.0)
    by_hand = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.3"}]}}}
    world.put(Place("services", "x", "web"), by_hand)
    world.run(16.0)
    allocation = former.control.report.allocation
    assert former is not leader(world)
    assert shown(world) == {"web": ["192.0.2.3"]}, "nobody knows any more that it was another one"
    assert allocation is not None
    assert [*map(str, allocation.holders)] == ["192.0.2.3"]


# ------------------------------------------------------------ strangers on the link


def test_a_new_address_that_a_stranger_has_is_exchanged_and_shunned_also_by_a_successor(world: World) -> None:
    world.start("a")
    world.start("b")
    world.run(3.0)
    let_a_stranger_answer(world, "192.0.2.0")
    create(world, "web")
    world.run(SOON_S)
    assert shown(world) == {"web": ["192.0.2.1"]}
    assert told(world, "web") == "Assigned"
    let_it_go(world)
    leader(world).crash()
    world.run(6.0)
    create(world, "shop")
    world.run(SOON_S)
    assert shown(world) == {"shop": ["192.0.2.2"], "web": ["192.0.2.1"]}
    world.run(700.0)
    create(world, "late")
    world.run(SOON_S)
    assert shown(world)["late"] == ["192.0.2.0"], "after ten minutes it is an address like any other"


def test_a_requested_address_that_a_stranger_has_stays_and_says_so_as_long_as_it_is_so(world: World) -> None:
    world.start("a")
    world.start("b")
    world.run(3.0)
    let_a_stranger_answer(world, "192.0.2.3")
    create(world, "web", asking="192.0.2.3")
    world.run(SOON_S)
    assert (shown(world), told(world, "web")) == ({"web": ["192.0.2.3"]}, "AddressInUse")
    assert not truth_of(world.api).memory.quarantine
    leader(world).crash()
    world.run(6.0)
    assert told(world, "web") == "AddressInUse"
    let_it_go(world)
    world.run(SOON_S)
    assert (shown(world), told(world, "web")) == ({"web": ["192.0.2.3"]}, "Assigned")


def test_an_address_that_clients_use_is_not_lost_to_a_stranger_that_comes_later(world: World) -> None:
    world.start("a")
    world.run(3.0)
    create(world, "web")
    world.run(100.0)
    let_a_stranger_answer(world, "192.0.2.0")
    world.run(SOON_S)
    assert (shown(world), told(world, "web")) == ({"web": ["192.0.2.0"]}, "AddressInUse")


def test_one_station_that_answers_for_everything_ends_the_exchanging(world: World) -> None:
    configure(world, "192.0.2.0/28")
    process = world.start("a")
    world.run(3.0)
    let_a_stranger_answer(world, *(f"192.0.2.{number}" for number in range(16)))
    create(world, "web")
    world.run(SOON_S)
    assert (shown(world), told(world, "web")) == ({"web": ["192.0.2.3"]}, "Assigned")
    assert len(truth_of(world.api).memory.quarantine) == 3
    create(world, "shop")
    world.run(SOON_S)
    assert shown(world)["shop"] == ["192.0.2.4"]
    assert [reason for _, reason in process.teller.told].count("ProxyArpSuspected") == 1
    let_it_go(world)
