"""Two network namespaces and a cable between them, for tests of one driver on the real kernel.

The test's own process moves into the first one (``node``); the second (``client``) is reached by ``inside``
and by commands. Needs root. Whole clusters are the lab's business.
"""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from bareway.layer2.ethernet import ETHERTYPE_ARP, MacAddress

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Cable:
    """``eth0`` in ``node`` is plugged into ``eth0`` in ``client``."""

    NODE_MAC = MacAddress.parse("02:00:00:00:00:01")
    CLIENT_MAC = MacAddress.parse("02:00:00:00:00:02")

    def __init__(self) -> None:
        self.node = f"bw{os.getpid()}n"
        self.client = f"bw{os.getpid()}c"

    def plug(self, name: str = "eth0", *, node_mac: MacAddress = NODE_MAC) -> None:
        """A new cable, up at both ends."""
        peer = ["peer", "name", name, "netns", self.client, "address", str(self.CLIENT_MAC)]
        self.ip("link", "add", name, "netns", self.node, "address", str(node_mac), "type", "veth", *peer)
        for namespace in (self.client, self.node):
            self.ip("-n", namespace, "link", "set", name, "up")

    def ip(self, *words: str) -> str:
        """Run ip(8)."""
        done = subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=10)
        return done.stdout

    def neighbour(self, address: IPv4Address) -> str:
        """What the client's kernel believes about ``address``."""
        return self.ip("-n", self.client, "neigh", "show", str(address))

    def believe_changes_at_once(self) -> None:
        """The client's kernel does not protect an entry for its first second."""
        with self.inside(self.client):
            Path("/proc/sys/net/ipv4/neigh/eth0/locktime").write_text("0")

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """This thread is in ``namespace`` meanwhile; sockets stay where they were made."""
        with Path("/proc/thread-self/ns/net").open("rb") as here:
            with Path("/run/netns", namespace).open("rb") as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    def client_socket(self, interface: str = "eth0") -> socket.socket:
        """All ARP on the client's end, in and out, by a raw socket without a filter."""
        with self.inside(self.client):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            wire.bind((interface, ETHERTYPE_ARP))
        return wire


@contextmanager
def cable() -> Iterator[Cable]:
    """The namespaces exist, ``eth0`` is plugged in, and this process is in ``node``."""
    it = Cable()
    try:
        for namespace in (it.node, it.client):
            it.ip("netns", "add", namespace)
            it.ip("-n", namespace, "link", "set", "lo", "up")
        it.plug()
        it.ip("-n", it.node, "address", "add", "192.0.2.1/24", "dev", "eth0")
        it.ip("-n", it.client, "address", "add", "192.0.2.200/24", "dev", "eth0")
        with it.inside(it.node):
            yield it
    finally:
        for namespace in (it.node, it.client):
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True, timeout=10)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
