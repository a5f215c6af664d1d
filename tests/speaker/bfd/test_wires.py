"""What of the network reaches the BFD process at all."""

import select
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from random import Random

import pytest

from bareway.bfd.register import TTL, Path
from speaker.bfd import wires as under_test
from speaker.bfd.wires import Wires

HERE = {4: "127.0.0.1", 6: "::1"}


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> dict[bool, int]:
    """Two that nobody has, in place of those of BFD: by whether they are for several hops."""
    found = {}
    for is_multihop, name in ((False, "SINGLE_HOP_PORT"), (True, "MULTI_HOP_PORT")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
            it.bind(("", 0))
            found[is_multihop] = it.getsockname()[1]
        monkeypatch.setattr(under_test, name, found[is_multihop])
    return found


@pytest.fixture
def wires(ports: dict[bool, int]) -> Iterator[Wires]:
    assert ports
    it = Wires(select.poll(), Random("wires"))
    yield it
    it.close()


def send(version: int, port: int, ttl: int) -> None:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as it:
        if version == 4:
            it.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        else:
            it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        it.sendto(ttl.to_bytes(), (HERE[version], port))


def heard(wires: Wires) -> list[int]:
    """The TTLs of what was handed over; on loopback that is there as soon as it was sent."""
    return [arrival.ttl for _, arrival in wires.drain()]


@pytest.mark.parametrize("version", [4, 6])
def test_the_kernel_keeps_back_what_came_through_a_router(
    wires: Wires, ports: dict[bool, int], version: int
) -> None:
    assert wires.listen(Path(ip_address(HERE[version])), TTL) == 0
    for ttl in (64, 254, 255, 1):
        send(version, ports[False], ttl)
    assert (heard(wires), wires.dropped) == ([255], 3)


@pytest.mark.parametrize("version", [4, 6])
def test_over_several_hops_it_keeps_back_what_no_session_may_take(
    wires: Wires, ports: dict[bool, int], version: int
) -> None:
    near, far = (Path(ip_address(HERE[version]), interface=name, is_multihop=True) for name in ("a", "b"))
    taken = []
    for path, least in ((near, 250), (far, 240), (near, 251)):
        assert wires.listen(path, least) == 0
        for ttl in (239, 240, 250):
            send(version, ports[True], ttl)
        taken.append(heard(wires))
    assert taken == [[250], [240, 250], [240, 250]]
    wires.forget(far)
    for ttl in (250, 251):
        send(version, ports[True], ttl)
    assert heard(wires) == [251]
