"""bareway.resources.state: what is remembered is read as it was written, and nothing else is believed."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import ObjectKey, ServiceKey
from bareway.model.objects import ConfigMap
from bareway.resources.state import read_state, write_state
from support.builders import ips, key

WEB = key("shop/web")
ONE, OTHER = ips("192.0.2.1", "2001:db8::1")
names = st.builds(ServiceKey, st.sampled_from("abc"), st.sampled_from("xyz"))
times = st.integers(0, 2**40)
addresses = st.ip_addresses()


def stored(text: str | None) -> ConfigMap:
    data = {} if text is None else {"memory": text}
    return ConfigMap(key=ObjectKey("bareway-system", "bareway-state"), data=data)


def test_it_is_written_so_that_people_can_read_it() -> None:
    memory = AllocationMemory(
        holders={ONE: (WEB, key("shop/api"))},
        freed={OTHER: 1700000000},
        holds={OTHER: Hold(service=WEB, until=1700000060)},
        quarantine={ip_address("192.0.2.9"): 1700000600},
    )
    assert write_state(memory) == {
        "memory": '{"version":1,"holders":{"192.0.2.1":["shop/web","shop/api"]},'
        '"freed":{"2001:db8::1":1700000000},"holds":{"2001:db8::1":["shop/web",1700000060]},"quarantine":{"192.0.2.9":1700000600}}'
    }


@given(
    st.builds(
        AllocationMemory,
        holders=st.dictionaries(addresses, st.lists(names, min_size=1, max_size=3).map(tuple)),
        freed=st.dictionaries(addresses, times),
        holds=st.dictionaries(addresses, st.builds(Hold, service=names, until=times)),
        quarantine=st.dictionaries(addresses, times),
    )
)
def test_what_was_written_is_read_again(memory: AllocationMemory) -> None:
    text = write_state(memory)["memory"]
    assert read_state(stored(text)) == memory
    assert write_state(read_state(stored(text))) == {"memory": text}  # type: ignore[arg-type]  # it was read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(None, "Input data was truncated", id="nothing"),
        pytest.param("[]", "Expected `object`, got `array`", id="no object"),
        pytest.param("{}", "missing required field `version`", id="no version"),
        pytest.param('{"version":2}', "version 2 is not known here", id="another version"),
        pytest.param('{"version":1,"freed":{"x":1}}', '"x" is not an IP address', id="no address"),
        pytest.param('{"version":1,"freed":{"192.0.2.1":"now"}}', "Expected `int`, got `str`", id="no time"),
    ],
)
def test_what_cannot_be_read_is_a_problem_that_says_what_to_do(text: str | None, told: str) -> None:
    problems = read_state(stored(text))
    assert isinstance(problems, list)
    assert told in problems[0].message
    assert (problems[0].path, problems[0].line) == ("data.memory", 0)
