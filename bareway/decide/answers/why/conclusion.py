"""What a chain comes to: what is wrong, the gravest first, and one sentence that says how it stands.

The sentence is that of the first finding; without one it says who answers. Where what is known does not say,
it says that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bareway.decide.answers.why.chain import AddressAnswer, BgpAnswer, Layer2Answer, Outcome, Why, WhyReason
from bareway.decide.answers.why.faults import of_link, of_routes
from bareway.decide.answers.why.findings import of_free_address, of_programs, of_service
from bareway.decide.answers.why.remedies import placed
from bareway.decide.answers.why.sentences import enumerated
from bareway.model.answers import Finding, Gravity
from bareway.model.services import TrafficPolicy

RANK = {gravity: number for number, gravity in enumerate(Gravity)}


def concluded(why: Why) -> Why:
    """The same with findings, outcome and sentence as they follow from the chain."""
    found = _in_order(_all(why))
    findings = tuple(replace(one, remedy=placed(one.remedy, why.place)) for one in found)
    first = findings[0] if findings else None
    if first is not None and first.gravity is not Gravity.ODD:
        outcome, sentence = Outcome.WRONG, first.evidence
        if first.gravity is Gravity.AT_RISK and (state := _state(why)):
            sentence = f"{state}, but: {sentence}"
    elif state := _state(why):
        outcome, sentence = _outcome(why), f"{state}."
    else:
        outcome, sentence = Outcome.UNKNOWN, f"{_unknown(why)}."
    return replace(
        why,
        findings=findings,
        outcome=outcome,
        word=first.word if first is not None else _word(why, outcome),
        sentence=sentence,
    )


def _all(why: Why) -> Iterator[Finding]:
    for service in why.services:
        yield from of_service(service, why)
    asked = {service.service for service in why.services if service.is_ours}
    for address in why.addresses:
        if not address.services:
            yield from of_free_address(address, why)
        elif why.services and asked.isdisjoint(address.services):
            continue  # somebody else's Service has it
        elif address.layer2 is not None:
            yield from of_link(address, address.layer2, serving=_serving(why))
        elif address.bgp is not None:
            yield from of_routes(address, address.bgp)
    yield from of_programs(why)


def _serving(why: Why) -> frozenset[str]:
    """Nodes with endpoints of a Service of policy Local."""
    local = (one for one in why.services if one.traffic_policy == TrafficPolicy.LOCAL)
    return frozenset(node for one in local for node in one.endpoints.nodes)


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, else in the order of causes; the same thing once."""
    once: dict[tuple[str, str], Finding] = {}
    for one in findings:
        once.setdefault((one.word, one.subject), one)
    return tuple(sorted(once.values(), key=lambda one: RANK[one.gravity]))


def _outcome(why: Why) -> Outcome:
    """A free address is no fault, and nobody is served at it."""
    return Outcome.SERVED if any(address.services for address in why.addresses) else Outcome.WRONG


def _word(why: Why, outcome: Outcome) -> str:
    is_free = outcome is Outcome.WRONG and any(not address.services for address in why.addresses)
    return WhyReason.FREE.value if is_free else ""


def _state(why: Why) -> str:
    """Who answers for each address; empty where that is not known of one of them, or nobody does."""
    if not why.addresses:
        return ""
    said = [_state_of(address, why) for address in why.addresses]
    return "; ".join(said) if all(said) else ""


def _state_of(one: AddressAnswer, why: Why) -> str:
    if not one.services:
        return _free(one) if why.are_services_known else ""
    services = enumerated(one.services)
    if one.layer2 is not None and one.layer2.holder:
        return f"Node {one.layer2.holder} answers for {one.address} of {services}{_where(one.layer2)}"
    if one.bgp is not None:
        return _routed(one.address, services, one.bgp)
    return ""


def _free(one: AddressAnswer) -> str:
    if not one.pool:
        return ""
    if one.waits_for:
        return f"{one.address} of pool {one.pool} waits {one.hold_s} s more for Service {one.waits_for}"
    if one.reserved_for:
        return (
            f"{one.address} of pool {one.pool} is reserved for {enumerated(one.reserved_for)}, who has it not"
        )
    return f"{one.address} of pool {one.pool} is free: no Service has it"


def _where(link: Layer2Answer) -> str:
    row = next((row for row in link.nodes if row.node == link.holder), None)
    return f" on {enumerated(row.links)}" if row is not None and row.links else ""


def _routed(address: str, services: str, bgp: BgpAnswer) -> str:
    announcing = [row for row in bgp.nodes if row.announces]
    routers = {router.name for row in announcing for router in row.routers if router.has_route}
    waiting = {r.name for row in announcing for r in row.routers if r.word == WhyReason.ROUTE_WAITS}
    what, from_nodes = f"{address} of {services}", enumerated(tuple(row.node for row in announcing))
    if routers:
        names = enumerated(tuple(sorted(routers)))
        who = f"Routers {names} have" if len(routers) > 1 else f"Router {names} has"
        return f"{who} a route to {what} from {from_nodes}"
    if waiting:
        return f"The route to {what} is on its way to router {enumerated(tuple(sorted(waiting)))}"
    return ""


def _unknown(why: Why) -> str:
    """What is missing, and why."""
    missing = "; ".join(f"{one.subject}: {one.why.rstrip('.')}" for one in why.unknown[:3])
    what = f"Whether {why.about} is served is not known"
    return f"{what} ({missing})" if missing else what
