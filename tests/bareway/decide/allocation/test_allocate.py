import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation, Cleared, Granted, Refusal, Refused, Verdict, WhyNot
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import PoolName
from bareway.model.services import Condition, Service
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/30")
B = pool("b", "198.51.100.0/30")
MANUAL = pool("manual", "203.0.113.0/30", auto_assign=False)
SIX = pool("six", "2001:db8::/126")


def decide(pools: list[Pool], *services: Service, lb_class: str | None = None) -> Allocation:
    return allocate(
        AllocationView(configuration=configuration(*pools), services=services, load_balancer_class=lb_class)
    )


def verdict(pools: list[Pool], *services: Service) -> Verdict:
    """Of the first Service."""
    return decide(pools, *services).verdicts[services[0].key]


def granted(of: Verdict) -> tuple[list[str], str, bool]:
    assert isinstance(of, Granted), of
    return [str(address) for address in of.addresses], of.pool, of.kept


def refused(of: Verdict) -> tuple[Refusal, str]:
    assert isinstance(of, Refused), of
    return of.reason.word, of.reason.message


def cleared(of: Verdict) -> tuple[Refusal, str]:
    assert of.cleared is not None, of
    return of.cleared.reason.word, of.cleared.reason.message


# ------------------------------------------------------------ new addresses


def test_services_get_the_lowest_free_addresses_in_the_order_of_their_age_and_then_of_their_names() -> None:
    services = [
        service("x/young", created_at="2026-03-01T00:00:00Z"),
        service("y/b", created_at="2026-02-01T00:00:00Z"),
        service("x/b", created_at="2026-02-01T00:00:00Z"),
        service("z/old", created_at="2026-01-01T00:00:00Z"),
    ]
    verdicts = decide([A], *services).verdicts
    order = [(str(service_key), granted(one)[0]) for service_key, one in verdicts.items()]
    assert order == [
        ("z/old", ["192.0.2.0"]),
        ("x/b", ["192.0.2.1"]),
        ("y/b", ["192.0.2.2"]),
        ("x/young", ["192.0.2.3"]),
    ]


def test_pools_are_used_in_the_order_of_the_document_and_each_one_passed_over_is_told() -> None:
    holders = [service(f"h{n}", ingress=[f"198.51.100.{n}"]) for n in range(4)]
    one = verdict([SIX, MANUAL, B, A], service("z"), *holders)
    assert granted(one) == (["192.0.2.0"], "a", False)
    assert [(reason.pool, reason.word) for reason in one.reasons] == [
        ("six", Refusal.WRONG_FAMILY),
        ("manual", Refusal.AUTO_ASSIGN_OFF),
        ("b", Refusal.POOL_EXHAUSTED),
    ]


def test_when_no_pool_has_a_free_address_all_are_told_in_metallbs_words() -> None:
    holders = [service(f"h{n}", ingress=[f"192.0.2.{n}"]) for n in range(4)]
    one = verdict([A, MANUAL], service("z"), *holders)
    assert refused(one) == (Refusal.NO_FREE_ADDRESS, "no available IPs")
    assert [reason.word for reason in one.reasons] == [Refusal.POOL_EXHAUSTED, Refusal.AUTO_ASSIGN_OFF]
    assert one.reasons[0].message == "no available IPs in pool a"


def test_without_pools_there_are_no_addresses() -> None:
    allocation = allocate(AllocationView(configuration=Configuration(), services=[service()]))
    assert refused(allocation.verdicts[key("web")]) == (Refusal.NO_FREE_ADDRESS, "no available IPs")


def test_an_ipv6_service_gets_an_ipv6_address() -> None:
    assert granted(verdict([A, SIX], service(cluster=["fd00::1"])))[0] == ["2001:db8::"]


def test_a_service_without_a_cluster_address_gets_none() -> None:
    assert refused(verdict([A], service(cluster=[])))[0] is Refusal.NO_CLUSTER_ADDRESS


def test_a_service_of_another_class_or_type_gets_no_verdict() -> None:
    services = (service("a", load_balancer_class="x"), service("b", is_load_balancer=False), service("c"))
    assert decide([A], *services).verdicts.keys() == {key("c")}
    assert decide([A], *services, lb_class="x").verdicts.keys() == {key("a")}


def test_what_another_load_balancer_shows_in_our_pools_is_taken() -> None:
    stranger = service("stranger", load_balancer_class="other", ingress=["192.0.2.0"])
    assert granted(verdict([A], service(), stranger))[0] == ["192.0.2.1"]


# ------------------------------------------------------------ requests


def test_a_requested_address_is_given_also_from_a_pool_that_assigns_nothing_by_itself() -> None:
    one = verdict([A, MANUAL], service(requested="203.0.113.2"))
    assert granted(one) == (["203.0.113.2"], "manual", False)


def test_a_requested_pool_is_used_even_if_it_assigns_nothing_by_itself() -> None:
    one = verdict([A, MANUAL], service(annotations={"metallb.universe.tf/address-pool": "manual"}))
    assert granted(one) == (["203.0.113.0"], "manual", False)


def test_requested_addresses_of_both_families_come_from_one_pool_or_from_two() -> None:
    both = pool("both", "192.0.2.8/30", "2001:db8:1::/126")
    asked = service(
        cluster=["10.96.0.1", "fd00::1"],
        annotations={"metallb.io/loadBalancerIPs": "2001:db8:1::1,192.0.2.9"},
    )
    assert granted(verdict([both], asked)) == (["192.0.2.9", "2001:db8:1::1"], "both", False)
    split = service(
        cluster=["10.96.0.1", "fd00::1"], annotations={"metallb.io/loadBalancerIPs": "2001:db8::1,192.0.2.1"}
    )
    assert granted(verdict([A, SIX], split)) == (["192.0.2.1", "2001:db8::1"], "a,six", False)


@pytest.mark.parametrize(
    ("asking", "word", "message"),
    [
        pytest.param(
            service(requested="nonsense"),
            Refusal.INVALID_REQUEST,
            'invalid spec.loadBalancerIP "nonsense"',
            id="no address",
        ),
        pytest.param(
            service(requested="10.9.9.9"),
            Refusal.NOT_IN_ANY_POOL,
            '["10.9.9.9"] is not allowed in config',
            id="outside of all pools",
        ),
        pytest.param(
            service(requested="192.0.4.255"),
            Refusal.NOT_IN_ANY_POOL,
            '["192.0.4.255"] is not allowed in config',
            id="avoided",
        ),
        pytest.param(
            service(requested="2001:db8::1"),
            Refusal.WRONG_FAMILY,
            'requested loadBalancer IP(s) ["2001:db8::1"] does not match the ipFamily of the service',
            id="family",
        ),
        pytest.param(
            service(requested="192.0.2.1", annotations={"metallb.io/address-pool": "b"}),
            Refusal.OTHER_POOL_REQUESTED,
            'requested loadBalancer IP(s) ["192.0.2.1"] is not compatible with requested address pool b',
            id="of another pool",
        ),
        pytest.param(
            service(requested="192.0.2.2"),
            Refusal.HELD_BY_ANOTHER,
            'can\'t change sharing key for "default/web", address also in use by default/holder',
            id="in use",
        ),
        pytest.param(
            service(annotations={"metallb.io/address-pool": "x"}),
            Refusal.NO_SUCH_POOL,
            'unknown pool "x"',
            id="no such pool",
        ),
        pytest.param(
            service(cluster=["fd00::1"], annotations={"metallb.io/address-pool": "a"}),
            Refusal.WRONG_FAMILY,
            "no available IPs in pool a: it has no IPv6 addresses",
            id="pool of the other family",
        ),
        pytest.param(
            service(annotations={"metallb.io/address-pool": "full"}),
            Refusal.POOL_EXHAUSTED,
            "no available IPs in pool full",
            id="exhausted pool",
        ),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_in_metallbs_words(
    asking: Service, word: Refusal, message: str
) -> None:
    pools = [A, B, pool("full", "192.0.3.1/32"), pool("careful", "192.0.4.0/24", avoid_buggy_ips=True)]
    holders = (service("holder", ingress=["192.0.2.2"]), service("other", ingress=["192.0.3.1"]))
    assert refused(verdict(pools, asking, *holders)) == (word, message)


# ------------------------------------------------------------ what Services hold


def test_a_service_keeps_what_it_shows_also_when_a_lower_address_is_free() -> None:
    assert granted(verdict([A], service(ingress=["192.0.2.3"]))) == (["192.0.2.3"], "a", True)


def test_a_service_keeps_its_address_when_an_older_one_with_an_earlier_name_arrives() -> None:
    holder = service("z", created_at="2026-05-01T00:00:00Z", ingress=["192.0.2.0"])
    arrived = service("a", created_at="2026-01-01T00:00:00Z")
    verdicts = decide([A], arrived, holder).verdicts
    assert granted(verdicts[key("z")])[0] == ["192.0.2.0"]
    assert granted(verdicts[key("a")])[0] == ["192.0.2.1"]


def test_a_service_keeps_an_address_of_a_pool_that_assigns_nothing_by_itself() -> None:
    assert granted(verdict([MANUAL], service(ingress=["203.0.113.1"]))) == (["203.0.113.1"], "manual", True)


def test_a_dual_stack_service_keeps_both_addresses_in_their_order() -> None:
    both = pool("both", "192.0.2.8/30", "2001:db8:1::/126")
    held = service(cluster=["10.96.0.1", "fd00::1"], ingress=["2001:db8:1::", "192.0.2.8"])
    assert granted(verdict([both], held)) == (["2001:db8:1::", "192.0.2.8"], "both", True)
    apart = service(cluster=["10.96.0.1", "fd00::1"], ingress=["2001:db8::1", "192.0.2.1"])
    assert granted(verdict([A, SIX], apart)) == (["2001:db8::1", "192.0.2.1"], "six,a", True)


def test_of_two_that_show_the_same_address_the_older_keeps_and_the_younger_is_told() -> None:
    young = service("a", created_at="2026-02-01T00:00:00Z", ingress=["192.0.2.0"])
    old = service("b", created_at="2026-01-01T00:00:00Z", ingress=["192.0.2.0"])
    verdicts = decide([A], young, old).verdicts
    assert granted(verdicts[old.key]) == (["192.0.2.0"], "a", True)
    assert granted(verdicts[young.key]) == (["192.0.2.1"], "a", False)
    assert cleared(verdicts[young.key]) == (
        Refusal.HELD_BY_ANOTHER,
        'can\'t change sharing key for "default/a", address also in use by default/b',
    )


@pytest.mark.parametrize(
    ("holding", "word", "message"),
    [
        pytest.param(
            service(ingress=["10.9.9.9"]),
            Refusal.NOT_IN_ANY_POOL,
            '["10.9.9.9"] is not allowed in config',
            id="outside of all pools",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"], requested="192.0.2.2"),
            Refusal.OTHER_ADDRESS_REQUESTED,
            "user requested a different IP than the one currently assigned",
            id="another address asked for",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"], annotations={"metallb.io/address-pool": "b"}),
            Refusal.OTHER_POOL_REQUESTED,
            "user requested a different pool than the one currently assigned",
            id="another pool asked for",
        ),
        pytest.param(
            service(ingress=["192.0.2.1", "192.0.2.2"]),
            Refusal.WRONG_FAMILY,
            'requested loadBalancer IP(s) ["192.0.2.2"] does not match the ipFamily of the service',
            id="two of one family",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"], cluster=["fd00::1"]),
            Refusal.WRONG_FAMILY,
            'requested loadBalancer IP(s) ["192.0.2.1"] does not match the ipFamily of the service',
            id="family changed",
        ),
    ],
)
def test_an_address_that_may_not_be_kept_is_cleared_with_the_reason_and_another_one_given(
    holding: Service, word: Refusal, message: str
) -> None:
    one = verdict([A, B, SIX], holding)
    assert cleared(one) == (word, message)
    assert isinstance(one, Granted)
    assert not one.kept
    assert one.addresses != holding.ingress


def test_a_mistake_in_the_request_takes_nothing_away_and_is_told() -> None:
    one = verdict([A], service(ingress=["192.0.2.3"], requested="192.0.2."))
    assert granted(one) == (["192.0.2.3"], "a", True)
    assert [reason.word for reason in one.reasons] == [Refusal.INVALID_REQUEST]


def test_a_service_that_lost_its_cluster_address_loses_its_external_one() -> None:
    one = verdict([A], service(ingress=["192.0.2.1"], cluster=[]))
    assert refused(one)[0] is Refusal.NO_CLUSTER_ADDRESS
    assert cleared(one)[0] is Refusal.NO_CLUSTER_ADDRESS


def test_a_refused_service_says_what_it_loses() -> None:
    one = verdict([A], service(ingress=["10.9.9.9"], requested="10.9.9.8"))
    assert isinstance(one, Refused)
    assert one.cleared == Cleared(
        addresses=ips("10.9.9.9"),
        reasons=(
            WhyNot(
                word=Refusal.NOT_IN_ANY_POOL,
                message='["10.9.9.9"] is not allowed in config',
                address=ips("10.9.9.9")[0],
            ),
        ),
    )


# ------------------------------------------------------------ release, counting


@pytest.mark.parametrize(
    ("former", "released"),
    [
        pytest.param(service(is_load_balancer=False), False, id="shows nothing"),
        pytest.param(service(is_load_balancer=False, ingress=["192.0.2.1"]), True, id="an address of ours"),
        pytest.param(service(is_load_balancer=False, ingress=["10.9.9.9"]), False, id="somebody else's"),
        pytest.param(
            service(is_load_balancer=False, annotations={"metallb.universe.tf/ip-allocated-from-pool": "x"}),
            True,
            id="a mark of ours",
        ),
    ],
)
def test_a_service_of_another_type_gives_back_what_is_ours(former: Service, *, released: bool) -> None:
    allocation = decide([A], former)
    assert allocation.verdicts == {}
    assert (former.key in allocation.released) is released


@pytest.mark.parametrize(
    ("shown", "is_told", "released"),
    [
        pytest.param("192.0.2.1", True, True, id="our address, and we told so"),
        pytest.param("192.0.2.1", False, False, id="an address of our pools that we did not give"),
        pytest.param("10.9.9.9", True, False, id="an address that the new class gave"),
    ],
)
def test_a_service_that_went_to_another_class_gives_back_what_we_gave(
    shown: str, *, is_told: bool, released: bool
) -> None:
    condition = Condition(is_true=True, reason="AddressAssigned", message="") if is_told else None
    former = service("former", load_balancer_class="other", ingress=[shown], condition=condition)
    allocation = decide([A], former, service("next", requested="192.0.2.1"))
    assert (former.key in allocation.released) is released
    assert isinstance(allocation.verdicts[key("next")], Granted) is (released or shown != "192.0.2.1")


def test_a_condition_of_ours_is_taken_from_a_service_of_another_type() -> None:
    condition = Condition(is_true=False, reason="NoFreeAddress", message="")
    former = service(is_load_balancer=False, condition=condition)
    assert decide([A], former).released == {former.key}


def test_the_same_address_shown_twice_is_held_once_and_shown_once() -> None:
    one = verdict([A], service(ingress=["192.0.2.1", "192.0.2.1"]))
    assert granted(one) == (["192.0.2.1"], "a", False)
    assert one.cleared is None


def test_a_request_that_can_never_be_met_takes_nothing_away() -> None:
    one = verdict([A, SIX], service(ingress=["192.0.2.1"], requested="2001:db8::1"))
    assert granted(one) == (["192.0.2.1"], "a", True)
    assert [reason.word for reason in one.reasons] == [Refusal.WRONG_FAMILY]


def test_holders_are_all_who_hold_an_address_of_a_pool() -> None:
    services = [
        service("a", ingress=["192.0.2.0"]),
        service("b"),
        service("stranger", load_balancer_class="other", ingress=["192.0.2.3", "10.9.9.9"]),
    ]
    holders = decide([A], *services).holders
    assert holders == {
        ips("192.0.2.0")[0]: (key("a"),),
        ips("192.0.2.1")[0]: (key("b"),),
        ips("192.0.2.3")[0]: (key("stranger"),),
    }


def test_an_address_given_back_is_free() -> None:
    former = service("former", is_load_balancer=False, ingress=["192.0.2.0"])
    assert granted(verdict([A], service(), former))[0] == ["192.0.2.0"]


def test_used_addresses_are_counted_by_pool_each_once() -> None:
    services = [
        service("a", ingress=["192.0.2.0"]),
        service("b", ingress=["192.0.2.0"]),
        service("c"),
        service("d", ingress=["203.0.113.0"]),
        service("stranger", load_balancer_class="other", ingress=["192.0.2.3", "10.9.9.9"]),
    ]
    used = decide([A, B, MANUAL], *services).used
    assert used == {PoolName("a"): 4, PoolName("b"): 0, PoolName("manual"): 1}
