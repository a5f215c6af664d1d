import pytest

from bareway.decide.allocation.requests import Request, quoted, read_request
from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.names import PoolName
from bareway.model.services import ANNOTATION_PREFIXES
from support.builders import ips, service

NEW = "metallb.io/loadBalancerIPs"


def test_a_service_that_names_nothing_asks_for_anything() -> None:
    assert read_request(service()) == Request()


@pytest.mark.parametrize("prefix", ANNOTATION_PREFIXES)
def test_a_pool_is_asked_for_under_any_prefix(prefix: str) -> None:
    asked = service(annotations={f"{prefix}address-pool": "office"})
    assert read_request(asked) == Request(pool=PoolName("office"))


def test_an_empty_annotation_asks_for_nothing_and_hides_those_of_later_prefixes() -> None:
    annotations = {"bareway.io/address-pool": "", "metallb.io/address-pool": "office"}
    assert read_request(service(annotations=annotations)) == Request()


@pytest.mark.parametrize(
    ("requested", "annotated", "addresses"),
    [
        pytest.param("192.0.2.7", None, ["192.0.2.7"], id="spec"),
        pytest.param("2001:DB8::0:7", None, ["2001:db8::7"], id="another spelling"),
        pytest.param("::ffff:192.0.2.7", None, ["192.0.2.7"], id="IPv4 in IPv6's clothes"),
        pytest.param("", "192.0.2.7", ["192.0.2.7"], id="annotation"),
        pytest.param("", " 192.0.2.7 , 2001:db8::7", ["192.0.2.7", "2001:db8::7"], id="one of each family"),
        pytest.param("192.0.2.7", "", ["192.0.2.7"], id="empty annotation"),
    ],
)
def test_addresses_are_asked_for_in_the_spec_or_in_an_annotation(
    requested: str, annotated: str | None, addresses: list[str]
) -> None:
    annotations = {} if annotated is None else {NEW: annotated}
    asked = read_request(service(requested=requested, annotations=annotations))
    assert asked == Request(addresses=ips(*addresses))


@pytest.mark.parametrize(
    ("requested", "annotated", "message"),
    [
        pytest.param("192.0.2", "", 'invalid spec.loadBalancerIP "192.0.2"', id="no address"),
        pytest.param("fe80::1%eth0", "", 'invalid spec.loadBalancerIP "fe80::1%eth0"', id="zone"),
        pytest.param("", "192.0.2.7,x", f'invalid {NEW}: "192.0.2.7,x"', id="one of them no address"),
        pytest.param("", "192.0.2.7,", f'invalid {NEW}: "192.0.2.7,"', id="nothing behind the comma"),
        pytest.param(
            "",
            "192.0.2.7,::1,192.0.2.8",
            f'invalid {NEW}: "192.0.2.7,::1,192.0.2.8"',
            id="three",
        ),
        pytest.param(
            "", "192.0.2.7,192.0.2.8", '"192.0.2.7" "192.0.2.8" has the same family', id="same family"
        ),
        pytest.param(
            "192.0.2.7",
            "192.0.2.7",
            f"service can not have both {NEW} and svc.Spec.LoadBalancerIP",
            id="both",
        ),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_in_metallbs_words(
    requested: str, annotated: str, message: str
) -> None:
    asked = read_request(service(requested=requested, annotations={NEW: annotated}))
    assert asked == WhyNot(word=Refusal.INVALID_REQUEST, message=message)


def test_addresses_are_quoted_as_metallb_writes_them() -> None:
    assert quoted(ips("192.0.2.7", "2001:db8::7")) == '["192.0.2.7" "2001:db8::7"]'
