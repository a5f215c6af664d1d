"""The verdict on a Service, from what it keeps, what it is given, and what it lacks."""

from itertools import chain, islice
from typing import Final

from bareway.decide.allocation.adopt import Claimant, Place
from bareway.decide.allocation.choose import Chosen
from bareway.decide.allocation.ledger import Ledger
from bareway.decide.allocation.verdicts import Granted, Refused, Verdict, WhyNot
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import FamilyPolicy

SHARERS_TOLD_MAX: Final = 256  # of one Service; all stand in ``Allocation.holders``


def lacks_something(one: Claimant) -> bool:
    """Whether the Service asks for more than it keeps, and can be served at all."""
    if one.mistake is not None or one.never is not None:
        return False
    if one.request.addresses:
        return len(one.kept) < len(one.request.addresses)
    if one.service.family_policy is FamilyPolicy.SINGLE_STACK:
        return not one.kept
    return not all(one.keeps_of(version) for version in one.families)


def of_kept(one: Claimant, ledger: Ledger) -> Verdict:
    """On a Service that is given nothing: it lacks nothing, or asks for what cannot be."""
    mistakes = (one.mistake,) if one.mistake is not None else ()
    if one.kept:
        return _granted(one, one.kept, mistakes, ledger)
    reason = one.never or one.mistake
    assert reason is not None, "who keeps nothing and may have something stands in line"  # noqa: S101 - ours
    return Refused(reason=reason, cleared=one.cleared)


def of_served(one: Claimant, chosen: Chosen, ledger: Ledger) -> Verdict:
    """On a Service whose turn it was."""
    refusals = (chosen.refusal,) if chosen.refusal is not None else ()
    if one.kept or chosen.places:
        reasons = tuple(dict.fromkeys((*chosen.reasons, *refusals))) if refusals else chosen.reasons
        return _granted(one, (*one.kept, *chosen.places), reasons, ledger)
    assert chosen.refusal is not None, "nothing is given without a reason"  # noqa: S101 - ours
    return Refused(reason=chosen.refusal, cleared=one.cleared, reasons=chosen.reasons)


def sharers(key: ServiceKey, addresses: tuple[IPAddress, ...], ledger: Ledger) -> tuple[ServiceKey, ...]:
    """Who else holds one of the addresses, oldest first."""
    holders = (ledger.holders[address][: SHARERS_TOLD_MAX + 1] for address in addresses)
    others = (other for other in dict.fromkeys(chain.from_iterable(holders)) if other != key)
    return tuple(islice(others, SHARERS_TOLD_MAX))


def _granted(
    one: Claimant, places: tuple[Place, ...], reasons: tuple[WhyNot, ...], ledger: Ledger
) -> Granted:
    ordered = _ordered(places, one.service.ingress)
    addresses = tuple(place.address for place in ordered)
    # Where somebody joined or left just now, everybody there is told once, at the end.
    is_told = any(len(ledger.holders[address]) > 1 and address not in ledger.crowded for address in addresses)
    return Granted(
        addresses=addresses,
        pools=tuple(place.pool.name for place in ordered),
        kept=addresses == one.service.ingress,
        shares_with=sharers(one.tenant.key, addresses, ledger) if is_told else (),
        cleared=one.cleared,
        reasons=reasons,
    )


def _ordered(places: tuple[Place, ...], shown: tuple[IPAddress, ...]) -> tuple[Place, ...]:
    """IPv4 first; but addresses that are shown in another order stay in that one, so that nothing flaps."""
    if len(places) == 1:
        return places
    by_address = {place.address: place for place in places}
    if by_address.keys() == set(shown):
        return tuple(by_address[address] for address in dict.fromkeys(shown))
    return tuple(sorted(places, key=lambda place: place.address.version))
