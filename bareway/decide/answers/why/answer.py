"""Why a Service has no address, or who answers for one: the whole chain in one answer.

Three steps, so that what one program knows another may complete: the plan by the objects, what was told laid
over it, and the conclusion. ``why`` does all; ``completed`` does the last two with what was told later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from heapq import nlargest
from typing import Final

from bareway.decide.allocation.verdicts import Allocation
from bareway.decide.answers.why.allocation import (
    address_answer,
    configuration_answer,
    holders,
    pool_of,
    service_answer,
)
from bareway.decide.answers.why.bgp import bgp_answer
from bareway.decide.answers.why.chain import (
    AddressAnswer,
    Outcome,
    ServiceAnswer,
    Why,
    WhyReason,
)
from bareway.decide.answers.why.conclusion import concluded
from bareway.decide.answers.why.layer2 import layer2_answer
from bareway.decide.answers.why.remedies import remedy_of
from bareway.decide.answers.why.sentences import enumerated, finding
from bareway.decide.answers.why.told import Hearsay, with_hearsay
from bareway.decide.answers.why.view import WhyView
from bareway.model.addresses import parse_address
from bareway.model.answers import Gravity
from bareway.model.configuration import Protocol
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.plain import plain
from bareway.model.services import Service

CANDIDATES_MAX: Final = 10
SERVICES_MAX: Final = 16
"""Services of one address whose own chain is told; of more, their names stand with the address."""
JSON_VERSION: Final = 1
NOBODY: Final = frozenset({WhyReason.NO_SUCH_SERVICE, WhyReason.AMBIGUOUS_NAME})
"""Answers without a chain."""
CLOSENESS: Final = 0.6
"""How alike a name must be to be offered to who misspelt one."""
COMPARED_MAX: Final = 64
"""Names that are compared letter by letter, up to a millisecond each: controllers do it too."""


def why_text(view: WhyView, text: str) -> Why:
    """The answer to what somebody typed: an address, ``namespace/name``, or a name that only one has."""
    address = parse_address(text)
    if address is not None:
        return why(view, address)
    namespace, _, name = text.rpartition("/")
    if namespace:
        return why(view, ServiceKey(namespace, name))
    found = sorted(key for key in _heard_of(view) if key.name == name)
    if len(found) > 1:
        return replace(_ambiguous(name, found), leadership=view.leadership)
    return why(view, found[0] if found else ServiceKey("", name))


def _heard_of(view: WhyView) -> frozenset[ServiceKey]:
    """The Services, also those that cannot be read; where none can be listed, whom speakers speak of."""
    if view.services is not None:
        return frozenset(view.services) | view.unread
    rows = (one for status in view.speakers.values() for one in status.addresses)
    return frozenset(key for one in rows for key in one.services)


def why(view: WhyView, about: ServiceKey | IPAddress) -> Why:
    """The whole chain of a Service or an address."""
    allocation = view.decided()
    if isinstance(about, tuple):
        service = view.services.get(about) if view.services is not None else None
        if service is None and view.services is not None and not view.may_exist(about):
            return replace(_unheard_of(about, view.services), leadership=view.leadership)
        services: Mapping[ServiceKey, Service] = {about: service} if service is not None else {}
        addresses = _addresses_of(about, service, view, allocation)
    else:
        services = _services_of(about, view, allocation)
        addresses = (about,)
    plan = Why(
        about=str(about) if not isinstance(about, tuple) else f"Service {about}",
        is_service=isinstance(about, tuple),
        services=tuple(_answers(services, view, allocation)),
        addresses=tuple(_planned(address, view, allocation) for address in addresses),
        configuration=configuration_answer(view),
        leadership=view.leadership,
        place=view.place,
        are_services_known=view.are_services_known,
        unknown=view.unknown,
    )
    told = Hearsay(speakers=view.speakers, witnesses=view.witnesses, pods=view.pods, unknown=view.unknown)
    return completed(plan, told)


def completed(chain: Why, told: Hearsay) -> Why:
    """The same chain with what was told laid over it, concluded anew."""
    if chain.word in NOBODY:
        return chain
    addresses = tuple(with_hearsay(one, told) for one in chain.addresses)
    unknown = tuple(dict.fromkeys((*chain.unknown, *told.unknown)))
    return concluded(replace(chain, addresses=addresses, unknown=unknown))


def page_of(chain: Why) -> dict[str, object]:
    """As JSON has it, with ``-o json`` and on the controller's socket."""
    return {
        "version": JSON_VERSION,
        **{field.name: plain(getattr(chain, field.name)) for field in fields(chain)},
    }


def _addresses_of(
    about: ServiceKey, service: Service | None, view: WhyView, allocation: Allocation | None
) -> tuple[IPAddress, ...]:
    """What it shows; without the Service, what speakers say of it."""
    if service is not None:
        return tuple(dict.fromkeys(service.ingress))
    told = (
        one.address for status in view.speakers.values() for one in status.addresses if about in one.services
    )
    held = (address for address, keys in (allocation.holders if allocation else {}).items() if about in keys)
    return tuple(sorted({*told, *held}, key=lambda address: (address.version, int(address))))


def _services_of(
    address: IPAddress, view: WhyView, allocation: Allocation | None
) -> Mapping[ServiceKey, Service]:
    known = view.services or {}
    keys = holders(address, view, allocation)[:SERVICES_MAX]
    return {key: known[key] for key in keys if key in known}


def _answers(
    services: Mapping[ServiceKey, Service], view: WhyView, allocation: Allocation | None
) -> Iterator[ServiceAnswer]:
    for service in services.values():
        yield service_answer(service, view, allocation)


def _planned(address: IPAddress, view: WhyView, allocation: Allocation | None) -> AddressAnswer:
    answer = address_answer(address, view, allocation)
    pool = pool_of(address, view.configuration)
    if pool is not None and pool.protocol is Protocol.BGP:
        return replace(answer, bgp=bgp_answer(address, view))
    return replace(answer, layer2=layer2_answer(address, view))


def _unheard_of(about: ServiceKey, services: Mapping[ServiceKey, Service]) -> Why:
    text = str(about)
    names = dict.fromkeys(key.name for key in services)
    likely = nlargest(COMPARED_MAX, names, key=lambda name: _ends_shared(name, about.name))
    alike = set(get_close_matches(about.name, likely, cutoff=CLOSENESS))
    named = sorted((key.name != about.name, key) for key in services if key.name in alike)
    candidates = tuple(str(key) for _, key in named)[:CANDIDATES_MAX]
    hint = f"; there is {enumerated(candidates)}" if candidates else ""
    return _not_found(text, WhyReason.NO_SUCH_SERVICE, f"There is no Service {text}{hint}.", candidates)


def _ends_shared(one: str, other: str) -> int:
    """How many characters two names share at both ends: a slip in between leaves them."""
    return _beginning_shared(one, other) + _beginning_shared(one[::-1], other[::-1])


def _beginning_shared(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _ambiguous(name: str, found: list[ServiceKey]) -> Why:
    candidates = tuple(map(str, found[:CANDIDATES_MAX]))
    sentence = f"{len(found)} Services are called {name}: {enumerated(tuple(map(str, found)))}."
    return _not_found(name, WhyReason.AMBIGUOUS_NAME, sentence, candidates)


def _not_found(name: str, word: WhyReason, sentence: str, candidates: tuple[str, ...]) -> Why:
    found = finding(
        word=word,
        gravity=Gravity.ODD,
        subject=f"Service {name}",
        evidence=sentence.rstrip("."),
        consequence="there is nothing to tell",
        remedy=remedy_of(word, candidate=next(iter(candidates), "")),
    )
    return Why(
        about=f"Service {name}",
        is_service=True,
        outcome=Outcome.UNKNOWN,
        word=word,
        sentence=sentence,
        findings=(found,),
        candidates=candidates,
    )
