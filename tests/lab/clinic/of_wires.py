"""Faults between machines, one after another: a filter, a cable, a stranger; ``bareway doctor`` is asked.

Commands in Pods are run over Unix sockets (``lab.tools.container``), so that a node whose gossip alone is cut
still answers, as by its kubelet; one whose cable is out does not (``lab.tools.kubelets``).
"""

from collections.abc import Callable
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.gossip.findings import FindingWord
from lab.clinic.cluster import Clinic, Found
from lab.clinic.fault import Cure, Fault, Plant
from lab.clinic.objects import served, service
from lab.commands import ip
from lab.machine import Machine
from lab.waiting import wait_for

GOSSIP: Final = 7947
ALLOW: Final = f"Allow TCP port {GOSSIP} between all nodes, in both directions"
OF_A_LINK: Final = "addresses: [192.0.2.128/29]\nauto-assign: false"
BEHIND_IT: Final = {"wired": "192.0.2.128", "cabled": "192.0.2.129"}
"""Services that ask for these addresses: another would be given in the place of one that a stranger has."""
SEEN_WITHIN_S: Final = 45.0
"""Seconds suffice, or fifteen for a stranger; of use here is what is less than the minute of old."""


def _published(clinic: Clinic) -> str:
    """One of the addresses that the nodes announce."""
    clinic.configure(wires=OF_A_LINK)
    services = (service(name, addresses=address) for name, address in BEHIND_IT.items())
    clinic.apply(*(each for one in services for each in served(one)))
    addresses = [clinic.system.address_of(name) for name in BEHIND_IT]
    return addresses[0]


def _holder(clinic: Clinic, address: str) -> Machine:
    """The node that announces it."""

    def told() -> Machine | None:
        rows = (line.split() for line in clinic.system.status(clinic.nodes[0]).splitlines())
        name = next((row[2] for row in rows if row[:1] == [address]), "")
        return clinic.site.lab.machines.get(name)

    return wait_for(told, what=f"somebody to announce {address}", within_s=SEEN_WITHIN_S)


# -- filters


def _one_way(clinic: Clinic) -> None:
    """node2 takes nothing for its gossip port from node1."""
    clinic.nodes[1].drop_incoming(f"ip saddr {clinic.nodes[0].address} tcp dport {GOSSIP}")


def _apart(clinic: Clinic) -> None:
    """node2 gossips with nobody, until two answer for an address."""
    _published(clinic)
    clinic.nodes[1].drop_incoming(f"tcp dport {GOSSIP}", f"tcp sport {GOSSIP}")
    wait_for(
        lambda: FindingWord.DOUBLE_ANNOUNCER in {one.word for one in clinic.doctor()},
        what="two to announce one address",
        within_s=SEEN_WITHIN_S,
    )


def _allowed(clinic: Clinic, _: Found) -> None:
    clinic.nodes[1].drop_nothing()


# -- a stranger


def _stranger(clinic: Clinic) -> None:
    """The observer has a Service's address, and talks to somebody from it."""
    address = _published(clinic)
    clinic.site.observer.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
    own = ("--interface", address, "--connect-timeout", "0.2")
    nobody_answers = (7, 28)
    clinic.site.observer.run("curl", "-s", *own, f"http://{clinic.nodes[0].address}", accept=nobody_answers)


def _another_address(clinic: Clinic, found: Found) -> None:
    clinic.site.observer.run("ip", "address", "delete", f"{found.subject}/24", "dev", "eth0")


# -- cables


def _port(*, state: str) -> Plant:
    """Of node2 at the switch of the second network, in which a pool is."""

    def change(clinic: Clinic) -> None:
        clinic.configure(front="addresses: [198.51.100.200/30]\nauto-assign: false")
        ip("-n", clinic.front.namespace, "link", "set", clinic.nodes[1].name, state)

    return change


def _by(change: Callable[[Machine], None]) -> Cure:
    """On the node that the finding is about."""
    return lambda clinic, found: change(clinic.site.lab.machines[found.subject.removeprefix("node ")])


def _cut(clinic: Clinic) -> None:
    """All cables of a node that announces an address."""
    _holder(clinic, _published(clinic)).cut()


WIRES: Final = {
    "a gossip port that is blocked between two nodes": Fault(
        word=Ailment.GOSSIP_BLOCKED,
        subject="node node2",
        plant=_one_way,
        says=ALLOW,
        cure=_allowed,
        well_within_s=SEEN_WITHIN_S,
    ),
    "a gossip port that is blocked for all": Fault(
        word=Ailment.GOSSIP_BLOCKED,
        subject="node node2",
        plant=_apart,
        says=ALLOW,
        cure=_allowed,
        well_within_s=SEEN_WITHIN_S,
    ),
    "a stranger that has a Service's address": Fault(
        word=FindingWord.ADDRESS_IN_USE,
        plant=_stranger,
        says="give it another address",
        cure=_another_address,
        well_within_s=SEEN_WITHIN_S,
    ),
    "a node whose cable is out": Fault(
        word=Ailment.MEMBER_DEAD,
        plant=_cut,
        says="whether it is switched on and its cables are in",
        cure=_by(Machine.join),
        well_within_s=SEEN_WITHIN_S,
    ),
    "a cable of a node that has another": Fault(
        word=Ailment.NO_CARRIER,
        subject="node node2",
        plant=_port(state="down"),
        says="Plug the cable of eth1 in again, or switch its port at the switch on",
        cure=lambda clinic, _: _port(state="up")(clinic),
        well_within_s=SEEN_WITHIN_S,
    ),
}
