"""The asker of the bench, tried on the responder: it counts what is answered, and what nobody answers."""

from collections.abc import Iterator

import pytest

from bench.arp import EVERY, FIRST, responder
from bench.asker import Asker, asker
from support.netns import cable

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
COUNT = 3


@pytest.fixture(params=[*FIRST])
def asking(request: pytest.FixtureRequest, _prerequisites: None) -> Iterator[Asker]:
    with cable() as wire, responder(COUNT) as pid, asker(wire, request.param, pid) as it:
        yield it


def test_questions_for_ours_are_answered_and_those_for_others_are_not(asking: Asker) -> None:
    ours = [FIRST[asking.family] + EVERY * i for i in range(COUNT)]
    quiet = asking.paced(ours, requests=100, every_s=0.001)
    assert quiet.lost == 0
    assert 0 < quiet.p50_ms <= quiet.p99_ms <= quiet.max_ms
    storm = asking.storm(ours, per_s=1000, seconds=0.2)
    assert (storm.sent, storm.lost, storm.overflowed) == (200, 0, 0)
    others = asking.storm([address + 1 for address in ours], per_s=1000, seconds=0.2)
    assert others.lost == others.sent == 200
