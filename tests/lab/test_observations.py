"""What follows from what was seen: outages, answerers, stalls."""

import pytest

from lab.observations import (
    ArpFrame,
    Attempt,
    Lateness,
    Outage,
    announcements,
    answers,
    longest_silence,
    longest_stall,
    outage,
    served_again,
    two_answerers,
)

VIP = "192.0.2.200"


def attempts(outcomes: str, *, every_s: float = 0.01) -> list[Attempt]:
    """One request each 10 ms; ``.`` got the page in 1 ms, ``x`` ran into its deadline of 200 ms."""
    return [
        Attempt(
            sent_at=i * every_s,
            ended_at=i * every_s + (0.001 if mark == "." else 0.2),
            body="page" if mark == "." else None,
            failure="" if mark == "." else "timeout",
        )
        for i, mark in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param("." * 50, Outage(seconds=0.0, failures={}), id="nothing failed"),
        pytest.param(
            "." * 20 + "x" * 30 + "." * 40,
            Outage(seconds=0.31, failures={"timeout": 30}),
            id="31 periods",
        ),
        pytest.param("." * 20 + "x" * 30, None, id="not back yet"),
        pytest.param("x" * 20 + "." * 40, None, id="was not there before"),
        pytest.param(
            "." * 20 + "x.x" + "." * 40, Outage(seconds=0.02, failures={"timeout": 2}), id="single losses"
        ),
    ],
)
def test_an_outage_lasts_from_the_last_good_answer_to_the_next(
    outcomes: str, expected: Outage | None
) -> None:
    seen = outage(attempts(outcomes), since=0.2)
    if expected is None:
        assert seen is None
    else:
        assert seen is not None
        assert seen.failures == expected.failures
        assert seen.seconds == pytest.approx(expected.seconds)


def test_an_outage_before_the_fault_is_not_counted() -> None:
    seen = outage(attempts("." * 10 + "x" * 10 + "." * 100), since=0.9)
    assert seen == Outage(seconds=0.0, failures={})


def test_of_two_outages_the_one_after_the_fault_is_told() -> None:
    seen = outage(attempts("." * 10 + "x" * 90 + "." * 50 + "x" * 30 + "." * 40), since=1.4)
    assert seen is not None
    assert seen.failed == 30
    assert seen.seconds == pytest.approx(0.31)


@pytest.mark.parametrize(
    ("outcomes", "since", "expected"),
    [
        pytest.param("x" * 5 + "." * 20, 0.0, True, id="twenty in a row"),
        pytest.param("." * 19, 0.0, False, id="too few"),
        pytest.param("." * 30 + "x" + "." * 10, 0.0, False, id="a failure among them"),
        pytest.param("." * 30, 0.2, False, id="most before the fault"),
    ],
)
def test_service_is_back_when_a_row_of_requests_succeeds(outcomes: str, since: float, expected: bool) -> None:
    assert served_again(attempts(outcomes), since=since) is expected


def arp(
    at: float, mac: str, *, operation: int = 2, target_ip: str = "192.0.2.101", broadcast: bool = False
) -> ArpFrame:
    return ArpFrame(
        at=at,
        operation=operation,
        sender_mac=mac,
        sender_ip=VIP,
        target_mac="02:00:c0:00:02:65",
        target_ip=target_ip,
        source=mac,
        destination="ff:ff:ff:ff:ff:ff" if broadcast else "02:00:c0:00:02:65",
    )


@pytest.mark.parametrize(
    ("heard", "shared_s"),
    [
        pytest.param("AAAABBBB", 0.0, id="a clean hand-over"),
        pytest.param("AAAABABABBBB", 0.05, id="both for a while"),
        pytest.param("AAAA" + " " * 60 + "BBBB" + " " * 60 + "AAAA", 0.0, id="there and back, apart"),
        pytest.param("AAAAAAAA", 0.0, id="one only"),
    ],
)
def test_two_answerers_are_measured_by_the_time_they_share(heard: str, shared_s: float) -> None:
    frames = [arp(i * 0.01, mac) for i, mac in enumerate(heard) if mac != " "]
    assert two_answerers(frames, VIP) == pytest.approx(shared_s)


def test_answers_and_announcements_are_told_apart() -> None:
    answer = arp(1.0, "A")
    gratuitous_reply = arp(2.0, "A", target_ip=VIP, broadcast=True)
    gratuitous_request = arp(3.0, "A", operation=1, target_ip=VIP, broadcast=True)
    question = arp(4.0, "A", operation=1, target_ip="192.0.2.1", broadcast=True)
    frames = [answer, gratuitous_reply, gratuitous_request, question]
    assert answers(frames, VIP) == [answer]
    assert answers(frames, VIP, but="A") == []
    assert answers(frames, VIP, by="B") == []
    assert answers(frames, VIP, since=1.5) == []
    assert announcements(frames, VIP) == [gratuitous_reply, gratuitous_request]


def test_only_stalls_after_the_given_time_count() -> None:
    stalls = [Lateness(at=1.0, late_s=0.5), Lateness(at=2.0, late_s=0.03), Lateness(at=3.0, late_s=0.06)]
    assert longest_stall(stalls, since=1.5) == 0.06
    assert longest_stall([], since=0.0) == 0.0


def test_silence_is_the_longest_time_between_two_answers() -> None:
    frames = [arp(at, "A") for at in (1.0, 1.1, 4.0, 4.2)]
    assert longest_silence(frames, VIP) == pytest.approx(2.9)
    assert longest_silence(frames, VIP, since=3.0) == pytest.approx(0.2)
    assert longest_silence([], VIP) == 0.0
