"""The program itself, as an operator starts and stops it: exit codes and sentences."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from apiserver import Fault
from apiserver.kubeconfigs import kubeconfig
from bareway.runtime.log import LEVEL_ANNOTATION
from support.controllers import FOUR, NAMESPACE, Cluster
from support.until import until

pytestmark = pytest.mark.slow

START_S = 20.0  # a child that imports everything, on a busy machine
Program = asyncio.subprocess.Process


@asynccontextmanager
async def program(cluster: Cluster, folder: Path, *flags: str) -> AsyncIterator[Program]:
    """bareway-controller with a kubeconfig for the cluster."""
    file = folder / "kubeconfig"
    file.write_text(kubeconfig(cluster.api.url))
    pipe = asyncio.subprocess.PIPE
    arguments = (f"--kubeconfig={file}", "--port=0", f"--socket={folder}/controller.sock", *flags)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "controller", *arguments, stdout=pipe, stderr=pipe
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_sigterm_ends_it_with_zero(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.configure(FOUR)
    await cluster.create("web")
    async with program(cluster, tmp_path) as child:
        await until(lambda: cluster.ingress("web"), within_s=START_S)
        child.send_signal(signal.SIGTERM)
        output, complaint = await child.communicate()
    assert (child.returncode, complaint) == (0, b"")
    messages = [json.loads(line)["msg"] for line in output.splitlines()]
    assert (messages[0], messages[-1]) == ("starting", "stopped")
    assert messages.count("address assigned") == 1


async def test_an_annotation_changes_what_is_logged_without_a_restart(
    cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.configure(FOUR)
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/config"
    async with program(cluster, tmp_path, "--log-level=error") as child:
        assert child.stdout is not None
        await until(cluster.in_force, within_s=START_S)
        await cluster.client.merge_patch(path, {"metadata": {"annotations": {LEVEL_ANNOTATION: "info"}}})
        line = json.loads(await asyncio.wait_for(child.stdout.readline(), START_S))
        assert (line["msg"], line["to"]) == ("log level changed", "info")
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"), within_s=START_S)
        await cluster.client.merge_patch(path, {"metadata": {"annotations": {LEVEL_ANNOTATION: None}}})
        said = [line]
        while (said[-1]["msg"], said[-1].get("to")) != ("log level changed", "error"):
            said.append(json.loads(await asyncio.wait_for(child.stdout.readline(), START_S)))
    # The configuration is in force before the controller says so, so that may be said at the new level.
    told = [each["msg"] for each in said[1:-1] if each["msg"] != "configuration in force"]
    assert told == ["address assigned"]


@pytest.mark.parametrize("resource", ["services", "configmaps"])
async def test_a_right_that_is_missing_is_one_sentence_and_exit_code_2(
    cluster: Cluster, tmp_path: Path, resource: str
) -> None:
    cluster.api.faults.add(Fault.FORBIDDEN, verb="list", resource=resource, times=None)
    async with program(cluster, tmp_path) as child:
        _, complaint = await asyncio.wait_for(child.communicate(), START_S)
    assert child.returncode == 2
    sentences = complaint.decode().splitlines()
    assert 1 <= len(sentences) <= (1 if resource == "services" else 4), "one for each that names an object"
    for sentence in sentences:
        assert sentence.startswith("bareway-controller: ")
        assert resource in sentence
        assert "forbidden" in sentence


async def test_two_on_one_socket_are_one_too_many(cluster: Cluster, tmp_path: Path) -> None:
    async with program(cluster, tmp_path) as first, program(cluster, tmp_path) as second:
        waiting = {asyncio.ensure_future(child.communicate()) for child in (first, second)}  # noqa: TID251 - whichever loses
        ended, others = await asyncio.wait(waiting, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
    ((_, complaint),) = [one.result() for one in ended]
    assert 2 in {first.returncode, second.returncode}
    assert "another instance serves" in complaint.decode()


async def test_wrong_flags_are_told_and_exit_code_2(cluster: Cluster, tmp_path: Path) -> None:
    async with program(cluster, tmp_path, "--port=x", "--nonsense") as child:
        _, complaint = await child.communicate()
    assert child.returncode == 2
    assert len(complaint.decode().splitlines()) == 2
