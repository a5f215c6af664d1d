"""The command itself against a cluster: rights, silence, Ctrl-C, pipes, and no cluster at all."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from signal import SIGINT

import pytest
import yaml

from apiserver import EmbeddedApi, Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from bareway.cli.__main__ import INTERRUPTED, main
from bareway.cli.verb import ExitCode
from bareway.model.names import NodeName
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from support.installed import NODE1, NODE2, NODE_NAMES, put_good, put_programs, speaker
from support.pods import NAMESPACE, pod_body
from support.until import until

pytestmark = pytest.mark.slow  # each reads a kubeconfig in a child process

VERBS = ("status", "pools", "members", "bgp")
COMMAND = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from bareway.cli.__main__ import main; sys.exit(main(sys.argv[1:]))"
)
"""A shell that runs tests in the background may have switched Ctrl-C off."""


class Outside:
    """A cluster, and a user with a kubeconfig for it."""

    def __init__(self, api: EmbeddedApi, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.api = api
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(kubeconfig(api.url))
        self._capsys = capsys

    async def run(self, *words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, [*words, "--kubeconfig", str(self.kubeconfig)])
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err


@pytest.fixture
async def outside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Outside]:
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        await put_good(api, client)
        yield Outside(api, tmp_path, capsys)


async def hang(command: Sequence[str]) -> Outcome:
    await asyncio.Event().wait()
    return Outcome()


@pytest.mark.parametrize("verb", VERBS)
async def test_a_kubeconfig_is_enough(outside: Outside, verb: str) -> None:
    code, out, err = await outside.run(verb)
    assert (code, err) == (ExitCode.WELL, "")
    assert "\x1b" not in out


async def test_scripts_get_json_and_yaml(outside: Outside) -> None:
    said = json.loads((await outside.run("status", "-o", "json"))[1])
    assert (said["version"], said["wrong"], said["unknown"]) == (1, [], [])
    assert [one["node"] for one in said["speakers"]] == list(NODE_NAMES)
    written = yaml.safe_load((await outside.run("bgp", "peer2", "-o", "yaml"))[1])
    assert [[peer["name"] for peer in one["peers"]] for one in written["nodes"]] == [["peer2"]] * 3


async def test_without_any_right_each_question_is_named_and_the_code_is_2(outside: Outside) -> None:
    outside.api.faults.add(Fault.FORBIDDEN, times=None)
    for verb in VERBS:
        code, out, err = await outside.run(verb)
        assert (code, err) == (ExitCode.COULD_NOT_TELL, "")
        assert "  our Pods: a right is missing: pods is forbidden: User" in out
        assert f"To do: kubectl auth can-i list pods -n {NAMESPACE}" in out


async def test_with_rights_to_read_but_not_to_exec_what_the_api_says_is_shown(outside: Outside) -> None:
    outside.api.faults.add(Fault.FORBIDDEN, resource="pods/exec", times=None)
    code, out, _ = await outside.run("status")
    assert code == ExitCode.COULD_NOT_TELL
    assert "0 of 2 controllers and 0 of 3 speakers answered" in out
    assert "bareway-controller-1   ready" in out
    assert "no right to run a command in its Pod" in out
    code, out, _ = await outside.run("pools")
    assert (code, out.splitlines()[1].split()) == (ExitCode.WELL, ["public", "layer2", "4", "1", "3", "25%"])


async def test_half_the_speakers_silent_the_others_are_shown(outside: Outside) -> None:
    for node in NODE_NAMES[1:]:
        outside.api.pods.put(NAMESPACE, pod_body(f"bareway-speaker-{node}", node=node), hang)
    for verb in ("status", "members", "bgp"):
        code, out, err = await outside.run(verb, "--timeout", "0.3")
        assert (code, err) == (ExitCode.COULD_NOT_TELL, "")
        assert out.count("no answer within 0.3 s") == 2
        assert NODE1 in out


async def test_speakers_that_are_named_are_asked_before_others(outside: Outside) -> None:
    put_programs(outside.api, (), [speaker(NodeName(f"n{number:03}")) for number in range(40)])
    code, out, _ = await outside.run("bgp", "--node", "n007")
    assert code == ExitCode.WELL
    assert {line.split()[0] for line in out.splitlines()[1:3]} == {"n007"}
    asked = {name for name, _ in outside.api.pods.commands}
    assert "bareway-speaker-n007" in asked
    assert len(asked) == 16
    await outside.run("members", "--all")
    assert len({name for name, _ in outside.api.pods.commands}) == 43


@pytest.mark.parametrize("verb", VERBS)
async def test_where_nobody_listens_there_is_one_sentence_and_2(outside: Outside, verb: str) -> None:
    await outside.api.stop()
    code, out, err = await outside.run(verb)
    assert (code, out) == (ExitCode.COULD_NOT_TELL, "")
    assert err.startswith("bareway: the cluster cannot be asked: ")
    assert len(err.splitlines()) == 1


def test_without_a_kubeconfig_there_is_one_sentence_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in VERBS:
        assert main([verb, "--kubeconfig", str(tmp_path / "none")]) == ExitCode.COULD_NOT_TELL
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.endswith("none: the file does not exist\n")


async def test_the_usual_kubeconfig_is_kubectls(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(outside.kubeconfig))
    assert await asyncio.to_thread(main, ["members"]) == ExitCode.WELL
    assert await asyncio.to_thread(main, ["drain", NODE2]) == ExitCode.WELL
    assert f"{NODE2} is drained" in capsys.readouterr().out


async def test_ctrl_c_ends_it_at_once_without_a_trace(outside: Outside) -> None:
    outside.api.pods.put(NAMESPACE, pod_body("slow", node="n9"), hang)
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, "status", "--timeout", "60"),
        *("--kubeconfig", str(outside.kubeconfig)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    await until(lambda: any(name == "slow" for name, _ in outside.api.pods.commands), within_s=30.0)
    command.send_signal(SIGINT)
    out, err = await asyncio.wait_for(command.communicate(), 30.0)
    assert (command.returncode, out, err) == (INTERRUPTED, b"", b"")


async def test_a_reader_that_has_seen_enough_gets_no_traceback(outside: Outside) -> None:
    words = [sys.executable, "-m", "bareway.cli", "status", "-o", "json", "--all"]
    words += ["--kubeconfig", str(outside.kubeconfig)]
    put_programs(outside.api, (), [speaker(NodeName(f"n{number:03}")) for number in range(60)])
    pipe = ["sh", "-c", '"$@" | head -n 1', "sh", *words]
    done = await asyncio.to_thread(subprocess.run, pipe, check=False, capture_output=True, timeout=50)
    assert (done.stdout, done.stderr) == (b"{\n", b"")
