"""What users see, what counts as held, and what somebody wrote over."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.verdicts import Granted, Refusal, Refused, Verdict, WhyNot
from bareway.model.names import PoolName
from bareway.model.services import Service
from controller.allocation.assumptions import Assumptions
from controller.allocation.picture import Picture
from support.builders import ips, key, service

WEB = key("web")
REFUSED = Refused(reason=WhyNot(word=Refusal.NO_FREE_ADDRESS, message="none"))


def granted(*addresses: str) -> Granted:
    return Granted(addresses=ips(*addresses), pools=(PoolName("a"),) * len(addresses), kept=True)


class Rig:
    """A picture of one mirror."""

    def __init__(self) -> None:
        self.assumptions: Assumptions[Service] = Assumptions()
        self.picture = Picture(self.assumptions)

    def see(self, *services: Service) -> None:
        """The mirror shows these and no others."""
        mirror = {one.key: one for one in services}
        self.picture.refresh({*mirror, *self.picture.shown}, mirror)

    def settled(self, of: Service, verdict: Verdict) -> None:
        self.see(of)
        self.picture.settle(of.key, verdict)

    def held(self) -> tuple[str, ...]:
        return tuple(str(address) for address in self.picture.held[WEB].ingress)

    def shown(self) -> tuple[str, ...]:
        return tuple(str(address) for address in self.picture.shown[WEB].ingress)


def test_it_says_who_shows_an_address_and_nothing_of_who_went() -> None:
    rig = Rig()
    rig.see(service("a", ingress=["192.0.2.1"]), service("b", ingress=["192.0.2.1", "2001:db8::1"]))
    (shared, single) = (rig.picture.shown_by[address] for address in ips("192.0.2.1", "2001:db8::1"))
    assert ({*shared}, {*single}) == ({key("a"), key("b")}, {key("b")})
    rig.see(service("a", ingress=["192.0.2.2"]))
    assert {str(ip): {*keys} for ip, keys in rig.picture.shown_by.items()} == {"192.0.2.2": {key("a")}}


def test_an_answer_that_was_lost_makes_an_address_held_but_not_shown() -> None:
    rig = Rig()
    before = service(resource_version="1")
    rig.assumptions.note(replace(before, ingress=ips("192.0.2.1")), over="1", is_certain=False)
    rig.see(before)
    assert (rig.shown(), rig.held()) == ((), ("192.0.2.1",))
    rig.see(replace(before, resource_version="2"))
    assert (rig.shown(), rig.held()) == ((), ())


@pytest.mark.parametrize(
    "edited", [["192.0.2.9"], [], ["192.0.2.1", "192.0.2.9"]], ids=["other", "none", "more"]
)
def test_a_status_that_somebody_wrote_over_takes_nothing_away(edited: list[str]) -> None:
    rig = Rig()
    rig.settled(service(ingress=["192.0.2.1"]), granted("192.0.2.1"))
    rig.see(service(ingress=edited))
    assert rig.held() == ("192.0.2.1",)
    assert list(rig.shown()) == edited
    assert rig.picture.is_edited(WEB)


def test_what_a_service_showed_when_we_saw_it_first_is_not_written_over() -> None:
    rig = Rig()
    rig.see(service(ingress=["192.0.2.9"]))
    assert not rig.picture.is_edited(WEB)
    assert rig.held() == ("192.0.2.9",)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"uid": "another"}, id="another Service of that name"),
        pytest.param({"is_load_balancer": False}, id="another type"),
        pytest.param({"load_balancer_class": "example.com/other"}, id="another class"),
    ],
)
def test_who_is_not_that_service_any_more_holds_nothing_by_it(other: dict[str, object]) -> None:
    rig = Rig()
    before = service(ingress=["192.0.2.1"])
    rig.settled(before, granted("192.0.2.1"))
    rig.see(replace(before, ingress=(), **other))  # type: ignore[arg-type]  # fields of a Service
    assert rig.held() == ()


@pytest.mark.parametrize("verdict", [granted("192.0.2.2"), REFUSED], ids=["given another", "refused"])
def test_what_was_decided_anew_counts_and_not_what_was_given_before(verdict: Verdict) -> None:
    rig = Rig()
    rig.settled(service(ingress=["192.0.2.1"]), granted("192.0.2.1"))
    rig.picture.settle(WEB, verdict)
    rig.see(service(ingress=["192.0.2.2"]))
    assert rig.held() == ("192.0.2.2",)
    assert not rig.picture.is_edited(WEB)


def test_a_service_that_went_is_forgotten() -> None:
    rig = Rig()
    rig.settled(service(ingress=["192.0.2.1"]), granted("192.0.2.1"))
    rig.see()
    rig.picture.settle(WEB, None)
    assert (dict(rig.picture.shown), dict(rig.picture.held), dict(rig.picture.shown_by)) == ({}, {}, {})
    rig.see(service())
    assert rig.held() == ()


def test_what_we_wrote_is_known_when_the_mirror_shows_just_that() -> None:
    rig = Rig()
    before = service(resource_version="1")
    rig.see(before)
    after = replace(before, ingress=ips("192.0.2.1"), resource_version="2")
    assert rig.picture.known(WEB, after) is None, "nobody has said so yet"
    rig.assumptions.note(after, over="1")
    rig.see(before)
    echo = replace(after)
    assert rig.picture.known(WEB, echo) is after
    assert not len(rig.assumptions), "the mirror has caught up"
    assert rig.picture.shown[WEB] is after


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param({"labels": {"a": "b"}}, id="somebody edited it meanwhile"),
        pytest.param({"resource_version": "3"}, id="another version"),
        pytest.param({"ingress": ()}, id="another address"),
    ],
)
def test_anything_else_that_the_mirror_shows_is_looked_at(shown: dict[str, object]) -> None:
    rig = Rig()
    before = service(resource_version="1")
    after = replace(before, ingress=ips("192.0.2.1"), resource_version="2")
    rig.assumptions.note(after, over="1")
    rig.see(before)
    assert rig.picture.known(WEB, replace(after, **shown)) is None  # type: ignore[arg-type]  # fields of Service
    assert rig.picture.known(WEB, None) is None
    assert len(rig.assumptions), "it is still to be looked at"


def test_a_service_that_holds_more_than_it_shows_is_looked_at_again() -> None:
    rig = Rig()
    given = service(resource_version="1", ingress=["192.0.2.1"])
    rig.settled(given, granted("192.0.2.1"))
    edited = replace(given, resource_version="2", ingress=ips("192.0.2.9"))
    rig.see(edited)
    assert rig.held() == ("192.0.2.1",)
    assert rig.picture.known(WEB, edited) is None
