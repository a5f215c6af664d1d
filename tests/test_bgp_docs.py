"""What docs/bgp.md says is so: configurations are accepted, routers take theirs, words are the code's."""

import re
from pathlib import Path

import pytest
import yaml

from bareway.decide.routing.sessions import SessionRefusal
from bareway.model.problems import Severity
from bareway.resources.configurations import read_configuration
from lab.commands import run
from speaker.bgp.report import NOT_BEGUN
from speaker.bgp.telling import AT_START_MAX

PAGE = Path(__file__).resolve().parents[1] / "docs" / "bgp.md"
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(), re.DOTALL)
CONFIGURATIONS = [text for kind, text in BLOCKS if kind == "yaml" and not text.startswith("# role.yaml")]


def _file(name: str) -> str:
    (text,) = (text for _, text in BLOCKS if re.match(rf"[#!] {re.escape(name)}\n", text))
    return str(text)


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_every_configuration_is_accepted(text: str) -> None:
    reading = read_configuration(text)
    assert [problem for problem in reading.problems if problem.severity is Severity.ERROR] == []
    assert reading.configuration is not None
    assert reading.configuration.peers


def test_there_is_something_to_check() -> None:
    assert len(CONFIGURATIONS) == 3


def test_the_role_for_other_secrets_is_given_to_speakers() -> None:
    role, binding = yaml.safe_load_all(_file("role.yaml"))
    assert role["rules"][0]["verbs"] == ["list", "watch"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"][0]["name"] == "bareway-speaker"


def test_every_word_for_a_session_that_is_not_there_is_explained() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    assert told == {NOT_BEGUN, *(refusal.value for refusal in SessionRefusal)}


def test_the_number_of_services_told_at_a_start_is_the_one_of_the_code() -> None:
    assert f"more than {AT_START_MAX} of them" in PAGE.read_text()


@pytest.mark.lab
@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param("bird.conf", ["bird", "-p", "-c"], id="BIRD"),
        pytest.param("frr.conf", ["vtysh", "-C", "-f"], id="FRR"),
        pytest.param("gobgpd.toml", ["gobgpd", "--dry-run", "-t", "toml", "-f"], id="GoBGP"),
        pytest.param("bgpd.conf", ["/usr/sbin/bgpd", "-n", "-f"], id="OpenBGPD"),
    ],
)
def test_the_router_takes_its_example(name: str, command: list[str], tmp_path: Path) -> None:
    path = tmp_path / name
    path.touch(mode=0o600)
    path.write_text(_file(name))
    run(*command, str(path))
