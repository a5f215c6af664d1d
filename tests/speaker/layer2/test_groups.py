"""The memberships of one link, over sockets that behave as the kernel's do."""

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv6Address

import pytest

from speaker.layer2 import groups
from speaker.layer2.groups import MEMBERSHIP, GroupSocket
from support.layer2 import link

ROOM = 3
GROUPS = [IPv6Address(f"ff02::1:ff00:{number}") for number in range(1, ROOM + 2)]


class Socket:
    """Has room for some groups, and takes each once."""

    def __init__(self) -> None:
        self.joined: set[IPv6Address] = set()
        self.fault: OSError | None = None

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert level == socket.IPPROTO_IPV6
        if self.fault is not None:
            raise self.fault
        packed, _ = MEMBERSHIP.unpack(value)
        group = IPv6Address(packed)
        if option == socket.IPV6_LEAVE_GROUP:
            self.joined.remove(group)
        elif group in self.joined:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        elif len(self.joined) == ROOM:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        else:
            self.joined.add(group)

    def close(self) -> None:
        self.joined.clear()


@pytest.fixture(name="opened")
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Socket]]:
    opened: list[Socket] = []

    def another() -> Socket:
        opened.append(Socket())
        return opened[-1]

    monkeypatch.setattr(groups, "_open", another)
    yield opened
    assert not any(each.joined for each in opened), "all are closed"


def test_a_group_that_the_socket_is_in_already_is_joined_and_can_be_left(opened: list[Socket]) -> None:
    made = GroupSocket(link())
    made.join(GROUPS[0])
    opened[0].fault = OSError(errno.ENOBUFS, "No buffer space available")
    with pytest.raises(OSError, match="No buffer space"):
        made.leave(GROUPS[0])
    opened[0].fault = None
    made.join(GROUPS[0])
    assert opened[0].joined == {GROUPS[0]}
    made.leave(GROUPS[0])
    assert not opened[0].joined
    made.close()


def test_where_a_socket_has_no_room_left_another_takes_the_group(opened: list[Socket]) -> None:
    made = GroupSocket(link())
    for group in GROUPS:
        made.join(group)
    assert [len(each.joined) for each in opened] == [ROOM, 1]
    for group in GROUPS:
        made.leave(group)
    assert not any(each.joined for each in opened)
    made.close()


def test_what_else_the_kernel_refuses_is_told(opened: list[Socket]) -> None:
    made = GroupSocket(link())
    made.join(GROUPS[0])
    opened[0].fault = OSError(errno.ENODEV, "No such device")
    with pytest.raises(OSError, match="No such device"):
        made.join(GROUPS[1])
    made.close()
