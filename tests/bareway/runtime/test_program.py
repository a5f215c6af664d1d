"""How a program ends: the exit code and the sentence, for each reason there is."""

import asyncio
import gc
import json
import os
import signal
from collections.abc import Mapping

import pytest

from bareway.model.addresses import parse_range
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, CredentialsUnusable, Fixed
from bareway.runtime.kube.rights import Right
from bareway.runtime.program import GARBAGE_THRESHOLDS, RightsMissing, check_rights, run_program


class Unfit(Exception):
    """A program's own reason."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_ends_it_with_0(number: signal.Signals) -> None:
    async def serve(stop: asyncio.Event) -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await stop.wait()

    assert run_program("test", serve) == 0


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(CredentialsUnusable("no token"), id="no way to the API server"),
        pytest.param(RightsMissing("no token"), id="rights missing"),
        pytest.param(Unfit("no token"), id="a reason of its own"),
    ],
)
def test_what_makes_it_unable_is_one_sentence_and_exit_code_2(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail() -> None:
        raise error

    async def serve(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(fail())

    assert run_program("test", serve, unable=(Unfit,)) == 2
    assert capsys.readouterr().err == "test: no token\n"


def test_a_mistake_of_ours_ends_it_with_1_and_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(stop: asyncio.Event) -> None:
        raise ZeroDivisionError

    assert run_program("test", serve) == 1
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_it_seldom_looks_for_garbage() -> None:
    before = gc.get_threshold()
    found: list[tuple[int, int, int]] = []

    async def serve(stop: asyncio.Event) -> None:
        found.append(gc.get_threshold())

    assert run_program("test", serve) == 0
    assert found == [GARBAGE_THRESHOLDS]
    assert gc.get_threshold() == before


def test_a_callback_of_ours_that_fails_ends_it_too(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(stop: asyncio.Event) -> None:
        asyncio.get_running_loop().call_soon(parse_range, "192.0.2.0/33")
        await stop.wait()

    assert run_program("test", serve) == 1
    assert caplog.records[-1].exc_info is not None


def test_a_callback_of_a_library_that_fails_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(json.loads, "no JSON")
        loop.call_soon(loop.call_soon, stop.set)
        await stop.wait()

    assert run_program("test", serve) == 0
    assert any("json" in str(record.exc_info) for record in caplog.records)


class Denying:
    """An API server that allows nothing."""

    async def create(self, path: str, body: Mapping[str, object]) -> bytes:
        return b'{"status": {"allowed": false}}'


async def test_missing_rights_are_all_named_in_one_sentence() -> None:
    wanted = [Right(verb="list", resource="services"), Right(verb="get", resource="secrets", namespace="x")]
    with pytest.raises(RightsMissing) as missing:
        await check_rights(Denying(), wanted)
    missed = "list services in all namespaces; to get secrets in namespace x"
    assert str(missing.value) == f"the service account lacks the right to {missed}"


async def test_an_api_server_that_is_away_is_waited_for() -> None:
    async with KubeClient(Fixed(Credentials(server="http://127.0.0.1:1"))) as client:
        await check_rights(client, [Right(verb="list", resource="services")])
