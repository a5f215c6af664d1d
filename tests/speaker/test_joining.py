"""When a speaker becomes a member, and what happens when its key or its profile changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from random import Random

import pytest

from bareway.gossip.events import Announce
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import ProfileName
from bareway.gossip.sealing import Keyring
from bareway.model.names import ObjectKey
from bareway.resources.kinds import CONFIG_MAPS, SECRETS
from bareway.runtime.gossip.report import GossipCounters
from speaker.joining import Joining
from support.rig import Rig, rig
from support.until import until

POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
FAST = POOL + "layer2: {profile: fast}\n"
A = ip_address("192.0.2.1")


class Shown:
    """What a status would be made from."""

    def __init__(self) -> None:
        self.machines: list[GossipMachine] = []

    def connect(self, machine: GossipMachine, counters: GossipCounters) -> None:
        self.machines.append(machine)


class Made:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.shown = Shown()
        self.joining = Joining(
            rig.settings,
            watch=rig.watch,
            speaker=rig.speaker,
            report=self.shown,
            rng=Random("joining"),
            on_output=lambda output: None,
        )

    async def key(self, text: str) -> None:
        """A Secret with this key (in base64)."""
        await self.rig.create(SECRETS, "memberlist", "bareway-system", data={"secretkey": text})

    async def configure(self, document: str) -> None:
        path = CONFIG_MAPS.object_path(ObjectKey("bareway-system", "config"))
        await self.rig.client.merge_patch(path, {"data": {"config": document}})

    def profiles(self) -> list[str]:
        return [machine._profile.name for machine in self.shown.machines]


@asynccontextmanager
async def joining(*flags: str) -> AsyncIterator[Made]:
    """Looked at after every change, as the program does."""
    async with rig("--ml-bindaddr=127.0.0.1", "--ml-bindport=26947", *flags) as around:
        made = Made(around)

        async def look() -> None:
            while True:
                made.joining.look_again()
                await asyncio.sleep(0.002)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(made.joining.run()), group.create_task(look())]
            yield made
            for task in tasks:
                task.cancel()


async def test_it_joins_when_key_nodes_and_configuration_are_known() -> None:
    async with joining() as made:
        await until(lambda: made.rig.watch.synced)
        assert made.joining.machine is None
        await made.key("YWJj")
        await until(lambda: made.joining.machine)
        assert made.profiles() == ["default"]


async def test_it_does_not_join_before_it_is_known_what_is_configured() -> None:
    async with rig("--ml-secret-key=x", "--members=b=198.51.100.2") as around:
        made = Made(around)
        made.joining.look_again()
        assert not made.joining._may_join.is_set()
        await until(lambda: around.watch.layer2)
        made.joining.look_again()
        assert made.joining._may_join.is_set()


async def test_the_profile_is_the_one_that_is_configured_unless_a_flag_says_another() -> None:
    async with rig() as around:
        made = Made(around)
        assert made.joining.wished_profile is None  # nothing is known yet
        await around.config(FAST)
        await until(lambda: made.joining.wished_profile is ProfileName.FAST)
    async with rig("--profile=wan") as around:
        made = Made(around)
        assert made.joining.wished_profile is ProfileName.WAN
        await around.config(FAST)
        await until(lambda: around.watch.ready)
        assert made.joining.wished_profile is ProfileName.WAN


async def test_another_profile_is_used_at_once_also_by_who_announces() -> None:
    async with joining("--ml-secret-key=x") as made:
        await made.rig.config(POOL)
        await made.rig.service("web", "192.0.2.1")
        await until(lambda: made.joining.machine and made.rig.speaker.decided.groups)
        made.rig.speaker.on_output(Announce(addresses=(A,)))
        await made.configure(FAST)
        await until(lambda: made.joining.profile is ProfileName.FAST)
        assert made.profiles() == ["fast"]  # the same machine
        assert made.rig.speaker.key_of(A) == A


async def test_a_new_key_counts_beside_the_former_one() -> None:
    async with joining() as made:
        await made.key("YWJj")
        await until(lambda: made.joining.machine)
        path = SECRETS.object_path(ObjectKey("bareway-system", "memberlist"))
        for text, key in (("ZGVm", b"def"), ("Z2hp", b"ghi")):
            await made.rig.client.merge_patch(path, {"data": {"secretkey": text}})
            async with asyncio.timeout(5.0):
                while made.joining._keys.newest != Keyring([key]).ids[0]:  # noqa: ASYNC110 - a rotation has no event of its own
                    await asyncio.sleep(0.002)
        keyring = made.joining._keys.keyring
        assert keyring is not None
        assert keyring.ids == Keyring([b"ghi", b"def", b"abc"]).ids
        assert made.joining.machine is not None
        assert made.joining.machine.own.facts.key_id == Keyring([b"ghi"]).ids[0]
        assert made.profiles() == ["default"]


async def test_the_former_key_counts_no_longer_when_every_member_reports_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("speaker.joining.SETTLE_S", 0.005)
    monkeypatch.setattr("bareway.gossip.rotation.KEEP_S", 0.0)
    async with joining() as made:
        await made.key("YWJj")
        await until(lambda: made.joining.machine)
        path = SECRETS.object_path(ObjectKey("bareway-system", "memberlist"))
        await made.rig.client.merge_patch(path, {"data": {"secretkey": "ZGVm"}})
        new = Keyring([b"def"]).ids
        await until(lambda: made.joining._keys.newest == new[0] and made.joining._keys.former == 0)
        assert made.joining._driver is not None
        assert made.joining._driver._caller.keyring.ids == new
