"""Where Services could not be listed or read: nothing is called free, and none is said not to be there."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bareway.decide.answers.why.answer import completed, why, why_text
from bareway.decide.answers.why.chain import Outcome, WhyReason
from bareway.decide.answers.why.told import Hearsay
from bareway.model.cluster import Unknown
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service
from support.asked import ON_LINK, ROUTED, WEB, healthy
from support.builders import ips, key

FREE = ips("192.0.2.12")[0]


@pytest.mark.parametrize("about", [FREE, ON_LINK, ROUTED], ids=str)
@pytest.mark.parametrize(
    ("services", "subject"),
    [
        pytest.param(None, "Services", id="no right"),
        pytest.param({}, "Service shop/web", id="one cannot be read"),
        pytest.param({}, "7 more services", id="too many cannot be read"),
    ],
)
def test_without_all_services_nothing_is_called_free(
    about: IPAddress, services: Mapping[ServiceKey, Service] | None, subject: str
) -> None:
    unknown = (Unknown(subject=subject, why="why not"),)
    kept = AllocationMemory(holds={FREE: Hold(service=key("shop/old"), until=1_060)})
    for memory in (AllocationMemory(), kept):
        view = replace(healthy(), services=services, speakers={}, unknown=unknown, memory=memory)
        found = why(view, about)
        assert (found.outcome, found.word, found.findings) == (Outcome.UNKNOWN, "", ())
        assert found.sentence == f"Whether {about} is served is not known ({subject}: why not)."
        assert completed(found, Hearsay()) == found


def test_a_service_that_cannot_be_read_is_there_and_speakers_say_who_announces_it() -> None:
    services = {key: one for key, one in (healthy().services or {}).items() if key != WEB}
    unread = (Unknown(subject="Service shop/web", why="it cannot be read: spec.ports: no"),)
    for unknown in (unread, (Unknown(subject="1 more services", why="they cannot be read"),)):
        silent = replace(healthy(), services=services, speakers={}, unknown=unknown)
        found = why_text(silent, "shop/web")
        assert (found.outcome, found.word) == (Outcome.UNKNOWN, "")
        assert "cannot be read" in found.sentence
        assert why_text(replace(silent, speakers=healthy().speakers), "shop/web").outcome is Outcome.SERVED
    named = replace(healthy(), services=services, speakers={}, unknown=unread)
    assert why_text(named, "web").about == "Service shop/web"
    assert why_text(named, "shop/wed").word == WhyReason.NO_SUCH_SERVICE
