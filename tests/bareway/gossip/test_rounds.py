"""Housekeeping looks at every address now and then, and at no more than so many each time."""

from ipaddress import IPv4Address
from math import ceil
from random import Random

import pytest

from bareway.gossip.election import ROUND_MAX
from bareway.gossip.events import ListsKnown, Wanted, Wish
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import NodeName


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(0, id="none"),
        pytest.param(7, id="few: all of them each time"),
        pytest.param(ROUND_MAX, id="just as many as fit"),
        pytest.param(ROUND_MAX + 1, id="one more"),
        pytest.param(2 * ROUND_MAX + 5, id="three times"),
    ],
)
def test_a_round_leaves_no_address_out_and_then_begins_anew(count: int) -> None:
    addresses = [IPv4Address("10.0.0.0") + number for number in range(count)]
    machine = GossipMachine(
        me=NodeName("a"), epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("rounds"), now=0.0
    )
    machine.handle(Wanted(addresses={each: Wish() for each in addresses}, lists=ListsKnown()), now=0.0)
    times = ceil(count / ROUND_MAX)
    for _ in range(2):
        looks = [list(machine._election._next_round()) for _ in range(times)]
        assert [address for look in looks for address in look] == addresses
        assert max(map(len, looks), default=0) <= ROUND_MAX
