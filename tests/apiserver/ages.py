"""How long ago, as kubectl shows it (k8s.io/apimachinery ``util/duration``)."""

from datetime import UTC, datetime

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
YEAR_S = 365 * DAY_S


def age(timestamp: str | None, now: datetime) -> str:
    """The age of a moment written in RFC 3339."""
    if not timestamp:
        return "<unknown>"
    then = datetime.fromisoformat(timestamp).astimezone(UTC)
    return duration((now - then).total_seconds())


def duration(seconds: float) -> str:
    """A span of time in at most two units; the finer one goes as the span grows."""
    if seconds < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    rows = (
        (2 * MINUTE_S, 1, "s", 0, ""),
        (10 * MINUTE_S, MINUTE_S, "m", 1, "s"),
        (3 * HOUR_S, MINUTE_S, "m", 0, ""),
        (8 * HOUR_S, HOUR_S, "h", MINUTE_S, "m"),
        (2 * DAY_S, HOUR_S, "h", 0, ""),
        (8 * DAY_S, DAY_S, "d", HOUR_S, "h"),
        (2 * YEAR_S, DAY_S, "d", 0, ""),
        (8 * YEAR_S, YEAR_S, "y", DAY_S, "d"),
    )
    for limit, unit, letter, fine, fine_letter in rows:
        if whole < limit:
            rest = whole % unit // fine if fine else 0
            return f"{whole // unit}{letter}" + (f"{rest}{fine_letter}" if rest else "")
    return f"{whole // YEAR_S}y"
