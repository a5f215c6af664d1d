"""Why a Service has no address, as a whole controller says it on its socket."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bareway.cli.asking.sockets import Silent, ask_why
from bareway.cli.asking.why_here import read_chain
from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.answers.why.chain import Place, Why, WhyReason
from bareway.decide.answers.why.view import WhyView
from bareway.gossip.observer import Picture, Seen
from bareway.model.cluster import Unknown
from bareway.model.names import NodeName
from bareway.model.problems import Problem
from controller.settings import Settings
from controller.why import UNREAD_NAMED, place_of, unread, witness_of
from support.builders import key
from support.controllers import SETTINGS, Cluster
from support.until import until

pytestmark = pytest.mark.slow

TWO = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/31]}]"


async def _why(path: Path, about: str) -> Why:
    text = await asyncio.to_thread(ask_why, path, about, 5.0)
    assert not isinstance(text, Silent)
    page: Mapping[str, Any] = json.loads(text)
    assert page["version"] == 1
    found = read_chain(page)
    assert found is not None
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(SETTINGS, socket=tmp_path / "controller.sock")


async def test_it_tells_the_chain_by_its_own_decisions(cluster: Cluster, settings: Settings) -> None:
    assert settings.socket is not None
    await cluster.configure(TWO)
    for name in "abc":
        await cluster.create(name)
    async with cluster.controller(settings):
        await until(lambda: len(cluster.shown()) == 2 and cluster.events("c"))
        waits, served = await _why(settings.socket, "c"), await _why(settings.socket, "default/a")
        held, unheard = await _why(settings.socket, "192.0.2.1"), await _why(settings.socket, "d")
    assert waits.word == Refusal.POOL_EXHAUSTED
    assert waits.services[0].word == cluster.condition("c")[1]
    assert waits.leadership.leader.startswith(settings.pod_name or waits.leadership.leader)
    assert (served.services[0].granted, served.addresses[0].pool) == (("192.0.2.0",), "a")
    assert held.addresses[0].services == ("default/b",)
    assert unheard.word == WhyReason.NO_SUCH_SERVICE


def test_remedies_name_where_it_was_told_to_look() -> None:
    settings = replace(SETTINGS, namespace="lb", config_namespace="metallb-system", config_name="pools")
    assert place_of(settings) == Place(namespace="lb", config="metallb-system/pools")


def test_a_service_of_which_no_form_can_be_read_is_told_and_one_with_an_older_form_is_not() -> None:
    problems = {key(f"shop/s{number}"): (Problem(path="spec", message="no"),) for number in range(8)}
    told = list(unread(problems, {key("shop/s0"): None}))
    assert told[0] == Unknown(subject="Service shop/s1", why="it cannot be read: spec: no")
    assert [one.subject for one in told[UNREAD_NAMED:]] == ["2 more services"]
    view = WhyView(services={}, unknown=tuple(told))
    assert (view.are_services_known, view.may_exist(key("shop/s7"))) == (False, True)


def test_who_lives_and_says_that_it_may_announce_is_able_whatever_its_labels() -> None:
    def seen(name: str, *, alive: bool = True, eligible: bool = True) -> Seen:
        return Seen(name=NodeName(name), alive=alive, eligible=eligible, leaving=False)

    members = (seen("a"), seen("b", eligible=False), seen("c", alive=False))
    picture = Picture(
        members={one.name: one for one in members},
        claims={},
        joined=frozenset(),
        generation=0,
        stable_since=0.0,
        calm_s=1.0,
    )
    witness = witness_of(picture, ())
    assert witness.able == {"a"}
    assert witness.states == {"a": "Alive", "b": "Alive", "c": "Dead"}
