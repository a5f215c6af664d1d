"""Ages as kubectl shows them; the rows follow HumanDuration of k8s.io/apimachinery."""

from datetime import UTC, datetime

import pytest

from apiserver.ages import age, duration

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        pytest.param(-5, "<invalid>", id="in the future"),
        pytest.param(-1, "0s", id="clocks differ a little"),
        pytest.param(0, "0s", id="now"),
        pytest.param(119, "119s", id="almost two minutes"),
        pytest.param(2 * MINUTE, "2m", id="two minutes"),
        pytest.param(5 * MINUTE + 7, "5m7s", id="minutes and seconds"),
        pytest.param(10 * MINUTE + 7, "10m", id="minutes alone"),
        pytest.param(3 * HOUR, "3h", id="three hours"),
        pytest.param(3 * HOUR + 4 * MINUTE, "3h4m", id="hours and minutes"),
        pytest.param(8 * HOUR + 4 * MINUTE, "8h", id="hours alone"),
        pytest.param(2 * DAY, "2d", id="two days"),
        pytest.param(2 * DAY + 5 * HOUR, "2d5h", id="days and hours"),
        pytest.param(8 * DAY + 5 * HOUR, "8d", id="days alone"),
        pytest.param(729 * DAY, "729d", id="almost two years"),
        pytest.param(730 * DAY, "2y", id="two years"),
        pytest.param(735 * DAY, "2y5d", id="years and days"),
        pytest.param(9 * 365 * DAY + DAY, "9y", id="years alone"),
    ],
)
def test_a_span_of_time_is_short(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_an_age_counts_from_a_timestamp() -> None:
    assert age("2026-01-01T00:00:00Z", datetime(2026, 1, 1, 0, 0, 42, tzinfo=UTC)) == "42s"


@pytest.mark.parametrize("timestamp", [None, ""])
def test_no_timestamp_no_age(timestamp: str | None) -> None:
    assert age(timestamp, datetime(2026, 1, 1, tzinfo=UTC)) == "<unknown>"
