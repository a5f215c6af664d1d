"""What to do about a word, with the names of this very case; for the others what ``bareway explain`` says.

Where the programs and their ConfigMap are is filled in last, by ``placed``: faults are found without it.
"""

from collections.abc import Mapping
from typing import Final

from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.announcement.announcers import Refusal as NotAnnounced
from bareway.decide.answers.strangers import STRANGERS
from bareway.decide.answers.why.chain import Place, WhyReason
from bareway.decide.answers.why.sentences import advice

OURS, CONFIG = "NAMESPACE-OF-BAREWAY", "ConfigMap CONFIGMAP-OF-BAREWAY"
"""Stand for a ``Place`` in the sentences below."""
UNKNOWN_CONFIG: Final = "the ConfigMap that the speakers' --config-namespace and --config name"
CONTROLLER: Final = f"-n {OURS} get pods -l app=bareway,component=controller"
SPEAKERS: Final = f"-n {OURS} get pods -l app=bareway,component=speaker -o wide"

REMEDIES: Final[Mapping[str, str]] = {
    WhyReason.NO_SUCH_SERVICE: "Look at the name and the namespace: kubectl get services --all-namespaces.",
    WhyReason.AMBIGUOUS_NAME: "Ask again with the namespace, as in bareway why {candidate}.",
    WhyReason.NOT_LOAD_BALANCER: (
        "If it shall have an external address: kubectl -n {namespace} patch service {name}"
        ' -p \'{{"spec":{{"type":"LoadBalancer"}}}}\'.'
    ),
    WhyReason.OTHER_CLASS: (
        "Create the Service anew {with_class} (the field cannot be changed), or ask who serves its class."
    ),
    WhyReason.NO_CONFIGURATION: f"Write {CONFIG}; bareway lint -f FILE checks it.",
    WhyReason.CONFIGURATION_REFUSED: f"Correct {CONFIG}; bareway lint names all.",
    WhyReason.NOT_WRITTEN: (
        "Ask again in a few seconds; if it stays, look at the controller's log:"
        f" kubectl -n {OURS} logs -l app=bareway,component=controller."
    ),
    WhyReason.NO_CONTROLLER: f"Look at the controller's Pods: kubectl {CONTROLLER}.",
    WhyReason.NO_SPEAKER: f"Look at the speakers' Pods: kubectl {SPEAKERS}.",
    WhyReason.NOT_ASKED: f"Look at the speakers' Pods: kubectl {SPEAKERS}.",
    WhyReason.NOT_READY: f"Look at the speakers' Pods and their logs: kubectl {SPEAKERS}.",
    WhyReason.NOT_SEEN: "Ask again in a few seconds; if it stays, look at the connection to the API server.",
    WhyReason.NO_CLAIM: (
        "Ask again in a few seconds; if it stays, look at bareway members and the speakers' logs."
    ),
    WhyReason.NO_ROUTER: f"Add the router under peers in {CONFIG}.",
    WhyReason.SESSION_DOWN: "Look at the session with bareway bgp, and at the router: {routers}.",
    WhyReason.ROUTE_HELD_BACK: "Look at bareway bgp: a limit of prefixes, a next hop or a family is missing.",
    Refusal.POOL_EXHAUSTED: "Add addresses to pool {pool}, or delete Services that need none.",
    Refusal.QUOTA_EXHAUSTED: (
        "Raise the quota of namespace {namespace} in pool {pool}, or free addresses of it there."
    ),
    Refusal.NO_SUCH_POOL: "Correct the annotation address-pool of the Service, or add a pool named {pool}.",
    Refusal.NAMESPACE_NOT_ALLOWED: "Let pool {pool} serve namespace {namespace}, or add a pool that does.",
    Refusal.SERVICE_NOT_SELECTED: "Give Service {service} a label that pool {pool} selects.",
    Refusal.AUTO_ASSIGN_OFF: (
        "Ask for pool {pool} by name: kubectl -n {namespace} annotate service {name}"
        " metallb.io/address-pool={pool}; or set auto-assign: true on it."
    ),
    Refusal.NOT_IN_ANY_POOL: f"Add {{address}} to a pool in {CONFIG}, or use another.",
    Refusal.QUARANTINED: "Find the station that answered for {address}, and give it another address.",
    NotAnnounced.NO_ENDPOINTS: (
        "Look at its Pods: kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name};"
        " most often the selector is wrong or a readiness probe fails."
    ),
    NotAnnounced.NO_LOCAL_ENDPOINTS: (
        "Let Pods of {service} run on a node that may announce it, or set externalTrafficPolicy: Cluster."
    ),
    NotAnnounced.NO_MATCHING_ADVERTISEMENT: (
        "Look at node-selectors and bgp-advertisements of pool {pool}: they leave every node out."
    ),
    NotAnnounced.NODE_LABELED_EXCLUDE_BALANCERS: (
        "kubectl label nodes {node} node.kubernetes.io/exclude-from-external-load-balancers-"
    ),
    NotAnnounced.NO_ALLOWED_LINK: "Look at interfaces of pool {pool}: no usable link is among them.",
    NotAnnounced.NO_IPV6_LINK: (
        "Switch IPv6 on where {pool} may be announced: sysctl net.ipv6.conf.INTERFACE.disable_ipv6=0"
    ),
    NotAnnounced.SHARED_LOCAL_PARTIAL: "Let the Pods of all these Services run on the same nodes.",
    **{word: one.told_remedy for word, one in STRANGERS.items()},
    "Drained": "bareway undrain {node}",
    "Dead": "Look at node {node}, and at the speakers' Pods: kubectl " + SPEAKERS + ".",
}


def placed(remedy: str, place: Place) -> str:
    """The sentence with the names of this installation."""
    config = f"ConfigMap {place.config}" if place.config else UNKNOWN_CONFIG
    return remedy.replace(OURS, place.namespace).replace(CONFIG, config)


def remedy_of(
    word: str,
    *,
    service: str = "",
    pool: str = "",
    address: str = "",
    node: str = "",
    mac: str = "",
    routers: str = "",
    candidate: str = "",
    our_class: str = "",
) -> str:
    """What to do; a command where one does it."""
    text = REMEDIES.get(word)
    if text is None:
        return advice(str(word))
    namespace, _, name = service.rpartition("/")
    return text.format(
        service=service or "the Service",
        namespace=namespace or "NAMESPACE",
        name=name or "NAME",
        pool=pool or "NAME",
        address=address or "the address",
        node=node or "NODE",
        mac=mac or "as told above",
        routers=routers or "as told above",
        candidate=candidate or "NAMESPACE/NAME",
        with_class=f"with loadBalancerClass: {our_class}" if our_class else "without loadBalancerClass",
    )
