"""What is read of a simple kubeconfig here is what the official package reads; all else is left to it."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bareway.runtime.kube.credentials import Credentials
from bareway.runtime.kube.plain_kubeconfig import read_plain
from support.certificates import authority

SERVER = "https://10.0.0.1:6443"
HERE = {"server": SERVER}
HUSH = {"token": "hush"}


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


CA = encoded(authority().certificate)


def written(folder: Path, cluster: dict[str, Any], user: object, **changes: object) -> Path:
    path = folder / "config"
    document = {
        "current-context": "here",
        "clusters": [{"name": "one", "cluster": cluster}, {"name": "two", "cluster": HERE}],
        "users": [{"name": "me", "user": user}],
        "contexts": [
            {"name": "here", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
            {"name": "there", "context": {"cluster": "two", "user": "me"}},
        ],
        **changes,
    }
    path.write_text(json.dumps(document))
    return path


def by_the_package(path: Path, context: str = "") -> Credentials:
    command = [sys.executable, "-m", "bareway.runtime.kube.kubeconfig", str(path), *filter(None, [context])]
    done = subprocess.run(command, capture_output=True, check=True, timeout=50)
    return msgspec.json.decode(done.stdout, type=Credentials)


def here(path: Path, context: str = "") -> Credentials | None:
    plain = read_plain(path, context, {"HOME": "/root"})
    return Credentials(**plain._asdict()) if plain is not None else None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cluster", "user", "context"),
    [
        pytest.param(HERE, HUSH, "", id="a token"),
        pytest.param(HERE, HUSH, "there", id="another context"),
        pytest.param({**HERE, "certificate-authority-data": CA}, HUSH, "", id="an authority"),
        pytest.param({"server": f"{SERVER}/", "insecure-skip-tls-verify": True}, {}, "", id="unchecked"),
        pytest.param(
            {**HERE, "certificate-authority": "ca.pem", "extensions": [{"name": "x"}]},
            {"client-certificate": "me.pem", "client-key": "me.key"},
            "",
            id="files beside it",
        ),
        pytest.param({"server": "http://127.0.0.1:8001"}, HUSH, "", id="without TLS"),
    ],
)
def test_a_simple_file_is_read_as_the_package_reads_it(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], context: str
) -> None:
    signed = authority().sign("me")
    for name, text in (("ca.pem", authority().certificate), ("me.pem", signed.certificate)):
        (tmp_path / name).write_text(text)
    (tmp_path / "me.key").write_text(signed.key)
    path = written(tmp_path, cluster, user)
    assert here(path, context) == by_the_package(path, context)


@pytest.mark.slow
def test_the_file_of_kubeadm_is_simple(tmp_path: Path) -> None:
    signed = authority().sign("me")
    path = tmp_path / "admin.conf"
    path.write_text(
        f"""apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {CA}
    server: {SERVER}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
users:
- name: kubernetes-admin
  user:
    client-certificate-data: {encoded(signed.certificate)}
    client-key-data: {encoded(signed.key)}
"""
    )
    found = here(path)
    assert found is not None
    assert (found, found.key) == (by_the_package(path), signed.key)


@pytest.mark.parametrize(
    ("cluster", "user", "changes"),
    [
        pytest.param(HERE, {"exec": {"command": "x"}}, {}, id="a plug-in"),
        pytest.param(HERE, {"auth-provider": {"name": "oidc"}}, {}, id="OIDC"),
        pytest.param(HERE, {"tokenFile": "x"}, {}, id="a file with a token"),
        pytest.param(HERE, {"username": "me", "password": "hush"}, {}, id="a password"),
        pytest.param({**HERE, "proxy-url": "http://x"}, HUSH, {}, id="a proxy"),
        pytest.param({**HERE, "tls-server-name": "x"}, HUSH, {}, id="another name"),
        pytest.param({"server": "10.0.0.1"}, HUSH, {}, id="no URL"),
        pytest.param({"server": "http://x", "certificate-authority-data": CA}, HUSH, {}, id="half TLS"),
        pytest.param({**HERE, "certificate-authority-data": "x"}, HUSH, {}, id="no base64"),
        pytest.param({**HERE, "certificate-authority-data": "LS0tLS1CRUdJ…"}, HUSH, {}, id="cut off"),
        pytest.param({**HERE, "certificate-authority": "a\0b"}, HUSH, {}, id="no path"),
        pytest.param({**HERE, "certificate-authority": "gone.pem"}, HUSH, {}, id="no such file"),
        pytest.param({**HERE, "insecure-skip-tls-verify": "true"}, HUSH, {}, id="a switch that is text"),
        pytest.param(HERE, "", {}, id="no user"),
        pytest.param(HERE, HUSH, {"current-context": "nowhere"}, id="no such context"),
        pytest.param(HERE, HUSH, {"users": [{"name": "me", "user": HUSH}] * 2}, id="two of a name"),
        pytest.param(HERE, {"token": 4711}, {}, id="a token that is a number"),
    ],
)
def test_what_is_not_simple_is_left_to_the_package(
    tmp_path: Path, cluster: dict[str, Any], user: object, changes: dict[str, object]
) -> None:
    assert here(written(tmp_path, HERE, HUSH)) is not None
    assert here(written(tmp_path, cluster, user, **changes)) is None


@pytest.mark.parametrize("text", ["", "a: [", "a: b\na: c\n", "[]", "~"])
def test_what_is_no_kubeconfig_is_left_to_the_package(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    assert here(path) is None
    path.write_text(text)
    assert here(path) is None


def test_where_the_environment_names_a_proxy_the_package_reads(tmp_path: Path) -> None:
    path = written(tmp_path, HERE, HUSH)
    assert read_plain(path, "", {"HTTPS_PROXY": "http://x"}) is None
    assert read_plain(path, "", {"no_proxy": "x"}) is None


@pytest.mark.parametrize(("word", "is_text"), [("hush", True), ("no", False), ("0815", False), ("~", False)])
def test_a_word_that_yaml_takes_for_something_else_is_left_to_the_package(
    tmp_path: Path, word: str, is_text: bool
) -> None:
    path = written(tmp_path, HERE, {"token": "TOKEN"})
    path.write_text(path.read_text().replace('"TOKEN"', word))
    assert (here(path) is not None) is is_text
