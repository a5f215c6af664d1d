"""Services that get no address, or whose address nobody answers for: each asks for something of its own.

They do not disturb each other, so all are planted at once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.announcement.announcers import Refusal as Unannounced
from bareway.decide.answers.why.chain import WhyReason
from lab.clinic.cluster import Clinic
from lab.clinic.fault import Cure, configured, follow, kubectl
from lab.clinic.objects import Object, endpoints, served, service

MANUAL: Final = "auto-assign: false"


def pool(addresses: str, *lines: str) -> str:
    """Of this range, for those who name it."""
    return "\n".join([f"addresses: [{addresses}]", MANUAL, *lines])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A Service of that name, and what is wrong with it."""

    word: str
    service: str
    objects: tuple[Object, ...]
    """Those that come first hold what the last one asks for."""
    says: str
    cure: Cure
    pools: Mapping[str, str] = field(default_factory=dict)


def patch(name: str, **spec: object) -> Cure:
    return kubectl("patch", "service", name, "--type=merge", "-p", json.dumps({"spec": spec}))


def annotate(name: str, *annotations: str) -> Cure:
    told = (f"metallb.io/{each}" for each in annotations)
    return kubectl("annotate", "service", name, "--overwrite", *told)


def _share(clinic: Clinic, *_: object) -> None:
    clinic.kubectl("annotate", "service", "b-holder", "taken", "metallb.io/allow-shared-ip=both")


def _anew(clinic: Clinic, *_: object) -> None:
    clinic.kubectl("delete", "service", "classy")
    clinic.apply(service("classy"))


SERVICES: Final = {
    "a pool without a free address": Unserved(
        word=Refusal.POOL_EXHAUSTED,
        service="exhausted",
        pools={"one": pool("192.0.2.220/32")},
        objects=(service("a-holder", pool="one"), *served(service("exhausted", pool="one"))),
        says="Add addresses to pool one",
        cure=configured(one=pool("192.0.2.220-192.0.2.221")),
    ),
    "an address outside all pools": Unserved(
        word=Refusal.NOT_IN_ANY_POOL,
        service="outside",
        objects=served(service("outside", addresses="198.51.100.77")),
        says="or use another",
        cure=annotate("outside", "loadBalancerIPs=192.0.2.208"),
    ),
    "an address of another namespace's pool": Unserved(
        word=Refusal.NAMESPACE_NOT_ALLOWED,
        service="foreign",
        pools={"theirs": pool("192.0.2.222/32", "namespaces: [other]")},
        objects=served(service("foreign", addresses="192.0.2.222")),
        says="Let pool theirs serve namespace default",
        cure=configured(theirs=pool("192.0.2.222/32", "namespaces: [other, default]")),
    ),
    "a class that is not ours": Unserved(
        word=WhyReason.OTHER_CLASS,
        service="classy",
        objects=served(service("classy", loadBalancerClass="example.com/other")),
        says="Create the Service anew without loadBalancerClass",
        cure=_anew,
    ),
    "no endpoint": Unserved(
        word=Unannounced.NO_ENDPOINTS,
        service="empty",
        objects=(service("empty"),),
        says="the selector is wrong or a readiness probe fails",
        cure=lambda clinic, _: clinic.apply(endpoints("empty")),  # what a Pod that is ready brings about
    ),
    "policy Local and no endpoint on a node": Unserved(
        word=Unannounced.NO_LOCAL_ENDPOINTS,
        service="local",
        objects=served(service("local", externalTrafficPolicy="Local")),
        says="externalTrafficPolicy: Cluster",
        cure=patch("local", externalTrafficPolicy="Cluster"),
    ),
    "an annotation that is no address": Unserved(
        word=Refusal.INVALID_REQUEST,
        service="malformed",
        objects=served(service("malformed", addresses="192.0.2.300")),
        says="Correct the annotation",
        cure=annotate("malformed", "loadBalancerIPs=192.0.2.207"),
    ),
    "a pool that is not there": Unserved(
        word=Refusal.NO_SUCH_POOL,
        service="misled",
        objects=served(service("misled", pool="defualt")),
        says="Correct the annotation address-pool of the Service",
        cure=annotate("misled", "address-pool=default"),
    ),
    "a pool without that family": Unserved(
        word=Refusal.WRONG_FAMILY,
        service="family",
        pools={"four": pool("192.0.2.228/32")},
        objects=served(service("family", pool="four", families=("IPv6",))),
        says="add a range of that family to the pool",
        cure=configured(four=pool("192.0.2.228/32, '2001:db8:1::228/128'")),
    ),
    "a second family that no pool has": Unserved(
        word=Refusal.SECOND_FAMILY_NOT_SERVED,
        service="pair",
        pools={"pair": pool("192.0.2.229/32")},
        objects=served(service("pair", pool="pair", families=("IPv4", "IPv6"))),
        says="Add a range of that family to a pool",
        cure=configured(pair=pool("192.0.2.229/32, '2001:db8:1::229/128'")),
    ),
    "an address that another Service has": Unserved(
        word=Refusal.HELD_BY_ANOTHER,
        service="taken",
        objects=(
            service("b-holder", addresses="192.0.2.206"),
            *served(service("taken", addresses="192.0.2.206", port=81)),
        ),
        says="give both the same value of the annotation metallb.io/allow-shared-ip",
        cure=_share,
    ),
    "a shared address whose port is in use": Unserved(
        word=Refusal.PORT_IN_USE,
        service="crowded",
        objects=(
            service("c-holder", addresses="192.0.2.205", key="doors"),
            *served(service("crowded", addresses="192.0.2.205", key="doors")),
        ),
        says="Change the port of one of the two",
        cure=patch("crowded", ports=[{"name": "http", "port": 81, "targetPort": 8080}]),
    ),
    "a shared address with other backends": Unserved(
        word=Refusal.OTHER_BACKENDS,
        service="backends",
        objects=(
            service("aa-holder", addresses="192.0.2.204", key="ends", selector={"app": "one"}),
            *served(
                service(
                    "backends",
                    addresses="192.0.2.204",
                    key="ends",
                    port=81,
                    selector={"app": "two"},
                    externalTrafficPolicy="Local",
                )
            ),
        ),
        says="Use policy Cluster",
        cure=patch("backends", externalTrafficPolicy="Cluster"),
    ),
    "a quota that is used up": Unserved(
        word=Refusal.QUOTA_EXHAUSTED,
        service="greedy",
        pools={"metered": pool("192.0.2.225-192.0.2.226", "quota: {default: 1}")},
        objects=(service("e-holder", pool="metered"), *served(service("greedy", pool="metered"))),
        says="Raise the quota of namespace default in pool metered",
        cure=configured(metered=pool("192.0.2.225-192.0.2.226", "quota: {default: 2}")),
    ),
    "an address that is reserved": Unserved(
        word=Refusal.RESERVED,
        service="reserved",
        pools={"kept": pool("192.0.2.224/32", "reserve: {other/vip: 192.0.2.224}")},
        objects=served(service("reserved", addresses="192.0.2.224")),
        says="name this Service in the reservation",
        cure=configured(kept=pool("192.0.2.224/32", "reserve: {default/reserved: 192.0.2.224}")),
    ),
    "a Service of another type": Unserved(
        word=WhyReason.NOT_LOAD_BALANCER,
        service="inner",
        objects=served(service("inner", type="ClusterIP")),
        says="""kubectl -n default patch service inner -p '{"spec":{"type":"LoadBalancer"}}'""",
        cure=follow,
    ),
    "a pool for other Services": Unserved(
        word=Refusal.SERVICE_NOT_SELECTED,
        service="unchosen",
        pools={
            "chosen": pool("192.0.2.230/32", "service-selectors:", "- match-labels: {team: web}"),
        },
        objects=served(service("unchosen", pool="chosen")),
        says="a label that pool chosen selects",
        cure=kubectl("label", "service", "unchosen", "team=web"),
    ),
    "a pool that no node may announce": Unserved(
        word=Unannounced.NO_MATCHING_ADVERTISEMENT,
        service="nowhere",
        pools={"nowhere": pool("192.0.2.231/32", "node-selectors:", '- match-labels: {rack: "9"}')},
        objects=served(service("nowhere", pool="nowhere")),
        says="node-selectors",
        cure=configured(nowhere=pool("192.0.2.231/32")),
    ),
    "a pool for an interface that no node has": Unserved(
        word=Unannounced.NO_ALLOWED_LINK,
        service="linkless",
        pools={"linkless": pool("192.0.2.232/32", "interfaces: [bond7]")},
        objects=served(service("linkless", pool="linkless")),
        says="interfaces of pool linkless",
        cure=configured(linkless=pool("192.0.2.232/32", "interfaces: [eth0]")),
    ),
}


def plant(clinic: Clinic) -> None:
    """All of them."""
    clinic.configure(**{name: text for one in SERVICES.values() for name, text in one.pools.items()})
    clinic.apply(*(each for one in SERVICES.values() for each in one.objects))


def clear(clinic: Clinic) -> None:
    """Nothing of them is left."""
    names = {each["metadata"]["name"] for one in SERVICES.values() for each in one.objects}
    services = sorted({name for name in names if not name.endswith(("-ipv4", "-ipv6"))})
    clinic.kubectl("delete", "service", *services)
    clinic.without(*(name for one in SERVICES.values() for name in one.pools))
