"""What of the network reaches the BFD process at all."""

import errno
import select
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from random import Random

import pytest

from bareway.bfd.register import TTL, Path
from speaker.bfd import ttl_filter
from speaker.bfd import wires as under_test
from speaker.bfd.wires import Wires

SO_LOCK_FILTER = 44  # asm-generic/socket.h
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


def no_memory(*_: object) -> None:
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


@pytest.mark.parametrize("version", [4, 6])
def test_a_filter_that_the_kernel_does_not_take_silences_nobody(
    wires: Wires,
    ports: dict[bool, int],
    version: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    near, far = (Path(ip_address(HERE[version]), interface=name, is_multihop=True) for name in ("", "lo"))
    assert wires.listen(near, 250) == 0

    with monkeypatch.context() as patch:
        patch.setattr(ttl_filter, "attach", no_memory)
        assert wires.listen(far, 240) == 0
    assert "TTL of 240: Cannot allocate memory" in capfd.readouterr().out
    assert wires.send(near, b"from us") == 0
    for ttl in (239, 240, 250):
        send(version, ports[True], ttl)
    # What is sent to itself comes first; the register looks at each TTL again.
    assert heard(wires) == [TTL, 239, 240, 250]
    wires.forget(far)
    send(version, ports[True], 249)
    assert heard(wires) == []


@pytest.mark.parametrize("version", [4, 6])
def test_a_filter_that_the_kernel_had_no_memory_for_is_tried_again_with_the_next_packet(
    wires: Wires,
    ports: dict[bool, int],
    version: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    near, far = (Path(ip_address(HERE[version]), interface=name, is_multihop=True) for name in ("", "lo"))
    wants = [(near, 250), (far, 240)]
    assert wires.listen(near, 250) == 0
    with monkeypatch.context() as patch:
        patch.setattr(ttl_filter, "attach", no_memory)
        assert [wires.listen(*want) for want in (*reversed(wants), *wants)] == [0] * 4
    send(version, ports[True], 239)
    assert heard(wires) == [239]
    assert capfd.readouterr().out.count("Cannot allocate memory") == 1
    assert wires.listen(near, 250) == 0
    for ttl in (239, 240):
        send(version, ports[True], ttl)
    assert heard(wires) == [240]
    with monkeypatch.context() as patch:
        patch.setattr(ttl_filter, "attach", no_memory)
        wires.forget(far)
    assert "TTL of 250: Cannot allocate memory" in capfd.readouterr().out
    for ttl in (239, 240):
        send(version, ports[True], ttl)
    assert heard(wires) == [240], "one that lets enough through stays until there is a closer one"


def test_a_filter_that_cannot_even_be_taken_off_stays_as_it_is(
    wires: Wires, ports: dict[bool, int], capfd: pytest.CaptureFixture[str]
) -> None:
    near, far = (Path(ip_address(HERE[4]), interface=name, is_multihop=True) for name in ("", "lo"))
    assert wires.listen(near, 250) == 0
    for listener in wires._ears.values():
        listener.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)
    for _ in range(2):  # the one that is deaf below 250 is told so, as long as it is
        assert (wires.listen(far, 240), wires.listen(near, 250)) == (errno.EPERM, 0)
    assert wires.send(far, b"from us") == 0
    for ttl in (240, 250):
        send(4, ports[True], ttl)
    assert heard(wires) == [TTL, 250]
    assert "TTL of 240: Operation not permitted" in capfd.readouterr().out


def test_a_kernel_that_does_not_count_what_it_kept_back_says_none() -> None:
    class Old(socket.socket):
        def getsockopt(self, level: int, optname: int, buflen: int = 0, /) -> bytes:  # type: ignore[override]  # one of its forms
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    with Old(socket.AF_INET, socket.SOCK_DGRAM) as it:
        assert ttl_filter.dropped(it) == 0
