"""While MetalLB serves the same Services nothing is written; when it is gone the work begins."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bareway.cli.asking.sockets import ask
from bareway.model.status import ControllerStatus
from bareway.runtime.kube.errors import ApiError, Forbidden, KubeError, NotFound, Unreachable
from controller.rival import AGAIN_S, RETRY_S, Rival, Unrivalled
from support.controllers import FOUR, SETTINGS, Cluster
from support.until import until

METALLB = {"app": "metallb"}
CHART = {"app.kubernetes.io/name": "metallb"}


def daemon_set(labels: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    containers = [{"name": "speaker", "args": list(arguments)}]
    return {
        "metadata": {"name": "speaker", "namespace": "metallb-system", "labels": dict(labels)},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


class Listing:
    """An API server with DaemonSets, or with trouble."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.trouble: KubeError | None = None
        self.asked: list[tuple[str, str]] = []

    async def get(self, path: str, query: Mapping[str, str]) -> bytes:
        self.asked.append((path, query["labelSelector"]))
        if self.trouble is not None:
            raise self.trouble
        label, _, value = query["labelSelector"].partition("=")
        items = [one for one in self.items if one["metadata"]["labels"].get(label) == value]
        return json.dumps({"metadata": {"resourceVersion": "1"}, "items": items}).encode()


class AlwaysOurs:
    """A turn that has come."""

    term = 7

    def enter(self) -> bool:
        return True

    async def wait(self) -> None:
        return


@asynccontextmanager
async def looking(
    api: Listing, *, ours: str | None = None, on_change: Callable[[], None] = lambda: None
) -> AsyncIterator[Rival]:
    rival = Rival(api, replace(SETTINGS, load_balancer_class=ours), on_change=on_change)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(rival.run())
        await asyncio.sleep(0.1)
        yield rival
        task.cancel()


@pytest.mark.looptime
@pytest.mark.parametrize("labels", [METALLB, CHART], ids=["its manifests", "its chart"])
async def test_while_metallb_is_there_no_turn_comes_and_the_reason_is_a_sentence(
    labels: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with looking(Listing(daemon_set(labels))) as rival:
        turn = Unrivalled(AlwaysOurs(), rival)
        assert not turn.enter()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(turn.wait(), 10 * AGAIN_S)
        assert "DaemonSet metallb-system/speaker" in rival.refusal
        assert "those without a class" in rival.refusal
    assert [one.message for one in caplog.records] == ["refusing to work"], "told once"


@pytest.mark.looptime
async def test_when_it_is_removed_the_turn_comes_within_half_a_minute() -> None:
    api, changes = Listing(daemon_set(METALLB)), []
    async with looking(api, on_change=lambda: changes.append(1)) as rival:
        turn = Unrivalled(AlwaysOurs(), rival)
        api.items.clear()
        await asyncio.wait_for(turn.wait(), AGAIN_S)
        assert turn.enter()
        assert turn.term == AlwaysOurs.term
        assert rival.refusal == ""
    assert len(changes) == 2


@pytest.mark.looptime
async def test_where_none_is_there_it_is_asked_once_and_never_again() -> None:
    api = Listing()
    async with looking(api) as rival:
        assert rival.is_gone
        await asyncio.sleep(10 * AGAIN_S)
    path = "/apis/apps/v1/daemonsets"
    assert api.asked == [(path, "app=metallb"), (path, "app.kubernetes.io/name=metallb")]


def test_before_the_answer_nothing_is_written() -> None:
    rival = Rival(Listing(), SETTINGS, on_change=lambda: None)
    assert not Unrivalled(AlwaysOurs(), rival).enter()
    assert rival.refusal == ""


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("ours", "theirs", "refuses"),
    [
        pytest.param(None, (), True, id="both without a class"),
        pytest.param(None, ("--lb-class=metallb.io/x",), False, id="it has one"),
        pytest.param("example.com/a", (), False, id="we have one"),
        pytest.param("example.com/a", ("--lb-class=example.com/a",), True, id="the same"),
        pytest.param("", ("--lb-class=",), True, id="empty ones are none"),
    ],
)
async def test_another_class_is_no_reason_to_refuse(
    ours: str | None, theirs: tuple[str, ...], refuses: bool
) -> None:
    async with looking(Listing(daemon_set(METALLB, *theirs)), ours=ours) as rival:
        assert rival.is_gone is not refuses
        assert bool(rival.refusal) is refuses


def _error(kind: type[ApiError], status: int) -> ApiError:
    return kind("GET", status=status, reason="", message="no")


@pytest.mark.looptime
@pytest.mark.parametrize("error", [_error(Forbidden, 403), _error(NotFound, 404)], ids=["403", "404"])
async def test_where_it_may_not_look_it_goes_on_with_one_warning_that_names_the_right(
    error: KubeError, caplog: pytest.LogCaptureFixture
) -> None:
    api = Listing(daemon_set(METALLB))
    api.trouble = error
    async with looking(api) as rival:
        assert rival.is_gone
    (told,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert vars(told)["right"] == "list daemonsets.apps in all namespaces"


@pytest.mark.looptime
@pytest.mark.parametrize("error", [_error(Forbidden, 403), _error(NotFound, 404)], ids=["403", "404"])
async def test_once_metallb_was_seen_a_right_that_is_taken_away_does_not_say_that_it_went(
    error: KubeError, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    api = Listing(daemon_set(METALLB))
    async with looking(api) as rival:
        api.trouble = error
        await asyncio.sleep(5 * AGAIN_S)
        assert not rival.is_gone
        assert "DaemonSet metallb-system/speaker" in rival.refusal
        refusing, blind = caplog.records
        assert refusing.message == "refusing to work"
        assert vars(blind)["right"] == "list daemonsets.apps in all namespaces"
        api.trouble = None
        api.items.clear()
        await asyncio.sleep(AGAIN_S)
        assert rival.is_gone


@pytest.mark.looptime
@pytest.mark.parametrize(
    "error",
    [Unreachable("away"), _error(ApiError, 500), _error(ApiError, 429)],
    ids=["away", "500", "429"],
)
async def test_while_the_api_server_cannot_tell_nothing_is_written_and_it_is_asked_again(
    error: KubeError,
) -> None:
    api = Listing()
    api.trouble = error
    async with looking(api) as rival:
        assert not rival.is_gone
        api.trouble = None
        await asyncio.sleep(RETRY_S)
        assert rival.is_gone


@pytest.mark.looptime
async def test_an_answer_that_is_no_list_is_no_answer() -> None:
    class Strange(Listing):
        async def get(self, path: str, query: Mapping[str, str]) -> bytes:
            return b"<html>"

    async with looking(Strange()) as rival:
        assert not rival.is_gone


# -- the whole controller


@pytest.mark.slow
async def test_a_controller_beside_metallb_writes_nothing_to_services_and_says_why(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.api.others["daemonsets"] = [daemon_set(METALLB)]
    await cluster.configure(FOUR)
    await cluster.create("web")
    before = cluster.writes()
    socket = tmp_path / "controller.sock"
    async with cluster.controller(replace(SETTINGS, socket=socket)):
        await until(lambda: len(_renewals(cluster)) > 2)  # it leads, and has looked meanwhile
        status = await asyncio.to_thread(ask, socket, 5.0)
    assert isinstance(status, ControllerStatus)
    assert status.leads
    assert [one for one in status.not_ready if "MetalLB serves the same Services" in one]
    assert cluster.ingress("web") == []
    assert [one for one in cluster.writes()[len(before) :] if not one.endswith("/secrets")] == []
    cluster.api.others.clear()
    async with cluster.controller():
        await until(lambda: cluster.ingress("web"))


def _renewals(cluster: Cluster) -> list[str]:
    return [path for method, path in cluster.api.requests if method == "PATCH" and "/leases" in path]
