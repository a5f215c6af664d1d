"""Who we are, inside and outside of a cluster, and what is missing if nobody."""

import asyncio
import ssl
import stat
from pathlib import Path

import pytest

from apiserver.kubeconfigs import kubeconfig
from bareway.runtime.kube.credentials import (
    KUBECONFIG_AGE_S,
    RENEWAL_PAUSE_S,
    TOKEN_AGE_S,
    Credentials,
    CredentialsUnusable,
    Fixed,
    Kubeconfig,
    ServiceAccount,
    open_source,
    tls_context,
)
from support.certificates import Authority, authority

ENVIRON = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("one\n")
    (tmp_path / "ca.crt").write_text(authority().certificate)
    return tmp_path


@pytest.mark.parametrize(
    ("host", "server"),
    [
        pytest.param("10.96.0.1", "https://10.96.0.1:443", id="IPv4"),
        pytest.param("fd00::1", "https://[fd00::1]:443", id="IPv6"),
        pytest.param("api.example", "https://api.example:443", id="a name"),
    ],
)
async def test_a_pod_finds_its_server_token_and_authority(account: Path, host: str, server: str) -> None:
    source = ServiceAccount({**ENVIRON, "KUBERNETES_SERVICE_HOST": host}, account)
    found = await source.current(now=0.0)
    assert found == Credentials(server=server, authorization="Bearer one", ca=authority().certificate)


async def test_a_replaced_token_is_found_within_a_minute(account: Path) -> None:
    source = ServiceAccount(ENVIRON, account)
    await source.renew(now=1000.0)
    (account / "token").write_text("two")
    assert (await source.current(now=1000.0 + TOKEN_AGE_S - 1.0)).authorization == "Bearer one"
    assert (await source.current(now=1000.0 + TOKEN_AGE_S)).authorization == "Bearer two"


async def test_a_token_that_was_refused_is_read_again_at_once(account: Path) -> None:
    source = ServiceAccount(ENVIRON, account)
    (account / "token").write_text("two")
    assert (await source.renew(now=1.0)).authorization == "Bearer two"


async def test_a_token_that_cannot_be_read_for_a_moment_stays(account: Path) -> None:
    source = ServiceAccount(ENVIRON, account)
    (account / "token").unlink()
    assert (await source.current(now=10_000.0)).authorization == "Bearer one"


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_a_pod_without_a_token_is_told_what_is_missing(account: Path, missing: str) -> None:
    (account / missing).unlink()
    with pytest.raises(CredentialsUnusable, match=rf"{missing} \(No such file.*automountServiceAccountToken"):
        ServiceAccount(ENVIRON, account)


@pytest.mark.parametrize("missing", sorted(ENVIRON))
def test_outside_of_a_pod_it_is_told_to_pass_a_kubeconfig(account: Path, missing: str) -> None:
    with pytest.raises(CredentialsUnusable, match="not in a Pod; pass --kubeconfig"):
        ServiceAccount({**ENVIRON, missing: ""}, account)


async def test_fixed_credentials_stay() -> None:
    plain = Credentials(server="http://127.0.0.1:8001")
    assert await Fixed(plain).current(now=0.0) is await Fixed(plain).renew(now=9.0) is plain


def test_credentials_never_show_their_secrets() -> None:
    secret = Credentials(server="https://api", authorization="Bearer hush", key="hush")
    assert "hush" not in repr(secret)
    assert "hush" not in str(secret)


def test_a_kubeconfig_wins_over_the_pod() -> None:
    assert isinstance(open_source(Path("/nowhere")), Kubeconfig)


def test_without_either_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRON:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CredentialsUnusable):
        open_source(None)


class Child:
    """A program in the place of the one that reads kubeconfig files: it prints and ends as told."""

    def __init__(self, directory: Path) -> None:
        self.script = directory / "child"
        self.calls = directory / "calls"
        self.calls.write_text("")

    def says(self, text: str = "", complaint: str = "", code: int = 0, before: str = "") -> None:
        lines = ["#!/bin/sh", before, f"echo call >> {self.calls}", f"printf '%s' '{text}'"]
        lines += [f"printf '{complaint}' >&2", f"exit {code}"]
        self.script.write_text("\n".join(lines))
        self.script.chmod(self.script.stat().st_mode | stat.S_IXUSR)

    @property
    def runs(self) -> int:
        return len(self.calls.read_text().split())

    def source(self, timeout_s: float = 10.0) -> Kubeconfig:
        return Kubeconfig(Path("/ignored"), reader=(str(self.script),), timeout_s=timeout_s)


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return Child(tmp_path)


async def test_a_kubeconfig_is_read_once_for_many_requests(child: Child) -> None:
    child.says('{"server": "https://api:6443", "authorization": "Bearer one"}')
    source = child.source()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(source.current(now=1.0)) for _ in range(5)]
    assert {task.result().authorization for task in asked} == {"Bearer one"}
    assert child.runs == 1


async def test_a_simple_kubeconfig_is_read_without_a_child(child: Child, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(kubeconfig("https://10.0.0.1:6443", token="hush"))  # noqa: S106 - of nobody
    child.says('{"server": "https://elsewhere"}')
    reader = (str(child.script),)
    found = await Kubeconfig(path, reader=reader).current(now=1.0)
    assert found == Credentials(server="https://10.0.0.1:6443", authorization="Bearer hush")
    assert child.runs == 0
    proxied = Kubeconfig(path, environ={"HTTPS_PROXY": "http://x"}, reader=reader)
    assert (await proxied.current(now=1.0)).server == "https://elsewhere"


async def test_an_expired_token_is_renewed_but_no_plug_in_is_run_for_each_refusal(child: Child) -> None:
    child.says('{"server": "https://api:6443", "authorization": "Bearer one"}')
    source = child.source()
    await source.current(now=100.0)
    child.says('{"server": "https://api:6443", "authorization": "Bearer two"}')
    assert (await source.renew(now=100.0 + RENEWAL_PAUSE_S - 1.0)).authorization == "Bearer one"
    assert (await source.renew(now=100.0 + RENEWAL_PAUSE_S)).authorization == "Bearer two"
    assert child.runs == 2


async def test_a_kubeconfig_is_read_again_after_ten_minutes(child: Child) -> None:
    child.says('{"server": "https://api:6443"}')
    source = child.source()
    await source.current(now=0.0)
    await source.current(now=KUBECONFIG_AGE_S - 1.0)
    assert child.runs == 1
    await source.current(now=KUBECONFIG_AGE_S)
    assert child.runs == 2


async def test_a_kubeconfig_that_never_worked_says_why_in_one_sentence(child: Child) -> None:
    child.says(complaint="Traceback of something\\nkubeconfig /x: no such file\\n", code=2)
    with pytest.raises(CredentialsUnusable, match=r"^kubeconfig /x: no such file$"):
        await child.source().current(now=0.0)


async def test_a_kubeconfig_that_stops_working_leaves_the_last_credentials(child: Child) -> None:
    child.says('{"server": "https://api:6443", "authorization": "Bearer one"}')
    source = child.source()
    await source.current(now=0.0)
    child.says(complaint="no network", code=2)
    assert (await source.renew(now=100.0)).authorization == "Bearer one"


async def test_output_that_is_no_answer_is_unusable(child: Child) -> None:
    child.says("please log in")
    with pytest.raises(CredentialsUnusable, match="cannot be understood"):
        await child.source().current(now=0.0)


async def test_a_plug_in_that_hangs_is_ended(child: Child) -> None:
    child.says(before="exec sleep 60")
    with pytest.raises(CredentialsUnusable, match=r"took more than 0\.05 s"):
        await child.source(timeout_s=0.05).current(now=0.0)


def test_a_client_certificate_is_loaded_and_never_written_to_a_disk(tmp_path: Path) -> None:
    signed = authority().sign("bareway")
    context = tls_context(
        Credentials(
            server="https://api", ca=authority().certificate, certificate=signed.certificate, key=signed.key
        )
    )
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert [*tmp_path.iterdir()] == []


def test_verification_can_be_turned_off_as_kubeconfig_allows() -> None:
    context = tls_context(Credentials(server="https://api", verify=False))
    assert context.verify_mode is ssl.CERT_NONE


def test_a_key_that_does_not_belong_to_the_certificate_is_one_sentence() -> None:
    one, other = authority().sign("one"), Authority().sign("other")
    wrong = Credentials(server="https://api", certificate=one.certificate, key=other.key)
    with pytest.raises(CredentialsUnusable, match="certificates for https://api are unusable"):
        tls_context(wrong)


def test_an_authority_that_is_none_is_one_sentence() -> None:
    with pytest.raises(CredentialsUnusable, match="unusable"):
        tls_context(Credentials(server="https://api", ca="not PEM"))
