"""Where the lab watches from: a client that asks for pages, and an observer that sees ARP on the wire.

They are machines of their own, so that the observer's questions do not refresh the client's ARP entry.
"""

import sys
from pathlib import Path

from lab.machine import Machine
from lab.observations import ArpFrame, Attempt, Lateness
from lab.process import Process, Records

TESTS = Path(__file__).resolve().parents[1]
IMPORTABLE = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PYTHONUNBUFFERED": "1"}
"""The environment in which programs find the tests' modules."""


def start_module(machine: Machine, module: str, *arguments: str, name: str = "") -> Process:
    """Start ``python -m module`` in the machine, with this environment's Python and the tests importable."""
    command = (sys.executable, "-m", module, *arguments)
    return machine.start(name or module.rpartition(".")[2], *command, environment=IMPORTABLE)


class Prober:
    """Asks for ``http://address:port/`` every 10 ms, each time on a new connection, until stopped.

    Of several addresses (by comma) one each time, in turn; by UDP if ``flags`` say ``--udp``.
    """

    def __init__(
        self, client: Machine, address: str, port: int, *flags: str, name: str = "http-probe"
    ) -> None:
        words = (address, str(port), *flags)
        self.process = start_module(client, "lab.tools.http_probe", *words, name=name)
        self._records = Records(self.process.output, Attempt)

    @property
    def attempts(self) -> list[Attempt]:
        """All requests that have ended, in the order of their ends."""
        self.process.must_run()
        return self._records.all()


class NeighbourWatch:
    """Sees every ARP or NDP frame that reaches a machine; asks for ``addresses`` each few milliseconds.

    All of one family: IPv6 is asked for by neighbour solicitations, IPv4 by ARP requests. With ``turns`` only
    the ends of each row of answers by one station are kept: little enough for hours.
    """

    def __init__(
        self,
        observer: Machine,
        *addresses: str,
        every_ms: float = 5.0,
        name: str = "",
        evenly: bool = False,
        by_ndp: bool | None = None,
        turns: bool = False,
    ) -> None:
        """``evenly`` spreads the questions over that time; ``by_ndp`` is for who asks nothing."""
        asks = [word for address in addresses for word in ("--ask", address)]
        if by_ndp is None:
            by_ndp = any(":" in address for address in addresses)
        module = "lab.tools.ndp_watch" if by_ndp else "lab.tools.arp_watch"
        asker = observer.address_6 if by_ndp else observer.address
        own = ["--mac", observer.mac, "--address", asker, "--every-ms", str(every_ms)]
        words = (observer.cable.interface, *own, *asks)
        words += ("--evenly",) * evenly + ("--turns",) * turns
        self.process = start_module(observer, module, *words, name=name)
        self._records = Records(self.process.output, ArpFrame)

    @property
    def frames(self) -> list[ArpFrame]:
        self.process.must_run()
        return self._records.all()


class StallWatch:
    """The control timer: when the host itself stood still."""

    def __init__(self, machine: Machine, *, name: str = "") -> None:
        self.process = start_module(machine, "lab.tools.stall_watch", name=name)
        self._records = Records(self.process.output, Lateness)

    @property
    def stalls(self) -> list[Lateness]:
        self.process.must_run()
        return self._records.all()
