"""What a Service gives up that waits for an address, and when."""

from dataclasses import replace

from bareway.model.configuration import Configuration
from bareway.model.services import FamilyPolicy, Service
from bareway.resources.in_force import InForce
from controller.writing.effects import ClearIngress, SetIngress
from controller.writing.plan import Shown, effects_of, missing, plan
from support.builders import configuration, ips, pool, service
from support.written import after, assigned, decided, showing


def in_force(of: Configuration) -> InForce:
    return InForce(configuration=of, document="…", sha256="…", generation=1, source="a test")


def shown(*services: Service, configured: InForce) -> Shown:
    return showing(*services, in_force=configured)


def held(name: str, address: str) -> Service:
    return assigned(service(name, ingress=[address]))


def test_two_that_shall_have_each_others_address_both_give_up_what_they_may_not_keep() -> None:
    two = in_force(configuration(pool("a", "192.0.2.0/32"), pool("b", "192.0.2.8/32")))
    wants_b = replace(held("x", "192.0.2.0"), requested_address="192.0.2.8")
    wants_a = replace(assigned(service("y", ingress=["192.0.2.8"]), "b"), requested_address="192.0.2.0")
    now = shown(wants_a, wants_b, configured=two)
    effects = plan(decided(two, now), now)
    assert [type(effect) for effect in effects] == [ClearIngress, ClearIngress]
    assert isinstance(effects[0], ClearIngress)
    assert [emit.notice.reason for emit in effects[0].then] == ["ClearAssignment"]
    now = after(now, effects)
    now = after(now, plan(decided(two, now), now))
    assert {of.key.name: of.ingress for of in now.services.values()} == {
        "x": ips("192.0.2.8"),
        "y": ips("192.0.2.0"),
    }


def test_nothing_is_given_up_as_long_as_there_are_others_that_it_may_wait_for() -> None:
    two = in_force(configuration(pool("a", "192.0.2.0/32"), pool("b", "192.0.2.8/32")))
    waits = replace(held("x", "192.0.2.0"), requested_address="192.0.2.8")
    leaves = replace(assigned(service("y", ingress=["192.0.2.8"]), "b"), is_load_balancer=False)
    now = shown(waits, leaves, configured=two)
    desired = decided(two, now)
    some = missing(desired, now, [waits.key])
    assert effects_of(some, desired, now, is_all=False) == ()
    assert [type(effect) for effect in effects_of(some, desired, now)] == [ClearIngress]


def test_of_two_families_only_the_one_that_must_go_is_given_up() -> None:
    both = ["10.96.0.10", "fd00::10"]
    pools = pool("a", "192.0.2.0/32", "2001:db8::/128"), pool("b", "192.0.2.8/32", "2001:db8::8/128")
    two = in_force(configuration(*pools))
    dual = assigned(service("dual", ingress=["192.0.2.0", "2001:db8::"], cluster=both))
    dual = replace(dual, annotations={"metallb.io/loadBalancerIPs": "192.0.2.8,2001:db8::"})
    dual = replace(dual, family_policy=FamilyPolicy.REQUIRE_DUAL_STACK)
    other = replace(assigned(service("other", ingress=["192.0.2.8"]), "b"), requested_address="192.0.2.0")
    now = shown(dual, other, configured=two)
    (first, second) = sorted(plan(decided(two, now), now), key=lambda effect: type(effect).__name__)
    assert isinstance(first, ClearIngress)
    assert first.service == other
    assert isinstance(second, SetIngress)
    assert (second.addresses, second.pool) == (ips("2001:db8::"), "a")
