"""What is around Bareway is read from the API and from our Pods, each part by itself."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from apiserver.pods import Outcome
from bareway.cli.asking.surrounding import read_last_words, surroundings
from bareway.model.cluster import PodState
from bareway.model.names import InterfaceName, NodeName, ObjectKey
from bareway.model.plain import plain
from bareway.model.surroundings import KubeProxy, LinkFacts, NodeFacts, Surroundings, Unreached
from support.scripted_api import ScriptedApi, scripted

SYSTEM = "bareway-system"
NODE = NodeName("node1")
POD = PodState(name="speaker-1", component="speaker", node=NODE, ready=True, running=True)
FACTS = NodeFacts(
    node=NODE,
    links=(LinkFacts(name=InterfaceName("eth0"), subnets=("192.0.2.0/24",), rp_filter=1),),
    tried=(NodeName("node2"),),
    unreached=(Unreached(member=NodeName("node2"), address="192.0.2.12:7947", how="no answer within 1 s"),),
)


def _object(name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, **fields.pop("metadata", {})}, **fields}


def _workload(name: str, namespace: str, labels: dict[str, str], *arguments: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "a", "args": list(arguments)}]}}
    return _object(name, namespace, metadata={"labels": labels}, spec={"template": template})


def _fill(api: ScriptedApi) -> None:
    """A cluster with something of everything."""
    api.answers["/version"] = {"major": "1", "minor": "30", "gitVersion": "v1.30.2"}
    proxy = {"config.conf": "mode: ipvs\nipvs:\n  strictARP: false\n"}
    api.answers["/api/v1/namespaces/kube-system/configmaps/kube-proxy"] = _object(
        "kube-proxy", "kube-system", data=proxy
    )
    api.items(
        "/apis/apps/v1/daemonsets",
        _workload("speaker", "metallb-system", {"app": "metallb"}, "--lb-class=a/b"),
        _workload("kube-proxy", "kube-system", {}, "--proxy-mode=ipvs", "--ipvs-strict-arp=true"),
    )
    api.items("/apis/apps/v1/deployments", _workload("coredns", "kube-system", {}))
    api.items("/api/v1/namespaces/kube-system/pods")
    api.items("/apis/cilium.io/v2alpha1/ciliumloadbalancerippools", _object("blue"))
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    api.items("/api/v1/nodes", _object("node1", status=ready), _object("node2", status={}))
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    beat = {"renewTime": "2026-01-02T03:04:05.000000Z"}
    api.items(path, *(_object(name, "kube-node-lease", spec=beat) for name in ("node1", "node2")))


async def _answer(words: Sequence[str]) -> Outcome:
    assert list(words[:5]) == ["bareway", "--local", "doctor", "-o", "json"]
    return Outcome(output=msgspec.json.encode({"version": 1, "node": plain(FACTS)}), code=1)


def _put_pod(api: ScriptedApi, run: Any = _answer) -> None:
    status = {
        "containerStatuses": [
            {
                "name": "speaker",
                "state": {"running": {}},
                "lastState": {"terminated": {"message": "bareway-speaker: it needs more\n"}},
            }
        ]
    }
    body = _object(
        "speaker-1",
        SYSTEM,
        metadata={"labels": {"app": "bareway", "component": "speaker"}},
        spec={"containers": [{"name": "speaker"}]},
        status=status,
    )
    api.pods.put(SYSTEM, body, run)


async def test_everything_is_read() -> None:
    async with scripted() as (api, client):
        _fill(api)
        _put_pod(api)
        api.denied.add(("watch", "nodes"))
        found = await surroundings(client, SYSTEM, [POD])
    metallb, cilium = found.foreign
    assert found.unknown == ()
    assert found.kubernetes == "v1.30.2"
    assert found.kube_proxies == (
        KubeProxy(source="ConfigMap kube-system/kube-proxy", mode="ipvs", strict_arp=False),
        KubeProxy(source="DaemonSet kube-system/kube-proxy", mode="ipvs", strict_arp=True),
    )
    assert (metallb.product, metallb.load_balancer_class) == ("MetalLB", "a/b")
    assert (cilium.product, cilium.key) == ("Cilium's LB IPAM", ObjectKey("", "blue"))
    assert found.missing_rights == {"bareway-speaker": ("watch nodes in all namespaces",)}
    assert found.last_words == {"speaker-1": "bareway-speaker: it needs more\n"}
    assert found.heartbeats == {NODE: 1_767_323_045.0}  # not of node2, which is not Ready
    assert found.nodes == {NODE: FACTS}


def _static(api: ScriptedApi, *arguments: str) -> None:
    """kube-proxy as kubelets start it from files: mirror Pods, and nothing else."""
    _fill(api)
    del api.answers["/api/v1/namespaces/kube-system/configmaps/kube-proxy"]
    api.items("/apis/apps/v1/daemonsets")
    containers = {"containers": [{"name": "kube-proxy", "command": ["kube-proxy", *arguments]}]}
    pods = (_object(f"kube-proxy-{name}", "kube-system", spec=containers) for name in ("node1", "node2"))
    api.items("/api/v1/namespaces/kube-system/pods", *pods)


@pytest.mark.parametrize(
    ("arguments", "is_strict"),
    [
        pytest.param(["--proxy-mode=ipvs"], False, id="loose"),
        pytest.param(["--proxy-mode", "ipvs", "--ipvs-strict-arp"], True, id="strict"),
    ],
)
async def test_a_static_kube_proxy_is_read_by_its_mirror_pods_and_told_once(
    arguments: list[str], is_strict: bool
) -> None:
    async with scripted() as (api, client):
        _static(api, *arguments)
        found = await surroundings(client, SYSTEM, [])
    (proxy,) = found.kube_proxies
    assert (proxy.mode, proxy.strict_arp) == ("ipvs", is_strict)
    assert proxy.source.startswith("Pod kube-system/kube-proxy-node")
    assert found.unknown == ()


async def test_a_kube_proxy_that_does_not_say_its_mode_is_a_riddle_until_a_kernel_is_looked_at() -> None:
    async with scripted() as (api, client):
        _static(api, "--config=/etc/kube-proxy.conf")
        _put_pod(api)
        before = await surroundings(client, SYSTEM, [])
        after = await surroundings(client, SYSTEM, [POD])
    assert [one.subject for one in before.unknown] == ["mode of kube-proxy"]
    assert before.unknown[0].why.startswith("kube-system/kube-proxy-node1 is there")
    assert (before.kube_proxies, after.kube_proxies, after.unknown) == ((), (), ())


async def test_a_kube_proxy_without_a_file_and_without_a_mode_works_in_the_usual_one() -> None:
    async with scripted() as (api, client):
        _static(api, "--kubeconfig=/etc/kube-proxy.conf")
        found = await surroundings(client, SYSTEM, [])
    assert (found.kube_proxies, found.unknown) == ((), ())


async def test_a_cluster_of_which_nothing_is_known_has_no_riddles() -> None:
    async with scripted() as (_, client):
        assert await surroundings(client, SYSTEM, []) == Surroundings()


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("/version", "version of Kubernetes"),
        (
            "/api/v1/namespaces/kube-system/configmaps/kube-proxy",
            "ConfigMap kube-system/kube-proxy",
        ),
        ("/apis/apps/v1/daemonsets", "daemonsets"),
        ("/apis/apps/v1/deployments", "deployments"),
        ("/api/v1/namespaces/kube-system/pods", "pods in kube-system"),
        ("/apis/cilium.io/v2alpha1/ciliumloadbalancerippools", "Cilium's pools"),
        ("/api/v1/nodes", "nodes"),
        ("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", "leases in kube-node-lease"),
        (f"/api/v1/namespaces/{SYSTEM}/pods", "our Pods' ends"),
        ("/apis/authorization.k8s.io/v1/subjectaccessreviews", "rights of our ServiceAccounts"),
        (f"/api/v1/namespaces/{SYSTEM}/pods/speaker-1/exec", "kernel of node1"),
    ],
)
@pytest.mark.parametrize("code", [403, 500])
async def test_what_is_refused_is_said_and_the_rest_is_read(path: str, subject: str, code: int) -> None:
    async with scripted() as (api, client):
        _fill(api)
        _put_pod(api)
        api.codes[path] = code
        found = await surroundings(client, SYSTEM, [POD])
    (unknown,) = found.unknown
    assert unknown.subject == subject
    assert path in unknown.why
    if code == 403:
        assert "right" in unknown.why
        assert path == "/version" or unknown.remedy.startswith("kubectl auth can-i") or "Pods'" in subject


@pytest.mark.parametrize(
    "output", [b"", b"no JSON", b'{"version": 1}', b'{"node": {"links": 3}}'], ids=lambda one: one.decode()
)
async def test_a_pod_that_says_nonsense_is_named(output: bytes) -> None:
    async def run(_: Sequence[str]) -> Outcome:
        return Outcome(output=output)

    async with scripted() as (api, client):
        _fill(api)
        _put_pod(api, run)
        found = await surroundings(client, SYSTEM, [POD])
    assert [one.subject for one in found.unknown] == ["kernel of node1"]
    assert found.nodes == {}


async def test_an_older_speaker_without_this_verb_is_named_with_its_complaint() -> None:
    async def run(_: Sequence[str]) -> Outcome:
        return Outcome(complaint=b"bareway: error: argument: invalid choice: 'doctor'\n", code=2)

    async with scripted() as (api, client):
        _put_pod(api, run)
        found = await surroundings(client, SYSTEM, [POD])
    assert "invalid choice" in found.unknown[0].why


async def test_a_lease_whose_time_cannot_be_read_is_left_out() -> None:
    async with scripted() as (api, client):
        _fill(api)
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        api.items(path, _object("node1", "kube-node-lease", spec={"renewTime": "yesterday"}))
        assert (await surroundings(client, SYSTEM, [])).heartbeats == {}


async def test_nothing_but_reviews_is_written() -> None:
    async with scripted() as (api, client):
        _fill(api)
        _put_pod(api)
        await surroundings(client, SYSTEM, [POD])
    writes = {one for one in api.asked if not one.startswith("GET ")}
    assert writes == {"POST /apis/authorization.k8s.io/v1/subjectaccessreviews"}


def test_of_two_ends_of_a_container_the_newer_one_counts() -> None:
    old, new = ({"terminated": {"message": word}} for word in ("old", "new"))
    pods = [
        _object("a", status={"containerStatuses": [{"lastState": old, "state": new}]}),
        _object("b", status={"containerStatuses": [{"lastState": old, "state": {"running": {}}}]}),
        _object("c", status={"containerStatuses": None}),
        _object("d"),
    ]
    assert read_last_words(msgspec.json.encode({"items": pods})) == {"a": "new", "b": "old"}
