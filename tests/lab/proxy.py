"""What kube-proxy does, as small as it can be: DNAT rules from Services and their EndpointSlices.

    python -m lab.proxy http://192.0.2.2:6443 --node node1

Runs on each node beside the embedded API server; with the real one kube-proxy itself does it. Every port
of a Service is answered on its external and cluster addresses by its endpoints in turn; for policy Local by
those of this node alone, which see the client's own address. Not covered: NodePorts, session affinity,
healthz.
"""

import argparse
import http.client
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lab.waiting import pause

TABLE = "lab_proxy"
LOCAL_MARK = "0x1"
"""On connections whose client keeps its address."""
RETRY_S = 0.2
"""Between attempts while the API server is away; the rules stay as they are."""

RESOURCES = ("/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rule:
    """Connections to ``address``:``port`` go to one of ``backends`` in turn."""

    address: str
    port: int
    backends: tuple[tuple[str, int], ...]
    """None: connections are dropped, since their endpoints are on other nodes."""
    protocol: str = "TCP"
    is_local: bool = False
    """The client's address stays."""


def rules(
    services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]], *, node: str = ""
) -> list[Rule]:
    """One rule for each address and port of a Service that has endpoints."""
    backends: dict[tuple[str, str, str], set[tuple[str, int]]] = {}
    here: set[str] = set()
    for piece in slices:
        namespace = piece["metadata"]["namespace"]
        owner = piece["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
        for port in piece.get("ports") or ():
            known = backends.setdefault((namespace, owner, port.get("name") or ""), set())
            known |= {(address, port["port"]) for address in _ready_addresses(piece)}
        here.update(_addresses_on(piece, node))
    made = []
    for service in services:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        is_local = service["spec"].get("externalTrafficPolicy") == "Local"
        for port in service["spec"].get("ports") or ():
            if found := backends.get((namespace, name, port.get("name") or "")):
                for one in _addresses(service):
                    targets = tuple(sorted(target for target in found if (":" in target[0]) == (":" in one)))
                    if targets:
                        made.append(
                            Rule(
                                address=one,
                                port=port["port"],
                                backends=tuple(t for t in targets if t[0] in here) if is_local else targets,
                                protocol=port.get("protocol", "TCP"),
                                is_local=is_local,
                            )
                        )
    return sorted(made)


def ruleset(wanted: Iterable[Rule]) -> str:
    """The nftables script that replaces our table by these rules in one transaction."""
    body = "\n    ".join(map(_line, wanted))
    return f"""table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
  chain services {{
    {body}
  }}
  chain prerouting {{
    type nat hook prerouting priority -100
    jump services
  }}
  chain output {{
    type nat hook output priority -100
    jump services
  }}
  chain postrouting {{
    type nat hook postrouting priority 100
    ct status dnat ct mark != {LOCAL_MARK} masquerade
  }}
}}
"""


def _line(rule: Rule) -> str:
    family = "ip6" if ":" in rule.address else "ip"
    about = f"{family} daddr {rule.address} {rule.protocol.lower()} dport {rule.port}"
    if not rule.backends:
        return f"{about} drop"
    targets = ", ".join(f"{i} : {address} . {port}" for i, (address, port) in enumerate(rule.backends))
    mark = f" ct mark set {LOCAL_MARK}" if rule.is_local else ""
    return f"{about}{mark} dnat {family} to numgen inc mod {len(rule.backends)} map {{ {targets} }}"


def _addresses_on(piece: Mapping[str, Any], node: str) -> list[str]:
    ends = piece.get("endpoints") or ()
    return [address for end in ends if node and end.get("nodeName") == node for address in end["addresses"]]


def _ready_addresses(piece: Mapping[str, Any]) -> list[str]:
    ready = [end for end in piece.get("endpoints") or () if end.get("conditions", {}).get("ready", True)]
    return [address for end in ready for address in end["addresses"]]


def _addresses(service: Mapping[str, Any]) -> list[str]:
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    held = [entry["ip"] for entry in ingress if "ip" in entry] + (service["spec"].get("clusterIPs") or [])
    return [address for address in held if address != "None"]


class Mirror(threading.Thread):
    """Keeps a copy of one resource by list and watch, and puts a note into ``changed`` after each change."""

    def __init__(self, server: str, path: str, changed: "queue.SimpleQueue[None]") -> None:
        super().__init__(daemon=True, name=path)
        self._server = urlsplit(server)
        self._path = path
        self._changed = changed
        self.objects: dict[str, Mapping[str, Any]] = {}
        self.is_synced = False

    def run(self) -> None:
        while True:
            try:
                self._watch(self._list())
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                pause(RETRY_S)

    def _get(self, query: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._server.hostname or "", self._server.port, timeout=330)
        connection.request("GET", f"{self._path}{query}", headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise ValueError(f"{self._path}: HTTP {response.status}")
        return response

    def _list(self) -> str:
        listed = json.loads(self._get("").read())
        self.objects = {item["metadata"]["uid"]: item for item in listed["items"]}
        self.is_synced = True
        self._changed.put(None)
        return str(listed["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        for line in self._get(f"?watch=true&resourceVersion={version}"):
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            if event["type"] == "BOOKMARK":
                continue
            copy = dict(self.objects)
            copy.pop(event["object"]["metadata"]["uid"], None)
            if event["type"] != "DELETED":
                copy[event["object"]["metadata"]["uid"]] = event["object"]
            self.objects = copy
            self._changed.put(None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", help="URL of the API server, plain HTTP")
    parser.add_argument("--node", default="", help="the Node that this is")
    given = parser.parse_args()
    changed: queue.SimpleQueue[None] = queue.SimpleQueue()
    services, slices = (Mirror(given.server, path, changed) for path in RESOURCES)
    services.start()
    slices.start()
    applied: list[Rule] | None = None
    while True:
        changed.get()
        if not (services.is_synced and slices.is_synced):
            continue
        wanted = rules(services.objects.values(), slices.objects.values(), node=given.node)
        if wanted != applied:
            subprocess.run(["nft", "-f", "-"], input=ruleset(wanted), text=True, check=True)
            applied = wanted
            print(f"{len(wanted)} rules in force", file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
