from dataclasses import replace

from bareway.decide.routing.endpoints import Backing, Endpoints
from bareway.model.endpoints import Endpoint
from bareway.model.names import NodeName
from support.builders import endpoint_slice, ips, key

A = NodeName("a")
WEB = key("web")


def test_endpoints_are_counted_on_the_node_and_seen_anywhere() -> None:
    endpoints = Endpoints()
    one = endpoint_slice("web", "a", "b", "a")
    assert endpoints.take({one.key: one}, [one.key]) == {WEB}
    assert endpoints.behind(WEB, A) == Backing(is_anywhere=True, here=2, here_v6=0)
    assert endpoints.behind(WEB, NodeName("c")) == Backing(is_anywhere=True, here=0, here_v6=0)
    assert not endpoints.behind(WEB, NodeName("c")).is_here


def test_families_are_counted_apart() -> None:
    endpoints = Endpoints()
    four = endpoint_slice("web", "a", name="web-4")
    six = replace(
        endpoint_slice("web", name="web-6"),
        endpoints=(Endpoint(addresses=ips("fd00::1"), node=A, can_serve=True),),
    )
    endpoints.take({four.key: four, six.key: six}, [four.key, six.key])
    assert endpoints.behind(WEB, A) == Backing(is_anywhere=True, here=1, here_v6=1)
    endpoints.take({six.key: six}, [four.key])
    assert endpoints.behind(WEB, A) == Backing(is_anywhere=True, here=0, here_v6=1)
    assert endpoints.behind(WEB, A).is_here


def test_what_cannot_serve_or_has_no_address_or_node_does_not_count_here() -> None:
    endpoints = Endpoints()
    sick = endpoint_slice("web", "a", serving=False)
    endpoints.take({sick.key: sick}, [sick.key])
    assert not endpoints.behind(WEB, A).is_anywhere
    bare = replace(sick, endpoints=(Endpoint(addresses=(), node=A, can_serve=True),))
    endpoints.take({bare.key: bare}, [bare.key])
    assert not endpoints.behind(WEB, A).is_anywhere
    homeless = endpoint_slice("web", None)
    endpoints.take({homeless.key: homeless}, [homeless.key])
    assert endpoints.behind(WEB, A) == Backing(is_anywhere=True, here=0, here_v6=0)
    assert endpoints.behind(WEB, None) == Backing(is_anywhere=True, here=0, here_v6=0)


def test_a_slice_that_is_gone_matters_to_the_service_it_had() -> None:
    endpoints = Endpoints()
    one = endpoint_slice("web", "a")
    endpoints.take({one.key: one}, [one.key])
    assert endpoints.take({}, [one.key]) == {WEB}
    assert not endpoints.behind(WEB, A).is_anywhere
    assert endpoints.take({}, [one.key]) == set()


def test_a_slice_that_changes_its_service_matters_to_both() -> None:
    endpoints = Endpoints()
    one = endpoint_slice("web", "a", name="x")
    endpoints.take({one.key: one}, [one.key])
    moved = replace(one, service=key("mail"))
    assert endpoints.take({one.key: moved}, [one.key]) == {WEB, key("mail")}
    assert not endpoints.behind(WEB, A).is_anywhere
    assert endpoints.behind(key("mail"), A).is_here
    nobodys = replace(one, service=None)
    assert endpoints.take({one.key: nobodys}, [one.key]) == {key("mail")}
    assert not endpoints.behind(key("mail"), A).is_anywhere
