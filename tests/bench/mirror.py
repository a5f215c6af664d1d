"""What a mirror of many Services costs: time to read a list and a watch, and memory while it is held.

    PYTHONPATH=tests:. python -m bench.mirror 5000

Prints one JSON object. Services are 2 kB each, as a real API server sends them, with managedFields.
"""

import json
import sys
import time
import tracemalloc
from typing import Any

from bareway.resources.kinds import SERVICES, Deleted, Failed
from bareway.runtime.kube.store import Store


def service(number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:spec": {f"f:field{index}": {".": {}, "f:value": {}} for index in range(24)}}
    address = f"10.{96 + number // 65536}.{number // 256 % 256}.{number % 256}"
    metadata = {
        "name": f"service-{number}",
        "namespace": f"namespace-{number % 50}",
        "uid": f"6f1c9f2e-0000-4000-8000-{number:012d}",
        "resourceVersion": str(100_000 + number),
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app.kubernetes.io/name": f"app-{number}", "team": f"team-{number % 20}"},
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "x" * 400,
            "metallb.io/ip-allocated-from-pool": "default",
        },
        "managedFields": [{"manager": "kubectl", "operation": "Update", "fieldsV1": fields}],
    }
    ports = [
        {"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080, "nodePort": 30000 + number % 2000}
    ]
    spec = {
        "type": "LoadBalancer",
        "clusterIP": address,
        "clusterIPs": [address],
        "ports": ports,
        "selector": {"app": f"app-{number}"},
        "sessionAffinity": "None",
        "externalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "allocateLoadBalancerNodePorts": True,
        "internalTrafficPolicy": "Cluster",
    }
    status = {"loadBalancer": {"ingress": [{"ip": address.replace("10.", "172."), "ipMode": "VIP"}]}}
    return {"metadata": metadata, "spec": spec, "status": status}


def pages(count: int) -> list[bytes]:
    size = SERVICES.page_size
    return [
        json.dumps(
            {
                "metadata": {"resourceVersion": "1"},
                "items": [service(n) for n in range(start, min(start + size, count))],
            }
        ).encode()
        for start in range(0, count, size)
    ]


def mirrored(lists: list[bytes]) -> Store[Any]:
    """A store that has read them all."""
    store: Store[Any] = Store()
    store.begin_list()
    for body in lists:
        for reading in SERVICES.read_page(body).readings:
            store.add(reading)
    store.end_list("1")
    return store


def held_bytes(lists: list[bytes]) -> int:
    """What Python allocates for the mirror and keeps."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    store = mirrored(lists)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert store.objects
    return after - before


def main(count: int) -> None:
    lists = pages(count)
    lines = [json.dumps({"type": "MODIFIED", "object": service(n)}).encode() for n in range(count)]
    size = sum(map(len, lists))
    begun = time.process_time()
    store = mirrored(lists)
    listed_s = time.process_time() - begun
    begun = time.process_time()
    for body in lists:
        SERVICES.read_page(body)
    cut_s = time.process_time() - begun
    begun = time.process_time()
    for line in lines:
        event = SERVICES.read_event(line)
        assert not isinstance(event, Failed | Deleted)
        store.apply(event)
    watched_s = time.process_time() - begun
    held = held_bytes(lists)
    figures = {
        "services": count,
        "bytes_each": size // count,
        "list_us_each": round(listed_s / count * 1e6, 1),
        "page_cut_ms": round(cut_s / len(lists) * 1e3, 2),
        "watch_us_each": round(watched_s / count * 1e6, 1),
        "held_kib_each": round(held / count / 1024, 2),
        "held_mb": round(held / 2**20, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
