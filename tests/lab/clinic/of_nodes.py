"""Faults of nodes, links and of what else is in the cluster, one after another; doctor is asked."""

import json
from collections.abc import Mapping
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from bareway.gossip.findings import FindingWord
from lab.clinic.cluster import Clinic, Found
from lab.clinic.fault import Cure, Fault, Plant, follow
from lab.machine import Machine

EXCLUDED: Final = "node.kubernetes.io/exclude-from-external-load-balancers"
CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
METALLB: Final[Mapping[str, object]] = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"namespace": "metallb-system", "name": "speaker", "labels": {"app": "metallb"}},
}


def _label(*labels: str, nodes: slice = slice(2, 3)) -> Plant:
    def plant(clinic: Clinic) -> None:
        names = [node.name for node in clinic.nodes[nodes]]
        clinic.kubectl("label", "nodes", *names, *(f"{label}=" for label in labels))

    return plant


def _unlabel(clinic: Clinic, found: Found) -> None:
    """What the remedy says; the role was ours to give, and is taken back."""
    clinic.follow(found)
    clinic.kubectl("label", "nodes", "--all", f"{EXCLUDED}-", f"{CONTROL_PLANE}-")


def _network(*, is_there: bool) -> Plant:
    condition = {"type": "NetworkUnavailable", "status": str(not is_there)}
    body = json.dumps({"status": {"conditions": [{"type": "Ready", "status": "True"}, condition]}})

    def change(clinic: Clinic) -> None:
        clinic.kubectl("patch", "node", "node3", "--subresource=status", "--type=merge", "-p", body)

    return change


def _by(plant: Plant) -> Cure:
    return lambda clinic, _: plant(clinic)


def _proxy(*, is_strict: bool) -> Plant:
    """kube-proxy's configuration, as kubeadm writes it."""
    document = f"mode: ipvs\nipvs:\n  strictARP: {str(is_strict).lower()}\n"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}
    told = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": "kube-system", "name": "kube-proxy"},
        "data": {"config.conf": document},
    }
    return lambda clinic: clinic.apply(space, told)


def _set(machine: Machine, setting: str, value: int) -> None:
    """What ``sysctl -w`` does."""
    machine.run("sh", "-c", f"echo {value} > /proc/sys/net/{setting.replace('.', '/')}")


def _loose_kernel(clinic: Clinic) -> None:
    """As kube-proxy leaves it in IPVS mode: an interface with every Service's address, and arp_ignore 0."""
    clinic.nodes[1].run("ip", "link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "ipvs1")


def _strict_kernel(clinic: Clinic, _: Found) -> None:
    """What kube-proxy does at its start once strictARP is true."""
    _set(clinic.nodes[1], "ipv4.conf.all.arp_ignore", 1)


def _strict_filter(clinic: Clinic) -> None:
    clinic.nodes[1].route("default", via="198.51.100.1")
    _set(clinic.nodes[1], "ipv4.conf.eth0.rp_filter", 1)


def _as_told(clinic: Clinic, found: Found) -> None:
    """``sysctl -w net.…=2`` on the node that the finding is about."""
    setting, _, value = found.remedy.partition("sysctl -w net.")[2].partition(",")[0].partition("=")
    machine = clinic.site.lab.machines[found.subject.removeprefix("node ")]
    _set(machine, setting, int(value))


def _deaf(clinic: Clinic) -> None:
    clinic.configure(front="addresses: [198.51.100.200/30]\nauto-assign: false")
    clinic.nodes[1].run("ip", "link", "set", "dev", "eth1", "arp", "off")


def _hears(clinic: Clinic, found: Found) -> None:
    """The command of the remedy, on the node that it is about."""
    words = found.remedy.partition("On the node: ")[2].partition(";")[0].split()
    clinic.site.lab.machines[found.subject.removeprefix("node ")].run(*words)


NODES: Final = {
    "a node with the label that leaves it out": Fault(
        word=Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        subject="node node3",
        plant=_label(EXCLUDED),
        says=f"kubectl label node node3 {EXCLUDED}-",
        cure=follow,
    ),
    "every node with that label": Fault(
        word=Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        subject="all nodes",
        plant=_label(EXCLUDED, nodes=slice(None)),
        says=f"kubectl label nodes --all {EXCLUDED}-",
        cure=follow,
    ),
    "one node left": Fault(
        word=Ailment.FEW_NODES_LEFT,
        subject="node node1",
        plant=_label(EXCLUDED, CONTROL_PLANE, nodes=slice(1, 3)),
        says=f"kubectl label node node2 {EXCLUDED}-",
        cure=_unlabel,
    ),
    "a node without a network": Fault(
        word=Refusal.NODE_NETWORK_UNAVAILABLE,
        subject="node node3",
        plant=_network(is_there=False),
        says="See why the cluster's network is not set up there",
        cure=_by(_network(is_there=True)),
    ),
    "MetalLB beside us": Fault(
        word=Ailment.OTHER_CONTROLLER,
        subject="MetalLB",
        plant=lambda clinic: clinic.put_workloads(METALLB),
        says="Take over from it",  # which ends with the deletion of its DaemonSet
        cure=lambda clinic, _: clinic.put_workloads(),
    ),
    "kube-proxy in IPVS mode without strictARP": Fault(
        word=FindingWord.STRICT_ARP_MISSING,
        subject="kube-proxy (ConfigMap kube-system/kube-proxy)",
        plant=_proxy(is_strict=False),
        says="Set ipvs.strictARP: true",
        cure=_by(_proxy(is_strict=True)),
    ),
    "a kernel that answers for what kube-proxy holds": Fault(
        word=FindingWord.STRICT_ARP_MISSING,
        subject="node node2",
        plant=_loose_kernel,
        says="Set ipvs.strictARP: true (kubectl -n kube-system edit configmap kube-proxy) and start",
        cure=_strict_kernel,
    ),
    "a kernel that drops what comes in": Fault(
        word=Ailment.REVERSE_PATH_FILTER,
        subject="node node2",
        plant=_strict_filter,
        says="sysctl -w net.ipv4.conf.eth0.rp_filter=2",
        cure=_as_told,
    ),
    "an interface that hears no questions": Fault(
        word=Ailment.DEAF_INTERFACE,
        subject="node node2",
        plant=_deaf,
        says="ip link set dev eth1 arp on",
        cure=_hears,
    ),
}
