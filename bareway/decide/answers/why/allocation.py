"""The first links of the chain: what a Service asks for, what each pool says to it, who has an address.

Every word is the one of the decision itself: nothing is judged here a second time.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from bareway.decide.allocation.free import usable_count
from bareway.decide.allocation.pools import Choice, Pools
from bareway.decide.allocation.requests import Request, read_request, wanted_families
from bareway.decide.allocation.sharing import SHARING_ANNOTATION
from bareway.decide.allocation.verdicts import Allocation, Granted, Refusal, Refused, Verdict, WhyNot
from bareway.decide.answers.why.chain import (
    AddressAnswer,
    ConfigurationAnswer,
    EndpointsAnswer,
    No,
    PoolAnswer,
    ServiceAnswer,
    WhyReason,
)
from bareway.decide.answers.why.view import WhyView
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.problems import Severity
from bareway.model.services import Service

MISTAKES_TOLD: Final = 5
"""Errors of a document that are quoted; ``bareway lint`` shows all."""
SERVICES_TOLD: Final = 64
"""Services on one address; each takes a port of it."""


def configuration_answer(view: WhyView) -> ConfigurationAnswer:
    """What is in force, and what is wrong with the newest document."""
    errors = [problem for problem in view.offered if problem.severity is Severity.ERROR]
    return ConfigurationAnswer(
        is_known=view.is_configuration_known or view.configuration is not None,
        is_in_force=view.configuration is not None,
        generation=view.generation,
        source=view.source,
        mistakes=tuple(map(str, errors[:MISTAKES_TOLD])),
    )


def service_answer(service: Service, view: WhyView, allocation: Allocation | None) -> ServiceAnswer:
    """What the Service asks for and gets."""
    request = read_request(service)
    asked = request if isinstance(request, Request) else Request()
    verdict = allocation.verdicts.get(service.key) if allocation is not None else None
    granted = verdict if isinstance(verdict, Granted) else None
    refused = verdict.reason if isinstance(verdict, Refused) else None
    return ServiceAnswer(
        service=str(service.key),
        is_load_balancer=service.is_load_balancer,
        load_balancer_class=service.load_balancer_class,
        our_class=view.load_balancer_class,
        asks_for=tuple(map(str, asked.addresses)),
        asks_pool=asked.pool or "",
        families=wanted_families(service),
        traffic_policy=service.traffic_policy.value,
        sharing_key=service.annotation(SHARING_ANNOTATION) or "",
        shows=tuple(map(str, service.ingress)),
        is_decided=verdict is not None,
        granted=tuple(map(str, granted.addresses)) if granted is not None else (),
        from_pools=granted.pools if granted is not None else (),
        shares_with=tuple(map(str, granted.shares_with)) if granted is not None else (),
        word=refused.word.value if refused is not None else "",
        sentence=refused.message if refused is not None else "",
        why_not=tuple(_beside_pools(verdict)),
        loses=_lost(verdict),
        pools=_pools(service, view, allocation, verdict, asked),
        told=service.condition.reason if service.condition is not None else "",
        endpoints=endpoints_answer(service.key, view),
    )


def endpoints_answer(service: ServiceKey, view: WhyView) -> EndpointsAnswer:
    """How many endpoints serve it, and where."""
    if view.slices is None:
        return EndpointsAnswer(is_known=False)
    counts: dict[str, int] = {}
    for one in view.slices:
        if one.service == service:
            for endpoint in one.endpoints:
                if endpoint.can_serve and endpoint.addresses:
                    counts[endpoint.node or ""] = counts.get(endpoint.node or "", 0) + 1
    return EndpointsAnswer(serving=sum(counts.values()), nodes=dict(sorted(counts.items())))


def address_answer(address: IPAddress, view: WhyView, allocation: Allocation | None) -> AddressAnswer:
    """Which pool an address is in, and who has it or waits for it; who announces it comes later."""
    pool = pool_of(address, view.configuration)
    hold = view.memory.holds.get(address)
    is_waiting = hold is not None and hold.until > view.now
    return AddressAnswer(
        address=str(address),
        pool=pool.name if pool is not None else "",
        services=tuple(map(str, holders(address, view, allocation)))[:SERVICES_TOLD],
        reserved_for=tuple(sorted(str(key) for key, kept in _reserved(pool) if address in kept)),
        waits_for=str(hold.service) if hold is not None and is_waiting else "",
        hold_s=hold.until - view.now if hold is not None and is_waiting else 0,
        quarantine_s=max(0, view.memory.quarantine.get(address, view.now) - view.now),
    )


def pool_of(address: IPAddress, configuration: Configuration | None) -> Pool | None:
    """The pool that an address is in."""
    pools = configuration.pools if configuration is not None else ()
    return next((pool for pool in pools if any(address in one for one in pool.ranges)), None)


def holders(address: IPAddress, view: WhyView, allocation: Allocation | None) -> tuple[ServiceKey, ...]:
    """Who has an address, oldest first: by decision, or because it shows it."""
    held = allocation.holders.get(address, ()) if allocation is not None else ()
    services = view.services or {}
    shown = sorted(key for key, service in services.items() if address in service.ingress)
    told = sorted(
        key
        for status in view.speakers.values()
        for one in status.addresses
        if one.address == address
        for key in one.services
        if key not in services and view.may_exist(key)
    )
    return tuple(dict.fromkeys((*held, *shown, *told)))


def _reserved(pool: Pool | None) -> Iterable[tuple[ServiceKey, tuple[IPAddress, ...]]]:
    return pool.reserve.items() if pool is not None else ()


def _beside_pools(verdict: Verdict | None) -> Iterator[No]:
    """Reasons that are about an address, or about nothing in particular."""
    for why in verdict.reasons if verdict is not None else ():
        if why.address is not None:
            yield No(subject=str(why.address), word=why.word.value, sentence=why.message)
        elif why.pool is None:
            yield No(subject="", word=why.word.value, sentence=why.message)


def _lost(verdict: Verdict | None) -> tuple[No, ...]:
    cleared = verdict.cleared if verdict is not None else None
    if cleared is None:
        return ()
    return tuple(
        No(subject=str(address), word=why.word.value, sentence=why.message)
        for address, why in zip(cleared.addresses, cleared.reasons, strict=True)
    )


def _pools(
    service: Service,
    view: WhyView,
    allocation: Allocation | None,
    verdict: Verdict | None,
    asked: Request,
) -> tuple[PoolAnswer, ...]:
    """Every pool in the order in which they are looked at."""
    if view.configuration is None or allocation is None or verdict is None:
        return ()
    pools = Pools(view.configuration, view.namespaces)
    choice = pools.choice(service)
    return tuple(
        _pool(pool, allocation, isinstance(verdict, Granted) and pool.name in verdict.pools, why)
        for pool in pools.order
        for why in (_why_not(pool, verdict, choice, asked, wanted_families(service)),)
    )


def _pool(pool: Pool, allocation: Allocation, gives: bool, why: tuple[str, str]) -> PoolAnswer:  # noqa: FBT001 - told
    word, sentence = ("", "") if gives else why
    return PoolAnswer(
        name=pool.name,
        protocol=pool.protocol.value,
        total=usable_count(pool),
        used=allocation.used.get(pool.name, 0),
        gives=gives,
        word=word,
        sentence=sentence,
    )


def _has_family(pool: Pool, families: tuple[int, ...]) -> bool:
    """Whether the pool has an address that the Service could take."""
    return any(each.version in families for each in pool.ranges)


def _why_not(
    pool: Pool, verdict: Verdict, choice: Choice, asked: Request, families: tuple[int, ...]
) -> tuple[str, str]:
    """Word and sentence: of the decision, else what spoke against the pool before anything was free in it."""
    if (found := _judged(pool, verdict, choice, families)) is not None:
        return found
    if asked.pool not in (None, pool.name):
        return Refusal.OTHER_POOL_REQUESTED.value, f"the Service asks for pool {asked.pool}"
    if asked.addresses and not any(address in one for address in asked.addresses for one in pool.ranges):
        return Refusal.OTHER_ADDRESS_REQUESTED.value, "the Service asks for addresses that are not in it"
    if (manual := choice.manual.get(pool.name)) is not None and asked.pool is None and not asked.addresses:
        return manual.word.value, manual.message
    if isinstance(verdict, Refused):
        return verdict.reason.word.value, verdict.reason.message
    return WhyReason.NOT_NEEDED.value, "the Service has its address from another pool"


def _judged(
    pool: Pool, verdict: Verdict, choice: Choice, families: tuple[int, ...]
) -> tuple[str, str] | None:
    """What the decision says of it; to name a pool of another family does not help."""
    about = [why for why in _reasons(verdict) if why.pool == pool.name]
    found = about[0] if about else choice.refusals.get(pool.name)
    if found is None:
        return None
    if found.word is Refusal.AUTO_ASSIGN_OFF and not _has_family(pool, families):
        return Refusal.WRONG_FAMILY.value, f"pool {pool.name} has no addresses of the Service's family"
    return found.word.value, found.message


def _reasons(verdict: Verdict) -> tuple[WhyNot, ...]:
    return (verdict.reason, *verdict.reasons) if isinstance(verdict, Refused) else verdict.reasons
