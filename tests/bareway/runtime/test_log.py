import json
import logging
from collections.abc import Iterator
from io import StringIO
from ipaddress import ip_address

import pytest

from bareway.model.names import NodeName, ObjectKey
from bareway.runtime.log import LogLevel, Verbosity, configure, timestamp

ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)
LOGGER = logging.getLogger("bareway.test")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    names = ("", "bareway", "controller", "speaker", "__main__")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, raise_exceptions = list(root.handlers), logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    logging.raiseExceptions = raise_exceptions
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _logged(level: LogLevel = LogLevel.INFO) -> StringIO:
    stream = StringIO()
    configure(level, stream)
    return stream


def _line(stream: StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_a_line_is_one_object_with_the_keys_that_readers_of_metallb_know() -> None:
    stream = _logged()
    LOGGER.info("service %s", "announced", extra={"ips": ["192.0.2.10"], "pool": "public"})
    line = _line(stream)
    assert (line["level"], line["msg"]) == ("info", "service announced")
    assert (line["ips"], line["pool"]) == (["192.0.2.10"], "public")
    assert str(line["caller"]).startswith("test_log.py:")
    assert str(line["ts"]).endswith("Z")
    assert set(line) == {"caller", "level", "ts", "msg", "ips", "pool"}


def test_the_moment_is_written_in_utc_with_milliseconds() -> None:
    assert timestamp(0.0625) == "1970-01-01T00:00:00.062Z"


@pytest.mark.parametrize(
    ("level", "said"),
    [
        pytest.param(LogLevel.ALL, ["debug", "info", "warn", "error", "error"], id="all"),
        pytest.param(LogLevel.DEBUG, ["debug", "info", "warn", "error", "error"], id="debug"),
        pytest.param(LogLevel.INFO, ["info", "warn", "error", "error"], id="info"),
        pytest.param(LogLevel.WARN, ["warn", "error", "error"], id="warn"),
        pytest.param(LogLevel.ERROR, ["error", "error"], id="error"),
        pytest.param(LogLevel.NONE, [], id="none"),
    ],
)
def test_the_level_names_the_lowest_that_is_logged(level: LogLevel, said: list[str]) -> None:
    stream = _logged(level)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        LOGGER.log(number, "something")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == said


@pytest.mark.parametrize("level", [LogLevel.ALL, LogLevel.INFO])
def test_other_packages_speak_from_warnings_upwards_only(level: LogLevel) -> None:
    stream = _logged(level)
    logging.getLogger("aiohttp.server").info("chatter")
    logging.getLogger("aiohttp.server").warning("trouble")
    assert _line(stream)["msg"] == "trouble"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(ip_address("2001:db8::1"), "2001:db8::1", id="address"),
        pytest.param(LogLevel.WARN, "warn", id="word of an Enum"),
        pytest.param({ip_address("192.0.2.1")}, ["192.0.2.1"], id="set"),
        pytest.param({ip_address("192.0.2.1"): 1}, {"192.0.2.1": 1}, id="address as key"),
        pytest.param(ValueError("bad"), "bad", id="exception"),
        pytest.param(NodeName("node1"), "node1", id="name"),
        pytest.param(None, None, id="nothing"),
        pytest.param("two\nlines \x1b[31m", "two\nlines \x1b[31m", id="control characters"),
    ],
)
def test_a_value_is_written_as_its_text(value: object, written: object) -> None:
    stream = _logged()
    LOGGER.info("something", extra={"value": value})
    assert _line(stream)["value"] == written


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\ud800", id="half a character"),
        pytest.param(2**80, id="number of more than 64 bits"),
        pytest.param(ENDLESS, id="list within itself"),
    ],
)
def test_a_value_that_json_cannot_hold_does_not_lose_the_line(value: object) -> None:
    stream = _logged()
    LOGGER.info("something", extra={"value": value})
    assert "something" in stream.getvalue()
    assert len(_line(stream)) == 5


def test_a_service_is_written_by_namespace_and_name() -> None:
    stream = _logged()
    LOGGER.info("something", extra={"service": ObjectKey("shop", "web"), "also": [ObjectKey("", "node1")]})
    line = _line(stream)
    assert (line["service"], line["also"]) == ("shop/web", ["node1"])


def test_what_a_program_adds_never_replaces_the_standing_keys() -> None:
    stream = _logged()
    LOGGER.info("something", extra={"level": "loud", "ts": "now"})
    assert _line(stream)["level"] == "info"


def test_a_failure_keeps_its_trace_in_the_same_line() -> None:
    stream = _logged()
    try:
        int("many")
    except ValueError:
        LOGGER.exception("broken")
    line = _line(stream)
    assert str(line["trace"]).endswith("invalid literal for int() with base 10: 'many'")


def test_a_reader_of_the_log_that_goes_away_is_not_complained_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = _logged()
    stream.close()
    LOGGER.info("to nobody")
    assert capsys.readouterr().err == ""


def test_configuring_twice_does_not_write_twice() -> None:
    first, second = _logged(), _logged()
    LOGGER.info("once")
    assert first.getvalue() == ""
    assert _line(second)["msg"] == "once"


def _said(stream: StringIO) -> list[str]:
    """Messages since this was asked last."""
    said = [json.loads(line)["msg"] for line in stream.getvalue().splitlines()]
    stream.truncate(0)
    stream.seek(0)
    return said


@pytest.mark.parametrize("usual", [LogLevel.NONE, LogLevel.WARN, LogLevel.INFO])
def test_an_annotation_lets_more_be_said_and_the_usual_counts_again_without_it(usual: LogLevel) -> None:
    stream = _logged(usual)
    verbosity = Verbosity(usual)
    verbosity.follow("")
    LOGGER.debug("a packet")
    assert _said(stream) == []
    verbosity.follow("debug")
    LOGGER.debug("a packet")
    assert _said(stream) == ["log level changed", "a packet"]
    verbosity.follow("debug")
    verbosity.follow("")
    LOGGER.debug("a packet")
    assert _said(stream) == ["log level changed"]


def test_an_annotation_lets_less_be_said_and_the_last_line_says_so() -> None:
    stream = _logged(LogLevel.DEBUG)
    Verbosity(LogLevel.DEBUG).follow("error")
    LOGGER.warning("not this")
    LOGGER.error("this")
    assert _said(stream) == ["log level changed", "this"]


def test_a_level_that_does_not_exist_is_told_once_and_changes_nothing() -> None:
    stream = _logged(LogLevel.INFO)
    verbosity = Verbosity(LogLevel.INFO)
    for _ in range(2):
        verbosity.follow("loud" * 100)
    LOGGER.info("as before")
    LOGGER.debug("not this")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["msg"] for line in lines] == ["no such log level", "as before"]
    assert lines[0]["value"] == ("loud" * 100)[:64]
    assert "debug" in lines[0]["known"]


def test_after_a_slip_of_the_pen_the_usual_level_counts() -> None:
    stream = _logged(LogLevel.INFO)
    verbosity = Verbosity(LogLevel.INFO)
    verbosity.follow("error")
    verbosity.follow("debgu")
    LOGGER.info("as before")
    assert _said(stream) == ["log level changed", "log level changed", "as before"]


def test_other_packages_speak_from_warnings_upwards_whatever_is_asked_for() -> None:
    stream = _logged(LogLevel.INFO)
    Verbosity(LogLevel.INFO).follow("all")
    logging.getLogger("aiohttp").info("not this")
    logging.getLogger("aiohttp").warning("this")
    assert _said(stream)[1:] == ["this"]
