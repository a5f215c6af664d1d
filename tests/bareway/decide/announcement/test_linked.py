"""Services that are linked by addresses, in whatever order the links come to light."""

from itertools import permutations

import pytest

from bareway.decide.announcement.announcers import AnnouncerView, Refusal, announcers, own_refusal
from bareway.model.nodes import EXCLUDE_LABEL
from support.builders import configuration, endpoint_slice, ips, key, node, service

SHOWN = {
    "one": ["192.0.2.1"],
    "two": ["192.0.2.2"],
    "both": ["192.0.2.1", "192.0.2.2"],
    "more": ["192.0.2.2"],
}


@pytest.mark.parametrize("order", list(permutations(SHOWN)), ids="-".join)
def test_who_comes_after_two_sets_were_joined_is_of_the_joined_one(order: tuple[str, ...]) -> None:
    """Services are looked at by name, so the names say who comes when."""
    services = [service(f"{place}-{who}", ingress=SHOWN[who]) for place, who in enumerate(order)]
    view = AnnouncerView(configuration=configuration(), services=services, slices=None)
    (group,) = announcers(view).groups.values()
    assert group.addresses == ips("192.0.2.1", "192.0.2.2")
    assert set(group.services) == {one.key for one in services}


def test_the_greater_of_two_joined_sets_keeps_all_that_it_had() -> None:
    services = [service(f"a{n}", ingress=["192.0.2.1", f"192.0.2.{10 + n}"]) for n in range(3)]
    services += [
        service("b", ingress=["192.0.2.2", "192.0.2.5"]),
        service("c", ingress=["192.0.2.2", "192.0.2.12"]),
        service("d", ingress=["192.0.2.10"]),
        service("e", ingress=["192.0.2.3"]),
        service("f", ingress=["192.0.2.5"]),
    ]
    slices = [endpoint_slice(one.key.name, "a") for one in services]
    view = AnnouncerView(configuration=configuration(), services=services, slices=slices)
    joined, alone = announcers(view).groups.values()
    shown = ("192.0.2.1", "192.0.2.2", "192.0.2.5", "192.0.2.10", "192.0.2.11", "192.0.2.12")
    assert joined.addresses == ips(*shown)
    assert joined.services == tuple(key(name) for name in ("a0", "a1", "a2", "b", "c", "d", "f"))
    assert alone.services == (key("e"),)


def test_the_exclude_label_counts_unless_it_is_said_to_be_ignored() -> None:
    excluded, other = node("a", labels={EXCLUDE_LABEL: ""}), node("b")
    assert own_refusal(excluded, [excluded, other]) is Refusal.NODE_LABELED_EXCLUDE_BALANCERS
    assert own_refusal(excluded, [excluded, other], ignore_exclude_label=True) is None
    assert own_refusal(excluded, [excluded]) is None, "all carry it: nobody would announce"
