"""What kube-proxy does, as small as it can be: DNAT rules from Services and their EndpointSlices.

    python -m lab.proxy http://192.0.2.2:6443

Runs on each node beside the embedded API server; with the real one kube-proxy itself does it. Every port
of a Service is answered on its external and cluster addresses by its endpoints in turn, policy Cluster.
Not covered: NodePorts, session affinity, policy Local, healthz.
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
RETRY_S = 0.2
"""Between attempts while the API server is away; the rules stay as they are."""

RESOURCES = ("/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rule:
    """Connections to ``address``:``port`` go to one of ``backends`` in turn."""

    address: str
    port: int
    backends: tuple[tuple[str, int], ...]
    protocol: str = "TCP"


def rules(services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """One rule for each address and port of a Service that has endpoints."""
    backends: dict[tuple[str, str, str], set[tuple[str, int]]] = {}
    for piece in slices:
        namespace = piece["metadata"]["namespace"]
        owner = piece["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
        for port in piece.get("ports") or ():
            known = backends.setdefault((namespace, owner, port.get("name") or ""), set())
            known |= {(address, port["port"]) for address in _ready_addresses(piece)}
    made = []
    for service in services:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        for port in service["spec"].get("ports") or ():
            if found := backends.get((namespace, name, port.get("name") or "")):
                for one in _addresses(service):
                    targets = tuple(sorted(target for target in found if (":" in target[0]) == (":" in one)))
                    if targets:
                        protocol = port.get("protocol", "TCP")
                        made.append(Rule(address=one, port=port["port"], backends=targets, protocol=protocol))
    return sorted(made)


def ruleset(wanted: Iterable[Rule]) -> str:
    """The nftables script that replaces our table by these rules in one transaction."""
    lines = []
    for rule in wanted:
        targets = ", ".join(f"{i} : {address} . {port}" for i, (address, port) in enumerate(rule.backends))
        family = "ip6" if ":" in rule.address else "ip"
        turn = f"numgen inc mod {len(rule.backends)} map {{ {targets} }}"
        lines.append(
            f"{family} daddr {rule.address} {rule.protocol.lower()} dport {rule.port} dnat {family} to {turn}"
        )
    body = "\n    ".join(lines)
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
    ct status dnat masquerade
  }}
}}
"""


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
        wanted = rules(services.objects.values(), slices.objects.values())
        if wanted != applied:
            subprocess.run(["nft", "-f", "-"], input=ruleset(wanted), text=True, check=True)
            applied = wanted
            print(f"{len(wanted)} rules in force", file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
