"""``kubectl describe``, where an operator looks first: every kind, and the same text from both servers."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from cluster.servers import Server

MOMENT: Final = "2026-01-02T03:04:05Z"
SERVICE: Final = {
    "metadata": {"name": "web", "annotations": {"metallb.io/ip-allocated-from-pool": "default"}},
    "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]},
}
SLICE: Final = {
    "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.244.0.1"], "nodeName": "n1", "conditions": {"ready": True}}],
    "ports": [{"name": "http", "port": 8080}],
}
ADDRESSES: Final = [{"type": "InternalIP", "address": "192.0.2.1"}]
CONDITIONS: Final = [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]

# What every cluster draws by chance or by the clock.
CHANCE: Final = (
    (re.compile(r"\b10\.96\.\d+\.\d+\b"), "CLUSTER-IP"),
    (re.compile(r"\b3\d{4}(?=/TCP)"), "NODE-PORT"),
    (re.compile(r"(?<=CreationTimestamp:  ).+|(?<=Creation Timestamp:  ).+"), "MOMENT"),
    (re.compile(r"(?<=Resource Version:    )\d+"), "VERSION"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d+[smhdy]\d*[smhd]?(?= )"), "AGE"),
    (re.compile(r" {2,}"), "  "),
)

KINDS: Final = [
    pytest.param(
        "service web", ["LoadBalancer Ingress: 192.0.2.10 (VIP)", "Endpoints: 10.244.0.1:8080"], id="svc"
    ),
    pytest.param("configmap config", ["address-pools: []"], id="configmap"),
    pytest.param("secret memberlist", ["Type: Opaque", "secretkey: 3 bytes"], id="secret"),
    pytest.param("node NODE", ["InternalIP: 192.0.2.1", "Ready True"], id="node"),
    pytest.param("namespace NAMESPACE", ["Status: Active", "No resource quota."], id="namespace"),
    pytest.param("endpointslice web-1", ["AddressType: IPv4", "http 8080 TCP"], id="endpointslice"),
    pytest.param("lease a", ["Holder Identity: me"], id="lease"),
    pytest.param("event told", ["Reason: IPAllocated", "Count: 1"], id="event"),
]


@asynccontextmanager
async def furnished(server: Server) -> AsyncIterator[None]:
    """One object of each kind."""
    node = f"node-{server.namespace}"
    await _make(server, "services", SERVICE)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}}
    service = (await server.client.patch(server.path("services", "web") + "/status", status)).body
    await _make(server, "endpointslices", SLICE, group="discovery.k8s.io")
    await _make(
        server, "configmaps", {"metadata": {"name": "config"}, "data": {"config": "address-pools: []"}}
    )
    await _make(server, "secrets", {"metadata": {"name": "memberlist"}, "stringData": {"secretkey": "abc"}})
    lease = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}}
    await _make(server, "leases", lease, group="coordination.k8s.io")
    about = {
        "kind": "Service",
        "namespace": server.namespace,
        "name": "web",
        "uid": service["metadata"]["uid"],
    }
    told = {"reason": "IPAllocated", "message": "Assigned IP", "type": "Normal", "count": 1}
    times = {"firstTimestamp": MOMENT, "lastTimestamp": MOMENT, "source": {"component": "metallb-controller"}}
    await _make(server, "events", {"metadata": {"name": "told"}, "involvedObject": about, **told, **times})
    body = {"metadata": {"name": node}, "status": {"addresses": ADDRESSES, "conditions": CONDITIONS}}
    assert (await server.client.create("/api/v1/nodes", body)).code == 201
    try:
        yield
    finally:
        await server.client.delete(f"/api/v1/nodes/{node}")


async def _make(server: Server, plural: str, body: dict[str, Any], *, group: str = "") -> None:
    answer = await server.client.create(server.path(plural, group=group), body)
    assert answer.code == 201, answer


async def _described(server: Server, what: str) -> str:
    """What is printed, without what differs from cluster to cluster."""
    named = what.replace("NODE", f"node-{server.namespace}").replace("NAMESPACE", server.namespace)
    text = await server.kubectl("describe", *named.split())
    for pattern, word in CHANCE:
        text = pattern.sub(word, text)
    return text


@pytest.mark.parametrize(("what", "lines"), KINDS)
async def test_it_shows_what_an_operator_looks_for(server: Server, what: str, lines: list[str]) -> None:
    async with furnished(server):
        text = " ".join((await _described(server, what)).split())
    assert [line for line in lines if line not in text] == []


@pytest.mark.real
@pytest.mark.parametrize("what", [pytest.param(kind.values[0], id=str(kind.id)) for kind in KINDS])
async def test_both_servers_lead_to_the_same_text(both: tuple[Server, Server], what: str) -> None:
    ours, theirs = both
    async with furnished(ours), furnished(theirs):
        assert await _described(ours, what) == await _described(theirs, what)


async def test_the_events_about_an_object_come_with_it(server: Server) -> None:
    async with furnished(server):
        _, _, events = (await _described(server, "service web")).partition("Events:")
    row = events.splitlines()[-1].split()
    assert (row[:2], row[-3:]) == (["Normal", "IPAllocated"], ["metallb-controller", "Assigned", "IP"])


async def test_all_of_a_kind_are_shown_one_after_the_other(server: Server) -> None:
    for name in ("a", "b"):
        await _make(server, "configmaps", {"metadata": {"name": name, "labels": {"mine": "yes"}}})
    text = await server.kubectl("describe", "configmaps", "--selector=mine=yes")
    assert re.findall(r"^Name: +(\w)$", text, re.MULTILINE) == ["a", "b"]


async def test_what_is_not_there_is_said(server: Server) -> None:
    text = await server.kubectl("describe", "service", "nowhere", code=1)
    assert text == 'Error from server (NotFound): services "nowhere" not found\n'
