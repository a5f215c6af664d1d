"""bareway uninstall beside others: another Bareway, MetalLB, and who wrote over what was ours."""

from pathlib import Path

import pytest

from apiserver.faults import Fault
from bareway.decide.answers.leftovers import Leftover, RemovalRefusal
from bareway.model.names import ObjectKey
from bareway.resources.in_force import write_in_force
from bareway.resources.kinds import CONFIG_MAPS, NAMESPACES, NODES, SERVICES
from support.departed import FOREIGN, MOVE, OURS, POOL, cluster, words_left


@pytest.mark.slow
async def test_it_refuses_while_a_bareway_runs_in_another_namespace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where -n was forgotten."""
    async with cluster(tmp_path) as made:
        speaker = {"app": "bareway", "component": "speaker"}
        made.api.put("DaemonSet", "bareway-speaker", "lb-system", labels=speaker, spec={})
        await made.service("web", "192.0.2.10", annotations={MOVE: "node2"})
        await made.mark("node2")
        before = await made.raw("web")
        assert await made.bareway("--yes") == 1
        said = capsys.readouterr().out
        assert said.startswith(f"{RemovalRefusal.PROGRAMS_RUN}: ")
        assert "Bareway runs in namespace lb-system (DaemonSet lb-system/bareway-speaker)" in said
        assert "bareway uninstall -n lb-system " in said
        assert await made.bareway() == 0
        planned = capsys.readouterr().out
        assert "Bareway runs in namespace lb-system" in planned
        assert "1. bareway uninstall -n lb-system\n" in planned
        assert "node2" not in planned
        assert await words_left(made, capsys) == [Leftover.PROGRAM_LEFT]
        assert await made.raw("web") == before
        assert (await made.client.read(NODES, ObjectKey("", "node2"))).drain == "new disk"
        assert await made.bareway("--yes", "-n", "lb-system") == 0  # its controller is gone already
        assert await made.raw("web") != before


@pytest.mark.slow
async def test_a_bareway_elsewhere_that_runs_nothing_hinders_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        controller = {"app": "bareway", "component": "controller"}
        made.api.put("Deployment", "bareway-controller", "lb-system", labels=controller, spec={"replicas": 0})
        await made.service("web", "192.0.2.10")
        assert await made.bareway("--yes") == 0
        assert await words_left(made, capsys) == []


@pytest.mark.slow
async def test_an_address_that_somebody_else_wrote_over_ours_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.create(NAMESPACES, OURS)
        pools = "address-pools: [{name: public, protocol: layer2, addresses: [192.0.2.16/28]}]"
        data = write_in_force(pools, generation=1, source="a test")
        await made.create(CONFIG_MAPS, "bareway-config", OURS, data=data)
        for name, shown in (
            ("theirs", "203.0.113.7"),
            ("ours", "192.0.2.17"),
            ("both", "192.0.2.10 203.0.113.8"),
        ):
            await made.service(name, "192.0.2.10")
            ingress = [{"ip": one} for one in shown.split()]
            status = {"loadBalancer": {"ingress": ingress}}
            await made.client.merge_patch(SERVICES.path("default", name, "status"), {"status": status})
        note = "Service default/theirs keeps 203.0.113.7: neither our condition nor our pools name that."
        for words in ((), ("--yes",)):
            assert await made.bareway(*words) == 0
            assert note in capsys.readouterr().out
        left = [(await made.raw(name))["status"] for name in ("theirs", "ours", "both")]
        assert left == [
            {"loadBalancer": {"ingress": [{"ip": "203.0.113.7", "ipMode": "VIP"}]}, "conditions": [FOREIGN]},
            {"loadBalancer": {}, "conditions": [FOREIGN]},
            {"loadBalancer": {"ingress": [{"ip": "203.0.113.8", "ipMode": "VIP"}]}, "conditions": [FOREIGN]},
        ]


@pytest.mark.slow
async def test_what_metallb_may_have_written_is_left_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10", annotations={POOL: "public"}, foreign=True)
        made.api.put("DaemonSet", "speaker", "metallb-system", labels={"app": "metallb"}, spec={})
        before = await made.raw("web")
        assert await words_left(made, capsys) == []
        assert await made.bareway("--yes") == 0
        assert await made.raw("web") == before


@pytest.mark.slow
@pytest.mark.parametrize("conflicts", [0, 2], ids=["at once", "decided anew, since somebody was faster"])
async def test_after_the_way_back_to_metallb_no_service_loses_its_address(
    conflicts: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10")
        made.api.put("Deployment", "controller", "metallb-system", labels={"app": "metallb"}, spec={})
        assert await words_left(made, capsys) == [Leftover.CONDITION_LEFT]
        assert await made.bareway() == 0
        assert "1 Service keeps its address: another load balancer serves" in capsys.readouterr().out
        for _ in range(conflicts):
            made.api.faults.add(Fault.CONFLICT, verb="patch", resource="services", times=1)
        assert await made.bareway("--yes") == 0
        web = await made.raw("web")
        assert web["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.10", "ipMode": "VIP"}]
        assert web["metadata"]["annotations"] == {POOL: "public"}
        assert web["status"]["conditions"] == [FOREIGN]


@pytest.mark.slow
async def test_what_others_call_bareway_is_theirs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with cluster(tmp_path) as made:
        made.api.put("ClusterRole", "shop-reader")  # with our label
        made.api.put("Deployment", "bareway", "shop", spec={"replicas": 1})
        assert await words_left(made, capsys) == []
        assert await made.bareway("--yes") == 0


@pytest.mark.slow
async def test_in_doubt_whether_metallb_is_there_its_annotation_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path) as made:
        await made.service("web", "192.0.2.10")
        made.api.faults.add(Fault.FORBIDDEN, verb="list", resource="daemonsets", times=None)
        before = await made.raw("web")
        assert await words_left(made, capsys) == [Leftover.CONDITION_LEFT]
        assert await made.bareway("--yes") == 0
        after = await made.raw("web")
        assert after["metadata"]["annotations"] == before["metadata"]["annotations"] == {POOL: "public"}
        assert after["status"]["loadBalancer"] == before["status"]["loadBalancer"]
