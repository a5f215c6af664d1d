"""Gathering: everything that can be learnt is, and what cannot is named while the rest goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from apiserver import EmbeddedApi, Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from bareway.cli.asking.gathering import (
    NO_KUBECONFIG,
    NoCluster,
    Wish,
    config_of,
    gather,
    gathered,
    open_cluster,
)
from bareway.cli.asking.parts import Part
from bareway.cli.asking.pods import CODE_COULD_NOT_TELL, SPEAKERS_ASKED, Patience
from bareway.model.announcer_lists import Entry, shard_of
from bareway.model.cluster import Cluster, PodState, Unknown
from bareway.model.names import NodeName, ObjectKey
from bareway.resources.announcer_lists import shard_key
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.kinds import CONFIG_MAPS
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from support.builders import ips, key
from support.installed import (
    CONTROLLER1,
    CONTROLLER2,
    NODE1,
    NODE2,
    NODE3,
    NODE_NAMES,
    SOURCE,
    put_config_map,
    put_good,
    put_namespace,
    put_objects,
    put_programs,
    speaker,
)
from support.pods import NAMESPACE, ending, pod_body, printed, saying
from support.statuses import controller_status

HURRIED = Wish(patience=Patience(pod_s=0.1, overall_s=0.3))


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as server:
        yield server


@pytest.fixture
async def client(api: EmbeddedApi) -> AsyncIterator[KubeClient]:
    async with KubeClient(Fixed(Credentials(server=api.url))) as opened:
        yield opened


def why(cluster: Cluster) -> dict[str, str]:
    return {one.subject: one.why for one in cluster.unknown}


async def hang(command: Sequence[str]) -> Outcome:
    await asyncio.Event().wait()
    return Outcome()


async def test_of_a_cluster_that_is_well_everything_is_known(api: EmbeddedApi, client: KubeClient) -> None:
    await put_good(api, client)
    found = await gather(client)
    assert (found.unknown, found.unasked, found.offered) == ((), (), ())
    assert {one for one in found.services if one.name != "kubernetes"} == {
        key("default/web"),
        key("default/late"),
    }
    assert [one.name for one in found.nodes] == list(NODE_NAMES)
    assert {"default", "kube-system"} <= {one.name for one in found.namespaces}
    assert found.configuration is not None
    assert [one.name for one in found.configuration.pools] == ["public", "routed"]
    assert (found.generation, found.source) == (3, SOURCE)
    assert list(found.memory.freed) == list(ips("192.0.2.13"))
    first = ips("192.0.2.10")
    assert found.lists.entry(first, first[0]) == Entry(generation=5, nodes=(NODE1, NODE2))
    assert [(one.name, one.component, one.ready) for one in found.pods] == [
        ("bareway-controller-1", "controller", True),
        ("bareway-controller-2", "controller", True),
        *((f"bareway-speaker-{name}", "speaker", True) for name in NODE_NAMES),
    ]
    assert sorted(found.controllers, key=lambda one: one.identity) == [CONTROLLER1, CONTROLLER2]
    assert dict(found.speakers) == {name: speaker(name) for name in NODE_NAMES}


async def test_each_pod_is_asked_once_by_the_command_of_its_image(
    api: EmbeddedApi, client: KubeClient
) -> None:
    put_programs(api)
    await gather(client)
    words = ("bareway", "--local", "status", "-o", "json", "--timeout", "3")
    assert sorted(api.pods.commands) == sorted(
        (name, words)
        for name in (
            "bareway-controller-1",
            "bareway-controller-2",
            *(f"bareway-speaker-{one}" for one in NODE_NAMES),
        )
    )


async def test_only_what_a_verb_shows_is_asked_for(api: EmbeddedApi, client: KubeClient) -> None:
    await put_good(api, client)
    api.requests.clear()
    found = await gather(client, Wish(parts=frozenset({Part.CONTROLLERS})))
    asked = {path.partition("?")[0] for _, path in api.requests}
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    assert asked == {pods, *(f"{pods}/bareway-controller-{number}/exec" for number in (1, 2))}
    assert (found.services, found.nodes, found.speakers) == ({}, (), {})


async def test_nothing_is_ever_written(api: EmbeddedApi, client: KubeClient) -> None:
    await put_good(api, client)
    api.requests.clear()
    await gather(client)
    assert {method for method, _ in api.requests} == {"GET"}


async def test_an_empty_cluster_has_nothing_and_nothing_is_unknown(client: KubeClient) -> None:
    found = await gather(client)
    assert (found.pods, found.configuration, found.unknown) == ((), None, ())


@pytest.mark.parametrize(
    ("resource", "subject", "remedy"),
    [
        pytest.param("services", "Services", "list services --all-namespaces", id="Services"),
        pytest.param("nodes", "Nodes", "list nodes", id="Nodes"),
        pytest.param("namespaces", "Namespaces", "list namespaces", id="Namespaces"),
        pytest.param("endpointslices", "EndpointSlices", "list endpointslices --all-namespaces", id="slices"),
        pytest.param("pods", "our Pods", f"list pods -n {NAMESPACE}", id="Pods"),
        pytest.param("configmaps", "announcer lists", f"list configmaps -n {NAMESPACE}", id="lists"),
    ],
)
async def test_a_missing_right_costs_only_what_it_is_for(
    api: EmbeddedApi, client: KubeClient, resource: str, subject: str, remedy: str
) -> None:
    await put_good(api, client)
    api.faults.add(Fault.FORBIDDEN, verb="list", resource=resource, times=None)
    found = await gather(client)
    (unknown,) = found.unknown
    assert (unknown.subject, unknown.remedy) == (subject, f"kubectl auth can-i {remedy}")
    assert unknown.why.startswith(f"a right is missing: {resource}")
    assert (found.configuration is None, bool(found.speakers)) == (False, resource != "pods")


async def test_without_the_right_to_exec_each_program_is_unknown_and_the_api_is_read(
    api: EmbeddedApi, client: KubeClient
) -> None:
    await put_good(api, client)
    api.faults.add(Fault.FORBIDDEN, resource="pods/exec", times=None)
    found = await gather(client)
    assert [one.subject for one in found.unknown] == [
        "controller bareway-controller-1",
        "controller bareway-controller-2",
        *(f"speaker on {name}" for name in NODE_NAMES),
    ]
    assert all('cannot get resource "pods/exec"' in one.why for one in found.unknown)
    assert all("--subresource=exec" in one.remedy for one in found.unknown)
    assert len(found.pods) == 5
    assert len(found.nodes) == 3


async def test_half_the_speakers_silent_the_other_half_answers(api: EmbeddedApi, client: KubeClient) -> None:
    put_programs(api)
    api.pods.put(NAMESPACE, pod_body(f"bareway-speaker-{NODE2}", node=NODE2), hang)
    api.pods.put(NAMESPACE, pod_body(f"bareway-speaker-{NODE3}", node=NODE3), hang)
    found = await gather(client, HURRIED)
    assert list(found.speakers) == [NODE1]
    assert [one.identity for one in found.controllers] == [CONTROLLER1.identity, CONTROLLER2.identity]
    told = why(found)
    assert list(told) == [f"speaker on {NODE2}", f"speaker on {NODE3}"]
    assert all("no answer within 0.1 s" in one for one in told.values())


async def test_many_that_are_silent_are_not_waited_for_one_after_the_other(
    api: EmbeddedApi, client: KubeClient
) -> None:
    for number in range(SPEAKERS_ASKED):
        api.pods.put(NAMESPACE, pod_body(f"s{number:02}", node=f"n{number:02}"), hang)
    patience = Patience(pod_s=60.0, overall_s=0.2)
    found = await gather(client, Wish(parts=frozenset({Part.SPEAKERS}), patience=patience))
    told = why(found)
    assert len(told) == SPEAKERS_ASKED
    assert set(told.values()) == {f"no answer within 0.2 s, in which {SPEAKERS_ASKED} Pods were asked"}


async def test_of_many_speakers_some_are_asked_and_the_rest_is_named(
    api: EmbeddedApi, client: KubeClient
) -> None:
    names = [NodeName(f"n{number:03}") for number in range(40)]
    put_programs(api, (), [speaker(name) for name in names])
    found = await gather(client, Wish(parts=frozenset({Part.SPEAKERS}), nodes=frozenset({NodeName("n007")})))
    assert len(found.speakers) == SPEAKERS_ASKED
    assert NodeName("n007") in found.speakers
    assert sorted([*found.speakers, *found.unasked]) == names
    everybody = await gather(client, Wish(parts=frozenset({Part.SPEAKERS}), speakers_max=1_000))
    assert (sorted(everybody.speakers), everybody.unasked) == (names, ())


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        pytest.param(
            Outcome(complaint=b"warning\nbareway: no socket\n", code=CODE_COULD_NOT_TELL),
            "no socket",
            id="nothing found out there",
        ),
        pytest.param(Outcome(code=137), "its command ended with code 137", id="killed without a word"),
        pytest.param(Outcome(output=b"usage"), "no status in JSON", id="no JSON"),
        pytest.param(Outcome(output=b'{"version": 1}'), "no status", id="another page"),
        pytest.param(
            Outcome(output=b'{"controllers": [], "speakers": [{}]}'), "lacks version, node", id="half"
        ),
        pytest.param(Outcome(failure="no room"), "no room", id="not started"),
    ],
)
async def test_a_program_that_answers_nonsense_is_unknown(
    api: EmbeddedApi, client: KubeClient, outcome: Outcome, reason: str
) -> None:
    put_programs(api, (), [speaker(NODE1)])
    api.pods.put(NAMESPACE, pod_body("strange", node=NODE2), ending(outcome))
    found = await gather(client)
    assert list(found.speakers) == [NODE1]
    assert reason in why(found)[f"speaker on {NODE2}"]
    assert not why(found)[f"speaker on {NODE2}"].startswith("bareway: ")


async def test_an_answer_that_names_problems_is_an_answer(api: EmbeddedApi, client: KubeClient) -> None:
    said = printed(speaker(NODE1), wrong=["something"])
    api.pods.put(NAMESPACE, pod_body("s"), ending(Outcome(output=said, code=1)))
    assert list((await gather(client)).speakers) == [NODE1]


async def test_a_pod_that_does_not_run_is_not_asked(api: EmbeddedApi, client: KubeClient) -> None:
    waits = pod_body("s", ready=False, state="waiting", reason="ImagePullBackOff")
    api.pods.put(NAMESPACE, waits, saying(speaker(NODE1)))
    found = await gather(client)
    assert api.pods.commands == []
    assert found.unknown == (
        Unknown(
            subject="speaker on node1",
            why="its Pod does not run: ImagePullBackOff",
            remedy=f"kubectl -n {NAMESPACE} describe pod s",
        ),
    )


async def test_what_the_controllers_were_told_is_followed(api: EmbeddedApi, client: KubeClient) -> None:
    arguments = ["--config-namespace=metallb-system", "--config", "mine", "--lb-class=example.com/lb"]
    body = pod_body("c", "controller", arguments=arguments)
    api.pods.put(NAMESPACE, body, saying(controller_status()))
    api.requests.clear()
    found = await gather(client)
    assert found.load_balancer_class == "example.com/lb"
    assert ("GET", "/api/v1/namespaces/metallb-system/configmaps/mine") in api.requests
    elsewhere = Wish(config=ObjectKey("there", "other"))
    await gather(client, elsewhere)
    assert ("GET", "/api/v1/namespaces/there/configmaps/other") in api.requests


def test_where_no_controller_runs_the_speakers_know_where_the_configuration_is() -> None:
    told = PodState(name="s", component="speaker", node=None, ready=True, arguments=("--config-namespace=x",))
    assert config_of([told], "lb") == ObjectKey("x", "config")
    untold = PodState(name="c", component="controller", node=NODE1, ready=True)
    assert config_of([told, untold], "lb") == ObjectKey("lb", "config")


async def test_where_no_controller_is_the_speakers_know_which_class_is_ours(
    api: EmbeddedApi, client: KubeClient
) -> None:
    speaks = pod_body("s", arguments=["--lb-class", "example.com/lb"])
    api.pods.put(NAMESPACE, speaks, saying(speaker(NODE1)))
    assert (await gather(client)).load_balancer_class == "example.com/lb"
    api.pods.put(NAMESPACE, pod_body("c", "controller"), saying(controller_status()))
    assert (await gather(client)).load_balancer_class is None


async def test_another_namespace_may_be_named(api: EmbeddedApi, client: KubeClient) -> None:
    api.pods.put("lb", pod_body("s"), saying(speaker(NODE1)))
    assert (await gather(client)).pods == ()
    assert list((await gather(client, Wish(namespace="lb"))).speakers) == [NODE1]


async def test_mistakes_of_the_users_document_and_of_ours_are_told_apart(client: KubeClient) -> None:
    await put_objects(client, offered="address-pools: what")
    found = await gather(client)
    assert found.configuration is not None
    assert found.offered
    assert found.unknown == ()
    damaged = {"data": {"sha256": "0" * 64}}
    await client.merge_patch(CONFIG_MAPS.path(NAMESPACE, IN_FORCE_NAME), damaged)
    found = await gather(client)
    assert found.configuration is None
    assert "is not that of the document" in why(found)[f"ConfigMap {NAMESPACE}/{IN_FORCE_NAME}"]


async def test_memory_and_lists_that_cannot_be_read_are_unknown(client: KubeClient) -> None:
    await put_objects(client)
    await client.merge_patch(CONFIG_MAPS.path(NAMESPACE, "bareway-state"), {"data": {"memory": "{"}})
    name = shard_key(NAMESPACE, shard_of(ips("192.0.2.10")[0])).name
    await client.merge_patch(CONFIG_MAPS.path(NAMESPACE, name), {"data": {"announcers": "[]"}})
    found = await gather(client)
    assert sorted(why(found)) == sorted(
        [f"ConfigMap {NAMESPACE}/bareway-state", f"ConfigMap {NAMESPACE}/{name}"]
    )


async def test_where_nobody_answers_there_is_no_cluster_and_one_sentence(client: KubeClient) -> None:
    async with EmbeddedApi() as gone:
        url = gone.url
    async with KubeClient(Fixed(Credentials(server=url))) as lonely:
        with pytest.raises(NoCluster, match="Cannot connect to host"):
            await gather(lonely)


async def test_who_is_not_believed_has_no_cluster(api: EmbeddedApi, client: KubeClient) -> None:
    put_programs(api)
    api.faults.add(Fault.UNAUTHORIZED, times=None)
    with pytest.raises(NoCluster, match="Unauthorized"):
        await gather(client)


async def test_a_server_that_fails_in_one_thing_is_a_cluster_nevertheless(
    api: EmbeddedApi, client: KubeClient
) -> None:
    await put_good(api, client)
    api.faults.add(Fault.ERROR, verb="list", resource="services", times=None)
    api.faults.add(Fault.GARBAGE, verb="list", resource="nodes", times=None)
    found = await gather(client)
    assert list(why(found)) == ["Nodes", "Services"]
    assert len(found.speakers) == 3


@pytest.mark.slow
async def test_a_kubeconfig_is_all_that_is_needed(
    api: EmbeddedApi, client: KubeClient, tmp_path: Path
) -> None:
    await put_good(api, client)
    (tmp_path / "config").write_text(kubeconfig(api.url))
    found = await asyncio.to_thread(gathered, tmp_path / "config")
    assert len(found.speakers) == 3


@pytest.mark.slow
async def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match=f"kubeconfig {tmp_path}/none: the file does not exist"):
        await asyncio.to_thread(gathered, tmp_path / "none")


async def test_without_any_kubeconfig_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NoCluster, match=r"no \$KUBECONFIG, no ~/\.kube/config") as told:
        async with open_cluster(None):
            pass
    assert NO_KUBECONFIG in str(told.value)


async def test_lists_are_read_by_their_label_alone(client: KubeClient) -> None:
    await put_namespace(client)
    await put_config_map(
        client, "bareway-announcers-0", {"announcers": "{}"}, labels={"bareway.io/content": "x"}
    )
    assert (await gather(client)).unknown == ()
