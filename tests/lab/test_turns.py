"""The watch that tells the ends of rows only: nothing of the time of two answerers is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.observations import ArpFrame, answers, two_answerers
from lab.tools.asking import Turns

VIPS = ("192.0.2.200", "192.0.2.201")


def answer(at: float, mac: str, address: str = VIPS[0], *, operation: int = 2) -> ArpFrame:
    return ArpFrame(
        at=at,
        operation=operation,
        sender_mac=mac,
        sender_ip=address,
        target_mac="02:00:00:00:00:09",
        target_ip="192.0.2.101",
        source=mac,
        destination="02:00:00:00:00:09",
    )


def told(frames: list[ArpFrame]) -> list[ArpFrame]:
    turns = Turns()
    return [each for frame in frames for each in turns.take(frame)]


@given(
    st.lists(st.tuples(st.integers(1, 400), st.sampled_from("abc"), st.sampled_from(VIPS)), max_size=60),
)
def test_two_answerers_are_the_same_by_what_is_told_as_by_everything(
    steps: list[tuple[int, str, str]],
) -> None:
    now, frames = 0.0, []
    for wait_ms, mac, address in steps:
        now += wait_ms / 1000
        frames.append(answer(now, mac, address))
    for address in VIPS:
        assert two_answerers(told(frames), address) == pytest.approx(two_answerers(frames, address))


def test_a_row_by_one_station_is_told_by_its_ends() -> None:
    frames = [answer(float(at), "a") for at in range(100)] + [answer(200.0, "b")]
    assert [frame.at for frame in answers(told(frames), VIPS[0])] == [0.0, 99.0, 200.0]


def test_stations_that_take_turns_are_told_once_each_time() -> None:
    frames = [answer(float(at), mac) for at, mac in enumerate("abab")]
    assert told(frames) == frames


def test_questions_are_not_told() -> None:
    assert told([answer(1.0, "a", operation=1)]) == []
