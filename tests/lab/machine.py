"""A machine of the lab: a network namespace, its cables, and the programs that run in it."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from lab.commands import COMMAND_TIMEOUT_S, LabError, ip, run
from lab.process import Process, stands_still
from lab.waiting import wait_for

KILL_WITHIN_S = 5.0
"""SIGKILL needs no consent; a process left after this sits in the kernel."""

NO_FAULTS = "table inet lab_faults\ndelete table inet lab_faults\n"
FAULTS = """table inet lab_faults {
  chain input {
    type filter hook input priority -10
    RULES
  }
}
"""

SYSCTLS = {
    "ipv4/ip_forward": "1",  # a node forwards to Pods
    "ipv4/conf/all/rp_filter": "0",  # replies may leave by another way than requests came
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",  # a node forwards back into the wire that it came from
    "ipv4/conf/default/send_redirects": "0",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/default/accept_dad": "0",  # addresses serve at once after a power cut
}
"""Below /proc/sys/net, which each network namespace has to itself."""

PREFIX_6 = "2001:db8:1::/64"
"""The documentation prefix (RFC 3849) that a switch carries beside IPv4, unless told otherwise."""


class Switch:
    """An Ethernet switch: a bridge in a namespace of its own, so that no packet touches the real network."""

    def __init__(self, name: str, namespace: str, *, prefix_6: str = PREFIX_6) -> None:
        self.name = name
        self.namespace = namespace
        self.prefix_6 = prefix_6
        ip("netns", "add", namespace)
        ip("-n", namespace, "link", "set", "lo", "up")
        # Ports forward at once and multicast goes everywhere: no spanning tree, no snooping.
        ip(*f"-n {namespace} link add br0 type bridge forward_delay 0 mcast_snooping 0".split())
        ip("-n", namespace, "link", "set", "br0", "up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """One cable from a machine's interface to a port of a switch; the port bears the machine's name."""

    switch: Switch
    port: str
    interface: str
    address: IPv4Interface

    @property
    def address_6(self) -> IPv6Interface:
        """The same host number as the IPv4 address, to the eye: 192.0.2.11 is 2001:db8:1::11."""
        return IPv6Interface(self.switch.prefix_6.replace("::", f"::{self.address.ip.packed[-1]}"))

    @property
    def mac(self) -> str:
        """Derived from the address, so that captures can be read by eye and survive a power cycle."""
        return ":".join(["02", "00", *(f"{octet:02x}" for octet in self.address.ip.packed)])


class Machine:
    """A host: ``run`` and ``start`` programs in it, pull its cable, freeze it, switch it off and on."""

    def __init__(self, name: str, namespace: str, *, logs: Path) -> None:
        self.name = name
        self.namespace = namespace
        self.is_on = False
        self._logs = logs
        self._cables: list[Cable] = []
        self._routes: list[tuple[str, str]] = []
        self._local: list[str] = []
        self._processes: list[Process] = []
        self._boot()

    def __repr__(self) -> str:
        return f"Machine({self.name})"

    # -- building

    def connect(self, switch: Switch, address: str) -> None:
        """Plug a new interface (eth0, eth1, …) with this address into the switch."""
        interface = f"eth{len(self._cables)}"
        cable = Cable(switch=switch, port=self.name, interface=interface, address=IPv4Interface(address))
        self._cables.append(cable)
        self._plug(cable)

    def route(self, prefix: str, *, via: str) -> None:
        self._routes.append((prefix, via))
        ip("-n", self.namespace, "route", "replace", prefix, "via", via)

    def hold(self, address: str) -> None:
        """Hold a further address on the loopback interface, as a router sees the Pods of a node."""
        self._local.append(address)
        ip("-n", self.namespace, "address", "add", address, "dev", "lo")  # without a length: one host

    @property
    def cable(self) -> Cable:
        """The first cable."""
        return self._cables[0]

    @property
    def address(self) -> str:
        return str(self.cable.address.ip)

    @property
    def address_6(self) -> str:
        return str(self.cable.address_6.ip)

    @property
    def mac(self) -> str:
        return self.cable.mac

    # -- programs

    def run(
        self,
        *command: str,
        stdin: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
        accept: Sequence[int] = (0,),
    ) -> str:
        """What the command wrote, run in this machine; ``CommandFailed`` unless it ended well."""
        inside = ("ip", "netns", "exec", self.namespace, *command)
        return run(*inside, stdin=stdin, timeout_s=timeout_s, accept=accept)

    def start(self, name: str, *command: str | Path, environment: Mapping[str, str] | None = None) -> Process:
        """Start a program that goes on; its output is kept in the lab's logs as ``<machine>-<name>``."""
        if not self.is_on:
            raise LabError(f"{self.name} is switched off")
        # ``ip netns exec`` enters the namespace and becomes the program: the pid is the program's own.
        inside = ["ip", "netns", "exec", self.namespace, *map(str, command)]
        log = self._logs / f"{self.name}-{name}"
        process = Process(f"{name} on {self.name}", inside, log=log, environment=environment)
        self._processes.append(process)
        return process

    def pids(self) -> list[int]:
        """Every process in this machine, those started by its programs included."""
        return [int(pid) for pid in ip("netns", "pids", self.namespace).split()]

    # -- faults

    def cut(self) -> None:
        """Pull the cables: the switch's ports go down, the machine sees its carrier go."""
        for cable in self._cables:
            ip("-n", cable.switch.namespace, "link", "set", cable.port, "down")

    def join(self) -> None:
        """Plug the cables in again."""
        for cable in self._cables:
            ip("-n", cable.switch.namespace, "link", "set", cable.port, "up")

    def freeze(self) -> None:
        """Stop every process, as a hypervisor or a thrashing disk does; the kernel goes on."""

        def all_stopped() -> bool:  # more than one round: a program may start another between look and signal
            self._signal(signal.SIGSTOP)
            return all(stands_still(pid) for pid in self.pids())  # listed anew: with those just started

        wait_for(all_stopped, what=f"every process on {self.name} to stop", within_s=KILL_WITHIN_S)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def drop_incoming(self, *matches: str) -> None:
        """Drop on its way in what one of these nftables expressions matches: its senders do not notice."""
        rules = "\n    ".join(f"{match} drop" for match in matches)
        self.run("nft", "-f", "-", stdin=f"{NO_FAULTS}{FAULTS.replace('RULES', rules)}")

    def drop_nothing(self) -> None:
        self.run("nft", "-f", "-", stdin=NO_FAULTS)

    def power_off(self) -> None:
        """Switch it off: first the cables are dead, then the programs, so that no last word gets out."""
        self.cut()
        self.kill_all()
        self.is_on = False

    def power_on(self) -> None:
        """Switch it on again: the same cables, addresses and routes, and no programs."""
        self.remove()
        self._boot()
        for cable in self._cables:
            self._plug(cable)
        for address in self._local:
            ip("-n", self.namespace, "address", "add", address, "dev", "lo")
        for prefix, via in self._routes:
            ip("-n", self.namespace, "route", "replace", prefix, "via", via)

    def kill_all(self) -> None:
        """Kill every process in the machine and wait until none is left."""

        def none_left() -> bool:
            left = self._signal(signal.SIGKILL)
            # A dying process leaves the namespace before it can be reaped: wait for both.
            return not left and not any(process.is_running for process in self._processes)

        wait_for(none_left, what=f"the end of all processes on {self.name}", within_s=KILL_WITHIN_S)

    def remove(self) -> None:
        """Kill what runs and take the namespace away; its cables go with it."""
        self.kill_all()
        self.is_on = False
        ip("netns", "delete", self.namespace)
        for cable in self._cables:
            # The kernel takes a namespace apart in the background; the port goes at once only if told so.
            with suppress(LabError):
                ip("-n", cable.switch.namespace, "link", "delete", cable.port)

    def _boot(self) -> None:
        ip("netns", "add", self.namespace)
        settings = "; ".join(f"echo {value} > /proc/sys/net/{name}" for name, value in SYSCTLS.items())
        self.run("sh", "-ec", settings)
        ip("-n", self.namespace, "link", "set", "lo", "up")
        self.is_on = True

    def _plug(self, cable: Cable) -> None:
        near = f"{cable.interface} address {cable.mac} netns {self.namespace}"
        ip(*f"link add {near} type veth peer name {cable.port} netns {cable.switch.namespace}".split())
        ip("-n", cable.switch.namespace, "link", "set", cable.port, "master", "br0", "up")
        own = ("-n", self.namespace, "address", "add")
        ip(*own, str(cable.address), "broadcast", "+", "dev", cable.interface)
        ip(*own, str(cable.address_6), "dev", cable.interface, "nodad")
        ip("-n", self.namespace, "link", "set", cable.interface, "up")

    def _signal(self, number: signal.Signals) -> list[int]:
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids
