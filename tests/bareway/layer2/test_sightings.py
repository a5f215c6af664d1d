"""How often a sighting is passed on."""

from bareway.layer2.responder import Sighting
from bareway.layer2.sightings import WINDOW_MAX, WINDOW_S, Gate
from support.arp import ASKER_MAC, STRANGER_MAC, VIP

START = 5_000_000.0
SEEN = Sighting(VIP, STRANGER_MAC, is_solicited=False)


def test_the_first_is_told_at_once_and_the_same_again_after_a_moment() -> None:
    gate = Gate(now=START)
    times = [START + number * WINDOW_S / 10 for number in range(25)]
    told = [at for at in times if gate.admits(SEEN, now=at)]
    assert told[0] == START
    assert len(told) == 3


def test_a_moment_is_over_when_its_time_has_come() -> None:
    gate = Gate(now=0.0)
    assert gate.admits(SEEN, now=0.0)
    assert not gate.admits(SEEN, now=WINDOW_S / 2)
    assert gate.admits(SEEN, now=WINDOW_S)
    assert not gate.admits(SEEN, now=1.5 * WINDOW_S)
    assert gate.admits(SEEN, now=2 * WINDOW_S)


def test_what_differs_in_anything_is_told_for_itself() -> None:
    gate = Gate(now=START)
    others = [
        SEEN,
        SEEN._replace(address=VIP + 1),
        SEEN._replace(mac=ASKER_MAC),
        SEEN._replace(is_solicited=True),
    ]
    assert all(gate.admits(sighting, now=START) for sighting in others)
    assert not any(gate.admits(sighting, now=START) for sighting in others)


def test_a_neighbour_that_calls_everything_its_own_is_heard_within_bounds() -> None:
    gate = Gate(now=START)
    told = 0
    for number in range(20_000):  # in one second
        told += gate.admits(SEEN._replace(address=VIP + number), now=START + number / 20_000)
    assert WINDOW_MAX <= told <= (1 / WINDOW_S + 1) * WINDOW_MAX


def test_in_one_moment_just_so_many_are_told() -> None:
    gate = Gate(now=START)
    others = (SEEN._replace(address=VIP + number) for number in range(WINDOW_MAX + 9))
    assert [gate.admits(one, now=START) for one in others] == [True] * WINDOW_MAX + [False] * 9
