"""The Services as they are shown and as they count, kept up to date one by one.

Shown is what the mirror shows, with what was certainly written since. What counts as held differs where an
answer to a write was lost, and where somebody wrote over a status by hand: there the Service goes on holding
what it was given, so that no edit takes an address from anybody.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from bareway.decide.allocation.verdicts import Granted, Verdict
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service
from controller.allocation.assumptions import Assumptions


class Picture:
    """What the mirror of Services and our own writes come to."""

    def __init__(self, assumptions: Assumptions[Service]) -> None:
        self._assumptions = assumptions
        self._shown: dict[ServiceKey, Service] = {}
        self._held: dict[ServiceKey, Service] = {}
        self._shown_by: dict[IPAddress, tuple[ServiceKey, ...]] = {}
        self._given: dict[ServiceKey, Service] = {}
        """As it was when it last showed what was decided for it."""

    @property
    def shown(self) -> Mapping[ServiceKey, Service]:
        """What users see."""
        return self._shown

    @property
    def held(self) -> Mapping[ServiceKey, Service]:
        """What decisions are made by."""
        return self._held

    @property
    def shown_by(self) -> Mapping[IPAddress, Collection[ServiceKey]]:
        """Which Services show an address."""
        return self._shown_by

    def refresh(self, keys: Iterable[ServiceKey], mirror: Mapping[ServiceKey, Service]) -> None:
        """Look at these Services again."""
        for key in keys:
            mirrored = mirror.get(key)
            self._assumptions.prune_one(key, mirrored)
            self._show(key, self._assumptions.shown_one(key, mirrored))
            self._hold(key, self._assumptions.held_one(key, mirrored))

    def known(self, key: ServiceKey, mirrored: Service | None) -> Service | None:
        """The Service as we have it, if the mirror shows just that; then all is as it was."""
        known = self._shown.get(key)
        if mirrored is None or known != mirrored or self._held.get(key) != mirrored:
            return None
        self._assumptions.prune_one(key, mirrored)
        return known

    def is_edited(self, key: ServiceKey) -> bool:
        """Whether somebody else wrote over what the Service was given."""
        shown, given = self._shown.get(key), self._given.get(key)
        return shown is not None and given is not None and shown.ingress != given.ingress

    def settle(self, key: ServiceKey, verdict: Verdict | None) -> None:
        """Remember what the Service was given, once it shows it; and no longer than it shall have it."""
        shown, given = self._shown.get(key), self._given.get(key)
        if shown is None or not isinstance(verdict, Granted):
            self._given.pop(key, None)
        elif shown.ingress == verdict.addresses:
            self._given[key] = shown
        elif given is not None and given.ingress != verdict.addresses:
            del self._given[key]

    def forget_given(self) -> set[ServiceKey]:
        """Somebody else gives now, and what is shown is right; for which Services that may matter."""
        keys = {*self._given}
        self._given.clear()
        return keys

    def _show(self, key: ServiceKey, service: Service | None) -> None:
        before = self._shown.get(key)
        _put(self._shown, key, service)
        former = before.ingress if before is not None else ()
        ingress = service.ingress if service is not None else ()
        if former == ingress:
            return
        for address in dict.fromkeys(former):
            others = tuple(other for other in self._shown_by[address] if other != key)
            if others:
                self._shown_by[address] = others
            else:
                del self._shown_by[address]
        for address in dict.fromkeys(ingress):
            self._shown_by[address] = (*self._shown_by.get(address, ()), key)

    def _hold(self, key: ServiceKey, service: Service | None) -> None:
        given = self._given.get(key)
        if given is not None and service is not None and _is_the_same(given, service):
            service = replace(service, ingress=given.ingress)
        _put(self._held, key, service)


def _is_the_same(given: Service, service: Service) -> bool:
    """Not another Service of that name, and not one that was given up or taken by another controller."""
    return (
        service.uid == given.uid
        and service.ingress != given.ingress
        and service.is_load_balancer
        and service.load_balancer_class == given.load_balancer_class
    )


def _put(services: dict[ServiceKey, Service], key: ServiceKey, service: Service | None) -> None:
    if service is None:
        services.pop(key, None)
    else:
        services[key] = service
