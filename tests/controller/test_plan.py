from dataclasses import replace

import pytest

from bareway.model.configuration import Configuration
from bareway.model.names import ObjectKey, PoolName
from bareway.model.objects import ObjectReference
from bareway.model.services import Service
from bareway.resources.events import EventType
from bareway.resources.in_force import InForce
from controller.effects import ClearIngress, CreateKey, Effect, Emit, Notice, SetIngress, WriteConfiguration
from controller.plan import Desired, Shown, plan
from support.builders import configuration, ips, key, pool, service
from support.written import after, decided

MARK = "metallb.io/ip-allocated-from-pool"
KEY = ObjectKey("bareway-system", "bareway-config")


def in_force(of: Configuration, generation: int = 1) -> InForce:
    return InForce(configuration=of, document="…", sha256="…", generation=generation, source="a test")


ONE_POOL = in_force(configuration(pool("a", "192.0.2.0/30")))


def shown(*services: Service, configured: InForce | None = ONE_POOL) -> Shown:
    return Shown(
        services={one.key: one for one in services},
        configuration_key=KEY,
        configuration_version="7" if configured else "",
        in_force=configured,
    )


def planned(*services: Service, configured: InForce = ONE_POOL) -> tuple[Effect, ...]:
    now = shown(*services, configured=configured)
    return plan(decided(configured, now), now)


def held(name: str, address: str, *, created_at: str = "2026-01-01T00:00:00Z") -> Service:
    return service(name, ingress=[address], annotations={MARK: "a"}, created_at=created_at)


def notice(reason: str, message: str, type_: EventType = EventType.NORMAL) -> Notice:
    return Notice(type=type_, reason=reason, message=message)


def about(of: Service) -> ObjectReference:
    return ObjectReference(kind="Service", key=of.key, uid=of.uid)


def test_a_new_service_gets_its_address_and_is_told_when_it_is_written() -> None:
    new = service()
    assert planned(new) == (
        SetIngress(
            service=new,
            addresses=ips("192.0.2.0"),
            pool=PoolName("a"),
            then=(Emit(about=about(new), notice=notice("IPAllocated", 'Assigned IP ["192.0.2.0"]')),),
        ),
    )


def test_nothing_is_planned_for_what_is_shown_already() -> None:
    assert planned(held("web", "192.0.2.2"), service("other", is_load_balancer=False)) == ()


def test_an_adopted_service_gets_the_mark_that_it_lacks_and_hears_nothing() -> None:
    adopted = service(ingress=["192.0.2.2"])
    assert planned(adopted) == (
        SetIngress(service=adopted, addresses=ips("192.0.2.2"), pool=PoolName("a"), then=()),
    )


def test_the_mark_follows_a_renamed_pool() -> None:
    renamed = in_force(configuration(pool("b", "192.0.2.0/24")))
    (effect,) = planned(held("web", "192.0.2.2"), configured=renamed)
    assert isinstance(effect, SetIngress)
    assert (effect.pool, effect.then) == ("b", ())


def test_a_service_that_waits_is_told_why_in_metallbs_words_and_only_once() -> None:
    holders = [held(f"h{n}", f"192.0.2.{n}") for n in range(4)]
    waiting = service("waiting")
    told = Emit(
        about=about(waiting),
        notice=notice(
            "AllocationFailed",
            'Failed to allocate IP for "default/waiting": no available IPs',
            EventType.WARNING,
        ),
    )
    now = shown(*holders, waiting)
    assert plan(decided(ONE_POOL, now), now) == (told,)
    later = after(now, [told])
    assert plan(decided(ONE_POOL, later), later) == ()


def test_a_request_that_cannot_be_read_is_told_with_its_own_reason() -> None:
    (effect,) = planned(service(requested="x"))
    assert isinstance(effect, Emit)
    assert effect.notice == notice(
        "LoadBalancerFailed",
        'invalid requested loadbalancer IPs: invalid spec.loadBalancerIP "x"',
        EventType.WARNING,
    )


def test_a_request_that_cannot_be_read_is_told_to_who_keeps_its_address_too() -> None:
    (effect,) = planned(replace(held("web", "192.0.2.1"), requested_address="x"))
    assert isinstance(effect, Emit)
    assert effect.notice.reason == "LoadBalancerFailed"


def test_a_service_moves_from_an_address_that_it_may_not_keep_in_one_write() -> None:
    stray = service(ingress=["10.9.9.9"])
    (effect,) = planned(stray)
    assert isinstance(effect, SetIngress)
    assert effect.addresses == ips("192.0.2.0")
    assert [emit.notice.reason for emit in effect.then] == ["ClearAssignment", "IPAllocated"]
    assert effect.then[0].notice.message == (
        'current IP for "default/web" not allowed by config, will attempt for new IP assignment:'
        ' ["10.9.9.9"] is not allowed in config'
    )


def test_a_service_that_may_keep_nothing_and_gets_nothing_is_cleared() -> None:
    lost = service(ingress=["10.9.9.9"], requested="10.9.9.8")
    effects = planned(lost)
    (clear,) = (effect for effect in effects if isinstance(effect, ClearIngress))
    assert clear.service == lost
    assert [emit.notice.reason for emit in clear.then] == ["ClearAssignment"]
    assert [effect.notice.reason for effect in effects if isinstance(effect, Emit)] == ["AllocationFailed"]


def test_a_mark_without_an_address_is_taken_away() -> None:
    marked = service(cluster=[], annotations={MARK: "a"})
    assert ClearIngress(service=marked) in planned(marked)


def test_a_service_that_lost_its_type_is_cleared_silently() -> None:
    former = service(is_load_balancer=False, ingress=["192.0.2.0"], annotations={MARK: "a"})
    assert planned(former) == (ClearIngress(service=former),)


def test_an_address_moves_to_another_service_only_when_nobody_shows_it_any_more() -> None:
    former = service("former", is_load_balancer=False, ingress=["192.0.2.0"])
    new = service("new")
    assert planned(former, new) == (ClearIngress(service=former),)
    (effect,) = planned(replace(former, ingress=()), new)
    assert isinstance(effect, SetIngress)
    assert effect.addresses == ips("192.0.2.0")


def test_others_do_not_wait_for_an_address_that_moves() -> None:
    former = service("former", is_load_balancer=False, ingress=["192.0.2.0"])
    effects = planned(former, service("a"), service("b"))
    assert [(e.service.key, e.addresses) for e in effects if isinstance(e, SetIngress)] == [
        (key("b"), ips("192.0.2.1"))
    ]


def test_of_two_that_show_the_same_address_only_the_younger_is_written() -> None:
    old = held("old", "192.0.2.0")
    young = held("young", "192.0.2.0", created_at="2026-09-09T00:00:00Z")
    (effect,) = planned(old, young)
    assert isinstance(effect, SetIngress)
    assert effect.service == young


def test_a_new_configuration_is_written_before_anything_is_decided_by_it() -> None:
    now = shown(service(), configured=ONE_POOL)
    new = in_force(configuration(pool("b", "198.51.100.0/24")), generation=2)
    assert plan(decided(new, now), now) == (WriteConfiguration(key=KEY, over="7", in_force=new),)


def test_the_first_configuration_is_created() -> None:
    now = shown(configured=None)
    assert plan(Desired(in_force=ONE_POOL), now) == (WriteConfiguration(key=KEY, over="", in_force=ONE_POOL),)


def test_without_a_configuration_nothing_is_touched() -> None:
    assert plan(Desired(), shown(service(ingress=["10.9.9.9"]), configured=None)) == ()


def test_a_missing_key_for_gossip_is_created_whatever_else_is_missing() -> None:
    secret = ObjectKey("bareway-system", "memberlist")
    now = replace(shown(configured=None), missing_key=secret)
    assert plan(Desired(), now) == (CreateKey(key=secret),)


def test_news_about_an_object_that_was_replaced_by_one_of_the_same_name_is_told_again() -> None:
    first = service(requested="x")
    now = after(shown(first), planned(first))
    second = replace(first, uid="another")
    later = replace(now, services={second.key: second})
    assert len(plan(decided(ONE_POOL, later), later)) == 1


@pytest.mark.parametrize("count", [1, 5])
def test_news_that_changes_is_told_again(count: int) -> None:
    now = shown(service(requested="x"))
    now = after(now, plan(decided(ONE_POOL, now), now))
    changed = {key("web"): service(requested="x" * (count + 1))}
    later = replace(now, services=changed)
    assert len(plan(decided(ONE_POOL, later), later)) == 1
