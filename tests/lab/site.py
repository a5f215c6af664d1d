"""Where everything is shown and measured: three nodes, backends, a client and an observer on one switch.

    192.0.2.2   api        the API server and the controller
    192.0.2.11  node1 …    the nodes that may announce an address
    192.0.2.50  worker     carries the backends, so that a node's power cut takes an address away and no page
    192.0.2.100 client     asks for pages
    192.0.2.101 observer   sees ARP

Each has 2001:db8:1:: with the same last number too, and each backend an address of both families. The
addresses are those set aside for documentation; they exist inside the namespaces only.
"""

from dataclasses import dataclass
from typing import Protocol

from lab.machine import Machine
from lab.network import Lab
from lab.observations import answers
from lab.process import Process
from lab.stations import NeighbourWatch, Prober, StallWatch, start_module

NODES = 3
BACKENDS = 2
BACKEND_PORT = 8080
POD_PREFIXES = ("10.244.0.0/24", "fd00:10:244::/64")
POOL = "192.0.2.200-192.0.2.219"
POOL_6 = "2001:db8:1::200-2001:db8:1::219"

ANSWERED_FOR_S = 0.3
"""Asked every 5 ms for so long: enough to tell one answerer from two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where a page is served, and what it says."""

    address: str
    address_6: str = ""
    port: int
    page: str
    node: str = ""
    """The Node that it runs on, where that matters."""


class Site:
    """Machines in their places, backends serving; nothing announces an address yet."""

    def __init__(self, lab: Lab, *, nodes: int = NODES) -> None:
        self.lab = lab
        self.lan = lan = lab.switch("lan")
        self.api = lab.machine("api", lan, "192.0.2.2/24")
        self.worker = lab.machine("worker", lan, "192.0.2.50/24")
        self.client = self._client()
        self.observer = lab.machine("observer", lan, "192.0.2.101/24")
        self.nodes = [lab.machine(f"node{i}", lan, f"192.0.2.{10 + i}/24") for i in range(1, nodes + 1)]
        for node in self.nodes:
            node.route(POD_PREFIXES[0], via=self.worker.address)
            node.route(POD_PREFIXES[1], via=self.worker.address_6)
        self.backends = [self._serve(i) for i in range(1, BACKENDS + 1)]

    @property
    def pages(self) -> set[str]:
        return {backend.page for backend in self.backends}

    def _client(self) -> Machine:
        """On the same switch as the nodes."""
        return self.lab.machine("client", self.lan, "192.0.2.100/24")

    def _serve(self, number: int) -> Backend:
        backend = Backend(
            address=f"10.244.0.{number}",
            address_6=f"fd00:10:244::{number}",
            port=BACKEND_PORT,
            page=f"Hello from backend-{number}.",
        )
        addresses = (backend.address, backend.address_6)
        for address in addresses:
            self.worker.hold(address)
        arguments = (",".join(addresses), str(backend.port), backend.page)
        process = start_module(self.worker, "lab.tools.backend", *arguments, name=f"backend-{number}")
        process.wait_for_output("serving")
        return backend


class Wire(Protocol):
    """What watchers need of a place: where they stand, and who is who."""

    @property
    def lab(self) -> Lab:
        """The machines by their hardware addresses."""

    @property
    def client(self) -> Machine:
        """Asks for pages."""

    @property
    def observer(self) -> Machine:
        """Sees ARP."""


class Watchers:
    """Everything that looks at one address: the client's requests, the observer's ARP or NDP, the timer."""

    def __init__(self, site: Wire, address: str) -> None:
        self.site = site
        self.address = address
        own = address.replace(":", "-")  # several addresses may be watched from the same machines
        self.prober = Prober(site.client, address, 80, name=f"http-{own}")
        self.arp = NeighbourWatch(site.observer, address, name=f"neighbours-{own}")
        self.stalls = StallWatch(site.observer, name=f"stalls-{own}")

    @property
    def processes(self) -> list[Process]:
        return [self.prober.process, self.arp.process, self.stalls.process]

    def answerers(self, *, since: float) -> set[Machine]:
        """The machines that answered for the address after ``since``."""
        macs = {frame.sender_mac for frame in answers(self.arp.frames, self.address, since=since)}
        return {machine for mac in macs if (machine := self.site.lab.machine_with(mac)) is not None}

    def owner(self, *, now: float) -> Machine | None:
        """The one machine that answers now; None if there is none or more than one."""
        machines = self.answerers(since=now - ANSWERED_FOR_S)
        return machines.pop() if len(machines) == 1 else None

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
