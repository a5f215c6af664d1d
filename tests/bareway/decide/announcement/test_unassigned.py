"""Groups of addresses that no Service has yet: whom they may go to is known, whose they are is not."""

from dataclasses import replace

from bareway.decide.announcement.spread import unassigned
from bareway.model.selectors import Selector
from support.builders import configuration, ips, names, node, pool

RACKS = [node(name, labels={"rack": name}) for name in "ab"]
OFFICE = pool("office", "192.0.2.0/30")
CHOOSY = replace(pool("choosy", "198.51.100.0/30"), node_selectors=(Selector(labels={"rack": "b"}),))


def test_each_address_is_a_group_of_its_own_without_services() -> None:
    found = unassigned(configuration(OFFICE, CHOOSY), RACKS, ips("198.51.100.1", "192.0.2.1"))
    assert [(one.addresses, one.services, one.idle) for one in found] == [
        (ips("192.0.2.1"), (), ()),
        (ips("198.51.100.1"), (), ()),
    ]
    assert [one.pools for one in found] == [(OFFICE,), (CHOOSY,)]


def test_nodes_that_the_pool_leaves_out_may_not_announce_it() -> None:
    (open_one, choosy) = unassigned(configuration(OFFICE, CHOOSY), RACKS, ips("192.0.2.1", "198.51.100.1"))
    assert (open_one.permitted, choosy.permitted) == (None, names("b"))


def test_an_address_of_no_pool_is_no_group() -> None:
    assert unassigned(configuration(OFFICE), RACKS, ips("10.9.9.9")) == ()
