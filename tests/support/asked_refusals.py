"""Faults of allocation for ``bareway why``, each planted alone in a healthy cluster, with their cures."""

from dataclasses import replace
from typing import Final

from bareway.decide.allocation.verdicts import Refusal as NoAddress
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.why.chain import Leadership, WhyReason
from bareway.decide.answers.why.view import WhyView
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.problems import Problem
from bareway.model.selectors import Selector
from support.asked import (
    API,
    ON_LINK,
    WEB,
    Change,
    Fault,
    healthy,
    silent_about,
    with_configuration,
    with_others,
    with_pool,
    with_service,
)
from support.builders import ips, key, pool, service

SELECTOR: Final = Selector(labels={"rack": "a"})
MISTAKE: Final = Problem(path="address-pools[0].addresses[0]", message='invalid CIDR "x"', line=4)


def waiting(view: WhyView) -> WhyView:
    """shop/web shows nothing, and nobody speaks of its address."""
    return silent_about(with_service(view, WEB, ingress=()), ON_LINK)


def served(view: WhyView) -> WhyView:
    """shop/web shows its address again, and node1 announces it."""
    view = with_service(view, WEB, ingress=(ON_LINK,))
    return announced(view)


def announced(view: WhyView) -> WhyView:
    return replace(view, speakers=healthy().speakers)


def then(*changes: Change) -> Change:
    def change(view: WhyView) -> WhyView:
        for one in changes:
            view = one(view)
        return view

    return change


def _refusal(word: str, plant: Change, cure: Change, remedy: str) -> Fault:
    """shop/web has no address, for a reason of allocation."""
    return Fault(word=word, about=WEB, plant=then(waiting, plant), cure=then(cure, served), remedy=remedy)


def _annotated(**annotations: str) -> Change:
    return lambda view: with_service(
        view,
        WEB,
        annotations={f"metallb.io/{name.replace('_', '-')}": text for name, text in annotations.items()},
    )


def of_pool(**changes: object) -> Change:
    return lambda view: with_pool(view, "public", **changes)


def _filled(view: WhyView) -> WhyView:
    return with_others(
        view,
        *(
            service(f"old/s{n}", ingress=[f"192.0.2.{n}"], created_at="2025-01-01T00:00:00Z")
            for n in (10, 11, 12)
        ),
    )


def _of_the_other_family(view: WhyView) -> WhyView:
    """Ahead of the pool that could serve: one of another family, and one of it that wants to be named."""
    assert view.configuration is not None
    others = (
        pool("a-six", "2001:db8::/120"),
        replace(pool("b-six", "2001:db8::100/120"), auto_assign=False),
    )
    view = with_configuration(view, pools=(*others, *view.configuration.pools))
    return of_pool(auto_assign=False)(view)


def _emptied(view: WhyView) -> WhyView:
    keep = {key: one for key, one in (view.services or {}).items() if key.namespace != "old"}
    return replace(view, services=keep)


ALLOCATION: Final = {
    "pool exhausted": _refusal(NoAddress.POOL_EXHAUSTED, _filled, _emptied, "pool public"),
    "pool assigns nothing by itself": _refusal(
        NoAddress.AUTO_ASSIGN_OFF,
        of_pool(auto_assign=False),
        of_pool(auto_assign=True),
        "address-pool=public",
    ),
    "pool of its family that wants to be named": _refusal(
        NoAddress.AUTO_ASSIGN_OFF,
        _of_the_other_family,
        of_pool(auto_assign=True),
        "address-pool=public",
    ),
    "pool of another namespace": _refusal(
        NoAddress.NAMESPACE_NOT_ALLOWED,
        of_pool(namespaces=("bank",)),
        of_pool(namespaces=("shop",)),
        "shop",
    ),
    "pool of other labels": _refusal(
        NoAddress.SERVICE_NOT_SELECTED,
        of_pool(service_selectors=(SELECTOR,)),
        lambda view: with_service(view, WEB, labels={"rack": "a"}),
        "shop/web",
    ),
    "quota": _refusal(
        NoAddress.QUOTA_EXHAUSTED, of_pool(quota={"shop": 0}), of_pool(quota={"shop": 2}), "namespace shop"
    ),
    "pool that is not there": _refusal(
        NoAddress.NO_SUCH_POOL, _annotated(address_pool="pubic"), _annotated(address_pool="public"), "pubic"
    ),
    "address outside all pools": _refusal(
        NoAddress.NOT_IN_ANY_POOL,
        _annotated(loadBalancerIPs="203.0.113.9"),
        _annotated(loadBalancerIPs="192.0.2.10"),
        "203.0.113.9",
    ),
    "address of another": _refusal(
        NoAddress.HELD_BY_ANOTHER,
        then(_annotated(loadBalancerIPs="192.0.2.10"), _filled),
        _emptied,
        "metallb.io/allow-shared-ip",
    ),
    "address that is reserved": _refusal(
        NoAddress.RESERVED,
        then(_annotated(loadBalancerIPs="192.0.2.10"), of_pool(reserve={API: ips("192.0.2.10")})),
        of_pool(reserve={}),
        "reserv",
    ),
    "address that waits": _refusal(
        NoAddress.ON_HOLD,
        lambda view: replace(
            _annotated(loadBalancerIPs="192.0.2.10")(of_pool(hold_after_delete_s=60.0)(view)),
            memory=AllocationMemory(holds={ON_LINK: Hold(service=key("old/gone"), until=1_060)}),
        ),
        lambda view: replace(view, now=1_061),
        "hold",
    ),
    "address nonsense": _refusal(
        NoAddress.INVALID_REQUEST, _annotated(loadBalancerIPs="nonsense"), _annotated(), "annotation"
    ),
    "no clusterIP": _refusal(
        NoAddress.NO_CLUSTER_ADDRESS,
        lambda view: with_service(view, WEB, cluster_addresses=()),
        lambda view: with_service(view, WEB, cluster_addresses=ips("10.96.0.10")),
        "clusterIP",
    ),
    "no family": _refusal(
        NoAddress.WRONG_FAMILY,
        lambda view: with_service(view, WEB, cluster_addresses=ips("fd00::10")),
        lambda view: with_service(view, WEB, cluster_addresses=ips("10.96.0.10")),
        "family",
    ),
    "no configuration": _refusal(
        WhyReason.NO_CONFIGURATION,
        lambda view: replace(view, configuration=None),
        lambda view: replace(view, configuration=healthy().configuration),
        "bareway-system/config",
    ),
    "configuration refused": _refusal(
        WhyReason.CONFIGURATION_REFUSED,
        lambda view: with_configuration(replace(view, offered=(MISTAKE,)), pools=()),
        lambda view: replace(view, offered=(), configuration=healthy().configuration),
        "bareway lint",
    ),
    "nobody leads": _refusal(
        WhyReason.NO_CONTROLLER,
        lambda view: replace(view, leadership=Leadership(is_known=True)),
        lambda view: replace(view, leadership=healthy().leadership),
        "component=controller",
    ),
    "MetalLB serves the same class": _refusal(
        Ailment.OTHER_CONTROLLER,
        lambda view: replace(
            view, leadership=Leadership(is_known=True, refusal="MetalLB is there. Nothing is given")
        ),
        lambda view: replace(view, leadership=healthy().leadership),
        "docs/migrate-from-metallb.md",
    ),
    "not written": _refusal(WhyReason.NOT_WRITTEN, lambda view: view, lambda view: view, "logs"),
    "not of our class": _refusal(
        WhyReason.OTHER_CLASS,
        lambda view: with_service(view, WEB, load_balancer_class="other"),
        lambda view: with_service(view, WEB, load_balancer_class=None),
        "without loadBalancerClass",
    ),
    "not for outside": _refusal(
        WhyReason.NOT_LOAD_BALANCER,
        lambda view: with_service(view, WEB, is_load_balancer=False),
        lambda view: with_service(view, WEB, is_load_balancer=True),
        "kubectl -n shop patch service web",
    ),
}
