"""Logs as one JSON object a line, with the keys that readers of MetalLB's logs know: level, ts, msg, caller.

A program calls ``configure`` once and then uses the standard library:
``logger.info("claim taken", extra={"address": address})``; whatever stands in ``extra`` becomes a key of the
line. The level is that of --log-level, or another one as long as the operator asks for it by an annotation
(``Verbosity``). Left out: files and rotation; the container's runtime does that.
"""

import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TextIO

import msgspec

from bareway.model.plain import plain

logger = logging.getLogger(__name__)

LEVEL_ANNOTATION: Final = "bareway.io/log-level"
"""On the ConfigMap with the configuration."""
VALUE_MAX: Final = 64  # characters of a level that does not exist
TRACE_MAX = 8_000
"""Characters of a traceback kept, its end first: container runtimes split a line at 16 KiB."""


class LogLevel(StrEnum):
    """Values of --log-level: MetalLB's words."""

    ALL = "all"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    NONE = "none"


THRESHOLDS: Final = {
    LogLevel.ALL: logging.DEBUG,
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARN: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
    LogLevel.NONE: logging.CRITICAL + 1,
}

WORDS: Final = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "error",
    logging.CRITICAL: "error",
}

OURS: Final = ("bareway", "controller", "speaker", "__main__")
"""Loggers that follow --log-level; those of other packages speak from WARNING upwards only."""

STANDARD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; any other attribute came in through ``extra``."""


class JsonFormatter(logging.Formatter):
    """One record, one line; values that JSON does not know are written as their text."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        line: dict[str, object] = {
            "caller": f"{record.filename}:{record.lineno}",
            "level": WORDS.get(record.levelno, record.levelname.lower()),
            "ts": timestamp(record.created),
            "msg": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name not in STANDARD_ATTRIBUTES:
                line.setdefault(name, value)
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-TRACE_MAX:]
        return encode_line(line)


def configure(level: LogLevel, stream: TextIO | None = None) -> None:
    """Send all logs to ``stream`` (standard output if None) as JSON lines from ``level`` upwards."""
    handler = logging.StreamHandler(stream if stream is not None else sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    _set_level(level)
    # What no line shows is not looked up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.raiseExceptions = False  # a reader of the log that goes away must not end the program


class Verbosity:
    """Lets an annotation say how much is logged, while it is there: no program has to be started anew."""

    def __init__(self, usual: LogLevel) -> None:
        self._usual = self._level = usual
        self._asked = ""

    def follow(self, asked: str) -> None:
        """The annotation says ``asked`` now; empty if it is not there."""
        if asked != self._asked:
            self._asked = asked
            self._use(self._read(asked) if asked else self._usual)

    def _read(self, asked: str) -> LogLevel:
        try:
            return LogLevel(asked)
        except ValueError:
            extra = {"annotation": LEVEL_ANNOTATION, "value": asked[:VALUE_MAX], "known": list(LogLevel)}
            logger.warning("no such log level", extra=extra)
            return self._usual

    def _use(self, level: LogLevel) -> None:
        if level is not self._level:
            self._level = level
            _set_level(LogLevel.INFO)  # so that the change is told whichever way it goes
            logger.info("log level changed", extra={"to": level})
            _set_level(level)


def _set_level(level: LogLevel) -> None:
    logging.getLogger().setLevel(max(THRESHOLDS[level], logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(THRESHOLDS[level])


def timestamp(unix_s: float) -> str:
    """The moment in UTC with milliseconds (RFC 3339 section 5.6)."""
    moment = datetime.fromtimestamp(unix_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode_line(line: dict[str, object]) -> str:
    """``line`` as JSON; never raises, since a log line must not end a program."""
    try:
        return msgspec.json.encode(plain(line)).decode()
    except (ValueError, OverflowError, RecursionError):  # half a character, 2**80, a list within itself
        safe = {name: ascii(value)[:TRACE_MAX] for name, value in line.items()}
        return msgspec.json.encode(safe).decode()
