"""Effects done on the embedded API server, with answers that get lost on the way."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import pytest

from apiserver import Fault
from bareway.model.memory import AllocationMemory
from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.services import Condition, Service
from bareway.resources.configurations import read_configuration
from bareway.resources.events import EventType
from bareway.resources.in_force import InForce, digest
from bareway.resources.kinds import SERVICES
from bareway.resources.state import read_state
from bareway.runtime.kube.errors import Unreachable
from controller.allocation.assumptions import Memory
from controller.writing.apply import IN_FLIGHT, NAMED_MAX, Api, Applier, Outcome
from controller.writing.effects import (
    ClearIngress,
    Confirm,
    CreateKey,
    Emit,
    Notice,
    SetCondition,
    SetIngress,
    WriteConfiguration,
    WriteState,
)
from controller.writing.notices import EventReason
from support.builders import ips
from support.controllers import FOUR, NAMESPACE, Cluster

pytestmark = pytest.mark.slow


GOOD = Condition(is_true=True, reason="Assigned", message="assigned", since="2026-01-01T00:00:00Z")
BAD = Condition(is_true=False, reason="NoFreeAddress", message="none", since="2026-01-01T00:00:00Z")


class Told:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.about: list[ObjectReference] = []

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        self.reasons.append(reason)
        self.about.append(about)


class Between:
    """A client whose answers to patches get lost or say more, and that counts how many wait for theirs."""

    def __init__(self, client: Api, *, loses_answers: bool = False) -> None:
        self._client = client
        self._loses_answers = loses_answers
        self.replaces = (b"", b"")
        """What stands in an answer, and what is to stand there."""
        self._under_way = 0
        self.most_under_way = 0

    async def create(self, path: str, body: Mapping[str, object]) -> bytes:
        return await self._client.create(path, body)

    async def replace(self, path: str, body: Mapping[str, object]) -> bytes:
        return await self._client.replace(path, body)

    async def merge_patch(self, path: str, body: Mapping[str, object]) -> bytes:
        self._under_way += 1
        self.most_under_way = max(self.most_under_way, self._under_way)
        await asyncio.sleep(0)
        answer = await self._client.merge_patch(path, body)
        self._under_way -= 1
        if self._loses_answers:
            raise Unreachable("the answer was lost")
        old, new = self.replaces
        return answer.replace(old, new) if old else answer


class Rig:
    """An applier and all that it touches."""

    def __init__(self, cluster: Cluster, *, loses_answers: bool = False) -> None:
        self.client = Between(cluster.client, loses_answers=loses_answers)
        self.memory = Memory()
        self.told = Told()
        self.applier = Applier(self.client, self.told, self.memory, random_bytes=lambda n: b"k" * n)
        self._cluster = cluster

    async def service(self, name: str) -> Service:
        """As the mirror has it."""
        return await self._cluster.client.read(SERVICES, ObjectKey("default", name))


def assign(service: Service, *addresses: str) -> SetIngress:
    return SetIngress(
        service=service,
        addresses=ips(*addresses),
        pool="a",
        condition=GOOD,
        then=tuple(news("IPAllocated")),
    )


def news(*reasons: str) -> Iterable[Emit]:
    about = ObjectReference(kind="Service", key=ObjectKey("default", "web"))
    for reason in reasons:
        yield Emit(about=about, notice=Notice(type=EventType.NORMAL, reason=reason, message="…"))


def in_force(generation: int) -> InForce:
    configuration = read_configuration(FOUR).configuration
    assert configuration is not None
    return InForce(
        configuration=configuration,
        document=FOUR,
        sha256=digest(FOUR),
        generation=generation,
        source="a test",
    )


async def test_what_was_assigned_is_shown_noted_and_told(cluster: Cluster) -> None:
    await cluster.create("web")
    rig = Rig(cluster)
    before = await rig.service("web")
    assert await rig.applier.apply([assign(before, "192.0.2.1")]) == Outcome(done=1)
    assert (cluster.ingress("web"), cluster.pool("web")) == (["192.0.2.1"], "a")
    assert rig.memory.services.shown({before.key: before})[before.key] == await rig.service("web")
    assert rig.told.reasons == ["IPAllocated"]


async def test_what_the_api_server_made_of_a_write_counts(cluster: Cluster) -> None:
    await cluster.create("web")
    rig = Rig(cluster)
    rig.client.replaces = (b"192.0.2.1", b"192.0.2.2")
    before = await rig.service("web")
    await rig.applier.apply([assign(before, "192.0.2.1")])
    assert rig.memory.services.shown({before.key: before})[before.key].ingress == ips("192.0.2.2")


async def test_what_was_released_is_gone_under_every_prefix(cluster: Cluster) -> None:
    await cluster.create("web", annotations={"metallb.universe.tf/ip-allocated-from-pool": "old"})
    rig = Rig(cluster)
    await rig.applier.apply([assign(await rig.service("web"), "192.0.2.1")])
    assert await rig.applier.apply([ClearIngress(service=await rig.service("web"))]) == Outcome(done=1)
    assert cluster.ingress("web") == []
    assert not any("ip-allocated" in key for key in cluster.service("web")["metadata"].get("annotations", {}))


async def test_a_write_over_a_version_that_is_no_more_is_outdated_and_nothing_is_told(
    cluster: Cluster,
) -> None:
    await cluster.create("web")
    rig = Rig(cluster)
    before = await rig.service("web")
    await cluster.change("web", {"metadata": {"labels": {"a": "b"}}})
    assert await rig.applier.apply([assign(before, "192.0.2.1")]) == Outcome(outdated=1)
    assert (cluster.ingress("web"), rig.told.reasons, len(rig.memory.services)) == ([], [], 0)


@pytest.mark.parametrize(
    ("fault", "doubtful"),
    [
        pytest.param(Fault.LOST, True, id="an answer that is lost"),
        pytest.param(Fault.ERROR, True, id="an error of the server"),
        pytest.param(Fault.FORBIDDEN, False, id="a clear no"),
    ],
)
async def test_whether_a_configuration_is_in_force_is_in_doubt_where_no_answer_says(
    cluster: Cluster, fault: Fault, *, doubtful: bool
) -> None:
    cluster.api.faults.add(fault, verb="create", resource="configmaps")
    rig = Rig(cluster)
    key = ObjectKey(NAMESPACE, "bareway-config")
    write = WriteConfiguration(key=key, over="", in_force=in_force(1))
    assert await rig.applier.apply([write]) == Outcome(failed=1)
    assert rig.memory.configurations.is_doubtful(key) is doubtful


async def test_a_service_that_was_deleted_is_outdated(cluster: Cluster) -> None:
    await cluster.create("web")
    rig = Rig(cluster)
    before = await rig.service("web")
    await cluster.delete("web")
    assert await rig.applier.apply([assign(before, "192.0.2.1")]) == Outcome(outdated=1)


async def test_an_answer_that_is_lost_leaves_the_address_held_but_not_shown(cluster: Cluster) -> None:
    await cluster.create("web")
    rig = Rig(cluster, loses_answers=True)
    before = await rig.service("web")
    assert await rig.applier.apply([assign(before, "192.0.2.1")]) == Outcome(failed=1)
    assert cluster.ingress("web") == ["192.0.2.1"], "it was written all the same"
    mirrored = {before.key: before}
    rig.memory.services.prune(mirrored)
    assert rig.memory.services.shown(mirrored)[before.key].ingress == ()
    assert rig.memory.services.held(mirrored)[before.key].ingress == ips("192.0.2.1")
    assert rig.told.reasons == []


async def test_what_is_to_be_said_of_a_write_waits_for_its_answer_or_for_the_mirror(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await cluster.create("web")
    rig = Rig(cluster, loses_answers=True)
    write = assign(await rig.service("web"), "192.0.2.1")
    await rig.applier.apply([write])
    assert (rig.memory.unanswered, rig.told.reasons) == ({write.service.key: write}, [])
    assert await rig.applier.apply([Confirm(write=write)]) == Outcome()
    assert rig.told.reasons == ["IPAllocated"]
    assert [r.getMessage() for r in caplog.records].count("address assigned") == 1


async def test_a_write_that_was_answered_at_last_waits_for_nothing(cluster: Cluster) -> None:
    await cluster.create("web")
    cluster.api.faults.add(Fault.DROP, verb="patch", resource="services/status")
    rig = Rig(cluster)
    write = assign(await rig.service("web"), "192.0.2.1")
    assert await rig.applier.apply([write]) == Outcome(failed=1)
    assert await rig.applier.apply([write]) == Outcome(done=1)
    assert (rig.memory.unanswered, rig.told.reasons) == ({}, ["IPAllocated"])


@pytest.mark.parametrize(
    ("fault", "held"),
    [
        pytest.param(Fault.ERROR, True, id="an error of the server leaves it open"),
        pytest.param(Fault.DROP, True, id="a lost connection leaves it open"),
        pytest.param(Fault.FORBIDDEN, False, id="a clear no does not"),
        pytest.param(Fault.BUSY, False, id="nor does one for now"),
    ],
)
async def test_only_what_may_have_happened_is_held(cluster: Cluster, fault: Fault, *, held: bool) -> None:
    await cluster.create("web")
    cluster.api.faults.add(fault, verb="patch", resource="services/status")
    rig = Rig(cluster)
    assert await rig.applier.apply([assign(await rig.service("web"), "192.0.2.1")]) == Outcome(failed=1)
    assert len(rig.memory.services) == held


async def test_one_failure_keeps_no_other_effect_from_being_done(cluster: Cluster) -> None:
    for name in ("a", "b", "c"):
        await cluster.create(name)
    cluster.api.faults.add(Fault.ERROR, verb="patch", resource="services/status", name="b", times=None)
    rig = Rig(cluster)
    effects = [assign(await rig.service(name), f"192.0.2.{n}") for n, name in enumerate("abc")]
    assert await rig.applier.apply([*effects, *news("AllocationFailed")]) == Outcome(done=2, failed=1)
    assert cluster.shown() == {"a": ["192.0.2.0"], "c": ["192.0.2.2"]}
    assert sorted(rig.told.reasons) == ["AllocationFailed", "IPAllocated", "IPAllocated"]


async def test_no_more_writes_are_under_way_than_the_limit_says(cluster: Cluster) -> None:
    names = [f"s{n}" for n in range(2 * IN_FLIGHT + 1)]
    for name in names:
        await cluster.create(name)
    rig = Rig(cluster)
    effects = [assign(await rig.service(name), f"192.0.2.{n}") for n, name in enumerate(names)]
    assert await rig.applier.apply(effects) == Outcome(done=len(names))
    assert rig.client.most_under_way == IN_FLIGHT


async def test_it_is_busy_while_it_writes_and_not_before_or_after(cluster: Cluster) -> None:
    rig = Rig(cluster)
    busy: list[bool] = []
    rig.told.emit = lambda *_: busy.append(rig.applier.is_busy)  # type: ignore[method-assign]  # called meanwhile
    assert not rig.applier.is_busy
    await rig.applier.apply(news("IPAllocated"))
    assert busy == [True]
    assert not rig.applier.is_busy


async def test_a_condition_alone_and_what_is_remembered_are_written_and_noted(cluster: Cluster) -> None:
    await cluster.create("web")
    rig = Rig(cluster)
    before = await rig.service("web")
    effect = SetCondition(service=before, condition=BAD, then=tuple(news("AllocationFailed")))
    key = ObjectKey(NAMESPACE, "bareway-state")
    state = WriteState(key=key, over="", memory=AllocationMemory(freed={ips("192.0.2.1")[0]: 7}))
    assert await rig.applier.apply([effect, state]) == Outcome(done=2)
    assert cluster.condition("web") == ("False", "NoFreeAddress", "none")
    assert rig.told.reasons == ["AllocationFailed"]
    assert rig.memory.services.shown({before.key: before})[before.key].condition == BAD
    assert read_state(rig.memory.states.shown({})[key]) == state.memory
    again = WriteState(key=key, over="1", memory=AllocationMemory())
    assert await rig.applier.apply([again, effect]) == Outcome(outdated=2)


async def test_a_configuration_is_created_and_then_replaced(cluster: Cluster) -> None:
    key = ObjectKey(NAMESPACE, "bareway-config")
    rig = Rig(cluster)
    assert await rig.applier.apply([WriteConfiguration(key=key, over="", in_force=in_force(1))]) == Outcome(
        done=1
    )
    first = rig.memory.configurations.shown({})[key]
    assert dict(first.data) == cluster.in_force()
    second = WriteConfiguration(key=key, over=first.resource_version, in_force=in_force(2))
    assert await rig.applier.apply([second]) == Outcome(done=1)
    assert cluster.in_force()["generation"] == "2"


@pytest.mark.parametrize("over", ["", "1"], ids=["created twice", "replaced over an old version"])
async def test_a_configuration_that_somebody_else_wrote_is_not_written_over(
    cluster: Cluster, over: str
) -> None:
    key = ObjectKey(NAMESPACE, "bareway-config")
    rig = Rig(cluster)
    await rig.applier.apply([WriteConfiguration(key=key, over="", in_force=in_force(7))])
    again = WriteConfiguration(key=key, over=over, in_force=in_force(8))
    assert await rig.applier.apply([again]) == Outcome(outdated=1)
    assert cluster.in_force()["generation"] == "7"


async def test_an_existing_key_is_not_written_over(cluster: Cluster) -> None:
    key = ObjectKey(NAMESPACE, "memberlist")
    rig = Rig(cluster)
    assert await rig.applier.apply([CreateKey(key=key)]) == Outcome(done=1)
    assert await rig.applier.apply([CreateKey(key=key)]) == Outcome(outdated=1)


async def test_a_namespace_that_is_missing_is_a_failure_that_is_logged_once(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(cluster)
    effect = CreateKey(key=ObjectKey("nowhere", "memberlist"))
    for _ in range(3):
        assert await rig.applier.apply([effect]) == Outcome(failed=1)
    ((count, objects, error),) = failures_told(caplog)
    assert (count, objects) == (1, ["Secret nowhere/memberlist"])
    assert "nowhere" in error


async def test_many_failures_of_one_pass_are_one_line_with_their_number_and_the_first_few(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    effects = await assign_all(cluster, [f"s{n:02}" for n in range(60)])
    cluster.api.faults.add(Fault.FORBIDDEN, verb="patch", resource="services/status", times=None)
    rig = Rig(cluster)
    for _ in range(3):
        assert await rig.applier.apply(effects) == Outcome(failed=60)
    ((count, objects, error),) = failures_told(caplog)
    assert (count, objects) == (60, [f"Service default/s{n:02}" for n in range(NAMED_MAX)])
    assert "/default/services/s00/status: 403 Forbidden" in error
    assert rig.told.reasons == [EventReason.WRITE_FORBIDDEN]
    assert [(about.kind, str(about.key)) for about in rig.told.about] == [("Service", "default/s00")]


async def test_a_failure_is_told_again_when_it_is_another_or_came_back(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    effects = await assign_all(cluster, ["a", "b"])
    rig = Rig(cluster)
    for fault, name in [(Fault.FORBIDDEN, "a"), (Fault.FORBIDDEN, ""), (Fault.BUSY, "b")]:
        cluster.api.faults.add(fault, verb="patch", resource="services/status", name=name, times=None)
        await rig.applier.apply(effects)
        cluster.api.faults.clear()
    assert [objects for _, objects, _ in failures_told(caplog)] == [
        ["Service default/a"],
        ["Service default/b"],
        ["Service default/b"],
    ]
    caplog.clear()
    cluster.api.faults.add(Fault.BUSY, verb="patch", resource="services/status", times=None)
    await rig.applier.apply(effects)
    assert [objects for _, objects, _ in failures_told(caplog)] == [["Service default/a"]]


async def test_failures_of_different_kinds_do_not_hide_each_other(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    effects = await assign_all(cluster, ["a", "b", "c"])
    cluster.api.faults.add(Fault.ERROR, verb="patch", resource="services/status", name="b", times=None)
    cluster.api.faults.add(Fault.FORBIDDEN, verb="patch", resource="services/status", times=None)
    assert await Rig(cluster).applier.apply(effects) == Outcome(failed=3)
    assert sorted((objects, error.split()[2]) for _, objects, error in failures_told(caplog)) == [
        (["Service default/a", "Service default/c"], "403"),
        (["Service default/b"], "500"),
    ]


async def assign_all(cluster: Cluster, names: Sequence[str]) -> list[SetIngress]:
    for name in names:
        await cluster.create(name)
    rig = Rig(cluster)
    return [assign(await rig.service(name), f"192.0.2.{n}") for n, name in enumerate(names)]


def failures_told(log: pytest.LogCaptureFixture) -> list[tuple[int, list[str], str]]:
    """Of every line about writes that failed: how many, which, and why."""
    told = [vars(record) for record in log.records if record.getMessage() == "writes failed, trying again"]
    return [(line["count"], line["objects"], line["error"]) for line in told]
