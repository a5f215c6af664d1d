from bareway.decide.allocate import AllocationView, allocate
from bareway.decide.losses import Loss, losses
from bareway.decide.verdicts import Refusal
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
