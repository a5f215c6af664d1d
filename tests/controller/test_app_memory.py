"""The whole controller, as users see it: conditions, what it remembers, and what others write over."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from apiserver import Fault
from apiserver.kinds import CONFIG_MAPS
from controller.settings import Settings
from support.controllers import FOUR, NAMESPACE, Cluster
from support.until import until

pytestmark = pytest.mark.slow

HOLDS = FOUR.replace("}]", ", hold-after-delete: 60s}]")
OLDEST = FOUR.replace("}]", ", reuse: oldest}]")
OTHERS = [{"type": "example.com/Ready", "status": "True", "reason": "Fine", "message": "x"}]


def state(cluster: Cluster) -> Mapping[str, Any]:
    """What is stored in ``bareway-state``."""
    data = cluster.one(CONFIG_MAPS, NAMESPACE, "bareway-state").get("data", {})
    found: Mapping[str, Any] = json.loads(data.get("memory", "{}"))
    return found


async def write_status(cluster: Cluster, name: str, status: Mapping[str, Any]) -> None:
    """As somebody does with ``kubectl edit --subresource=status``."""
    path = f"/api/v1/namespaces/default/services/{name}/status"
    await cluster.client.merge_patch(path, {"status": status})


def shows(*addresses: str) -> Mapping[str, Any]:
    return {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}}


# ------------------------------------------------------------ conditions


async def test_conditions_of_others_are_kept_and_ours_is_gone_with_the_type(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    await cluster.create("web")
    await write_status(cluster, "web", {"conditions": OTHERS})
    others = cluster.service("web")["status"]["conditions"]
    async with cluster.controller():
        await until(lambda: cluster.condition("web")[0] == "True")
        assert cluster.service("web")["status"]["conditions"][0] == others[0]
        await cluster.change("web", {"spec": {"type": "ClusterIP"}})
        await until(lambda: cluster.condition("web")[0] == "")
    assert cluster.service("web")["status"] == {"loadBalancer": {}, "conditions": others}
    assert cluster.pool("web") is None


async def test_the_condition_says_false_and_why_until_there_is_an_address(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web", annotations={"metallb.io/address-pool": "gold"})
        await until(lambda: cluster.condition("web") == ("False", "NoSuchPool", 'unknown pool "gold"'))
        await cluster.change("web", {"metadata": {"annotations": {"metallb.io/address-pool": "a"}}})
        await until(lambda: cluster.condition("web")[0] == "True")
    (condition,) = cluster.service("web")["status"]["conditions"]
    assert condition["reason"] == "Assigned"
    assert condition["lastTransitionTime"].endswith("Z")


async def test_neither_address_nor_condition_nor_event_is_written_again_after_a_restart(
    cluster: Cluster,
) -> None:
    await cluster.configure(FOUR)
    for name in "abcdef":
        await cluster.create(name)
    async with cluster.controller():
        await until(lambda: len(cluster.shown()) == 4 and cluster.events("e") and cluster.events("f"))
    cluster.api.requests.clear()
    async with cluster.controller():
        await cluster.until_settled()
    about_others = [
        path
        for method, path in cluster.api.requests
        if method in {"PATCH", "PUT", "POST"}
        and "zzz" not in path
        and "lease" not in path
        and "review" not in path
    ]
    assert [path for path in about_others if "/services/" in path or "configmaps" in path] == []
    assert len([path for path in about_others if "/events" in path]) <= 2, "of the one that came last"


# ------------------------------------------------------------ edits by hand


@pytest.mark.parametrize("edited", [("192.0.2.3",), (), ("10.9.9.9",)], ids=["another", "none", "outside"])
async def test_a_status_edited_by_hand_is_corrected_and_said(
    cluster: Cluster, edited: tuple[str, ...]
) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.events("web"))
        await write_status(cluster, "web", shows(*edited))
        await until(lambda: len(cluster.events("web")) == 2)
        assert cluster.ingress("web") == ["192.0.2.0"]
    told = dict(cluster.events("web"))
    assert set(told) == {"IPAllocated", "StatusCorrected"}
    assert told["StatusCorrected"].endswith('it shows ["192.0.2.0"] again')


async def test_an_address_that_is_written_by_hand_to_an_older_service_stays_where_it_was(
    cluster: Cluster,
) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("a")
        await cluster.create("b")
        await until(lambda: len(cluster.shown()) == 2)
        before = dict(cluster.shown())
        await write_status(cluster, "a", shows(*before["b"]))
        await until(lambda: any(reason == "StatusCorrected" for reason, _ in cluster.events("a")))
        await cluster.until_settled()
    assert cluster.shown() == before
    assert [reason for reason, _ in cluster.events("b")] == ["IPAllocated"]


async def test_who_writes_over_a_status_without_end_is_not_followed_without_end(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        for _ in range(20):
            await write_status(cluster, "web", shows("192.0.2.3"))
            await cluster.until_settled()
        corrections = [write for write in cluster.writes() if "services/web/status" in write]
        assert len(corrections) - 20 <= 8
        await cluster.delete("web")


# ------------------------------------------------------------ memory


async def test_an_address_waits_for_the_name_of_its_service_also_over_a_restart(cluster: Cluster) -> None:
    await cluster.configure(HOLDS)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: state(cluster).get("holders") == {"192.0.2.0": ["default/web"]})
        await cluster.delete("web")
        await until(lambda: "192.0.2.0" in state(cluster).get("holds", {}))
    async with cluster.controller():
        await cluster.create("another")
        await until(lambda: cluster.ingress("another") == ["192.0.2.1"])
        await cluster.create("web")
        await until(lambda: cluster.ingress("web") == ["192.0.2.0"])


async def test_a_release_while_no_controller_runs_is_noticed(cluster: Cluster) -> None:
    await cluster.configure(HOLDS)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: state(cluster).get("holders") == {"192.0.2.0": ["default/web"]})
    await cluster.delete("web")
    async with cluster.controller():
        await cluster.create("another")
        await until(lambda: cluster.ingress("another"))
    assert cluster.ingress("another") == ["192.0.2.1"]


async def test_the_oldest_free_address_is_reused_and_the_memory_is_written_before(cluster: Cluster) -> None:
    await cluster.configure(OLDEST)
    async with cluster.controller():
        for name in "abcd":
            await cluster.create(name)
        await until(lambda: len(cluster.shown()) == 4)
        await until(lambda: len(state(cluster).get("holders", {})) == 4)
        cluster.api.faults.add(Fault.ERROR, verb="update", resource="configmaps", times=None)
        cluster.api.requests.clear()
        await cluster.delete("c")
        await cluster.create("e")
        await cluster.until_settled()
        assert cluster.ingress("e") == []
        cluster.api.faults.clear()
        await until(lambda: cluster.ingress("e") == ["192.0.2.2"], within_s=15)
    writes = [write for write in cluster.writes() if "bareway-state" in write or "services/e" in write]
    assert writes.index("PATCH /api/v1/namespaces/default/services/e/status") >= 2
    assert set(writes[:2]) == {"PUT /api/v1/namespaces/bareway-system/configmaps/bareway-state"}


async def test_without_a_pool_that_remembers_no_state_is_written(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        await cluster.until_settled()
    assert not any("bareway-state" in write for write in cluster.writes())


async def test_a_state_that_cannot_be_read_is_written_anew(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"metadata": {"name": "bareway-state"}, "data": {"memory": "nonsense"}}
    await cluster.client.create(f"/api/v1/namespaces/{NAMESPACE}/configmaps", body)
    await cluster.configure(HOLDS)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: '"default/web"' in str(cluster.one(CONFIG_MAPS, NAMESPACE, "bareway-state")))
    assert "what was remembered of addresses cannot be read and is written anew" in caplog.messages


async def test_many_services_of_a_pool_that_remembers_are_few_writes_of_the_state(cluster: Cluster) -> None:
    await cluster.configure(HOLDS.replace("/30", "/24"))
    async with cluster.controller():
        for number in range(60):
            await cluster.create(f"s{number}")
        await until(lambda: len(cluster.shown()) == 60)
        await until(lambda: len(state(cluster).get("holders", {})) == 60)
    assert sum("bareway-state" in write for write in cluster.writes()) <= 6


# ------------------------------------------------------------ namespaces, losses


async def test_a_pool_for_some_namespaces_opens_when_the_label_comes(cluster: Cluster) -> None:
    selectors = "namespace-selectors: [{match-labels: {team: shop}}]"
    await cluster.configure(FOUR.replace("}]", f", {selectors}}}]"))
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.condition("web")[0] == "False")
        await cluster.client.merge_patch(
            "/api/v1/namespaces/default", {"metadata": {"labels": {"team": "shop"}}}
        )
        await until(lambda: cluster.ingress("web"))


async def test_a_loss_that_was_accepted_comes_into_force_and_everybody_is_told(cluster: Cluster) -> None:
    other = "address-pools: [{name: b, protocol: layer2, addresses: [198.51.100.0/30]}]"
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        await cluster.configure(other)
        await until(lambda: len(cluster.events("config")) == 2)
        message = dict(cluster.events("config"))["ConfigurationTakesAddressesAway"]
        digest = message.rpartition("bareway.io/accept-loss=")[2].split(";")[0]
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/config"
        await cluster.client.merge_patch(
            path, {"metadata": {"annotations": {"bareway.io/accept-loss": digest}}}
        )
        await until(lambda: cluster.ingress("web") == ["198.51.100.0"])
        await until(lambda: len(cluster.events("web")) == 3)
    reasons = sorted(reason for reason, _ in cluster.events("web"))
    assert reasons == ["ClearAssignment", "IPAllocated", "IPAllocated"]


async def test_a_thousand_edits_of_one_service_cost_others_nothing_and_it_few_writes(
    cluster: Cluster,
) -> None:
    await cluster.configure(FOUR)
    settings = Settings(socket=None, http_port=0)
    async with cluster.controller(settings):
        await cluster.create("busy")
        await until(lambda: cluster.ingress("busy"))
        for number in range(300):
            await cluster.change("busy", {"metadata": {"labels": {"edit": str(number)}}})
        await cluster.create("other")
        await until(lambda: cluster.ingress("other"))
    assert len([write for write in cluster.writes() if "services/busy/status" in write]) == 1
