"""Which Services share an address, told by what ``allocate`` does."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation, Granted, Refusal, Refused
from bareway.model.configuration import Pool
from bareway.model.services import Port, Service, TrafficPolicy
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/30")
LOCAL = TrafficPolicy.LOCAL
CLUSTER = TrafficPolicy.CLUSTER


def sharing(
    name: str,
    sharing_key: str = "k",
    *,
    ports: Iterable[int] = (80,),
    policy: TrafficPolicy = CLUSTER,
    app: str = "",
    ingress: Iterable[str] = (),
    requested: str = "",
) -> Service:
    annotations = {"metallb.io/allow-shared-ip": sharing_key} if sharing_key else {}
    selector = {"app": app} if app else {}
    one = service(name, ingress=ingress, ports=ports, policy=policy, selector=selector, requested=requested)
    return replace(one, annotations=annotations)


def decide(*services: Service, of: Pool = A) -> Allocation:
    return allocate(AllocationView(configuration=configuration(of), services=services))


def first(allocation: Allocation, name: str) -> str:
    verdict = allocation.verdicts[key(name)]
    assert isinstance(verdict, Granted), verdict
    return str(verdict.addresses[0])


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        pytest.param(sharing("a"), sharing("b", ports=[443]), None, id="same key, other port"),
        pytest.param(sharing("a"), sharing("b"), Refusal.PORT_IN_USE, id="same key, same port"),
        pytest.param(sharing("a"), sharing("b", "l", ports=[443]), Refusal.HELD_BY_ANOTHER, id="other key"),
        pytest.param(sharing("a", ""), sharing("b", "", ports=[443]), Refusal.HELD_BY_ANOTHER, id="no key"),
        pytest.param(
            sharing("a"), sharing("b", "", ports=[443]), Refusal.HELD_BY_ANOTHER, id="key of one only"
        ),
        pytest.param(
            sharing("a", policy=LOCAL, app="x"),
            sharing("b", policy=LOCAL, app="x", ports=[443]),
            None,
            id="local, same selector",
        ),
        pytest.param(
            sharing("a", policy=LOCAL, app="x"),
            sharing("b", policy=LOCAL, app="y", ports=[443]),
            Refusal.OTHER_BACKENDS,
            id="local, other selector",
        ),
        pytest.param(
            sharing("a", policy=LOCAL, app="x"),
            sharing("b", app="x", ports=[443]),
            Refusal.OTHER_BACKENDS,
            id="local and cluster",
        ),
        pytest.param(
            sharing("a", app="x"), sharing("b", app="y", ports=[443]), None, id="cluster, other selector"
        ),
    ],
)
def test_services_share_an_address_by_key_ports_and_backends(
    one: Service, other: Service, word: Refusal | None
) -> None:
    holder = replace(one, ingress=ips("192.0.2.0"))
    asking = replace(other, requested_address="192.0.2.0")
    verdict = decide(holder, asking).verdicts[other.key]
    if word is None:
        assert isinstance(verdict, Granted)
        assert verdict.shares_with == (one.key,)
    else:
        assert isinstance(verdict, Refused)
        assert verdict.reason.word is word
        assert str(one.key) in verdict.reason.message
    both_show = decide(holder, replace(other, ingress=ips("192.0.2.0"))).verdicts[other.key]
    lost = both_show.cleared.reason.word if both_show.cleared else None
    assert lost is word, "what may not be given may not be kept either"


def test_the_same_number_of_another_protocol_is_another_port() -> None:
    tcp = sharing("a", ingress=["192.0.2.0"])
    udp = replace(sharing("b", requested="192.0.2.0"), ports=(Port(protocol="UDP", number=80),))
    assert first(decide(tcp, udp), "b") == "192.0.2.0"


def test_conflicts_are_told_in_metallbs_words_and_name_the_others() -> None:
    refused = decide(sharing("a", ingress=["192.0.2.0"]), sharing("b", requested="192.0.2.0")).verdicts[
        key("b")
    ]
    assert isinstance(refused, Refused)
    assert refused.reason.message == 'port TCP/80 is already in use on "192.0.2.0" by default/a'
    assert (refused.reason.pool, refused.reason.address) == ("a", ips("192.0.2.0")[0])
    holders = [sharing(f"h{n:02d}", ports=[n], ingress=["192.0.2.0"]) for n in range(1, 13)]
    many = decide(*holders, sharing("b", "l", ports=[99], requested="192.0.2.0")).verdicts[key("b")]
    assert isinstance(many, Refused)
    told = ",".join(f"default/h{n:02d}" for n in range(1, 11))
    assert many.reason.message == (
        f'can\'t change sharing key for "default/b", address also in use by {told} and 2 more'
    )


def test_where_the_pool_says_so_policy_local_shares_whatever_the_selectors() -> None:
    shared = replace(A, share_local=True)
    one = sharing("a", policy=LOCAL, app="x", ingress=["192.0.2.0"])
    other = sharing("b", policy=LOCAL, app="y", ports=[443], requested="192.0.2.0")
    assert first(decide(one, other, of=shared), "b") == "192.0.2.0"
    cluster = sharing("b", ports=[443], requested="192.0.2.0")
    refused = decide(one, cluster, of=shared).verdicts[key("b")]
    assert isinstance(refused, Refused)
    assert refused.reason.word is Refusal.OTHER_BACKENDS


def test_who_shares_takes_the_lowest_address_that_is_free_or_fits() -> None:
    higher = sharing("a", ingress=["192.0.2.2"])
    assert first(decide(higher, sharing("b", ports=[443])), "b") == "192.0.2.0", "a free one comes first"
    filled = [sharing(f"f{n}", "", ingress=[f"192.0.2.{n}"]) for n in (0, 1)]
    assert first(decide(higher, *filled, sharing("b", ports=[443])), "b") == "192.0.2.2", "then one that fits"
    assert first(decide(higher, *filled, sharing("b", ports=[80])), "b") == "192.0.2.3", (
        "not one that does not"
    )


def test_many_of_one_key_fill_an_address_before_the_next() -> None:
    services = [sharing(f"s{n}", ports=[80 + n % 3]) for n in range(9)]
    allocation = decide(*services)
    assert sorted(first(allocation, f"s{n}") for n in range(9)) == sorted(
        ["192.0.2.0", "192.0.2.1", "192.0.2.2"] * 3
    )
    assert allocation.holders[ips("192.0.2.1")[0]] == (key("s3"), key("s4"), key("s5"))
    granted = allocation.verdicts[key("s4")]
    assert isinstance(granted, Granted)
    assert granted.shares_with == (key("s3"), key("s5"))


def test_a_sole_holder_may_change_its_sharing_key() -> None:
    allocation = decide(sharing("a", "new", ingress=["192.0.2.0"]))
    verdict = allocation.verdicts[key("a")]
    assert isinstance(verdict, Granted)
    assert verdict.kept


def test_shared_addresses_are_counted_once() -> None:
    allocation = decide(sharing("a"), sharing("b", ports=[443]), sharing("c", ports=[53]))
    assert allocation.used == {"a": 1}


def test_a_stranger_shares_with_nobody() -> None:
    stranger = replace(sharing("a", ingress=["192.0.2.0"]), load_balancer_class="other")
    assert first(decide(stranger, sharing("b", ports=[443])), "b") == "192.0.2.1"
