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
from pathlib import Path

from bareway.layer2.ethernet import ETHERTYPE_ARP
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

CLONE_NEWNET = 0x40000000
IPV4 = 4
SO_RCVBUFFORCE = 33
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

    def neighbour(self, address: IPAddress) -> str:
        """What the client's kernel believes about ``address``."""
        return self.ip("-n", self.client, "neigh", "show", str(address))

    def believe(self, address: IPAddress, mac: MacAddress, state: str) -> None:
        """The client's kernel has this entry."""
        entry = ["neigh", "replace", str(address), "lladdr", str(mac), "dev", "eth0", "nud", state]
        self.ip("-n", self.client, *entry)

    def speak_to(self, address: IPAddress) -> None:
        """The client's kernel wants to know where ``address`` is."""
        family = socket.AF_INET if address.version == IPV4 else socket.AF_INET6
        with self.inside(self.client), socket.socket(family, socket.SOCK_DGRAM) as client:
            client.sendto(b"?", (str(address), 9))

    def groups(self, interface: str) -> list[str]:
        """The IPv6 groups that the node has joined there."""
        shown = self.ip("-n", self.node, "-6", "maddress", "show", "dev", interface)
        return [line.split()[1] for line in shown.splitlines() if line.split()[0] == "inet6"]

    def be_an_old_kernel(self) -> None:
        """A socket in the node has as little room for its options as it had before Linux 6.9."""
        room = Path("/proc/sys/net/core/optmem_max")
        with self.inside(self.node):
            if room.exists():  # of this namespace; an old kernel has one value for all, and it is this one
                room.write_text("20480")

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

    def client_socket(self, interface: str = "eth0", ethertype: int = ETHERTYPE_ARP) -> socket.socket:
        """All ARP, or IPv6, that comes to the client's end, by a raw socket without a filter."""
        with self.inside(self.client):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
            wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            wire.bind((interface, ethertype))
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
        it.ip("-n", it.client, "address", "add", "2001:db8::200/64", "dev", "eth0", "nodad")
        with it.inside(it.node):
            yield it
    finally:
        for namespace in (it.node, it.client):
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True, timeout=10)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
