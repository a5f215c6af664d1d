from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bareway.model.problems import Problem
from bareway.runtime.log import LogLevel
from bareway.runtime.settings import (
    DEFAULT_NAMESPACE,
    SOCKET_PATH_MAX,
    CommonSettings,
    load,
    own_namespace,
    read_address,
    read_log_level,
    read_namespace,
    read_object_name,
    read_socket,
)


@pytest.mark.parametrize("text", ["a", "metallb-system", "a" * 63, "0"])
def test_a_namespace_is_a_label(text: str) -> None:
    assert read_namespace(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a.b", "a" * 64, "a b", "a\n"])
def test_what_is_no_namespace_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a namespace"):
        read_namespace(text)


@pytest.mark.parametrize("text", ["node1", "node1.example.org", "a" * 63 + "." + "b" * 63])
def test_a_name_may_have_dots(text: str) -> None:
    assert read_object_name(text) == text


@pytest.mark.parametrize("text", ["", ".", "a..b", "a.-b", "Node1", ".".join(["a" * 63] * 4), "a/b", "a\n"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        read_object_name(text)


@pytest.mark.parametrize(
    ("text", "address"), [("192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("::", "::")]
)
def test_an_address_to_listen_on_is_of_either_family(text: str, address: str) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize("text", ["localhost", "192.0.2", "192.0.2.1:80", "[::1]", "192.0.2.0/24"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an IP address"):
        read_address(text)


def test_a_socket_is_a_path_or_off() -> None:
    longest = "/" + "s" * (SOCKET_PATH_MAX - 1)
    assert read_socket("/run/x.sock") == Path("/run/x.sock")
    assert read_socket(longest) == Path(longest)
    assert read_socket("off") is None


@pytest.mark.parametrize("text", ["x.sock", "./x.sock", "/" + "s" * SOCKET_PATH_MAX, "/" + "ö" * 54])
def test_a_socket_that_linux_would_not_take_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an absolute path of at most 106 bytes"):
        read_socket(text)


def test_a_level_is_one_of_metallbs_words() -> None:
    assert read_log_level("warn") is LogLevel.WARN
    with pytest.raises(ValueError, match="all, debug, info, warn, error, none"):
        read_log_level("warning")


def test_the_configuration_is_in_our_own_namespace_unless_told_otherwise() -> None:
    here = CommonSettings(namespace="a", socket=None)
    there = CommonSettings(namespace="a", config_namespace="metallb-system", socket=None)
    assert (here.configuration_namespace, there.configuration_namespace) == ("a", "metallb-system")


def test_our_own_namespace_is_the_pods(tmp_path: Path) -> None:
    place = tmp_path / "namespace"
    assert own_namespace(place) == DEFAULT_NAMESPACE
    place.write_text("")
    assert own_namespace(place) == DEFAULT_NAMESPACE
    place.write_bytes(b"\xff\xfe")
    assert own_namespace(place) == DEFAULT_NAMESPACE
    place.write_text("somewhere\n")
    assert own_namespace(place) == "somewhere"
    assert own_namespace(tmp_path) == DEFAULT_NAMESPACE


def _read(
    argv: Sequence[str], environ: Mapping[str, str], namespace: str
) -> tuple[Sequence[str], str, str] | list[Problem]:
    if "--bad" in argv:
        return [Problem(path="--bad", message="is bad"), Problem(path="--worse", message="is worse")]
    return argv, environ.get("METALLB_HOST", ""), namespace


def _load(monkeypatch: pytest.MonkeyPatch, *argv: str) -> tuple[Sequence[str], str, str]:
    monkeypatch.setenv("METALLB_HOST", "192.0.2.1")
    return load("bareway-x", _read, lambda: "the manual\n", argv)


def test_a_program_gets_its_settings_from_its_command_line_and_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _load(monkeypatch, "--good") == (("--good",), "192.0.2.1", DEFAULT_NAMESPACE)


def test_every_mistake_is_printed_and_ends_the_program_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _load(monkeypatch, "--bad")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "bareway-x: --bad: is bad\nbareway-x: --worse: is worse\n"


@pytest.mark.parametrize("flag", ["--help", "-help", "-h"])
def test_help_prints_the_manual_even_among_mistakes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        _load(monkeypatch, "--bad", flag)
    assert ended.value.code == 0
    assert capsys.readouterr().out == "the manual\n"


def test_version_prints_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _load(monkeypatch, "-version")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("bareway-x 0.")
