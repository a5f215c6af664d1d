"""The rights in rbac.yaml against the requests that the programs really send."""

import asyncio
import re
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bareway.model.announcer_lists import Shard
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import NodeName, ObjectKey
from bareway.model.objects import Lease, ObjectReference
from bareway.model.services import Condition
from bareway.resources.announcer_lists import shard_keys
from bareway.resources.events import EventType
from bareway.resources.in_force import InForce
from bareway.resources.kinds import Kind
from bareway.runtime.kube.errors import AlreadyExists
from bareway.runtime.kube.events import Recorder
from bareway.runtime.kube.rights import Right
from controller import settings as controller_settings
from controller import watch as controller_watch
from controller.allocation.assumptions import Memory
from controller.leading.election import LEASE_NAME, Claim, Put
from controller.leading.elector import Elector
from controller.rival import Rival
from controller.writing.apply import Applier
from controller.writing.effects import (
    ClearIngress,
    CreateKey,
    Effect,
    SetCondition,
    SetIngress,
    WriteConfiguration,
    WriteShard,
    WriteState,
)
from speaker import settings as speaker_settings
from speaker import watch as speaker_watch
from speaker.bgp.passwords import Passwords
from support.builders import ips, pool, service

Json = dict[str, Any]

README = Path(__file__).resolve().parents[2] / "manifests" / "README.md"
COMPONENTS = ("controller", "speaker")
SYSTEM = "bareway-system"
PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/v1(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?P<part>/[^/]+)?)?"
)
TURNS = 10_000
"""Of the loop; requests that were not sent by then never will be."""


class Recording:
    """An API server that notes each request as the right that it needs, and has nothing in it."""

    def __init__(self) -> None:
        self.rights: set[Right] = set()
        self._events: set[str] = set()

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> bytes:
        self._note("get" if query is None else "list", path, query)
        return b'{"metadata": {"name": "web", "resourceVersion": "1"}, "items": []}'

    async def watch(
        self, path: str, query: Mapping[str, str], *, timeout_s: float
    ) -> AsyncGenerator[list[bytes], None]:
        self._note("watch", path, query)
        yield []
        await asyncio.Event().wait()

    async def read(self, kind: Kind[Lease], key: ObjectKey, *, timeout_s: float) -> Lease:
        self._note("get", kind.object_path(key))
        return Lease(key=key, resource_version="1", holder="another")

    async def create(self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None) -> bytes:
        self._note("create", path)
        if path.endswith("/events"):
            raise AlreadyExists(path, status=409, reason="AlreadyExists", message="there is one")
        return b"{}"

    async def replace(self, path: str, body: Mapping[str, object]) -> bytes:
        self._note("update", path)
        return b"{}"

    async def merge_patch(
        self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None
    ) -> bytes:
        self._note("patch", path)
        return b"{}"

    def _note(self, verb: str, path: str, query: Mapping[str, str] | None = None) -> None:
        found = PATH.fullmatch(path)
        assert found, path
        selected = (query or {}).get("fieldSelector", "").removeprefix("metadata.name=")
        # Users' namespaces and objects have any name: a right there is one on all of them.
        is_ours = found["namespace"] == SYSTEM
        self.rights.add(
            Right(
                verb=verb,
                resource=found["plural"] + (found["part"] or ""),
                group=found["group"] or "",
                namespace=SYSTEM if is_ours else "",
                name=(found["name"] or selected) if is_ours else "",
            )
        )


def granted(rendered: list[Json], component: str) -> set[Right]:
    """What the bindings of the ServiceAccount lead to; roles use nothing but verbs, groups and resources."""
    roles = {
        (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace", "")): each
        for each in rendered
    }
    subject = {"kind": "ServiceAccount", "name": f"bareway-{component}", "namespace": SYSTEM}
    rights: list[Right] = []
    for binding in rendered:
        if subject in binding.get("subjects", ()):
            reference = binding["roleRef"]
            namespace = binding["metadata"].get("namespace", "")
            role = roles[reference["kind"], reference["name"], namespace]
            rights += _of_role(role, namespace)
    assert len(rights) == len(set(rights)), "granted twice"
    return set(rights)


def _of_role(role: Json, namespace: str) -> Iterator[Right]:
    for rule in role["rules"]:
        assert rule.keys() <= {"apiGroups", "resources", "resourceNames", "verbs"}
        names = rule.get("resourceNames", [""])
        for group, resource, name, verb in product(
            rule["apiGroups"], rule["resources"], names, rule["verbs"]
        ):
            assert "*" not in (group, resource, verb)
            yield Right(verb=verb, resource=resource, group=group, namespace=namespace, name=name)


def own_settings() -> tuple[controller_settings.Settings, speaker_settings.Settings]:
    return controller_settings.Settings(), speaker_settings.Settings(node_name=NodeName("node-1"))


def asked(component: str) -> set[Right]:
    """What the program asks about before it begins."""
    of_controller, of_speaker = own_settings()
    if component == "controller":
        return set(controller_watch.rights(of_controller))
    return set(speaker_watch.rights(of_speaker))


def reading(component: str, api: Recording) -> list[Coroutine[None, None, object]]:
    """Every mirror of the program."""
    of_controller, of_speaker = own_settings()
    rng = Random(1)
    if component == "controller":
        watch = controller_watch.Watch(api, of_controller, rng=rng, on_change=lambda: None)
        rival = Rival(api, of_controller, on_change=lambda: None)
        return [rival.run(), *(mirror.run() for mirror in watch.mirrors), *standing(api)]
    seen = speaker_watch.Watch(api, of_speaker, rng=rng, on_change=lambda: None)
    keys = Passwords(api, SYSTEM, rng=rng, on_change=lambda: None)
    keys.want(frozenset({"bareway-bgp"}))
    return [keys.run(), *(mirror.run() for mirror in seen.reflectors)]


def standing(api: Recording) -> list[Coroutine[None, None, object]]:
    """All that may be asked for the sake of the Lease."""

    async def at_once(*, is_new: bool = True) -> bool:
        return is_new

    elector = Elector(
        api,
        me="me",
        namespace=SYSTEM,
        rng=Random(1),
        clock=lambda: 0.0,
        warm_up=at_once,
        mark=at_once,
        prepare=lambda: asyncio.sleep(0),
        on_change=lambda: None,
    )
    there = Lease(key=ObjectKey(SYSTEM, LEASE_NAME), resource_version="1")
    puts = [Put(over=over, holder="me", transitions=0, claim=Claim.FIRST) for over in (None, there)]
    asked = [elector._look(), *map(elector._put, puts)]
    return [elector._mirror.run(), *(elector._ask("try", request) for request in asked)]


def every_write() -> list[Effect]:
    """One of each, and the configuration both for the first time and again."""
    in_force = InForce(
        configuration=Configuration(pools=(pool(),)), document="", sha256="", generation=1, source="a test"
    )
    key, state = ObjectKey(SYSTEM, "bareway-config"), ObjectKey(SYSTEM, "bareway-state")
    condition = Condition(is_true=True, reason="Assigned", message="assigned")
    return [
        SetIngress(service=service("shop/web"), addresses=ips("192.0.2.1"), pool="a", condition=condition),
        ClearIngress(service=service("shop/web")),
        SetCondition(service=service("shop/web"), condition=condition),
        WriteState(key=state, over="", memory=AllocationMemory()),
        WriteState(key=state, over="7", memory=AllocationMemory()),
        *(
            WriteShard(key=shard, over=over, shard=Shard())
            for shard in shard_keys(SYSTEM)
            for over in ("", "7")
        ),
        WriteConfiguration(key=key, over="", in_force=in_force),
        WriteConfiguration(key=key, over="7", in_force=in_force),
        CreateKey(key=ObjectKey(SYSTEM, "memberlist")),
    ]


async def sent(component: str) -> set[Right]:
    """The rights that the program's requests need: all that it reads, all that it writes."""
    api = Recording()
    recorder = Recorder(api, "test", rng=Random(1))
    about = ObjectReference(kind="Service", key=ObjectKey("shop", "web"))
    recorder.emit(about, EventType.NORMAL, "nodeAssigned", "announcing")
    if component == "controller":
        await Applier(api, recorder, Memory(), random_bytes=bytes).apply(every_write())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in (*reading(component, api), recorder.run())]
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
    return api.rights


@pytest.mark.parametrize("component", COMPONENTS)
async def test_a_program_is_granted_what_its_requests_need_and_nothing_else(
    rendered: list[Json], component: str
) -> None:
    assert await sent(component) == granted(rendered, component)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_program_is_granted_all_that_it_asks_about_at_its_start(
    rendered: list[Json], component: str
) -> None:
    assert asked(component) <= granted(rendered, component)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_right_stands_with_its_reason_in_the_readme(rendered: list[Json], component: str) -> None:
    rows = re.findall(r"^\| (\w+) \| (\S+) in (.+?) \| (.+?) \| (.+?) \|$", README.read_text(), re.MULTILINE)
    told = {
        (resource.replace("[0-f]", digit), "" if where == "all namespaces" else where, verb)
        for program, resource, where, verbs, reason in rows
        if program == component and reason
        for digit in ("0123456789abcdef" if "[0-f]" in resource else " ")
        for verb in verbs.split(", ")
    }
    rights = granted(rendered, component)
    named = {
        (
            right.resource
            + (f".{right.group}" if right.group else "")
            + (f"/{right.name}" if right.name else ""),
            right.namespace,
            right.verb,
        )
        for right in rights
    }
    assert told == named


@pytest.mark.parametrize("component", COMPONENTS)
def test_no_secret_but_the_key_of_gossip_and_one_for_routers_can_be_read(
    rendered: list[Json], component: str
) -> None:
    reads = {
        (right.namespace, right.name)
        for right in granted(rendered, component)
        if right.resource == "secrets" and right.verb != "create"
    }
    passwords = {(SYSTEM, "bareway-bgp")} if component == "speaker" else set()
    assert reads == {(SYSTEM, "memberlist")} | passwords


@pytest.mark.parametrize("component", COMPONENTS)
def test_who_takes_over_from_metallb_may_read_its_configuration_and_no_more(
    rendered: list[Json], taking_over: list[Json], component: str
) -> None:
    more = granted(taking_over, component) - granted(rendered, component)
    assert more == {
        Right(verb=verb, resource="configmaps", namespace="metallb-system", name="config")
        for verb in ("list", "watch")
    }
    of_controller, of_speaker = own_settings()
    if component == "controller":
        needed = controller_watch.rights(replace(of_controller, config_namespace="metallb-system"))
    else:
        needed = speaker_watch.rights(replace(of_speaker, config_namespace="metallb-system"))
    assert set(needed) <= granted(taking_over, component)
