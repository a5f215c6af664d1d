"""What the official package finds in a kubeconfig, told by a child process."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bareway.runtime.kube.credentials import Credentials
from support.certificates import authority

pytestmark = pytest.mark.slow  # each test starts a process that imports the official package


def run(path: Path, *context: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "bareway.runtime.kube.kubeconfig", str(path), *context]
    return subprocess.run(command, capture_output=True, check=False, timeout=30)


def write(directory: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    """A kubeconfig of two contexts; JSON is YAML."""
    path = directory / "config"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [
            {"name": "one", "cluster": cluster},
            {"name": "two", "cluster": {"server": "http://127.0.0.1:8001/"}},
        ],
        "users": [{"name": "me", "user": user}],
        "contexts": [
            {"name": "here", "context": {"cluster": "one", "user": "me"}},
            {"name": "there", "context": {"cluster": "two", "user": ""}},
        ],
    }
    path.write_text(json.dumps(document))
    return path


def read(path: Path, *context: str) -> Credentials:
    done = run(path, *context)
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=Credentials)


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_inline_certificates_and_the_name_of_the_server_are_found(tmp_path: Path) -> None:
    signed = authority().sign("me")
    path = write(
        tmp_path,
        {
            "server": "https://10.0.0.1:6443",
            "certificate-authority-data": encoded(authority().certificate),
            "tls-server-name": "kubernetes",
        },
        {"client-certificate-data": encoded(signed.certificate), "client-key-data": encoded(signed.key)},
    )
    found = read(path)
    assert found.server == "https://10.0.0.1:6443"
    assert (found.ca, found.certificate, found.key) == (
        authority().certificate,
        signed.certificate,
        signed.key,
    )
    assert found.server_name == "kubernetes"
    assert found.verify


def test_a_token_is_found_and_another_context_can_be_chosen(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"server": "https://10.0.0.1", "insecure-skip-tls-verify": True}, {"token": "hush"}
    )
    found = read(path)
    assert (found.authorization, found.verify) == ("Bearer hush", False)
    assert read(path, "there") == Credentials(server="http://127.0.0.1:8001")


def test_an_exec_plug_in_is_run(tmp_path: Path) -> None:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "fresh"},
    }
    plug_in = {
        "apiVersion": answer["apiVersion"],
        "command": "printf",
        "args": ["%s", json.dumps(answer)],
        "interactiveMode": "Never",
    }
    assert read(write(tmp_path, {"server": "https://api"}, {"exec": plug_in})).authorization == "Bearer fresh"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "the file does not exist", id="no such file"),
        pytest.param("", "empty", id="an empty file"),
        pytest.param("a: [", "parsing", id="not YAML"),
        pytest.param("apiVersion: v1\nkind: Config\n", "current-context", id="no context"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    done = run(path)
    told = done.stderr.decode()
    assert done.returncode == 2
    assert sentence in told
    assert "Traceback" not in told
    assert told.startswith(f"kubeconfig {path}: ")
    assert told.count("\n") == 1


def test_of_several_files_it_is_enough_that_one_exists(tmp_path: Path) -> None:
    missing, path = tmp_path / "missing", write(tmp_path, {"server": "https://api"}, {"token": "hush"})
    assert read(Path(f"{missing}:{path}")).server == "https://api"
    assert b"the file does not exist" in run(Path(f"{missing}:{missing}2")).stderr


def test_a_file_below_the_home_directory_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, {"server": "https://api"}, {"token": "hush"})
    assert read(Path("~/config")).server == "https://api"


def test_a_plug_in_that_fails_is_no_anonymous_login(tmp_path: Path) -> None:
    plug_in = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "false",
        "interactiveMode": "Never",
    }
    done = run(write(tmp_path, {"server": "https://api"}, {"exec": plug_in}))
    assert done.returncode == 2
    assert b"exec: process returned 1" in done.stderr


def test_nothing_is_left_on_the_disk(tmp_path: Path) -> None:
    signed = authority().sign("me")
    path = write(
        tmp_path,
        {"server": "https://10.0.0.1", "certificate-authority-data": encoded(authority().certificate)},
        {"client-certificate-data": encoded(signed.certificate), "client-key-data": encoded(signed.key)},
    )
    place = tmp_path / "temporary"
    place.mkdir()
    command = [sys.executable, "-m", "bareway.runtime.kube.kubeconfig", str(path)]
    environment = {**os.environ, "TMPDIR": str(place)}  # noqa: TID251 - the child needs the rest of it
    subprocess.run(command, capture_output=True, check=True, timeout=30, env=environment)
    assert [*place.iterdir()] == []
