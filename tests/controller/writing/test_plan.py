from dataclasses import replace

import pytest

from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.services import Condition, Service
from bareway.resources.events import EventType
from bareway.resources.in_force import InForce
from controller.writing.effects import (
    ClearIngress,
    CreateKey,
    Effect,
    Emit,
    Notice,
    SetCondition,
    SetIngress,
    WriteConfiguration,
    WriteState,
)
from controller.writing.plan import Desired, Shown, effects_of, missing, plan
from support.builders import configuration, ips, key, pool, service
from support.written import after, assigned, decided, showing

MARK = "metallb.io/ip-allocated-from-pool"
KEY = ObjectKey("bareway-system", "bareway-config")
STATE = ObjectKey("bareway-system", "bareway-state")


def in_force(of: Configuration, generation: int = 1) -> InForce:
    return InForce(configuration=of, document="…", sha256="…", generation=generation, source="a test")


ONE_POOL = in_force(configuration(pool("a", "192.0.2.0/30")))


def shown(*services: Service, configured: InForce | None = ONE_POOL) -> Shown:
    return showing(*services, in_force=configured)


def planned(*services: Service, configured: InForce = ONE_POOL) -> tuple[Effect, ...]:
    now = shown(*services, configured=configured)
    return plan(decided(configured, now), now)


def held(name: str, address: str, *, created_at: str = "2026-01-01T00:00:00Z") -> Service:
    return assigned(service(name, ingress=[address], created_at=created_at))


def says(of: Effect) -> tuple[bool, str, str]:
    """Status, reason and message of the condition that is written."""
    assert isinstance(of, SetIngress | ClearIngress | SetCondition)
    assert of.condition is not None
    return of.condition.is_true, of.condition.reason, of.condition.message


def tells(of: Effect) -> list[tuple[str, str]]:
    """Reasons and messages of the Events that are told once it is done."""
    assert isinstance(of, SetIngress | ClearIngress | SetCondition)
    return [(emit.notice.reason, emit.notice.message) for emit in of.then]


def notice(reason: str, message: str, type_: EventType = EventType.NORMAL) -> Notice:
    return Notice(type=type_, reason=reason, message=message)


def about(of: Service) -> ObjectReference:
    return ObjectReference(kind="Service", key=of.key, uid=of.uid)


def test_a_new_service_gets_its_address_and_is_told_when_it_is_written() -> None:
    new = service()
    (effect,) = planned(new)
    assert effect == SetIngress(
        service=new,
        addresses=ips("192.0.2.0"),
        pool="a",
        condition=Condition(
            is_true=True,
            reason="Assigned",
            message='assigned ["192.0.2.0"] from pool a',
            since="1970-01-01T00:00:00Z",
        ),
        then=(Emit(about=about(new), notice=notice("IPAllocated", 'Assigned IP ["192.0.2.0"]')),),
    )


def test_nothing_is_planned_for_what_is_shown_already() -> None:
    assert planned(held("web", "192.0.2.2"), service("other", is_load_balancer=False)) == ()


def test_an_adopted_service_gets_the_mark_that_it_lacks_and_hears_nothing() -> None:
    (effect,) = planned(service(ingress=["192.0.2.2"]))
    assert isinstance(effect, SetIngress)
    assert (effect.addresses, effect.pool, effect.then) == (ips("192.0.2.2"), "a", ())
    assert says(effect) == (True, "Assigned", 'assigned ["192.0.2.2"] from pool a')


def test_the_mark_follows_a_renamed_pool() -> None:
    renamed = in_force(configuration(pool("b", "192.0.2.0/24")))
    (effect,) = planned(held("web", "192.0.2.2"), configured=renamed)
    assert isinstance(effect, SetIngress)
    assert (effect.pool, effect.then) == ("b", ())


def test_a_service_that_waits_is_told_why_in_metallbs_words_and_only_once() -> None:
    holders = [held(f"h{n}", f"192.0.2.{n}") for n in range(4)]
    now = shown(*holders, service("waiting"))
    (effect,) = plan(decided(ONE_POOL, now), now)
    assert isinstance(effect, SetCondition)
    why = "no available IPs; no available IPs in pool a"
    assert says(effect) == (False, "NoFreeAddress", why)
    assert tells(effect) == [("AllocationFailed", f'Failed to allocate IP for "default/waiting": {why}')]
    assert effect.then[0].notice.type is EventType.WARNING
    later = after(now, [effect])
    assert plan(decided(ONE_POOL, later), later) == ()


def test_a_request_that_cannot_be_read_is_told_with_its_own_reason() -> None:
    (effect,) = planned(service(requested="x"))
    assert says(effect) == (False, "InvalidRequest", 'invalid spec.loadBalancerIP "x"')
    assert tells(effect) == [
        ("LoadBalancerFailed", 'invalid requested loadbalancer IPs: invalid spec.loadBalancerIP "x"')
    ]


def test_a_request_that_cannot_be_read_is_told_to_who_keeps_its_address_too() -> None:
    (effect,) = planned(replace(held("web", "192.0.2.1"), requested_address="x"))
    assert isinstance(effect, SetCondition)
    assert says(effect) == (
        True,
        "InvalidRequest",
        'assigned ["192.0.2.1"] from pool a; invalid spec.loadBalancerIP "x"',
    )
    assert [reason for reason, _ in tells(effect)] == ["LoadBalancerFailed"]


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
    (clear,) = planned(lost)
    assert isinstance(clear, ClearIngress)
    assert clear.service == lost
    assert says(clear)[:2] == (False, "NotInAnyPool")
    assert [reason for reason, _ in tells(clear)] == ["ClearAssignment", "AllocationFailed"]


def test_a_mark_without_an_address_is_taken_away() -> None:
    marked = service(cluster=[], annotations={MARK: "a"})
    (effect,) = planned(marked)
    assert isinstance(effect, ClearIngress)
    assert says(effect)[:2] == (False, "NoClusterAddress")


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
    (told,) = planned(first)
    second = replace(first, uid="another")
    (again,) = planned(second)
    assert tells(told) == tells(again)
    assert isinstance(again, SetCondition)
    assert again.then[0].about.uid == "another"


@pytest.mark.parametrize("count", [1, 5])
def test_news_that_changes_is_told_again(count: int) -> None:
    now = shown(service(requested="x"))
    now = after(now, plan(decided(ONE_POOL, now), now))
    changed = replace(now.services[key("web")], requested_address="x" * (count + 1))
    (effect,) = plan(decided(ONE_POOL, later := shown(changed)), later)
    assert [reason for reason, _ in tells(effect)] == ["LoadBalancerFailed"]


# ------------------------------------------------------------ conditions


def test_a_condition_that_is_missing_is_written_alone() -> None:
    web = replace(held("web", "192.0.2.1"), condition=None)
    (effect,) = planned(web)
    assert effect == SetCondition(service=web, condition=held("web", "192.0.2.1").condition)


def test_a_service_that_is_none_of_ours_any_more_loses_our_condition() -> None:
    former = replace(assigned(service(is_load_balancer=False)), annotations={})
    (effect,) = planned(former)
    assert isinstance(effect, ClearIngress | SetCondition)
    assert effect.condition is None
    assert planned(after(shown(former), [effect]).services[former.key]) == ()


def test_releases_come_first_and_what_only_says_something_comes_last() -> None:
    effects = planned(
        replace(held("says", "192.0.2.1"), condition=None),
        service("new"),
        service("gone", ingress=["10.9.9.9"], requested="10.9.9.8"),
    )
    assert [type(effect) for effect in effects] == [ClearIngress, SetIngress, SetCondition]


def test_only_those_that_are_asked_for_are_looked_at() -> None:
    now = shown(service("a"), service("b"), service("c"))
    writes = missing(decided(ONE_POOL, now), now, [key("b"), key("gone")])
    assert [*writes] == [key("b")]
    effects = effects_of(writes, decided(ONE_POOL, now), now)
    assert [effect.service.key for effect in effects if isinstance(effect, SetIngress)] == [key("b")]


def test_what_may_not_be_written_yet_is_missing_all_the_same() -> None:
    former = service("former", is_load_balancer=False, ingress=["192.0.2.0"])
    now = shown(former, service("waits"), held("web", "192.0.2.1"))
    assert {*missing(decided(ONE_POOL, now), now, now.services)} == {key("former"), key("waits")}
    assert [type(effect) for effect in plan(decided(ONE_POOL, now), now)] == [ClearIngress]


# ------------------------------------------------------------ sharing


def test_who_shall_share_an_address_does_not_wait_for_the_one_that_shows_it() -> None:
    shares = {"metallb.io/allow-shared-ip": "x"}
    first = replace(
        held("first", "192.0.2.1"), annotations={**held("first", "192.0.2.1").annotations, **shares}
    )
    second = service("second", requested="192.0.2.1", annotations=shares, ports=[443])
    (effect,) = planned(first, second)
    assert isinstance(effect, SetIngress)
    assert (effect.service, effect.addresses) == (second, ips("192.0.2.1"))


# ------------------------------------------------------------ what is remembered


def remembering(stored: AllocationMemory, *services: Service, due: bool = False) -> tuple[Effect, ...]:
    pools = replace(pool("a", "192.0.2.0/30"), hold_after_delete_s=60.0)
    configured = in_force(configuration(pools))
    now = replace(shown(*services, configured=configured), memory=stored, state_version="5")
    return plan(replace(decided(configured, now, now=NOW), is_memory_due=due), now)


NOW = 1_000
FORMER = AllocationMemory(holders={ips("192.0.2.0")[0]: (key("former"),)})
EXPIRED = AllocationMemory(holds={ips("192.0.2.0")[0]: Hold(service=key("former"), until=NOW - 1)})


def test_what_is_remembered_of_an_address_is_written_before_it_is_given_to_another() -> None:
    effects = remembering(EXPIRED, service("new", requested="192.0.2.0"))
    (effect,) = effects
    assert isinstance(effect, WriteState)
    assert (effect.key, effect.over) == (STATE, "5")
    assert effect.memory == AllocationMemory()
    (then,) = remembering(effect.memory, service("new", requested="192.0.2.0"))
    assert isinstance(then, SetIngress)


def test_a_release_that_nobody_watched_is_remembered_and_the_address_waits() -> None:
    effects = remembering(FORMER, service("new"), due=True)
    assert [type(effect) for effect in effects] == [WriteState, SetIngress]
    assert isinstance(effects[0], WriteState)
    assert effects[0].memory.holds == {ips("192.0.2.0")[0]: Hold(service=key("former"), until=NOW + 60)}
    assert isinstance(effects[1], SetIngress)
    assert effects[1].addresses == ips("192.0.2.1")


def test_what_depends_on_no_memory_waits_for_none() -> None:
    effects = remembering(AllocationMemory(), service("new"))
    assert [type(effect) for effect in effects] == [SetIngress]


def test_what_changed_in_the_memory_is_written_once_it_is_due() -> None:
    web = held("web", "192.0.2.1")
    assert remembering(AllocationMemory(), web) == ()
    (effect,) = remembering(AllocationMemory(), web, due=True)
    assert isinstance(effect, WriteState)
    assert remembering(effect.memory, web, due=True) == ()


# ------------------------------------------------------------ edits by hand


WEB = frozenset({key("web")})


def edited(web: Service, withheld: frozenset[ObjectKey] = frozenset()) -> tuple[Effect, ...]:
    """The plan for ``web`` where it counts as holding 192.0.2.1."""
    counts = shown(replace(web, ingress=ips("192.0.2.1")))
    desired = replace(decided(ONE_POOL, counts), corrected=WEB, withheld=withheld)
    return plan(desired, shown(web))


def test_a_status_that_was_written_over_is_put_right_and_said() -> None:
    (effect,) = edited(assigned(service(ingress=["192.0.2.3"])))
    assert isinstance(effect, SetIngress)
    assert effect.addresses == ips("192.0.2.1")
    assert [reason for reason, _ in tells(effect)] == ["StatusCorrected"]


def test_who_insists_is_put_right_later() -> None:
    assert edited(assigned(service(ingress=["192.0.2.3"])), withheld=WEB) == ()
