from textwrap import dedent

import pytest

from bareway.model.configuration import BfdProfile
from bareway.model.problems import Severity
from bareway.resources.configurations import read_configuration
from support.configurations import accepted, error

FULL = """\
bfd-profiles:
- name: full
  receive-interval: 10
  transmit-interval: 60000
  detect-multiplier: 2
  echo-interval: 60_000
  echo-mode: yes
  passive-mode: on
  minimum-ttl: 254
- name: empty
"""


def test_profiles_are_read_in_their_order() -> None:
    assert accepted(FULL).bfd_profiles == (
        BfdProfile(
            name="full",
            receive_interval_ms=10,
            transmit_interval_ms=60_000,
            detect_multiplier=2,
            echo_interval_ms=60_000,
            echo_mode=True,
            passive_mode=True,
            minimum_ttl=254,
        ),
        BfdProfile(name="empty"),
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("receive-interval", 9),
        ("receive-interval", 60001),
        ("transmit-interval", 0),
        ("detect-multiplier", 256),
        ("echo-interval", 60001),
        ("minimum-ttl", 0),
    ],
)
def test_a_value_out_of_its_range_is_told_where_it_stands(key: str, value: int) -> None:
    problem = error(f"bfd-profiles: [{{name: fast, {key}: {value}}}]")
    assert problem.path == f"bfd-profiles[0].{key}"
    assert f"invalid value {value}, must be in " in problem.message


def test_no_interval_is_below_zero() -> None:
    problem = error("bfd-profiles: [{name: fast, receive-interval: -1}]")
    assert problem.message == "could not parse config: cannot unmarshal !!int `-1` into uint32"


def test_echo_mode_is_accepted_and_said_to_have_no_effect() -> None:
    reading = read_configuration("bfd-profiles: [{name: fast, echo-mode: true}]")
    assert reading.configuration is not None
    (found,) = (problem for problem in reading.problems if "echo-mode" in problem.path)
    assert (found.path, found.severity) == ("bfd-profiles[0].echo-mode", Severity.WARNING)
    assert "no effect" in found.message
    assert "remove it" in found.hint


@pytest.mark.parametrize(
    ("profile", "peer", "is_told"),
    [
        pytest.param("", "ebgp-multihop: true", True, id="as by default"),
        pytest.param("minimum-ttl: 65", "ebgp-multihop: true", True, id="more than BIRD sends"),
        pytest.param("minimum-ttl: 64", "ebgp-multihop: true", False, id="what BIRD sends"),
        pytest.param("", "ebgp-multihop: false", False, id="one hop"),
    ],
)
def test_a_ttl_that_bird_does_not_send_is_told_to_peers_over_several_hops(
    profile: str, peer: str, is_told: bool
) -> None:
    text = f"""\
    bfd-profiles: [{{name: fast, {profile}}}]
    peers: [{{my-asn: 64601, peer-asn: 64512, peer-address: 192.0.2.1, bfd-profile: fast, {peer}}}]
    """
    reading = read_configuration(dedent(text))
    assert reading.configuration is not None
    found = [problem for problem in reading.problems if problem.path == "peers[0].bfd-profile"]
    assert len(found) == is_told
    assert all("minimum-ttl: 64" in one.hint and one.severity is Severity.WARNING for one in found)
