"""Services that are not served: without an address, or with one that nobody announces."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.announced import announced_addresses
from bareway.decide.answers.checks.depending import depending
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.answers import Finding, Gravity
from bareway.model.names import IPAddress, NodeName
from bareway.model.status import AddressStatus

REMEDIES: Final[Mapping[str, str]] = {
    Refusal.NO_ENDPOINTS: "Let a Pod that its selector matches become ready: kubectl -n {namespace} get"
    " endpointslices -l kubernetes.io/service-name={name}",
    Refusal.NO_LOCAL_ENDPOINTS: "With externalTrafficPolicy Local a node needs a ready Pod of the Service:"
    " kubectl -n {namespace} get pods -o wide",
    Refusal.IP_NOT_ALLOWED: "Its address is in no pool: add it to one, or let the Service take another one.",
    Refusal.NO_MATCHING_ADVERTISEMENT: "Correct the node-selectors of its pool, or label a Node.",
}
AFTER_ITS_CAUSE: Final = (
    "Follow what is said of the speaker on {nodes}: Pods of the Service are ready there, and nowhere else."
)
ELSE_REMEDY: Final = "bareway why {namespace}/{name} goes through the whole chain."
NOT_OURS_TO_TELL: Final = frozenset({Refusal.NOT_OWNER, Refusal.NO_IP_ALLOCATED, ""})


def check(view: DoctorView) -> Iterator[Finding]:
    """Those without an address by the controllers' words, the others by the speakers'."""
    yield from _waiting(view)
    yield from _unannounced(view)


def _waiting(view: DoctorView) -> Iterator[Finding]:
    controllers = sorted(view.cluster.controllers, key=lambda one: (not one.leads, one.identity))
    for one in controllers[0].waiting if controllers else ():
        yield Finding(
            word=one.reason,
            gravity=Gravity.BROKEN,
            subject=f"Service {one.service}",
            evidence=f"It has no address: {one.message}",
            consequence="It is not reached from outside.",
            remedy=f"bareway why {one.service} tells what each pool says; bareway explain {one.reason}",
        )


def _unannounced(view: DoctorView) -> Iterator[Finding]:
    """An address that no speaker knows an announcer of; by BGP each node speaks for itself alone."""
    told: dict[IPAddress, AddressStatus] = {}
    announced = announced_addresses(view)
    for _, speaker in sorted(view.cluster.speakers.items()):
        for one in speaker.addresses:
            if one.address in announced:
                continue
            if one.address not in told or told[one.address].reason in NOT_OURS_TO_TELL:
                told[one.address] = one
    silent = not all(
        pod.node in view.cluster.speakers for pod in view.cluster.pods if pod.component == "speaker"
    )
    alone = depending(view)
    for _, one in sorted(told.items(), key=lambda each: (each[0].version, int(each[0]))):
        if one.services:
            yield _nobody(one, alone.get(one.services[0], ()), is_certain=one.protocol != "bgp" or not silent)


def _nobody(one: AddressStatus, mute: Collection[NodeName | None], *, is_certain: bool) -> Finding:
    service = one.services[0]
    has_reason = one.reason not in NOT_OURS_TO_TELL
    whom = "Nobody announces it" if is_certain else "No speaker that answered announces it"
    remedy = (
        AFTER_ITS_CAUSE
        if mute and one.reason == Refusal.NO_LOCAL_ENDPOINTS
        else REMEDIES.get(one.reason, ELSE_REMEDY)
    )
    last = "no node claims it" if one.announced_by is None else f"{one.announced_by} had it, and is gone"
    return Finding(
        word=one.reason if has_reason else Ailment.NOBODY_ANNOUNCES,
        gravity=Gravity.BROKEN if is_certain else Gravity.AT_RISK,
        subject=f"Service {service}",
        evidence=f"{whom}: {one.address}" + (f", {one.reason}." if has_reason else f", and {last}."),
        consequence="The Service is not reached at this address.",
        remedy=remedy.format(
            namespace=service.namespace, name=service.name, nodes=some(sorted(filter(None, mute)))
        ),
    )
