"""Short forms of what the bench does for hours: lost frames, and an API server that stays away."""

import pytest

from bench.layer2.away import api_away
from bench.layer2.conditions import Conditions
from bench.layer2.soak import soak

pytestmark = [pytest.mark.lab, pytest.mark.crowd, pytest.mark.timeout(300)]


@pytest.mark.usefixtures("_prerequisites")
def test_members_that_lose_frames_bury_nobody_alive_and_the_dead_in_time() -> None:
    found = soak(Conditions(trials=1, nodes=3, loss=5.0, minutes=0.2))
    assert not found.broken
    assert 1.0 < found.frames.percent < 15.0
    assert found.false_deaths == 0
    assert (found.meanwhile.moves, found.meanwhile.withdrawn) == (0, 0)
    assert found.whole.deaths > 0
    assert len(found.cuts_in_loss) == len(found.cuts_after_loss) == 2


@pytest.mark.usefixtures("_prerequisites")
def test_a_node_that_dies_long_after_the_api_server_went_away_is_replaced() -> None:
    found = api_away(Conditions(trials=0, minutes=0.25))
    assert found.requests > 0
    assert found.meanwhile.moves == found.meanwhile.deaths == 0
    for family in found.without_api:
        assert family.trials[0].successor != family.trials[0].owner
        assert family.trials[0].two_answerers_s == 0.0
