"""bareway uninstall takes away what is ours, nothing else, and finds whatever is left.

Golden output: delete a file in ``golden/`` and run this to have it written anew.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from apiserver.faults import Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from bareway.cli.__main__ import main
from bareway.decide.answers.leftovers import Leftover, RemovalRefusal
from bareway.model.names import ObjectKey
from bareway.resources.kinds import CONFIG_MAPS, LEASES, NAMESPACES, NODES, SECRETS
from support.departed import FOREIGN, MOVE, OURS, POOL, Cluster, cluster, served, words_left
from support.pods import pod_body

GOLDEN = Path(__file__).parent / "golden"


def is_golden(name: str, page: str) -> bool:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(page)
        pytest.fail(f"{name} is new: read it")
    return page == path.read_text()


@pytest.mark.slow
async def test_the_whole_way_as_promised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = ""

    async def say(made: Cluster, *words: str) -> None:
        nonlocal page
        code = await made.bareway(*words)
        printed = capsys.readouterr()
        page += f"$ bareway uninstall {' '.join(words)}\n{printed.out}{printed.err}[{code:d}]\n\n"

    async with served(tmp_path) as made:
        await say(made)
        await say(made, "--verify")
        await say(made, "--yes")
        made.api.furniture = [one for one in made.api.furniture if one[0] != "Deployment"]
        made.deployment(replicas=0)
        page += "$ kubectl -n bareway-system scale deployment/bareway-controller --replicas=0\n\n"
        await say(made, "--yes")
        await say(made, "--yes")
        await made.delete_our_objects()
        page += "$ kubectl delete -k manifests/\n\n"
        await say(made, "--verify")
        await say(made)
    assert is_golden("uninstall-good.txt", page)


@pytest.mark.slow
async def test_only_what_is_ours_is_taken_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(tmp_path) as made:
        await made.delete_our_objects()
        theirs = await made.raw("theirs")
        assert await made.bareway("--yes") == 0
        web, mail = await made.raw("web"), await made.raw("mail")
        assert web["status"] == {"loadBalancer": {}, "conditions": [FOREIGN]}
        assert web["metadata"]["annotations"] == {"a.example/b": "c"}
        assert mail["metadata"]["annotations"] == {"bareway.io/address-pool": "public"}  # the user's wish
        assert "ingress" not in mail["status"]["loadBalancer"]
        assert await made.raw("theirs") == theirs
        assert (await made.client.read(NODES, ObjectKey("", "node2"))).drain is None
        key = ObjectKey("metallb-system", "config")
        assert (await made.client.read(CONFIG_MAPS, key)).annotations == {}
        assert await words_left(made, capsys) == []


@pytest.mark.slow
async def test_addresses_stay_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(tmp_path) as made:
        await made.delete_our_objects()
        assert Leftover.ADDRESS_LEFT not in await words_left(made, capsys, "--keep-addresses")
        assert await made.bareway("--yes", "--keep-addresses") == 0
        web = await made.raw("web")
        assert [one["ip"] for one in web["status"]["loadBalancer"]["ingress"]] == [
            "192.0.2.10",
            "2001:db8::10",
        ]
        assert web["status"]["conditions"] == [FOREIGN]
        assert POOL not in web["metadata"]["annotations"]
        assert await words_left(made, capsys, "--keep-addresses") == []
        assert await words_left(made, capsys) == []  # whose they are is no longer known


@pytest.mark.slow
async def test_nothing_is_written_without_yes_and_by_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(tmp_path) as made:
        made.api.requests.clear()
        assert await made.bareway() == 0
        assert await made.bareway("--verify") == 1
        assert {method for method, _ in made.api.requests} == {"GET"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["Deployment", "Pod"])
async def test_it_refuses_while_the_controller_runs(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10")
        if how == "Deployment":
            made.deployment()
        else:
            made.deployment(replicas=0)  # told to end, and its Pod has not yet

            async def run(_: Sequence[str]) -> Outcome:
                return Outcome()

            made.api.pods.put(OURS, pod_body("bareway-controller-1", "controller"), run)
        before = await made.raw("web")
        assert await made.bareway("--yes", "-o", "json") == 1
        page = json.loads(capsys.readouterr().out)
        assert page["refused"] == RemovalRefusal.PROGRAMS_RUN
        assert ("scale deployment/bareway-controller --replicas=0" in page["remedy"]) == (how == "Deployment")
        assert await made.raw("web") == before


@pytest.mark.slow
async def test_it_refuses_if_nobody_may_say_whether_the_controller_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10")
        made.api.faults.add(Fault.FORBIDDEN, verb="list", resource="deployments", times=None)
        assert await made.bareway("--yes", "-o", "json") == 2
        page = json.loads(capsys.readouterr().out)
        assert page["refused"] == RemovalRefusal.PROGRAMS_UNKNOWN
        assert [one["subject"] for one in page["unknown"]] == ["deployments"]
        assert (await made.raw("web"))["status"]["loadBalancer"]["ingress"]


async def _address_left(made: Cluster) -> None:
    await made.service("web", "192.0.2.10")


async def _pool_name(made: Cluster) -> None:
    """Whose it is without our condition nobody knows."""
    await made.service("web", annotations={POOL: "public"}, foreign=True)


async def _move_mark(made: Cluster) -> None:
    await made.service("web", "192.0.2.10", annotations={MOVE: "node2"}, foreign=True)


async def _drain_mark(made: Cluster) -> None:
    await made.mark("node1")


async def _config_marks(made: Cluster) -> None:
    await made.create(NAMESPACES, "metallb-system")
    annotations = {"annotations": {"bareway.io/accept-loss": "", "bareway.io/log-level": "debug"}}
    await made.create(CONFIG_MAPS, "config", "metallb-system", metadata=annotations)


async def _namespace(made: Cluster) -> None:
    await made.create(NAMESPACES, OURS, metadata={"labels": {"app": "bareway"}})


async def _objects(made: Cluster) -> None:
    await made.create(NAMESPACES, OURS)  # not made by our manifests, so not ours to delete
    ours = {"metadata": {"labels": {"app": "bareway"}}}
    await made.create(CONFIG_MAPS, "bareway-state", OURS, **ours)
    await made.create(SECRETS, "memberlist", OURS, **ours)
    await made.create(LEASES, "bareway-controller", OURS, **ours)


async def _rights(made: Cluster) -> None:
    made.api.put("ClusterRole", "bareway-controller")
    made.api.put("ClusterRoleBinding", "bareway-speaker")
    made.api.put("RoleBinding", "bareway-speaker", "metallb-system")


async def _programs(made: Cluster) -> None:
    made.deployment(replicas=0)
    made.api.put("DaemonSet", "bareway-speaker", OURS, spec={})


async def _pod(made: Cluster) -> None:
    async def run(_: Sequence[str]) -> Outcome:
        return Outcome()

    made.api.pods.put(OURS, pod_body("bareway-speaker-1"), run)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "words"),
    [
        pytest.param(
            _address_left,
            [Leftover.ADDRESS_LEFT, Leftover.CONDITION_LEFT, Leftover.POOL_NAME_LEFT],
            id="a Service",
        ),
        pytest.param(_pool_name, [], id="a pool's name alone"),
        pytest.param(_move_mark, [Leftover.MOVE_MARK_LEFT], id="a move's mark"),
        pytest.param(_drain_mark, [Leftover.DRAIN_MARK_LEFT], id="a drain's mark"),
        pytest.param(_config_marks, [Leftover.CONFIG_MARK_LEFT] * 2, id="marks on a ConfigMap"),
        pytest.param(_namespace, [Leftover.NAMESPACE_LEFT], id="the namespace"),
        pytest.param(_objects, [Leftover.OBJECT_LEFT] * 3, id="objects elsewhere"),
        pytest.param(_rights, [Leftover.RIGHTS_LEFT] * 3, id="rights"),
        pytest.param(_programs, [Leftover.PROGRAM_LEFT] * 2, id="programs"),
        pytest.param(_pod, [Leftover.PROGRAM_LEFT], id="a Pod alone"),
    ],
)
async def test_whatever_is_left_is_found(
    plant: Any, words: list[Leftover], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        assert await words_left(made, capsys) == []
        await plant(made)
        assert await words_left(made, capsys) == sorted(words)


@pytest.mark.slow
async def test_who_is_faster_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10")
        made.api.faults.add(Fault.CONFLICT, verb="patch", resource="services", times=2)
        assert await made.bareway("--yes") == 0
        assert await words_left(made, capsys) == []
        await made.service("mail", "192.0.2.11")
        made.api.faults.add(Fault.CONFLICT, verb="patch", resource="services", times=None)
        assert await made.bareway("--yes") == 1
        assert "Still there (1):\n  Service default/mail: " in capsys.readouterr().out
        made.api.faults.clear()
        assert await made.bareway("--yes") == 0
        assert await words_left(made, capsys) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resource", "code", "left"),
    [
        pytest.param("services", 2, [], id="Services"),
        pytest.param("nodes", 1, [Leftover.ADDRESS_LEFT], id="Nodes, and something is left"),
        pytest.param("clusterroles", 1, [Leftover.ADDRESS_LEFT], id="rights, and something is left"),
    ],
)
async def test_what_may_not_be_looked_at_is_said(
    resource: str, code: int, left: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10")
        made.api.faults.add(Fault.FORBIDDEN, verb="list", resource=resource, times=None)
        assert await made.bareway("--verify", "-o", "json") == code
        page = json.loads(capsys.readouterr().out)
        assert [one["subject"] for one in page["unknown"]] == [resource]
        assert f"kubectl auth can-i list {resource}" in page["unknown"][0]["remedy"]
        assert set(left) <= {one["word"] for one in page["leftovers"]}


@pytest.mark.slow
async def test_without_a_cluster_nothing_is_said_to_be_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kubeconfig").write_text(kubeconfig("http://127.0.0.1:1"))
    words = ["uninstall", "--verify", "--kubeconfig", str(tmp_path / "kubeconfig")]
    assert await asyncio.to_thread(main, words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "the cluster cannot be asked" in printed.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "refused"),
    [
        pytest.param("empty", (), id="never installed"),
        pytest.param("broken", ("services", "nodes", "deployments"), id="rights are missing"),
    ],
)
async def test_it_answers_as_promised(
    name: str, refused: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ""
    async with cluster(tmp_path) as made:
        for resource in refused:
            made.api.faults.add(Fault.FORBIDDEN, verb="list", resource=resource, times=None)
        for words in ((), ("--verify",), ("--yes",)):
            code = await made.bareway(*words)
            printed = capsys.readouterr()
            page += f"$ bareway uninstall {' '.join(words)}\n{printed.out}{printed.err}[{code:d}]\n\n"
    assert is_golden(f"uninstall-{name}.txt", page)
