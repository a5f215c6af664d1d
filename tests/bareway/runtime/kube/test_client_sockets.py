"""bareway.runtime.kube.client: how its connections are opened, so that a dead server is noticed soon."""

import socket

from bareway.runtime.kube import client as kube


async def test_a_silent_connection_is_probed_so_that_a_dead_server_is_noticed() -> None:
    with kube._open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        tcp = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        idle_s, interval_s, count = (opened.getsockopt(socket.IPPROTO_TCP, option) for option in tcp)
    assert idle_s + interval_s * count == 31
    assert interval_s == 2, "how late a server that is back ends a watch it does not know"


async def test_a_machine_that_is_silent_is_asked_twice_only_so_that_pauses_stay_short() -> None:
    with kube._open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT) == 1
