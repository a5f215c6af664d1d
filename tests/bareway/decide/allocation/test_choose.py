"""Which pools and families a Service without a wish gets its addresses from."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation, Granted, Refusal, Refused, Verdict
from bareway.model.configuration import Pool
from bareway.model.names import PoolName
from bareway.model.selectors import Selector
from bareway.model.services import FamilyPolicy, Service
from support.builders import configuration, ips, key, pool, service

FOUR = pool("four", "192.0.2.0/30")
SIX = pool("six", "2001:db8::/126")
BOTH = pool("both", "198.51.100.0/31", "2001:db8:1::/127")
MANUAL_SIX = pool("manual", "2001:db8:2::/126", auto_assign=False)
PREFER, REQUIRE = FamilyPolicy.PREFER_DUAL_STACK, FamilyPolicy.REQUIRE_DUAL_STACK
DUAL = ("10.96.0.1", "fd00::1")


def dual(policy: FamilyPolicy = PREFER, *, first: str = "10.96.0.1", name: str = "web") -> Service:
    return service(name, cluster=sorted(DUAL, key=lambda one: one != first), families=policy)


def decide(
    pools: list[Pool], *services: Service, labels: dict[str, dict[str, str]] | None = None
) -> Allocation:
    view = AllocationView(configuration=configuration(*pools), services=services, namespaces=labels or {})
    return allocate(view)


def verdict(pools: list[Pool], *services: Service) -> Verdict:
    """Of the first Service."""
    return decide(pools, *services).verdicts[services[0].key]


def addresses(of: Verdict) -> list[str]:
    return [str(address) for address in of.addresses] if isinstance(of, Granted) else []


def words(of: Verdict) -> list[tuple[str | None, Refusal]]:
    return [(reason.pool, reason.word) for reason in of.reasons]


# ------------------------------------------------------------ families


def test_a_dual_stack_service_gets_both_families_from_the_first_pool_that_has_both() -> None:
    one = verdict([FOUR, SIX, BOTH], dual())
    assert addresses(one) == ["198.51.100.0", "2001:db8:1::"]
    assert isinstance(one, Granted)
    assert one.pool == "both"
    assert words(one) == [("four", Refusal.WRONG_FAMILY), ("six", Refusal.WRONG_FAMILY)]


@pytest.mark.parametrize("policy", [PREFER, REQUIRE])
def test_the_families_come_from_two_pools_where_none_has_both(policy: FamilyPolicy) -> None:
    one = verdict([SIX, FOUR], dual(policy, first="fd00::1"))
    assert addresses(one) == ["192.0.2.0", "2001:db8::"], "IPv4 comes first"
    assert isinstance(one, Granted)
    assert one.pools == ("four", "six")
    assert one.pool == "four,six"


def test_a_preferred_second_family_may_be_missing_and_that_is_told() -> None:
    one = verdict([FOUR], dual())
    assert addresses(one) == ["192.0.2.0"]
    assert words(one) == [("four", Refusal.WRONG_FAMILY), (None, Refusal.SECOND_FAMILY_NOT_SERVED)]
    assert one.reasons[-1].message == "no available IPs of the second family, IPv6"


def test_where_only_the_second_family_is_to_be_had_it_is_given() -> None:
    assert addresses(verdict([SIX], dual())) == ["2001:db8::"]


def test_a_required_second_family_may_not_be_missing() -> None:
    one = verdict([FOUR], dual(REQUIRE))
    assert isinstance(one, Refused)
    assert (one.reason.word, one.reason.message) == (Refusal.NO_FREE_ADDRESS, "no available IPs")
    asked = replace(dual(REQUIRE), annotations={"metallb.io/address-pool": "four"})
    of_pool = verdict([FOUR, SIX], asked)
    assert isinstance(of_pool, Refused)
    assert of_pool.reason.message == "no available IPs in pool four for dual IPFamily"
    assert of_pool.reason.word is Refusal.WRONG_FAMILY


def test_dual_stack_is_refused_to_a_service_of_one_family_in_metallbs_words() -> None:
    one = verdict([FOUR, SIX], service(families=REQUIRE, ingress=["192.0.2.0"]))
    assert isinstance(one, Refused)
    assert one.reason.word is Refusal.NOT_DUAL_STACK
    assert one.reason.message == "Service requires dual stack but not enough clusterips [10.96.0.10]"
    assert one.cleared is not None
    assert one.cleared.addresses == ips("192.0.2.0")


def test_a_service_of_one_family_that_prefers_two_gets_one_and_keeps_it() -> None:
    first = verdict([BOTH], service(families=PREFER))
    assert addresses(first) == ["198.51.100.0"]
    second = verdict([BOTH], service(families=PREFER, ingress=["198.51.100.0"]))
    assert isinstance(second, Granted)
    assert second.kept
    assert second.reasons == ()


def test_a_second_family_is_added_from_the_same_pool_if_it_has_it_else_from_another() -> None:
    held = replace(dual(), ingress=ips("198.51.100.1"))
    one = verdict([SIX, BOTH], held)
    assert addresses(one) == ["198.51.100.1", "2001:db8:1::"]
    assert isinstance(one, Granted)
    assert (one.kept, one.cleared) == (False, None)
    assert addresses(verdict([SIX, FOUR], replace(dual(), ingress=ips("192.0.2.1")))) == [
        "192.0.2.1",
        "2001:db8::",
    ]


def test_of_a_family_that_is_kept_nothing_is_told() -> None:
    full = pool("full", "198.51.100.0/32")
    holder = service("holder", ingress=["198.51.100.0"])
    one = verdict([full, FOUR, SIX], replace(dual(), ingress=ips("192.0.2.1")), holder)
    assert words(one) == [("full", Refusal.WRONG_FAMILY), ("four", Refusal.WRONG_FAMILY)]


def test_a_second_family_that_cannot_be_had_takes_nothing_away() -> None:
    for policy in (PREFER, REQUIRE):
        one = verdict([FOUR], replace(dual(policy), ingress=ips("192.0.2.1")))
        assert isinstance(one, Granted)
        assert one.kept
        assert one.reasons[-1].word is Refusal.SECOND_FAMILY_NOT_SERVED


def test_of_two_addresses_the_one_that_is_still_allowed_is_kept() -> None:
    one = verdict([FOUR, SIX], replace(dual(), ingress=ips("192.0.2.1", "2001:db8:9::")))
    assert addresses(one) == ["192.0.2.1", "2001:db8::"]
    assert one.cleared is not None
    assert one.cleared.addresses == ips("2001:db8:9::")
    single = verdict([FOUR, SIX], service(ingress=["192.0.2.1", "2001:db8::"]))
    assert addresses(single) == ["192.0.2.1"], "a family that the Service gave up goes alone"


@pytest.mark.parametrize(
    ("policy", "requested", "word"),
    [
        pytest.param(REQUIRE, "192.0.2.1", Refusal.WRONG_FAMILY, id="one, both required"),
        pytest.param(PREFER, "192.0.2.1", None, id="one, both preferred"),
        pytest.param(FamilyPolicy.SINGLE_STACK, "2001:db8::1", None, id="of a family that is served"),
    ],
)
def test_requested_addresses_are_exactly_what_is_given(
    policy: FamilyPolicy, requested: str, word: Refusal | None
) -> None:
    one = verdict([FOUR, SIX], replace(dual(policy), requested_address=requested))
    assert addresses(one) == ([requested] if word is None else [])
    if isinstance(one, Refused):
        assert one.reason.word is word


def test_each_requested_address_that_is_not_given_has_its_reason() -> None:
    wish = {"metallb.io/loadBalancerIPs": "192.0.2.1,2001:db8:9::"}
    holder = service("holder", ingress=["192.0.2.1"])
    one = verdict([FOUR, SIX], replace(dual(), annotations=wish), holder)
    assert isinstance(one, Refused)
    assert [(str(reason.address), reason.word) for reason in one.reasons] == [
        ("192.0.2.1", Refusal.HELD_BY_ANOTHER),
        ("2001:db8:9::", Refusal.NOT_IN_ANY_POOL),
    ]
    assert one.reason == one.reasons[0]


def test_a_kept_address_stays_when_the_other_requested_one_is_not_to_be_had() -> None:
    wish = {"metallb.io/loadBalancerIPs": "192.0.2.1,2001:db8:9::"}
    one = verdict([FOUR, SIX], replace(dual(), annotations=wish, ingress=ips("192.0.2.1")))
    assert isinstance(one, Granted)
    assert one.kept
    assert [reason.word for reason in one.reasons] == [Refusal.NOT_IN_ANY_POOL]


# ------------------------------------------------------------ pools


def named(name: str, **changes: object) -> Pool:
    digit = {"a": 1, "b": 2, "c": 3, "d": 4}[name]
    return replace(pool(name, f"192.0.{digit}.0/31"), **changes)  # type: ignore[arg-type]  # a test's own words


def test_pools_are_tried_by_priority_and_in_the_order_of_the_document() -> None:
    pools = [
        named("a"),
        named("b", priority=20),
        named("c", priority=10),
        named("d", namespaces=("default",)),
    ]
    holders: list[Service] = []
    order = []
    for number in range(8):
        one = verdict(pools, service("web"), *holders)
        assert isinstance(one, Granted)
        order.append(one.pool)
        holders.append(service(f"h{number}", ingress=[str(one.addresses[0])]))
    assert order == ["c", "c", "b", "b", "d", "d", "a", "a"], "0 is last, and pinned pools come before others"
    full = verdict(pools, service("web"), *holders)
    assert words(full) == [(name, Refusal.POOL_EXHAUSTED) for name in "cbda"]


def test_the_families_come_from_two_pinned_pools_before_one_that_is_open() -> None:
    four, six = replace(FOUR, namespaces=("default",)), replace(SIX, namespaces=("default",))
    assert addresses(verdict([BOTH, four, six], dual())) == ["192.0.2.0", "2001:db8::"]


@pytest.mark.parametrize(
    ("pool_for", "labels", "word"),
    [
        pytest.param({"namespaces": ("default",)}, {}, None, id="named"),
        pytest.param({"namespaces": ("shop",)}, {}, Refusal.NAMESPACE_NOT_ALLOWED, id="not named"),
        pytest.param(
            {"namespace_selectors": (Selector(labels={"team": "red"}),)},
            {"default": {"team": "red"}},
            None,
            id="selected",
        ),
        pytest.param(
            {"namespace_selectors": (Selector(labels={"team": "red"}),)},
            {"default": {"team": "blue"}},
            Refusal.NAMESPACE_NOT_ALLOWED,
            id="not selected",
        ),
        pytest.param(
            {"namespace_selectors": (Selector(labels={"team": "red"}),), "namespaces": ("default",)},
            {"default": {"team": "blue"}},
            None,
            id="named and not selected",
        ),
        pytest.param(
            {"namespace_selectors": (Selector(labels={"kubernetes.io/metadata.name": "default"}),)},
            {},
            None,
            id="selected by its name, which is known in any case",
        ),
        pytest.param(
            {"service_selectors": (Selector(labels={"tier": "web"}),)}, {}, None, id="Service selected"
        ),
        pytest.param(
            {"service_selectors": (Selector(labels={"tier": "db"}),)},
            {},
            Refusal.SERVICE_NOT_SELECTED,
            id="Service not selected",
        ),
        pytest.param(
            {"service_selectors": (Selector(labels={"tier": "web"}),), "namespaces": ("shop",)},
            {},
            Refusal.NAMESPACE_NOT_ALLOWED,
            id="Service selected, in another namespace",
        ),
    ],
)
def test_who_may_use_a_pool_is_bound_by_it_also_with_a_wish(
    pool_for: dict[str, object], labels: dict[str, dict[str, str]], word: Refusal | None
) -> None:
    own = named("a", **pool_for)
    for wish in (
        {},
        {"requested": "192.0.1.1"},
        {"annotations": {"metallb.io/address-pool": "a"}},
    ):
        asking = service(labels={"tier": "web"}, **wish)
        one = decide([own], asking, labels=labels).verdicts[key("web")]
        assert isinstance(one, Granted) is (word is None)
        told = [reason.word for reason in ((one.reason, *one.reasons) if isinstance(one, Refused) else ())]
        assert word is None or word in told


def test_a_holder_loses_its_address_when_the_pool_is_not_for_it_any_longer() -> None:
    held = service(ingress=["192.0.1.1"], labels={"tier": "web"})
    labels = {"default": {"team": "blue"}}
    for own in (
        named("a", namespaces=("shop",)),
        named("a", namespace_selectors=(Selector(labels={"team": "red"}),)),
        named("a", service_selectors=(Selector(labels={"tier": "db"}),)),
    ):
        one = decide([own], held, labels=labels).verdicts[key("web")]
        assert one.cleared is not None


def test_labels_of_a_namespace_that_are_not_known_yet_take_nothing_away() -> None:
    by_labels = named("a", namespace_selectors=(Selector(labels={"team": "red"}),))
    held = verdict([by_labels], service(ingress=["192.0.1.1"]))
    assert isinstance(held, Granted)
    assert held.kept
    assert addresses(verdict([by_labels], service())) == [], "but give nothing either"
    both = replace(by_labels, service_selectors=(Selector(labels={"tier": "db"}),))
    assert verdict([both], service(ingress=["192.0.1.1"])).cleared is not None


# ------------------------------------------------------------ quota, reservations


@pytest.mark.parametrize(
    ("quota", "served"),
    [
        pytest.param({"shop": 2}, ["192.0.2.0", "192.0.2.1"], id="of the namespace"),
        pytest.param({"*": 1}, ["192.0.2.0"], id="of each"),
        pytest.param(
            {"shop": 3, "*": 0}, ["192.0.2.0", "192.0.2.1", "192.0.2.2"], id="own before that of each"
        ),
        pytest.param({"shop": 0}, [], id="none"),
        pytest.param({"other": 1}, ["192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3"], id="of another"),
    ],
)
def test_a_namespace_holds_no_more_of_a_pool_than_its_quota(quota: dict[str, int], served: list[str]) -> None:
    services = [service(f"shop/s{n}") for n in range(5)]
    verdicts = decide([replace(FOUR, quota=quota)], *services).verdicts
    assert [address for one in services for address in addresses(verdicts[one.key])] == served
    if len(served) < 4:
        told = verdicts[services[-1].key].reasons[0]
        assert told.word is Refusal.QUOTA_EXHAUSTED
        assert told.message == f'namespace "shop" holds all {len(served)} addresses of its quota in pool four'


def test_a_quota_counts_addresses_not_services_and_takes_nothing_away() -> None:
    one_each = replace(FOUR, quota={"*": 1})
    key_k = {"metallb.io/allow-shared-ip": "k"}
    shared = [service(f"shop/s{n}", annotations=key_k, ports=[80 + n]) for n in range(3)]
    verdicts = decide([one_each], *shared).verdicts
    assert {address for one in verdicts.values() for address in addresses(one)} == {"192.0.2.0"}
    held = [service(f"shop/s{n}", ingress=[f"192.0.2.{n}"]) for n in range(3)]
    assert all(one.cleared is None for one in decide([one_each], *held).verdicts.values())
    asked = verdict([one_each], service("shop/x", requested="192.0.2.3"), *held)
    assert isinstance(asked, Refused)
    assert asked.reason.word is Refusal.QUOTA_EXHAUSTED


def test_a_reserved_address_goes_to_its_service_and_to_nobody_else() -> None:
    reserving = replace(FOUR, auto_assign=False, reserve={key("shop/web"): ips("192.0.2.2", "192.0.2.0")})
    assert addresses(verdict([SIX, reserving], service("shop/web"))) == ["192.0.2.2"], "the first, unasked"
    stranger = service("shop/taker", load_balancer_class="other", ingress=["192.0.2.2"])
    assert addresses(verdict([reserving], service("shop/web"), stranger)) == ["192.0.2.0"], "then the next"
    asking = verdict([reserving], service("other", requested="192.0.2.2"))
    assert isinstance(asking, Refused)
    assert (asking.reason.word, asking.reason.message) == (
        Refusal.RESERVED,
        '"192.0.2.2" is reserved for shop/web',
    )
    held = verdict([reserving], service("other", ingress=["192.0.2.2"]))
    assert held.cleared is not None
    assert held.cleared.reason.word is Refusal.RESERVED
    open_pool = replace(reserving, auto_assign=True)
    others = [service(f"o{n}") for n in range(3)]
    given_to_others = decide([open_pool], *others).verdicts
    assert [addresses(given_to_others[one.key]) for one in others] == [["192.0.2.1"], ["192.0.2.3"], []]


def test_a_service_keeps_what_it_holds_although_another_address_is_reserved_for_it() -> None:
    reserving = replace(FOUR, reserve={key("web"): ips("192.0.2.2")})
    assert addresses(verdict([reserving], service(ingress=["192.0.2.0"]))) == ["192.0.2.0"]


def test_a_reservation_is_bound_by_the_pool_and_by_the_wish() -> None:
    reserving = replace(FOUR, reserve={key("web"): ips("192.0.2.2")})
    assert addresses(verdict([replace(reserving, namespaces=("shop",)), BOTH], service())) == ["198.51.100.0"]
    wish = {"metallb.io/address-pool": "both"}
    assert addresses(verdict([reserving, BOTH], service(annotations=wish))) == ["198.51.100.0"]
    assert addresses(verdict([reserving], service(requested="192.0.2.3"))) == ["192.0.2.3"]


def test_the_second_family_comes_from_the_pool_of_the_reserved_first_one() -> None:
    reserving = replace(BOTH, reserve={key("web"): ips("198.51.100.1")})
    assert addresses(verdict([SIX, reserving], dual())) == ["198.51.100.1", "2001:db8:1::"]


def test_a_pool_that_assigns_nothing_by_itself_does_so_where_it_is_asked_for() -> None:
    assert addresses(verdict([MANUAL_SIX], service(cluster=["fd00::1"]))) == []
    asked = service(cluster=["fd00::1"], annotations={"metallb.io/address-pool": "manual"})
    one = verdict([MANUAL_SIX], asked)
    assert isinstance(one, Granted)
    assert one.pools == (PoolName("manual"),)
