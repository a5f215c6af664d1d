"""From objects in the API to what gossip and the wire are told: a Speaker on the embedded API server."""

import asyncio
import logging
from ipaddress import ip_address
from random import Random

import pytest

from bareway.decide.announcement.announcers import Refusal
from bareway.gossip.events import (
    Announce,
    OwnFacts,
    PeersKnown,
    Wanted,
    Withdraw,
    WithdrawReason,
)
from bareway.model.announcer_lists import Entry, Shard, shard_of
from bareway.model.names import NodeName, ObjectKey
from bareway.model.problems import Problem
from bareway.resources.announcer_lists import LABEL, shard_key, write_shard
from bareway.resources.in_force import IN_FORCE_NAME, write_in_force
from bareway.resources.kinds import CONFIG_MAPS, SECRETS, SERVICES
from bareway.runtime.documents import AT_ONCE_MAX
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from speaker.loop import Speaker
from speaker.settings import Settings, read_settings
from speaker.watch import Watch
from support.builders import ips, names
from support.rig import ETH0, FakeRecorder, FakeWire, rig
from support.until import until
from support.wishes import wanted as wanting

POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
OTHER_POOL = "address-pools:\n- {name: b, protocol: layer2, addresses: [203.0.113.0/24]}\n"
A = ip_address("192.0.2.1")


async def test_gossip_is_told_of_peers_addresses_and_readiness_in_an_order_it_can_use() -> None:
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        await made.node("b", "198.51.100.2")
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        await until(lambda: made.gossip.last(PeersKnown) == PeersKnown(peers=names("b")))
        await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
        assert made.gossip.addresses == {NodeName("b"): Where("198.51.100.2", 7947)}
        kinds = [type(event) for event in made.gossip.told]
        ready = next(n for n, e in enumerate(made.gossip.told) if isinstance(e, OwnFacts) and e.ready)
        assert kinds.index(PeersKnown) < ready
        assert kinds.index(Wanted) < ready


async def test_an_address_of_a_bgp_pool_is_never_wanted_of_gossip() -> None:
    async with rig() as made:
        await made.config(POOL + "- {name: b, protocol: bgp, addresses: [198.51.100.0/24]}\n")
        await made.service("routed", "198.51.100.7")
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        assert made.speaker.decided.withheld == {ObjectKey("default", "routed"): Refusal.IP_NOT_ALLOWED}


async def test_nothing_is_told_twice() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        before = len(made.gossip.told)
        await made.create(SERVICES, "other", "default", spec={"ports": [{"port": 80}]})
        await until(lambda: len(made.watch.services.objects) == 3)
        await made.speaker.look()
        assert len(made.gossip.told) == before


async def test_a_list_that_changes_decides_nothing_anew_but_what_it_lists() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await made.service("mail", "192.0.2.2")
        await until(lambda: made.wanted == wanting({A: None, ip_address("192.0.2.2"): None}).addresses)
        before, decided = made.speaker.wishes, made.speaker.decided
        shard = Shard(generation=4, entries={A: Entry(generation=4, nodes=(NodeName("b"),))})
        key = shard_key("bareway-system", shard_of(A))
        await made.create(CONFIG_MAPS, key.name, key.namespace, labels=LABEL, data=write_shard(shard))
        await until(lambda: made.speaker.wishes[A].generation == 4)
        assert made.wanted == made.speaker.wishes
        assert made.speaker.decided is decided
        assert made.speaker.wishes[ip_address("192.0.2.2")] is before[ip_address("192.0.2.2")]
        await made.service("more", "192.0.2.3")
        await until(lambda: ip_address("192.0.2.3") in made.speaker.wishes)
        assert made.speaker.wishes[A].nodes == (NodeName("b"),)


async def test_static_members_need_no_nodes() -> None:
    async with rig("--members=a=198.51.100.1,b=198.51.100.2:7000") as made:
        await until(lambda: made.gossip.last(PeersKnown) == PeersKnown(peers=names("b")))
        assert made.gossip.addresses == {NodeName("b"): Where("198.51.100.2", 7000)}


async def test_a_granted_address_is_answered_and_its_service_told_of_it() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        made.speaker.on_output(Announce(addresses=(A,)))
        assert made.wire.answered == {A}
        told = ("default/web", "nodeAssigned", 'announcing from node "a" with protocol "layer2"')
        assert made.recorder.told == [told]
        made.speaker.on_output(Withdraw(addresses=(A,), reason=WithdrawReason.BEATEN))
        assert made.wire.answered == set()
        assert made.speaker.withdrawn == {"Beaten": 1}


async def test_without_a_configuration_the_node_is_not_ready_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "speaker"):
        async with rig() as made:
            await until(lambda: made.watch.synced)
            await made.service("web", "192.0.2.1")
            await until(lambda: len(made.watch.services.objects) == 2)
            await made.speaker.look()
            assert made.gossip.last(OwnFacts) == OwnFacts(ready=False, able=True, links=(ETH0,))
            await made.config(POOL)
            await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
    waits = [record for record in caplog.records if "waiting for a configuration" in record.getMessage()]
    assert len(waits) == 1


async def test_the_configuration_in_force_beats_the_one_a_user_wrote() -> None:
    async with rig() as made:
        await made.config(OTHER_POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == {})
        data = write_in_force(POOL, generation=3, source="test")
        await made.create(CONFIG_MAPS, IN_FORCE_NAME, "bareway-system", data=data)
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        assert made.watch.configured().status.generation == 3


EXTENSION = "address-pools: [{name: a, addresses: [198.51.100.0/24]}]"


@pytest.mark.parametrize("in_force", [True, False], ids=["in force", "as a user wrote it"])
@pytest.mark.parametrize("padding", [0, AT_ONCE_MAX], ids=["short", "too long to be read at once"])
async def test_what_extends_a_document_is_read_with_it(in_force: bool, padding: int) -> None:
    document = POOL + "#" * padding
    async with rig() as made:
        await made.service("web", "198.51.100.1")
        data = {"config": document, "bareway": EXTENSION}
        if in_force:
            data = dict(write_in_force(document, extension=EXTENSION, generation=3, source="test"))
        name = IN_FORCE_NAME if in_force else "config"
        await made.create(CONFIG_MAPS, name, "bareway-system", data=data)
        await until(lambda: made.wanted == wanting({ip_address("198.51.100.1"): None}).addresses)


async def test_while_a_long_document_is_read_beside_the_loop_the_last_one_stays() -> None:
    async with rig() as made:
        key = ObjectKey("bareway-system", IN_FORCE_NAME)
        data = write_in_force(POOL, generation=1, source="test")
        await made.create(CONFIG_MAPS, key.name, key.namespace, data=data)
        watch = Watch(made.client, made.settings, rng=Random("long"), on_change=lambda: None)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(mirror.run()) for mirror in watch.reflectors]
            await until(lambda: watch.configured().status.generation == 1)
            version = watch._in_force.objects[key].resource_version
            data = write_in_force(OTHER_POOL + "#" * AT_ONCE_MAX, generation=2, source="test")
            await made.client.merge_patch(CONFIG_MAPS.object_path(key), {"data": data})
            await until(lambda: watch._in_force.objects[key].resource_version != version)
            assert watch.configured().status.generation == 1
            assert watch.configured().configuration is not None
            tasks.append(group.create_task(watch.documents.run()))
            await until(lambda: watch.configured().status.generation == 2)
            for task in tasks:
                task.cancel()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"sha256": "0"}, id="digest of another document"),
        pytest.param({"generation": "many"}, id="generation that is no number"),
    ],
)
async def test_a_damaged_configuration_in_force_leaves_the_last_good_one(broken: dict[str, str]) -> None:
    async with rig() as made:
        data = write_in_force(POOL, generation=1, source="test")
        await made.create(CONFIG_MAPS, IN_FORCE_NAME, "bareway-system", data=data)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        path = CONFIG_MAPS.object_path(ObjectKey("bareway-system", IN_FORCE_NAME))
        await made.client.merge_patch(path, {"data": broken})
        await until(lambda: made.watch.configured().status.problems)
        (problem,) = made.watch.configured().status.problems
        assert isinstance(problem, Problem)
        assert problem.path == f"data.{next(iter(broken))}"
        assert made.wanted == wanting({A: None}).addresses


async def test_who_deletes_the_configuration_takes_no_address_away() -> None:
    async with rig() as made:
        data = write_in_force(POOL, generation=1, source="test")
        await made.create(CONFIG_MAPS, IN_FORCE_NAME, "bareway-system", data=data)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
        told = len(made.gossip.told)
        path = CONFIG_MAPS.object_path(ObjectKey("bareway-system", IN_FORCE_NAME))
        await made.client.delete(path)
        await until(lambda: made.watch.configured().status.problems)
        assert made.watch.figures().config_stale
        await made.speaker.look()
        assert made.gossip.told[told:] == []
        await made.create(CONFIG_MAPS, IN_FORCE_NAME, "bareway-system", data=data)
        await until(lambda: not made.watch.configured().status.problems)


async def test_a_secret_that_goes_twice_is_told_twice(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "speaker"):
        async with rig() as made:
            for _ in range(2):
                await made.create(SECRETS, "memberlist", "bareway-system", data={"secretkey": "YWJj"})
                await until(lambda: made.watch.gossip_key is not None)
                await made.speaker.look()
                await made.client.delete(SECRETS.object_path(ObjectKey("bareway-system", "memberlist")))
                await until(lambda: made.watch.lacks_gossip_key)
                await made.speaker.look()
    waits = [record for record in caplog.records if "waiting for the Secret" in record.getMessage()]
    assert len(waits) >= 2


async def test_an_outage_of_the_api_is_said_once_however_each_mirror_tells_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = read_settings(["--node-name=a"], {})
    assert isinstance(settings, Settings)
    client = KubeClient(Fixed(Credentials(server="http://127.0.0.1:1")))
    watch = Watch(client, settings, rng=Random("outages"), on_change=lambda: None)
    speaker = Speaker(settings, watch=watch, wire=FakeWire(), recorder=FakeRecorder())
    caplog.set_level(logging.INFO, "speaker")
    for end in ("lost", "refused", "", "no answer", ""):
        for mirror in watch.reflectors:
            mirror.connected, mirror.trouble = not end, end and f"GET {mirror.kind.plural}: {end}"
            await speaker.look()
    told = [(r.getMessage(), vars(r).get("detail")) for r in caplog.records if "API" in r.getMessage()]
    away, here = "the API server is away; announcing goes on", ("the API server answers", None)
    assert told == [(away, "GET services: lost"), here, (away, "GET services: no answer"), here]


async def test_a_node_without_a_link_says_so_at_once() -> None:
    async with rig() as made:
        await made.config(POOL)
        await until(lambda: made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=True, links=(ETH0,)))
        made.speaker.links_changed(())
        assert made.gossip.last(OwnFacts) == OwnFacts(ready=True, able=False)
        assert made.speaker.own_refusal() is Refusal.NO_USABLE_LINK


async def test_the_gossip_key_comes_from_the_secret_or_the_flag() -> None:
    async with rig() as made:
        assert made.watch.gossip_key is None
        await made.create(SECRETS, "memberlist", "bareway-system", data={"secretkey": "YWJj"})
        await until(lambda: made.watch.gossip_key == b"abc")
    async with rig("--ml-secret-key=xyz") as made:
        assert made.watch.gossip_key == b"xyz"


async def test_leaving_ends_when_everything_was_taken_over() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        made.speaker.on_output(Announce(addresses=(A,)))
        async with asyncio.TaskGroup() as group:
            leave = group.create_task(made.speaker.leave())
            leaving = OwnFacts(ready=True, able=True, leaving=True, links=(ETH0,))
            await until(lambda: made.gossip.last(OwnFacts) == leaving)
            assert made.wire.answered == set(ips("192.0.2.1"))
            assert not leave.done()
            made.speaker.on_output(Withdraw(addresses=(A,), reason=WithdrawReason.BEATEN))


async def test_a_right_that_was_taken_away_is_told_in_the_log_and_as_an_event_about_the_node_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "speaker")
    sentence = "GET /api/v1/nodes: 403 Forbidden: nodes is forbidden"
    async with rig() as made:
        await made.config(POOL)
        await until(lambda: made.watch.connected)
        nodes = made.watch.nodes

        async def look_with(trouble: str, number: int) -> None:
            nodes.connected, nodes.refused, nodes.trouble = not trouble, bool(trouble), trouble
            looked = len(made.gossip.told)
            await made.service(f"web-{number}", f"192.0.2.{number}")
            await until(lambda: len(made.gossip.told) > looked)

        for number, trouble in enumerate((sentence, sentence, "", sentence), start=1):
            await look_with(trouble, number)
    told = [vars(record).get("detail") for record in caplog.records if "right is missing" in record.message]
    assert told == [sentence, sentence]
    assert [told for told in made.recorder.told if told[1] == "RightMissing"] == [
        ("a", "RightMissing", sentence)
    ] * 2
    assert "away" not in caplog.text
