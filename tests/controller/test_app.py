"""The whole controller in this process, against the embedded API server: what users see of it."""

import base64

import pytest

from apiserver import Fault
from controller.settings import Settings
from controller.writing.notices import EventReason
from support.controllers import FOUR, NAMESPACE, Cluster
from support.until import until

pytestmark = pytest.mark.slow

TWO = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/31]}]"


async def test_a_service_gets_its_address_its_mark_and_its_event(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.events("web"))
    assert cluster.ingress("web") == ["192.0.2.0"]
    assert cluster.pool("web") == "a"
    assert cluster.condition("web") == ("True", "Assigned", 'assigned ["192.0.2.0"] from pool a')
    assert cluster.events("web") == [("IPAllocated", 'Assigned IP ["192.0.2.0"]')]


async def test_status_and_mark_are_one_write(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        await cluster.until_settled()
    assert [w for w in cluster.writes() if "web" in w] == [
        "PATCH /api/v1/namespaces/default/services/web/status"
    ]


async def test_services_that_wait_are_told_once_and_served_as_soon_as_an_address_is_free(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    why = "no available IPs; no available IPs in pool a"
    await cluster.configure(TWO)
    for name in "abcd":
        await cluster.create(name)
    async with cluster.controller():
        await until(lambda: len(cluster.shown()) == 2 and cluster.events("c") and cluster.events("d"))
        assert cluster.condition("d") == ("False", "NoFreeAddress", why)
        assert cluster.events("d") == [("AllocationFailed", f'Failed to allocate IP for "default/d": {why}')]
        await cluster.delete("a")
        await until(lambda: cluster.ingress("c") == ["192.0.2.0"])
        await cluster.delete("b")
        await until(lambda: cluster.ingress("d") == ["192.0.2.1"])
        await cluster.until_settled()
    assert [reason for reason, _ in cluster.events("d")].count("AllocationFailed") == 1
    told = [str(vars(record).get("detail")) for record in caplog.records]
    assert [detail for detail in told if "default/d" in detail] == [
        f'Failed to allocate IP for "default/d": {why}'
    ]


async def test_a_service_that_loses_its_type_gives_its_address_back_to_who_waits(cluster: Cluster) -> None:
    await cluster.configure(TWO.replace("/31", "/32"))
    async with cluster.controller():
        await cluster.create("first")
        await until(lambda: cluster.ingress("first"))
        await cluster.create("second")
        await until(lambda: cluster.events("second"))
        await cluster.change("first", {"spec": {"type": "ClusterIP"}})
        await until(lambda: cluster.ingress("second"))
        assert (cluster.ingress("first"), cluster.pool("first")) == ([], None)
    assert cluster.shown() == {"second": ["192.0.2.0"]}


async def test_a_restart_writes_nothing(cluster: Cluster) -> None:
    await cluster.configure(TWO)
    for name in "abc":
        await cluster.create(name)
    async with cluster.controller():
        await until(lambda: len(cluster.shown()) == 2 and cluster.events("c"))
    cluster.api.requests.clear()
    async with cluster.controller():
        await cluster.until_settled()
    assert [write for write in cluster.writes() if "zzz-last" not in write and "POST" not in write] == []
    assert cluster.shown() == {"a": ["192.0.2.0"], "b": ["192.0.2.1"]}


async def test_a_service_adopted_from_metallb_keeps_its_address_and_gets_the_mark(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    await cluster.create("a-new")
    await cluster.create("web")
    await cluster.show("web", {"ip": "192.0.2.0"})
    async with cluster.controller():
        await until(lambda: cluster.pool("web") and cluster.ingress("a-new"))
        await cluster.until_settled()
    assert cluster.shown() == {"a-new": ["192.0.2.1"], "web": ["192.0.2.0"]}
    assert cluster.events("web") == []


async def test_what_others_write_beside_an_address_stays(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    await cluster.create("web")
    entry = {"ip": "192.0.2.0", "ipMode": "Proxy"}
    await cluster.show("web", entry)
    async with cluster.controller():
        await until(lambda: cluster.pool("web"))
    assert cluster.service("web")["status"]["loadBalancer"]["ingress"] == [entry]


# ------------------------------------------------------------ configuration


async def test_a_bad_configuration_leaves_the_last_good_one_in_force(cluster: Cluster) -> None:
    await cluster.configure(TWO)
    async with cluster.controller():
        await until(lambda: cluster.in_force().get("generation") == "1")
        await cluster.configure(FOUR.replace("name:", "nmae:"))
        await until(lambda: len(cluster.events("config")) == 2)
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
    assert cluster.in_force()["config"] == TWO
    told = dict(cluster.events("config"))
    assert told["ConfigurationAccepted"] == "configuration in force, generation 1"
    message = told["ConfigurationInvalid"]
    assert "the last good one stays in force" in message
    assert "line 1: address-pools[0].nmae: could not parse config: field nmae not found" in message


async def test_a_restart_while_a_bad_configuration_is_pending_changes_nothing(cluster: Cluster) -> None:
    await cluster.configure(TWO)
    await cluster.create("web")
    async with cluster.controller():
        await until(lambda: cluster.ingress("web"))
        await cluster.configure("address-pools: [")
        await until(lambda: len(cluster.events("config")) == 2)
    async with cluster.controller():
        await cluster.create("more")
        await until(lambda: cluster.ingress("more"))
    assert cluster.shown() == {"more": ["192.0.2.1"], "web": ["192.0.2.0"]}
    assert cluster.in_force()["generation"] == "1"
    assert len(cluster.events("config")) == 2, "the same news, also after a restart"


async def test_a_repaired_configuration_comes_into_force(cluster: Cluster) -> None:
    await cluster.configure("address-pools: [")
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.events("config"))
        assert "there is none in force" in cluster.events("config")[0][1]
        await cluster.configure(FOUR)
        await until(lambda: cluster.ingress("web"))
    assert cluster.in_force() == {
        "config": FOUR,
        "generation": "1",
        "sha256": cluster.in_force()["sha256"],
        "source": f"ConfigMap {NAMESPACE}/config",
    }


async def test_a_configuration_that_takes_an_address_in_use_away_is_refused_until_it_is_free(
    cluster: Cluster,
) -> None:
    other = "address-pools: [{name: b, protocol: layer2, addresses: [198.51.100.0/30]}]"
    await cluster.configure(FOUR)
    await cluster.create("web")
    async with cluster.controller():
        await until(lambda: cluster.ingress("web"))
        await cluster.configure(other)
        await until(lambda: len(cluster.events("config")) == 2)
        message = dict(cluster.events("config"))["ConfigurationTakesAddressesAway"]
        assert 'service "default/web" cannot own ["192.0.2.0"] under new config' in message
        assert cluster.in_force()["config"] == FOUR
        await cluster.delete("web")
        await until(lambda: cluster.in_force()["config"] == other)
    assert cluster.in_force()["generation"] == "2"


async def test_without_a_configuration_services_wait_and_nothing_is_touched(cluster: Cluster) -> None:
    await cluster.create("held")
    await cluster.show("held", {"ip": "192.0.2.3"})
    await cluster.create("web")
    async with cluster.controller():
        await until(cluster.secret)
        assert cluster.shown() == {"held": ["192.0.2.3"]}
        await cluster.configure(FOUR)
        await until(lambda: cluster.ingress("web"))
    assert cluster.shown() == {"held": ["192.0.2.3"], "web": ["192.0.2.0"]}


@pytest.mark.parametrize("damage", ["deleted", "edited"])
async def test_a_lost_configuration_in_force_is_written_again(cluster: Cluster, damage: str) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await until(cluster.in_force)
        await cluster.configure("address-pools: [")
        await until(lambda: len(cluster.events("config")) == 2)
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/bareway-config"
        if damage == "deleted":
            await cluster.client.delete(path)
        else:
            await cluster.client.merge_patch(path, {"data": {"config": "address-pools: []"}})
        await until(lambda: cluster.in_force().get("generation") == "2")
    assert cluster.in_force()["config"] == FOUR


# ------------------------------------------------------------ the Secret


async def test_the_key_for_gossip_is_created_when_it_is_missing_and_never_again(cluster: Cluster) -> None:
    async with cluster.controller():
        await until(cluster.secret)
    first = cluster.secret()
    text = base64.b64decode(first["secretkey"], validate=True)
    assert len(base64.b64decode(text, validate=True)) == 32
    async with cluster.controller():
        await cluster.configure(FOUR)
        await until(cluster.in_force)
    assert cluster.secret() == first


# ------------------------------------------------------------ faults


async def test_every_write_may_conflict_a_few_times(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    for name in "abcd":
        await cluster.create(name)
    cluster.api.faults.add(Fault.CONFLICT, resource="services/status", times=10)
    cluster.api.faults.add(Fault.CONFLICT, resource="configmaps", times=2)
    cluster.api.faults.add(Fault.CONFLICT, resource="secrets", times=2)
    async with cluster.controller():
        await until(lambda: len(cluster.shown()) == 4, within_s=20)
    assert sorted(ip for (ip,) in cluster.shown().values()) == [f"192.0.2.{n}" for n in range(4)]


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.DROP, Fault.BUSY])
async def test_a_write_that_fails_is_tried_again(cluster: Cluster, fault: Fault) -> None:
    await cluster.configure(FOUR)
    cluster.api.faults.add(fault, verb="patch", resource="services/status", times=3)
    async with cluster.controller():
        for name in "ab":
            await cluster.create(name)
        await until(lambda: len(cluster.shown()) == 2, within_s=20)
    assert cluster.shown() == {"a": ["192.0.2.0"], "b": ["192.0.2.1"]}


async def test_an_answer_that_is_lost_takes_away_neither_the_event_nor_the_log_line(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    cluster.api.faults.add(Fault.LOST, verb="patch", resource="services/status")
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.events("web"))
        await cluster.until_settled()
    assert cluster.events("web") == [("IPAllocated", 'Assigned IP ["192.0.2.0"]')]
    assert [r.getMessage() for r in caplog.records].count("address assigned") == 1


async def test_an_api_server_that_goes_away_and_comes_back_finds_the_controller_at_work(
    cluster: Cluster,
) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("before")
        await until(lambda: cluster.ingress("before"))
        await cluster.api.stop()
        await cluster.api.start()
        await cluster.create("after")
        await until(lambda: cluster.ingress("after"), within_s=20)
    assert cluster.shown() == {"after": ["192.0.2.1"], "before": ["192.0.2.0"]}


async def test_what_was_written_counts_also_while_the_mirror_lags_behind(cluster: Cluster) -> None:
    await cluster.create("web")
    cluster.api.faults.add(Fault.STALL, verb="watch", resource="services", times=None)
    await cluster.configure(FOUR)
    async with cluster.controller():
        await until(lambda: cluster.ingress("web"))
        await cluster.configure(FOUR + "\n# twice")
        await until(lambda: cluster.in_force().get("generation") == "2")
        await cluster.configure(FOUR + "\n# thrice")
        await until(lambda: cluster.in_force().get("generation") == "3")
        cluster.api.faults.clear()
    assert len([write for write in cluster.writes() if "services/web/status" in write]) == 1


async def test_an_address_counts_as_in_use_also_while_the_mirror_does_not_show_it(cluster: Cluster) -> None:
    await cluster.create("web")
    cluster.api.faults.add(Fault.STALL, verb="watch", resource="services", times=None)
    await cluster.configure(FOUR)
    async with cluster.controller():
        await until(lambda: cluster.ingress("web"))
        await cluster.configure(FOUR.replace("192.0.2", "198.51.100"))
        await until(lambda: len(cluster.events("config")) == 2)
        cluster.api.faults.clear()
    assert cluster.in_force()["config"] == FOUR
    assert cluster.ingress("web") == ["192.0.2.0"]


async def test_a_configuration_counts_as_soon_as_it_is_written_also_while_the_mirror_does_not_show_it(
    cluster: Cluster,
) -> None:
    async with cluster.controller():
        await until(cluster.secret)
    await cluster.configure(FOUR)
    await cluster.create("web")
    cluster.api.faults.add(Fault.STALL, verb="watch", times=None)
    async with cluster.controller():
        await until(lambda: cluster.ingress("web"))
        cluster.api.faults.clear()


async def test_nothing_is_decided_by_a_configuration_that_could_not_be_written(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    await cluster.create("web", annotations={"metallb.io/address-pool": "there-is-none"})
    cluster.api.faults.add(Fault.ERROR, verb="create", resource="configmaps", times=None)
    async with cluster.controller():
        await until(lambda: sum("POST" in write and "configmaps" in write for write in cluster.writes()) > 2)
        assert cluster.events("web") == []
        cluster.api.faults.clear()
        await until(lambda: cluster.events("web"))


async def test_services_of_a_class_are_left_to_the_controller_of_that_class(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    await cluster.create("ours", loadBalancerClass="example.com/ours")
    await cluster.create("default")
    settings = Settings(socket=None, http_port=0, load_balancer_class="example.com/ours")
    async with cluster.controller(settings):
        await until(lambda: cluster.ingress("ours"))
        assert cluster.ingress("default") == []


async def test_a_right_that_is_taken_away_is_told_in_the_log_and_as_an_event_and_the_rest_goes_on(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await until(cluster.in_force)
        cluster.api.faults.add(Fault.FORBIDDEN, verb="watch", resource="secrets", times=None)
        cluster.api.faults.add(Fault.CLOSE, verb="watch", resource="secrets")
        await until(lambda: cluster.events("bareway-config"))
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
    ((reason, sentence),) = cluster.events("bareway-config")
    assert reason == EventReason.RIGHT_MISSING
    assert "secrets" in sentence
    told = [record.levelname for record in caplog.records if vars(record).get("detail") == sentence]
    assert told == ["WARNING"]
    assert "the API server is away" not in caplog.text
