"""The Events that MetalLB's users know, each by its name, with MetalLB's words; and ours."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Cleared, Granted, Refusal, Refused, Verdict, WhyNot
from bareway.decide.announcement.moves import ANNOUNCE_FROM, MoveRefusal
from bareway.model.configuration import Configuration
from bareway.model.names import ObjectKey, PoolName, ServiceKey
from bareway.model.objects import ObjectReference
from bareway.model.problems import Problem, Severity
from bareway.model.services import Service
from bareway.resources.configurations import read_configuration
from bareway.resources.events import EventType
from bareway.resources.in_force import InForce, digest
from controller.allocation.acceptance import Acceptance, ConfigurationRefusal, Offer
from controller.writing.conditions import condition_of
from controller.writing.notices import EventReason, not_moved, of_acceptance, of_change, standing
from support.builders import ips, key, service
from support.clusters import clusters, configurations

A = PoolName("a")
GONE = WhyNot(word=Refusal.NOT_IN_ANY_POOL, message='["10.9.9.9"] is not allowed in config')
FULL = WhyNot(word=Refusal.POOL_EXHAUSTED, message="no available IPs in pool a", pool=A)
NONE = Refused(reason=WhyNot(word=Refusal.NO_FREE_ADDRESS, message="no available IPs"), reasons=(FULL,))
ODD = WhyNot(word=Refusal.INVALID_REQUEST, message='invalid spec.loadBalancerIP "x"')
SECOND = WhyNot(word=Refusal.SECOND_FAMILY_NOT_SERVED, message="no available IPs of the second family, IPv6")
DUAL = WhyNot(
    word=Refusal.NOT_DUAL_STACK,
    message="Service requires dual stack but not enough clusterips [10.96.0.10]",
)


def granted(*addresses: str, cleared: Cleared | None = None, reasons: tuple[WhyNot, ...] = ()) -> Granted:
    pools = (A,) * len(addresses)
    return Granted(addresses=ips(*addresses), pools=pools, kept=False, cleared=cleared, reasons=reasons)


def lost(*addresses: str) -> Cleared:
    return Cleared(addresses=ips(*addresses), reasons=(GONE,) * len(addresses))


def told(of: Service, verdict: Verdict, *, is_corrected: bool = False) -> list[tuple[str, str, str]]:
    """Reason, type and message of each Event."""
    condition = condition_of(verdict, of, now=0)
    emits = of_change(of, verdict, condition, is_corrected=is_corrected)
    assert {emit.about for emit in emits} <= {ObjectReference(kind="Service", key=of.key, uid=of.uid)}
    return [(emit.notice.reason, emit.notice.type, emit.notice.message) for emit in emits]


@pytest.mark.parametrize(
    ("of", "verdict", "events"),
    [
        pytest.param(
            service(),
            granted("192.0.2.1"),
            [("IPAllocated", "Normal", 'Assigned IP ["192.0.2.1"]')],
            id="IPAllocated",
        ),
        pytest.param(
            service(),
            granted("192.0.2.1", "2001:db8::1"),
            [("IPAllocated", "Normal", 'Assigned IP ["192.0.2.1" "2001:db8::1"]')],
            id="IPAllocated, both families",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"]),
            granted("192.0.2.1", "2001:db8::1"),
            [("IPAllocated", "Normal", 'Assigned additional IP "2001:db8::1"')],
            id="IPAllocated, one more",
        ),
        pytest.param(
            service(),
            NONE,
            [
                (
                    "AllocationFailed",
                    "Warning",
                    'Failed to allocate IP for "default/web": no available IPs; no available IPs in pool a',
                )
            ],
            id="AllocationFailed",
        ),
        pytest.param(
            service(ingress=["10.9.9.9"]),
            granted("192.0.2.1", cleared=lost("10.9.9.9")),
            [
                (
                    "ClearAssignment",
                    "Normal",
                    (
                        'current IP for "default/web" not allowed by config, '
                        'will attempt for new IP assignment: ["10.9.9.9"] is not allowed in config'
                    ),
                ),
                ("IPAllocated", "Normal", 'Assigned IP ["192.0.2.1"]'),
            ],
            id="ClearAssignment",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"]),
            granted("192.0.2.1", reasons=(SECOND,)),
            [
                (
                    "AdditionalAssignFailed",
                    "Normal",
                    (
                        "cannot assign additional IP in PreferDualStack: "
                        "no available IPs of the second family, IPv6"
                    ),
                )
            ],
            id="AdditionalAssignFailed",
        ),
        pytest.param(
            service(),
            Refused(reason=ODD),
            [
                (
                    "LoadBalancerFailed",
                    "Warning",
                    'invalid requested loadbalancer IPs: invalid spec.loadBalancerIP "x"',
                )
            ],
            id="LoadBalancerFailed",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"]),
            granted("192.0.2.1", reasons=(ODD,)),
            [
                (
                    "LoadBalancerFailed",
                    "Warning",
                    'invalid requested loadbalancer IPs: invalid spec.loadBalancerIP "x"',
                )
            ],
            id="LoadBalancerFailed, and it keeps its address",
        ),
        pytest.param(
            service(ingress=["192.0.2.1", "192.0.2.9"]),
            granted("192.0.2.1", cleared=lost("192.0.2.9")),
            [
                (
                    "nolbIPsIPFamily",
                    "Warning",
                    (
                        'Failed to retrieve LBIPs IPFamily for ["192.0.2.1" "192.0.2.9"]: '
                        "IPFamilyForAddresses: same address family"
                    ),
                ),
                ("IPAllocated", "Normal", 'Assigned IP ["192.0.2.1"]'),
            ],
            id="nolbIPsIPFamily",
        ),
        pytest.param(
            service(ingress=["192.0.2.1", "192.0.2.8", "192.0.2.9"]),
            granted("192.0.2.1", cleared=lost("192.0.2.8", "192.0.2.9")),
            [
                (
                    "nolbIPsIPFamily",
                    "Warning",
                    (
                        'Failed to retrieve LBIPs IPFamily for ["192.0.2.1" "192.0.2.8" "192.0.2.9"]: '
                        "IPFamilyForAddresses: invalid ips length 3"
                    ),
                ),
                ("IPAllocated", "Normal", 'Assigned IP ["192.0.2.1"]'),
            ],
            id="nolbIPsIPFamily, too many",
        ),
        pytest.param(
            service(),
            Refused(reason=DUAL),
            [("not enough clusterips", "Warning", DUAL.message)],
            id="not enough clusterips",
        ),
        pytest.param(
            service(
                annotations={
                    "metallb.universe.tf/address-pool": "a",
                    "metallb.universe.tf/allow-shared-ip": "x",
                    "metallb.io/address-pool": "a",
                }
            ),
            granted("192.0.2.1"),
            [
                ("IPAllocated", "Normal", 'Assigned IP ["192.0.2.1"]'),
                *(
                    (
                        "deprecatedAnnotation",
                        "Warning",
                        f"Service uses deprecated annotation metallb.universe.tf/{name}",
                    )
                    for name in ("address-pool", "allow-shared-ip")
                ),
            ],
            id="deprecatedAnnotation",
        ),
    ],
)
def test_each_event_of_metallb_has_its_reason_its_type_and_its_words(
    of: Service, verdict: Verdict, events: list[tuple[str, str, str]]
) -> None:
    assert told(of, verdict) == events


@pytest.mark.parametrize(
    ("path", "reason"),
    [("spec.clusterIPs[0]", "noclusterIPsIPFamily"), ("spec.ports[0].port", "ServiceUnreadable")],
)
def test_a_service_that_cannot_be_read_is_told_what_is_wrong_with_it(path: str, reason: str) -> None:
    problem = Problem(path=path, message='"x" is not an IP address')
    notices = standing(Acceptance(in_force=None), {key("web"): (problem,)})
    ((about, notice),) = notices.items()
    assert (about.kind, about.key) == ("Service", key("web"))
    assert (notice.reason, notice.type) == (reason, EventType.WARNING)
    assert notice.message.endswith(f'{path}: "x" is not an IP address')


@pytest.mark.parametrize("verdict", [NONE, Refused(reason=ODD), granted("192.0.2.1", reasons=(SECOND,))])
def test_what_the_condition_says_already_is_told_by_no_event_again(verdict: Verdict) -> None:
    of = service(ingress=[str(ip) for ip in verdict.addresses] if isinstance(verdict, Granted) else [])
    assert told(of, verdict)
    assert told(replace(of, condition=condition_of(verdict, of, now=0)), verdict) == []


def test_a_status_that_was_written_over_is_said_to_be_corrected() -> None:
    (first,) = told(service(ingress=["192.0.2.9"]), granted("192.0.2.1"), is_corrected=True)
    assert first == (
        "StatusCorrected",
        "Warning",
        'status showed ["192.0.2.9"], which was not assigned; it shows ["192.0.2.1"] again',
    )


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (EventReason.ASSIGNED, "IPAllocated"),
        (EventReason.REFUSED, "AllocationFailed"),
        (EventReason.CLEARED, "ClearAssignment"),
        (EventReason.SECOND_FAMILY_REFUSED, "AdditionalAssignFailed"),
        (EventReason.INVALID_REQUEST, "LoadBalancerFailed"),
        (EventReason.SHOWN_FAMILIES, "nolbIPsIPFamily"),
        (EventReason.CLUSTER_FAMILIES, "noclusterIPsIPFamily"),
        (EventReason.NOT_DUAL_STACK, "not enough clusterips"),
        (EventReason.DEPRECATED_ANNOTATION, "deprecatedAnnotation"),
        (EventReason.CONFIGURATION_ACCEPTED, "ConfigurationAccepted"),
        (EventReason.CONFIGURATION_WARNING, "ConfigurationWarning"),
        (EventReason.STATUS_CORRECTED, "StatusCorrected"),
        (EventReason.UNREADABLE, "ServiceUnreadable"),
        (EventReason.NOT_MOVED, "NotMoved"),
        (EventReason.PROXY_ARP_SUSPECTED, "ProxyArpSuspected"),
    ],
)
def test_the_words_that_tools_look_for_stay_as_they_are(reason: EventReason, word: str) -> None:
    assert reason == word


@pytest.mark.parametrize("why", MoveRefusal)
def test_each_reason_why_a_service_is_not_moved_is_told_by_its_word_and_a_sentence(why: MoveRefusal) -> None:
    notice = not_moved(service(annotations={ANNOUNCE_FROM: " node9 "}), why)
    named = 'not announced from node "node9", which bareway.io/announce-from names'
    assert notice.message.startswith(f"{named}: {why}: ")
    assert (notice.type, notice.reason) == (EventType.WARNING, EventReason.NOT_MOVED)


@given(configurations(), clusters())
def test_what_metallb_calls_internal_error_cannot_be_decided(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    view = AllocationView(configuration=configuration, services=services.values())
    for verdict in allocate(view).verdicts.values():
        if isinstance(verdict, Granted):
            assert verdict.addresses, "it did not allocate an IP and did not fail either"
            assert len(verdict.pools) == len(verdict.addresses), "it allocated an IP that has no pool"


# ------------------------------------------------------------ the configuration

DOCUMENT = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
ABOUT = ObjectReference(kind="ConfigMap", key=ObjectKey("bareway-system", "config"))
OFFER = Offer(document=DOCUMENT, source="a test", about=ABOUT)
WRONG = Problem(path="pears", message="field pears not found", line=2, hint="did you mean peers?")
WARNING = Problem(path="peers", message="peers is not served yet", severity=Severity.WARNING)


def in_force() -> InForce:
    configuration = read_configuration(DOCUMENT).configuration
    assert configuration is not None
    return InForce(
        configuration=configuration,
        document=DOCUMENT,
        sha256=digest(DOCUMENT),
        generation=3,
        source="a test",
    )


def test_a_configuration_that_came_into_force_is_told_with_its_generation() -> None:
    (emit,) = of_acceptance(Acceptance(in_force=in_force(), offer=OFFER))
    assert emit.about == ABOUT
    assert (emit.notice.reason, emit.notice.type) == ("ConfigurationAccepted", EventType.NORMAL)
    assert emit.notice.message == "configuration in force, generation 3"


def test_without_anything_accepted_nothing_is_told() -> None:
    assert of_acceptance(Acceptance(in_force=None, offer=OFFER)) == ()
    assert of_acceptance(Acceptance(in_force=in_force())) == ()


@pytest.mark.parametrize(
    ("present", "stays"),
    [(in_force(), "the last good one stays in force"), (None, "there is none in force")],
    ids=["running", "never configured"],
)
def test_a_refused_configuration_is_told_with_all_its_errors(present: InForce | None, stays: str) -> None:
    refusal = ConfigurationRefusal.INVALID
    bad = Acceptance(in_force=present, offer=OFFER, refusal=refusal, problems=(WRONG, WARNING))
    notice = standing(bad, {})[ABOUT]
    assert (notice.reason, notice.type) == ("ConfigurationInvalid", EventType.WARNING)
    assert notice.message == (
        f"configuration refused, {stays}: line 2: pears: field pears not found; did you mean peers?"
    )


def test_the_warnings_of_a_configuration_in_force_are_told() -> None:
    notice = standing(Acceptance(in_force=in_force(), offer=OFFER, problems=(WARNING,)), {})[ABOUT]
    assert (notice.reason, notice.message) == ("ConfigurationWarning", "peers: peers is not served yet")


@pytest.mark.parametrize(
    "acceptance",
    [Acceptance(in_force=in_force(), offer=OFFER), Acceptance(in_force=None)],
    ids=["all is well", "nothing there"],
)
def test_where_nothing_is_wrong_nothing_stands(acceptance: Acceptance) -> None:
    assert standing(acceptance, {}) == {}
