"""Addresses that nobody wants any more."""

from ipaddress import ip_address

from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.forgetting import Forgetting
from bareway.gossip.profile import FORGET_S, RELEASE_S
from bareway.model.names import NodeName

OURS, THEIRS = ip_address("192.0.2.1"), ip_address("192.0.2.2")
ME, OTHER = NodeName("me"), NodeName("other")


def table() -> ClaimTable:
    made = ClaimTable(lives=lambda _: True)
    made.hear(Claim(address=OURS, generation=0, count=1, node=ME))
    made.hear(Claim(address=THEIRS, generation=0, count=1, node=OTHER))
    return made


def test_the_holder_alone_gives_up_what_it_wants_no_more_after_a_while() -> None:
    forgetting = Forgetting(me=ME, table=table())
    assert forgetting.sweep({}, now=10.0) == []
    assert forgetting.sweep({}, now=10.0 + RELEASE_S) == [OURS]


def test_what_is_wanted_stays() -> None:
    kept = table()
    forgetting = Forgetting(me=ME, table=kept)
    for now in (0.0, RELEASE_S, FORGET_S, 10 * FORGET_S):
        assert forgetting.sweep({OURS, THEIRS}, now=now) == []
    assert len(kept) == 2


def test_what_is_wanted_again_in_time_begins_anew() -> None:
    kept = table()
    forgetting = Forgetting(me=ME, table=kept)
    forgetting.sweep({OURS}, now=0.0)
    forgetting.sweep({OURS, THEIRS}, now=FORGET_S - 1)
    forgetting.sweep({OURS}, now=FORGET_S)
    assert kept.get(THEIRS) is not None


def test_after_a_minute_it_is_forgotten_whoever_held_it() -> None:
    kept = table()
    forgetting = Forgetting(me=ME, table=kept)
    forgetting.sweep({}, now=0.0)
    forgetting.sweep({}, now=FORGET_S)
    assert len(kept) == 0
