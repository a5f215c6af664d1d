"""Bareway as it is installed in a cluster, on an embedded API server: well, absent, or with much wrong.

Three nodes and two controllers; a pool on layer 2, one by BGP, two routers. Programs answer by exec what the
``statuses`` say.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from apiserver import EmbeddedApi
from apiserver.pods import Outcome
from bareway.model.announcer_lists import Entry, Shard, shard_of
from bareway.model.memory import AllocationMemory
from bareway.model.names import NodeName, ObjectKey, PoolName
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    ControllerStatus,
    PoolStatus,
    SpeakerStatus,
)
from bareway.resources.announcer_lists import LABEL, shard_key, write_shard
from bareway.resources.in_force import IN_FORCE_NAME, digest, write_in_force
from bareway.resources.kinds import CONFIG_MAPS, NAMESPACES, NODES, SERVICES
from bareway.resources.objects import config_map_body
from bareway.resources.state import STATE_NAME, write_state
from bareway.runtime.kube.client import AlreadyExists, KubeClient
from support.builders import ips
from support.pods import NAMESPACE, ending, pod_body, saying
from support.statuses import address, controller_status, finding, member, peer, speaker_status, waiting

NODE_NAMES: Final = tuple(NodeName(f"node{number}") for number in (1, 2, 3))
NODE1, NODE2, NODE3 = NODE_NAMES
DOCUMENT: Final = """\
address-pools:
- name: public
  protocol: layer2
  addresses: [192.0.2.10-192.0.2.13]
- name: routed
  protocol: bgp
  auto-assign: false
  addresses: [198.51.100.0/24, '2001:db8::/120']
peers:
- my-asn: 64601
  peer-asn: 64512
  peer-address: 10.9.0.1
- my-asn: 64601
  peer-asn: 64512
  peer-address: 10.9.0.2
"""
MISTAKE: Final = "address-pools:\n- name: public\n  protocol: layer2\n  addresses: [192.0.2.300/32]\n"
SOURCE: Final = f"ConfigMap {NAMESPACE}/config"
CONFIGURATION: Final = ConfigurationStatus(generation=3, sha256=digest(DOCUMENT), source=SOURCE)
POOLS: Final = (
    PoolStatus(name=PoolName("public"), total=4, used=1),
    PoolStatus(name=PoolName("routed"), total=512, used=2, total_ipv6=256, used_ipv6=1),
)


def speaker(node: NodeName, **fields: object) -> SpeakerStatus:
    """One of three that are well."""
    announced: tuple[AddressStatus, ...] = (
        address("192.0.2.10", NODE1, "" if node == NODE1 else "notOwner"),
        address("198.51.100.1", node, protocol="bgp"),
    )
    found = replace(
        speaker_status(
            members=tuple(member(name) for name in NODE_NAMES),
            addresses=announced,
            peers=(peer("peer1", "10.9.0.1"), peer("peer2", "10.9.0.2")),
        ),
        node=node,
        configuration=CONFIGURATION,
    )
    return replace(found, **fields)  # type: ignore[arg-type]  # fields of a SpeakerStatus, by name


def controller(name: str, *, leads: bool, **fields: object) -> ControllerStatus:
    """One of two that are well."""
    found = replace(
        controller_status(pools=POOLS if leads else ()),
        configuration=CONFIGURATION,
        identity=f"{name}_0a1b",
        leader="bareway-controller-1_0a1b",
        leads=leads,
        members_alive=3,
        members_known=3,
        list_generation=5,
    )
    return replace(found, **fields)  # type: ignore[arg-type]  # fields of a ControllerStatus, by name


CONTROLLER1: Final = controller("bareway-controller-1", leads=True)
CONTROLLER2: Final = controller("bareway-controller-2", leads=False)
SPEAKERS: Final = tuple(speaker(node) for node in NODE_NAMES)


def put_programs(
    api: EmbeddedApi,
    controllers: Sequence[ControllerStatus] = (CONTROLLER1, CONTROLLER2),
    speakers: Sequence[SpeakerStatus] = SPEAKERS,
) -> None:
    """A Pod for each, which is ready and answers."""
    for one in controllers:
        name = one.identity.partition("_")[0]
        body = pod_body(name, "controller", f"node{name[-1]}", arguments=["--port=7480"])
        api.pods.put(NAMESPACE, body, saying(one))
    for status in speakers:
        api.pods.put(NAMESPACE, pod_body(f"bareway-speaker-{status.node}", node=status.node), saying(status))


async def put_objects(client: KubeClient, offered: str = DOCUMENT) -> None:
    """Nodes, one Service with an address and one without, the configuration, memory and lists."""
    await put_namespace(client)
    for node in NODE_NAMES:
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, "spec": {}}
        await client.create(NODES.path(), body)
    for name, addresses in (("web", ("192.0.2.10",)), ("late", ())):
        body = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        }
        await client.create(SERVICES.path("default"), body)
        ingress = [{"ip": text} for text in addresses]
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        await client.merge_patch(SERVICES.path("default", name, "status"), status)
    await put_config_map(client, "config", {"config": offered})
    await put_config_map(client, IN_FORCE_NAME, write_in_force(DOCUMENT, generation=3, source=SOURCE))
    freed = dict.fromkeys(ips("192.0.2.13"), 1_700_000_000)
    await put_config_map(client, STATE_NAME, write_state(AllocationMemory(freed=freed)))
    listed = ips("192.0.2.10")[0]
    shard = Shard(generation=5, entries={listed: Entry(generation=5, nodes=(NODE1, NODE2))})
    key = shard_key(NAMESPACE, shard_of(listed))
    await put_config_map(client, key.name, write_shard(shard), labels=LABEL)


async def put_namespace(client: KubeClient, name: str = NAMESPACE) -> None:
    """Ours, if it is not there."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    with suppress(AlreadyExists):
        await client.create(NAMESPACES.path(), body)


async def put_config_map(
    client: KubeClient, name: str, data: Mapping[str, str], *, labels: Mapping[str, str] | None = None
) -> None:
    """A ConfigMap of ours."""
    body = config_map_body(ObjectKey(NAMESPACE, name), data, labels=labels or {})
    await client.create(CONFIG_MAPS.path(NAMESPACE), body)


async def put_good(api: EmbeddedApi, client: KubeClient) -> None:
    """All is well."""
    await put_objects(client)
    put_programs(api)


async def put_broken(api: EmbeddedApi, client: KubeClient) -> None:
    """A mistake in the configuration, no room, a crashing speaker, one that hangs, a session down."""
    await put_objects(client, MISTAKE)
    full = (PoolStatus(name=PoolName("public"), total=4, used=4), POOLS[1])
    leader = replace(CONTROLLER1, pools=full, waiting=(waiting("default/late"),), members_alive=2)
    dead = tuple(member(name, "Dead" if name == NODE3 else "Alive") for name in NODE_NAMES)
    down = peer("peer2", "10.9.0.2", state="Active", trouble="No route to host")
    first = speaker(NODE1, members=dead, findings=(finding(),), peers=(peer("peer1", "10.9.0.1"), down))
    put_programs(api, (leader, CONTROLLER2), (first,))
    hangs = Outcome(complaint=b"bareway: no answer on /run/bareway/speaker.sock within 3 s\n", code=2)
    api.pods.put(NAMESPACE, pod_body("bareway-speaker-node2", node=NODE2, ready=False), ending(hangs))
    crashing = pod_body(
        "bareway-speaker-node3",
        node=NODE3,
        ready=False,
        state="waiting",
        reason="CrashLoopBackOff",
        restarts=7,
    )
    api.pods.put(NAMESPACE, crashing, ending(Outcome(failure='container not found ("speaker")')))
