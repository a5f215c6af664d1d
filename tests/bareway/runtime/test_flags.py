from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.runtime.flags import (
    Flag,
    IgnoredFlag,
    Reading,
    Silence,
    read_flags,
    read_number,
    read_switch,
    read_text,
)


def _read_loud(text: str) -> str | Silence:
    return "loud" if read_switch(text) else Silence.NOT_GIVEN


FLAGS = (
    Flag(name="node-name", field="node", read=read_text, environment="NODE_NAME"),
    Flag(name="port", field="port", read=read_number(0, 65_535), environment="PORT"),
    Flag(name="quiet", field="quiet", read=read_switch, is_switch=True),
    Flag(name="voice", field="voice", read=read_text),
    Flag(name="loud", field="voice", read=_read_loud, is_switch=True),
)
IGNORED = (
    IgnoredFlag(name="enable-pprof", reason="Go's", is_switch=True),
    IgnoredFlag(name="ml-labels", reason="not needed"),
)


def _read(*argv: str, environ: Mapping[str, str] | None = None) -> Reading:
    return read_flags(argv, environ or {}, flags=FLAGS, ignored=IGNORED)


@pytest.mark.parametrize(
    ("argv", "values"),
    [
        pytest.param(["--node-name", "a"], {"node": "a"}, id="two dashes, separate value"),
        pytest.param(["-node-name", "a"], {"node": "a"}, id="one dash, separate value"),
        pytest.param(["--node-name=a"], {"node": "a"}, id="two dashes, equals"),
        pytest.param(["-node-name=a=b"], {"node": "a=b"}, id="one dash, equals in the value"),
        pytest.param(["--node-name", "--port"], {"node": "--port"}, id="a value may look like a flag"),
        pytest.param(["--quiet"], {"quiet": True}, id="switch"),
        pytest.param(["--quiet=false"], {"quiet": False}, id="switch turned off"),
        pytest.param(["--quiet=0"], {"quiet": False}, id="switch turned off in a digit"),
        pytest.param(["--port=1", "--port=2"], {"port": 2}, id="the last one wins"),
        pytest.param(["--node-name="], {}, id="empty counts as not given"),
        pytest.param(["--node-name", ""], {}, id="separate empty counts as not given"),
        pytest.param(["--voice=soft", "--loud"], {"voice": "loud"}, id="two flags for one field"),
        pytest.param(["--voice=soft", "--loud=false"], {"voice": "soft"}, id="a reader may say nothing"),
        pytest.param([], {}, id="nothing"),
    ],
)
def test_flags_are_read_by_the_rules_of_go(argv: list[str], values: dict[str, object]) -> None:
    reading = _read(*argv)
    assert reading.values == values
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("environ", "argv", "node"),
    [
        pytest.param({"METALLB_NODE_NAME": "a"}, [], "a", id="MetalLB's name"),
        pytest.param({"BAREWAY_NODE_NAME": "a"}, [], "a", id="our name"),
        pytest.param({"METALLB_NODE_NAME": "a", "BAREWAY_NODE_NAME": "b"}, [], "b", id="ours wins"),
        pytest.param({"METALLB_NODE_NAME": "a", "BAREWAY_NODE_NAME": ""}, [], "a", id="unless empty"),
        pytest.param({"METALLB_NODE_NAME": "a"}, ["--node-name=c"], "c", id="a flag wins over both"),
        pytest.param({"METALLB_NODE_NAME": "a"}, ["--node-name="], "a", id="unless empty too"),
        pytest.param({"NODE_NAME": "a", "METALLB_": "b"}, [], None, id="other variables say nothing"),
    ],
)
def test_the_environment_is_read_below_the_flags(
    environ: dict[str, str], argv: list[str], node: str | None
) -> None:
    assert _read(*argv, environ=environ).values.get("node") == node


@pytest.mark.parametrize(
    ("argv", "place", "hint"),
    [
        pytest.param(["--prot=1"], "--prot", "did you mean --port?", id="misspelt"),
        pytest.param(["--zzz"], "--zzz", "--help lists all flags", id="unknown"),
        pytest.param(["node1"], "node1", "write --name=value", id="no flag at all"),
        pytest.param([""], "", "write --name=value", id="empty"),
        pytest.param(["--"], "--", "write --name=value", id="two dashes alone"),
        pytest.param(["---port=1"], "---port=1", "write --name=value", id="three dashes"),
        pytest.param(["--port"], "--port", "write --port=value", id="value missing"),
        pytest.param(["--ml-labels"], "--ml-labels", "write --ml-labels=value", id="value of an ignored one"),
        pytest.param(["--port=x"], "--port", "", id="bad value"),
        pytest.param(["--quiet=maybe"], "--quiet", "", id="bad switch"),
    ],
)
def test_a_mistake_names_its_place_and_what_to_write(argv: list[str], place: str, hint: str) -> None:
    (problem,) = _read(*argv).problems
    assert (problem.path, problem.hint) == (place, hint)


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    (problem,) = _read(environ={"METALLB_PORT": "x"}).problems
    assert problem.path == "METALLB_PORT"


def test_every_mistake_is_told_at_once() -> None:
    reading = _read("--prot=1", "extra", "--quiet=maybe", environ={"METALLB_PORT": "-1"})
    assert [problem.path for problem in reading.problems] == ["--prot", "extra", "METALLB_PORT", "--quiet"]


def test_flags_without_meaning_are_accepted_and_named_once() -> None:
    reading = _read("--ml-labels", "app=x", "-enable-pprof", "--port=1", "--ml-labels=app=y")
    assert reading.ignored == ("--ml-labels", "--enable-pprof")
    assert reading.values == {"port": 1}
    assert reading.problems == ()


@pytest.mark.parametrize("text", ["", "-1", "+1", "65536", "1e3", "0x10", " 1", "1_0", "٣", "9" * 5000])
def test_a_number_out_of_its_range_or_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 65535"):
        read_number(0, 65_535)(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("65535", 65_535), ("00080", 80)])
def test_a_number_within_its_range_is_read(text: str, number: int) -> None:
    assert read_number(0, 65_535)(text) == number


@pytest.mark.parametrize("text", ["yes", "on", "tRUE", " true", ""])
def test_a_switch_knows_the_words_of_go_alone(text: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        read_switch(text)


@given(st.lists(st.text(max_size=12) | st.sampled_from(["--port", "-quiet", "--loud=1", "--node-name="])))
def test_no_command_line_is_answered_by_a_traceback(argv: list[str]) -> None:
    reading = _read(*argv)
    assert set(reading.values) <= {flag.field for flag in FLAGS}
