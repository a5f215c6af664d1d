import pytest

from bareway.model.configuration import BfdProfile
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
