"""Keys follow each other: both count until every member has the new one and had the time to read it."""

import pytest

from bareway.gossip.member import Facts, Member, MemberState, Report
from bareway.gossip.rotation import KEEP_S, Rotation, reported
from bareway.gossip.sealing import KEYS_MAX, Keyring
from bareway.model.names import NodeName

OLD, NEW = b"old", b"new"
OLD_ID, NEW_ID = Keyring([OLD]).ids[0], Keyring([NEW]).ids[0]


def rotating() -> Rotation:
    made = Rotation()
    assert made.offer(OLD, now=0.0)
    assert made.offer(NEW, now=100.0)
    return made


def ids(of: Rotation) -> tuple[bytes, ...]:
    keyring = of.keyring
    assert keyring is not None
    return keyring.ids


def test_before_the_first_key_there_is_none() -> None:
    made = Rotation()
    assert (made.keyring, made.newest, made.former) == (None, b"", 0)
    assert not made.offer(b"", now=0.0)
    assert not made.settle([], now=1e6)


def test_a_new_key_seals_and_the_former_still_opens() -> None:
    made = rotating()
    assert ids(made) == (NEW_ID, OLD_ID)
    assert (made.newest, made.former) == (NEW_ID, 1)


def test_the_same_key_again_changes_nothing() -> None:
    assert not rotating().offer(NEW, now=200.0)


def test_a_key_that_comes_back_seals_again() -> None:
    made = rotating()
    assert made.offer(OLD, now=200.0)
    assert ids(made) == (OLD_ID, NEW_ID)


def test_many_keys_in_a_row_are_not_all_kept() -> None:
    made = Rotation()
    for number in range(KEYS_MAX + 3):
        made.offer(bytes([number + 1]), now=0.0)
    assert len(ids(made)) == KEYS_MAX


@pytest.mark.parametrize(
    ("reported", "later_s", "gives_up"),
    [
        pytest.param([NEW_ID, NEW_ID], KEEP_S, True, id="all report the new one"),
        pytest.param([NEW_ID, OLD_ID], KEEP_S, False, id="one still has the former"),
        pytest.param([NEW_ID, b""], KEEP_S, False, id="one is of a version that reports none"),
        pytest.param([NEW_ID], KEEP_S - 0.1, False, id="too early for one that is just starting"),
        pytest.param([], KEEP_S, False, id="nobody reports anything"),
    ],
)
def test_the_former_key_is_given_up_when_every_member_has_the_new_one(
    reported: list[bytes], later_s: float, gives_up: bool
) -> None:
    made = rotating()
    assert made.settle(reported, now=100.0 + later_s) is gives_up
    assert ids(made) == ((NEW_ID,) if gives_up else (NEW_ID, OLD_ID))
    assert not (gives_up and made.settle(reported, now=1e6)), "once"


def member(name: str, state: MemberState, key_id: bytes) -> Member:
    report = Report(
        name=NodeName(name),
        epoch=1,
        incarnation=1,
        state=state,
        facts=Facts(key_id=key_id),
        by=NodeName(name),
    )
    return Member(report=report, since=0.0)


@pytest.mark.parametrize(
    ("state", "has_node", "is_waited_for"),
    [
        pytest.param(MemberState.ALIVE, False, True, id="alive"),
        pytest.param(MemberState.SUSPECT, True, True, id="suspected"),
        pytest.param(MemberState.DEAD, True, True, id="perhaps on another side"),
        pytest.param(MemberState.DEAD, False, False, id="its Node is gone"),
        pytest.param(MemberState.LEFT, True, False, id="said goodbye: it reads the Secret when it returns"),
    ],
)
def test_who_may_still_have_the_former_key_alone_is_waited_for(
    state: MemberState, has_node: bool, is_waited_for: bool
) -> None:
    nodes = {NodeName("b")} if has_node else set[NodeName]()
    keys = reported([member("a", MemberState.ALIVE, NEW_ID), member("b", state, OLD_ID)], nodes)
    assert rotating().settle(keys, now=100.0 + KEEP_S) is not is_waited_for
