from bareway.decide.allocation.verdicts import Allocation, Granted, Refusal, Refused, Verdict, WhyNot
from bareway.model.names import PoolName
from bareway.runtime.histograms import Histogram
from controller.writing.stopwatch import Stopwatch
from support.builders import ips, key

WEB, DB = key("shop/web"), key("shop/db")
GETS = Granted(addresses=ips("192.0.2.1"), pools=(PoolName("a"),), kept=False)
HAS = Granted(addresses=ips("192.0.2.1"), pools=(PoolName("a"),), kept=True)
WAITS = Refused(reason=WhyNot(word=Refusal.NO_FREE_ADDRESS, message="no available IPs"))


class Story:
    """A Stopwatch whose clock is told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.watch = Stopwatch(clock=lambda: self.now)

    def decide(self, web: Verdict) -> None:
        self.watch.decided(Allocation(verdicts={WEB: web}))


def seen(histogram: Histogram) -> tuple[int, float]:
    measured = histogram.measured()
    return measured.count, measured.sum_s


def test_it_runs_from_the_first_change_of_a_service_until_its_address_is_written() -> None:
    story = Story()
    story.watch.changed([WEB])
    story.now = 101.0
    story.watch.changed([WEB, DB])
    story.decide(GETS)
    story.now = 103.0
    story.watch.written(WEB)
    assert seen(story.watch.allocation) == (1, 3.0)


def test_a_service_that_waits_in_several_passes_is_measured_over_all_of_them() -> None:
    story = Story()
    story.watch.changed([WEB])
    for _ in range(3):
        story.decide(GETS)
        story.now += 1.0
    story.watch.written(WEB)
    assert seen(story.watch.allocation) == (1, 3.0)


def test_who_got_nothing_and_then_gets_it_by_a_change_elsewhere_waited_since_that_was_decided() -> None:
    story = Story()
    story.watch.changed([WEB])
    story.decide(WAITS)
    story.now = 1000.0
    story.decide(GETS)
    story.now = 1000.5
    story.watch.written(WEB)
    assert seen(story.watch.allocation) == (1, 0.5)


def test_who_has_its_address_waits_for_nothing_until_it_changes() -> None:
    story = Story()
    story.watch.changed([WEB])
    story.decide(HAS)
    story.now = 1000.0
    story.watch.changed([WEB])
    story.decide(GETS)
    story.now = 1000.25
    story.watch.written(WEB)
    assert seen(story.watch.allocation) == (1, 0.25)


def test_while_nothing_is_decided_nobody_waits() -> None:
    story = Story()
    story.watch.changed([WEB])
    story.watch.decided(None)
    story.now = 200.0
    story.decide(GETS)
    story.watch.written(WEB)
    assert seen(story.watch.allocation) == (1, 0.0)
