from dataclasses import replace
from hashlib import sha256

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.losses import Loss, digest, losses
from bareway.decide.allocation.verdicts import Refusal
from bareway.model.configuration import Configuration
from bareway.model.services import Service
from support.builders import configuration, ips, key, pool, service

OLD = configuration(pool("a", "192.0.2.0/24"))


def lost(new: Configuration, *services: Service, old: Configuration = OLD) -> tuple[Loss, ...]:
    before = allocate(AllocationView(configuration=old, services=services))
    after = allocate(AllocationView(configuration=new, services=services))
    return losses(before, after)


def test_who_shows_an_address_that_the_new_pools_lack_loses_it() -> None:
    found = lost(
        configuration(pool("a", "192.0.2.0/25")),
        service("z", ingress=["192.0.2.200"]),
        service("b", ingress=["192.0.2.201"]),
        service("c", ingress=["192.0.2.3"]),
    )
    assert [(loss.service, loss.addresses) for loss in found] == [
        (key("b"), ips("192.0.2.201")),
        (key("z"), ips("192.0.2.200")),
    ]
    assert {loss.reason.word for loss in found} == {Refusal.NOT_IN_ANY_POOL}


def test_a_loss_is_told_in_metallbs_words() -> None:
    (loss,) = lost(configuration(pool("a", "10.0.0.0/24")), service(ingress=["192.0.2.1"]))
    assert str(loss) == (
        'service "default/web" cannot own ["192.0.2.1"] under new config:'
        ' ["192.0.2.1"] is not allowed in config'
    )


def test_a_pool_may_be_renamed_moved_and_split() -> None:
    new = configuration(pool("b", "192.0.2.128/25", auto_assign=False), pool("c", "192.0.2.0/25"))
    assert lost(new, service("x", ingress=["192.0.2.1"]), service("y", ingress=["192.0.2.200"])) == ()


def test_a_pool_that_a_service_asks_for_may_not_be_renamed_under_it() -> None:
    asking = service(ingress=["192.0.2.1"], annotations={"metallb.io/address-pool": "a"})
    (loss,) = lost(configuration(pool("b", "192.0.2.0/24")), asking)
    assert loss.reason.word is Refusal.OTHER_POOL_REQUESTED


def test_avoiding_buggy_addresses_takes_those_in_use_away() -> None:
    (loss,) = lost(
        configuration(pool("a", "192.0.2.0/24", avoid_buggy_ips=True)), service(ingress=["192.0.2.255"])
    )
    assert loss.service == key("web")


def test_what_was_not_allowed_before_is_no_loss() -> None:
    assert lost(configuration(pool("a", "10.0.0.0/24")), service(ingress=["198.51.100.1"])) == ()


def test_who_waits_loses_nothing() -> None:
    assert lost(configuration(pool("a", "10.0.0.0/24")), service()) == ()


def test_of_two_addresses_only_the_one_that_goes_is_a_loss() -> None:
    old = configuration(pool("a", "192.0.2.0/24"), pool("six", "2001:db8::/64"))
    new = configuration(pool("a", "192.0.2.0/24"))
    held = service(ingress=["192.0.2.1", "2001:db8::1"], cluster=["10.96.0.1", "fd00::1"])
    (loss,) = lost(new, held, old=old)
    assert loss.addresses == ips("2001:db8::1")


def test_reserving_an_address_for_another_takes_it_from_its_holder() -> None:
    reserving = replace(pool("a", "192.0.2.0/24"), reserve={key("other"): ips("192.0.2.1")})
    (loss,) = lost(configuration(reserving), service(ingress=["192.0.2.1"]))
    assert loss.reason.word is Refusal.RESERVED


def test_a_quota_below_what_is_held_takes_nothing_away() -> None:
    assert (
        lost(
            configuration(replace(pool("a", "192.0.2.0/24"), quota={"*": 0})), service(ingress=["192.0.2.1"])
        )
        == ()
    )


def test_what_both_configurations_take_away_is_no_loss() -> None:
    twice = [service(name, ingress=["192.0.2.1"]) for name in "ab"]
    (loss,) = lost(configuration(pool("a", "10.0.0.0/24")), *twice)
    assert loss.service == key("a")


# ------------------------------------------------------------ the digest


def test_the_digest_is_that_of_sorted_lines_of_service_and_address() -> None:
    held = [service("z/b", ingress=["192.0.2.1"]), service("a/c", ingress=["192.0.2.3"])]
    text = b"a/c 192.0.2.3\nz/b 192.0.2.1\n"
    found = lost(configuration(pool("a", "10.0.0.0/24")), *held)
    assert digest(found) == sha256(text).hexdigest()[:16] == digest(reversed(found))


def test_without_a_loss_there_is_no_digest() -> None:
    assert digest(()) == ""


def test_the_same_loss_has_the_same_digest_whatever_the_reason_and_another_one_another() -> None:
    held = service(ingress=["192.0.2.255"])
    gone = digest(lost(configuration(pool("a", "10.0.0.0/24")), held))
    avoided = digest(lost(configuration(pool("a", "192.0.2.0/24", avoid_buggy_ips=True)), held))
    more = digest(lost(configuration(pool("a", "10.0.0.0/24")), held, service("b", ingress=["192.0.2.7"])))
    assert gone == avoided != more
