from ipaddress import ip_address
from pathlib import Path

import pytest

from bareway.gossip.profile import ProfileName
from bareway.model.names import NodeName
from speaker.settings import MEMBERS_MAX, Settings, StaticMember, read_members, read_settings

NODE = {"METALLB_NODE_NAME": "node1"}
METALLB_V0_12_ENVIRONMENT = {
    **NODE,
    "METALLB_HOST": "192.0.2.1",
    "METALLB_ML_BIND_ADDR": "10.0.0.7",
    "METALLB_ML_LABELS": "app=metallb,component=speaker",
    "METALLB_ML_SECRET_KEY": "a secret",
    "METALLB_NAMESPACE": "metallb-system",
}
METALLB_V0_12_FLAGS = ["--port=7472", "--config=config", "--log-level=info"]
METALLB_V0_12_ALL_FLAGS = [
    *METALLB_V0_12_FLAGS,
    "-host=192.0.2.1",
    "-ml-bindaddr=10.0.0.7",
    "-ml-bindport=7946",
    "-ml-labels=app=metallb",
    "-ml-secret-key=a secret",
    "-node-name=node1",
    "-namespace=metallb-system",
    "-kubeconfig=/etc/kubeconfig",
    "-disable-epslices",
    "-enable-pprof",
]


def _settings(*argv: str, environ: dict[str, str] | None = None) -> Settings:
    settings = read_settings(argv, NODE if environ is None else environ)
    assert isinstance(settings, Settings), settings
    return settings


def test_without_a_word_the_names_and_ports_of_the_project_hold() -> None:
    settings = _settings()
    assert settings.node_name == "node1"
    assert (settings.gossip_port, settings.http_port) == (7947, 7480)
    assert settings.socket == Path("/run/bareway/speaker.sock")
    assert settings.profile is None  # as configured
    assert (settings.members, settings.gossip_key, settings.gossip_address) == ({}, "", "")
    assert not settings.ignore_exclude_label


def test_the_manifest_of_metallb_v0_12_is_understood() -> None:
    assert _settings(*METALLB_V0_12_FLAGS, environ=METALLB_V0_12_ENVIRONMENT) == Settings(
        node_name=NodeName("node1"),
        namespace="metallb-system",
        http_address="192.0.2.1",
        http_port=7472,
        gossip_address="10.0.0.7",
        gossip_key="a secret",
    )


def test_every_flag_of_metallb_v0_12_is_accepted_and_those_without_meaning_are_named() -> None:
    settings = _settings(*METALLB_V0_12_ALL_FLAGS, environ={})
    assert settings.ignored == ("--ml-labels", "--disable-epslices", "--enable-pprof")
    assert settings.gossip_port == 7946


@pytest.mark.parametrize("environ", [{}, {"METALLB_NODE_NAME": ""}], ids=["unset", "empty"])
def test_a_speaker_must_know_its_node(environ: dict[str, str]) -> None:
    problems = read_settings([], environ)
    assert isinstance(problems, list)
    assert [(problem.path, problem.message) for problem in problems] == [("--node-name", "is missing")]


@pytest.mark.parametrize(
    ("argv", "environ", "place"),
    [
        pytest.param(["--node-name=Bad Name"], {}, "--node-name", id="flag"),
        pytest.param([], {"METALLB_NODE_NAME": "Bad Name"}, "METALLB_NODE_NAME", id="variable"),
    ],
)
def test_a_bad_node_name_is_told_once(argv: list[str], environ: dict[str, str], place: str) -> None:
    problems = read_settings(argv, environ)
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == [place]


@pytest.mark.parametrize(
    ("argv", "profile"),
    [
        pytest.param(["--profile=fast"], ProfileName.FAST, id="by name"),
        pytest.param(["--ml-wan-config"], ProfileName.WAN, id="MetalLB's switch"),
        pytest.param(["--profile=fast", "--ml-wan-config=false"], ProfileName.FAST, id="the switch off"),
    ],
)
def test_the_timing_is_chosen_by_name_or_by_metallbs_switch(argv: list[str], profile: ProfileName) -> None:
    assert _settings(*argv).profile is profile


def test_members_are_read_with_and_without_port_in_both_families() -> None:
    assert read_members(" node1=192.0.2.1, node2=192.0.2.2:7000,node3=[2001:db8::3],n4=[2001:db8::4]:1,") == {
        "node1": StaticMember(address=ip_address("192.0.2.1")),
        "node2": StaticMember(address=ip_address("192.0.2.2"), port=7000),
        "node3": StaticMember(address=ip_address("2001:db8::3")),
        "n4": StaticMember(address=ip_address("2001:db8::4"), port=1),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("node1", "not a member", id="no address"),
        pytest.param("node1=", "not a member", id="empty address"),
        pytest.param("=192.0.2.1", "not a member", id="no name"),
        pytest.param("node1=host.example.org", "not a member", id="name for address"),
        pytest.param("node1=2001:db8::1", "not a member", id="IPv6 without brackets"),
        pytest.param("node1=[2001:db8::1", "not a member", id="open bracket"),
        pytest.param("node1=192.0.2.1:", "not a member", id="empty port"),
        pytest.param("node1=192.0.2.300", "not an IP address", id="bad address"),
        pytest.param("node1=192.0.2.1:0", "not a whole number from 1", id="port 0"),
        pytest.param("node1=192.0.2.1:70000", "not a whole number from 1", id="port too high"),
        pytest.param("Node1=192.0.2.1", "not a name", id="bad name"),
        pytest.param("a=192.0.2.1,a=192.0.2.2", "stands there twice", id="twice"),
    ],
)
def test_a_bad_member_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_members(text)


def test_more_members_than_gossip_takes_are_refused() -> None:
    entries = [f"n{number}=10.0.{number >> 8}.{number & 255}" for number in range(MEMBERS_MAX + 1)]
    assert len(read_members(",".join(entries[:-1]))) == MEMBERS_MAX
    with pytest.raises(ValueError, match="at most 1000"):
        read_members(",".join(entries))


def test_the_key_is_not_shown_where_settings_are() -> None:
    assert "a secret" not in repr(_settings("--ml-secret-key=a secret"))


def test_every_mistake_is_told_at_once() -> None:
    problems = read_settings(["--members=x", "--profile=slow", "--ml-bindport=0"], {})
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == [
        "--members",
        "--profile",
        "--ml-bindport",
        "--node-name",
    ]
