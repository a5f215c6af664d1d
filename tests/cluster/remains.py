"""What is left of Bareway in an API and on a node; looked for without a line of the product."""

import json
from typing import Final

from cluster.installation import Installation
from cluster.node import Node

KINDS: Final = (
    "namespaces,clusterroles,clusterrolebindings,services,pods,configmaps,secrets,serviceaccounts,"
    "endpointslices,controllerrevisions,replicasets,leases,networkpolicies,poddisruptionbudgets"
)
ANYTHING: Final = f"{KINDS},nodes,deployments,daemonsets,roles,rolebindings"


def in_the_api(bareway: Installation, kinds: str = KINDS) -> list[str]:
    """Objects that speak of Bareway; of a Node its marks count, not the images that it knows."""
    items = json.loads(bareway.kubectl("get", kinds, "-A", "-o", "json"))["items"]
    said = [item["metadata"] if item["kind"] == "Node" else item for item in items]
    return [
        item["metadata"]["name"]
        for item, told in zip(items, said, strict=True)
        if "bareway" in json.dumps(told)
    ]


def on_a_node(node: Node, address: str) -> list[str]:
    """What is still on a node after everything was deleted."""
    found = {
        "containers": node.running(),
        "Pods on disk": node.machine.run("ls", "/var/lib/kubelet/pods"),
        "programs": [
            line for line in node.machine.run("ps", "-eo", "args").splitlines() if "/opt/bareway" in line
        ],
        "links": [line for line in node.machine.run("ip", "link").splitlines() if "veth" in line],
        "addresses": address in node.machine.run("ip", "address"),
        "rules": address in node.machine.run("nft", "list", "ruleset"),
    }
    return [f"{node.name}: {what} {still}" for what, still in found.items() if still]
