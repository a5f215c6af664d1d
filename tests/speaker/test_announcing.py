"""What is answered on the wire follows from grants and decisions, whichever comes first."""

from collections.abc import Sequence
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.announcement.announcers import Group
from bareway.model.names import IPAddress
from speaker.announcing import Announcing
from support.builders import ips, key


class Wire:
    """A responder that remembers, and refuses what a real one would never be told."""

    def __init__(self) -> None:
        self.answered: set[IPAddress] = set()
        self.calls: list[tuple[str, tuple[IPAddress, ...]]] = []

    def announce(self, addresses: Sequence[IPAddress]) -> None:
        self.answered |= set(addresses)
        self.calls.append(("announce", tuple(addresses)))

    def withdraw(self, addresses: Sequence[IPAddress]) -> None:
        assert set(addresses) <= self.answered, "withdrawn without having been announced"
        self.answered -= set(addresses)
        self.calls.append(("withdraw", tuple(addresses)))


def group(*addresses: str, services: tuple[str, ...] = ("web",)) -> Group:
    parsed = ips(*addresses)
    return Group(key=parsed[0], addresses=parsed, services=tuple(key(s) for s in services), permitted=None)


def groups(*each: Group) -> dict[IPAddress, Group]:
    return {one.key: one for one in each}


class Fenced(Wire):
    """A responder that asks before it sends, as the real one does for every frame."""

    announcing: Announcing

    def announce(self, addresses: Sequence[IPAddress]) -> None:
        assert set(addresses) <= set(self.announcing.addresses), "the first frame would be fenced"
        super().announce(addresses)

    def withdraw(self, addresses: Sequence[IPAddress]) -> None:
        assert not set(addresses) & set(self.announcing.addresses)
        super().withdraw(addresses)


A, B = ip_address("192.0.2.1"), ip_address("192.0.2.2")


def test_a_granted_group_is_announced_with_all_its_addresses_in_one_call() -> None:
    wire, told = Wire(), list[Group]()
    announcing = Announcing(wire, told.append)
    announcing.decide(groups(group("192.0.2.1", "2001:db8::1"), group("192.0.2.2")))
    announcing.grant([A, B])
    assert wire.calls == [("announce", ips("192.0.2.1", "2001:db8::1", "192.0.2.2"))]
    assert [one.key for one in told] == [A, B]


def test_a_grant_that_comes_before_the_decision_is_applied_with_it() -> None:
    wire = Wire()
    announcing = Announcing(wire, lambda _: None)
    announcing.grant([A])
    assert wire.answered == set()
    announcing.decide(groups(group("192.0.2.1")))
    assert wire.answered == {A}


def test_a_revoked_key_is_withdrawn_at_once_and_stays_so_over_decisions() -> None:
    wire = Wire()
    announcing = Announcing(wire, lambda _: None)
    announcing.decide(groups(group("192.0.2.1")))
    announcing.grant([A])
    announcing.revoke([A])
    assert wire.answered == set()
    announcing.decide(groups(group("192.0.2.1"), group("192.0.2.2")))
    assert wire.answered == set()


def test_an_address_that_joins_or_leaves_a_held_group_follows_it() -> None:
    wire = Wire()
    announcing = Announcing(wire, lambda _: None)
    announcing.decide(groups(group("192.0.2.1")))
    announcing.grant([A])
    announcing.decide(groups(group("192.0.2.1", "192.0.2.7")))
    assert wire.answered == set(ips("192.0.2.1", "192.0.2.7"))
    announcing.decide(groups(group("192.0.2.1")))
    assert wire.answered == {A}
    announcing.decide({})
    assert wire.answered == set()


def test_a_second_grant_tells_the_neighbours_anew_but_the_service_once() -> None:
    wire, told = Wire(), list[Group]()
    announcing = Announcing(wire, told.append)
    announcing.decide(groups(group("192.0.2.1")))
    assert [announcing.grant([A]) for _ in range(2)] == [1, 0]
    for _ in range(2):
        announcing.revoke([A])
    assert [name for name, _ in wire.calls] == ["announce", "announce", "withdraw"]
    assert len(told) == 1


def test_a_decision_that_changes_nothing_sends_nothing() -> None:
    wire = Wire()
    announcing = Announcing(wire, lambda _: None)
    for _ in range(2):
        announcing.decide(groups(group("192.0.2.1")))
        announcing.grant([A])
    assert [name for name, _ in wire.calls] == ["announce", "announce"]


def test_a_service_that_joins_a_held_group_is_told_of() -> None:
    told = list[Group]()
    announcing = Announcing(Wire(), told.append)
    announcing.decide(groups(group("192.0.2.1")))
    announcing.grant([A])
    announcing.decide(groups(group("192.0.2.1")))
    announcing.decide(groups(group("192.0.2.1", services=("dns", "web"))))
    assert [one.services for one in told] == [(key("web"),), (key("dns"), key("web"))]


STEP = st.one_of(
    st.tuples(st.just("grant"), st.sets(st.integers(1, 4))),
    st.tuples(st.just("revoke"), st.sets(st.integers(1, 4))),
    st.tuples(st.just("decide"), st.sets(st.integers(1, 4))),
)


@given(st.lists(STEP, max_size=12))
def test_after_any_story_exactly_the_held_and_wanted_groups_are_answered(
    story: list[tuple[str, set[int]]],
) -> None:
    wire, held, wanted = Wire(), set[int](), set[int]()
    announcing = Announcing(wire, lambda _: None)
    for what, numbers in story:
        keys = [ip_address(f"192.0.2.{number}") for number in sorted(numbers)]
        match what:
            case "grant":
                announcing.grant(keys)
                held |= numbers
            case "revoke":
                announcing.revoke(keys)
                held -= numbers
            case _:
                announcing.decide(groups(*(group(str(k), f"192.0.2.{100 + int(k) % 256}") for k in keys)))
                wanted = numbers
        expected = {n for number in held & wanted for n in (number, 100 + number)}
        assert {int(address) % 256 for address in wire.answered} == expected
        assert set(announcing.addresses) == wire.answered


def test_the_fence_lets_the_first_frame_through_and_none_after_the_withdrawal() -> None:
    wire = Fenced()
    wire.announcing = announcing = Announcing(wire, lambda _: None)
    announcing.decide(groups(group("192.0.2.1")))
    announcing.grant([A])
    announcing.decide(groups(group("192.0.2.1", "192.0.2.7")))
    announcing.revoke([A])
    assert [name for name, _ in wire.calls] == ["announce", "announce", "withdraw"]
