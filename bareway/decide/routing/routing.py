"""The routes of one node, Service by Service: what changed costs what it is, not all of it.

Level, not edge: ``look`` decides the named Services anew from what is there now, whatever was before, so that
to look at all of them is to begin anew, and to look twice changes nothing. A node sends the addresses of a
Service in a bgp pool while it may announce at all and an endpoint serves: on this node with policy Local,
anywhere with policy Cluster. What a session does with the routes is told by `bareway.bgp`.

A share of traffic is asked for where all Services behind a prefix are of policy Local: otherwise each node
serves as well as any other, and all of them must say the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bareway.bgp.routes import Attributes, RouteSet
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.routing.endpoints import Backing, Endpoints
from bareway.decide.routing.ground import Ground
from bareway.decide.routing.terms import Terms, merged, weighted
from bareway.decide.routing.weights import Counts, Weights
from bareway.model.names import IPAddress, IPNetwork, NodeName, ServiceKey
from bareway.model.services import Service, TrafficPolicy, is_ours
from bareway.model.steps import Steps, finish, pieces


class Offer(NamedTuple):
    """What one Service contributes."""

    routes: tuple[tuple[IPNetwork, tuple[Terms, ...]], ...]
    """Each prefix once."""
    addresses: tuple[IPAddress, ...]
    counts: Counts | None
    """Endpoints here, as they are told; None = they do not matter: policy Cluster, or unknown."""


class Look(NamedTuple):
    """What a look has changed."""

    began: tuple[ServiceKey, ...] = ()
    """Services that are announced now and were not before."""
    prefixes: int = 0
    """Routes that were looked at again."""


class Routing:
    """Routes by audience; begins empty."""

    def __init__(
        self,
        ground: Ground,
        *,
        me: NodeName | None,
        load_balancer_class: str | None = None,
        weights: Weights | None = None,
    ) -> None:
        """``weights``: what was told so far, kept when the ground is another."""
        self.ground = ground
        self.weights = weights or Weights()
        self.withheld: dict[ServiceKey, Refusal] = {}
        """Services with addresses in bgp pools that this node does not announce, and why."""
        self._me = me
        self._load_balancer_class = load_balancer_class
        self._offers: dict[ServiceKey, Offer] = {}
        self._owners: dict[IPNetwork, tuple[ServiceKey, ...]] = {}
        self._sets = [RouteSet() for _ in ground.audiences]
        self._weighted: dict[tuple[Attributes, int | None], Attributes] = {}

    # ------------------------------------------------------------ what is decided

    @property
    def routes(self) -> Mapping[str, RouteSet]:
        """What each peer shall have; peers of one audience share one set."""
        return {name: self._sets[place] for name, place in self.ground.audience_of.items()}

    @property
    def announced(self) -> Mapping[ServiceKey, tuple[IPAddress, ...]]:
        """The addresses that this node announces, by Service."""
        return {service: offer.addresses for service, offer in self._offers.items()}

    def services_behind(self, prefix: IPNetwork, audience: int) -> Iterator[ServiceKey]:
        """Those that contribute to a route of that audience, in order."""
        for service in sorted(self._owners.get(prefix, ())):
            if any(audience in one.audiences for one in self._terms(service, prefix)):
                yield service

    # ------------------------------------------------------------ deciding

    def look(
        self,
        services: Mapping[ServiceKey, Service],
        endpoints: Endpoints | None,
        keys: Iterable[ServiceKey],
        *,
        now: float,
    ) -> Look:
        """Decide the Services ``keys`` anew; ``endpoints`` None = each is served on every node."""
        return finish(self.look_in_steps(services, endpoints, keys, now=now))

    def look_in_steps(
        self,
        services: Mapping[ServiceKey, Service],
        endpoints: Endpoints | None,
        keys: Iterable[ServiceKey],
        *,
        now: float,
    ) -> Steps[Look]:
        """The same, so that thousands of Services keep no loop."""
        prefixes: dict[IPNetwork, None] = {}
        began: list[ServiceKey] = []
        for piece in pieces(keys):
            for key in piece:
                decided = self._decide(services.get(key), endpoints, now=now)
                if isinstance(decided, Offer) and key not in self._offers:
                    began.append(key)
                prefixes.update(dict.fromkeys(self._put(key, decided)))
            yield
        yield from self._renew(prefixes)
        return Look(tuple(began), len(prefixes))

    def _decide(
        self, service: Service | None, endpoints: Endpoints | None, *, now: float
    ) -> Offer | Refusal | None:
        """What ``service`` contributes, or why nothing; None = it has nothing to do with BGP."""
        if service is None or not is_ours(service, self._load_balancer_class):
            return None
        found = [(a, terms) for a in service.ingress if (terms := self.ground.terms(a)) is not None]
        if not found:
            return None
        backing = None if endpoints is None else endpoints.behind(service.key, self._me)
        refusal = self.ground.refusal or _unserved(service, backing)
        if refusal is not None:
            return refusal
        routes: dict[IPNetwork, tuple[Terms, ...]] = {}
        for address, terms in found:
            for one in terms:
                prefix = one.prefix(address)
                routes[prefix] = (*routes.get(prefix, ()), one)
        if not routes:
            return Refusal.NO_MATCHING_ADVERTISEMENT
        addresses = tuple(address for address, terms in found if terms)
        return Offer(tuple(routes.items()), addresses, self._counts(service, backing, now=now))

    def _counts(self, service: Service, backing: Backing | None, *, now: float) -> Counts | None:
        if backing is None or service.traffic_policy is not TrafficPolicy.LOCAL:
            return None
        if not any(audience.is_weighted for audience in self.ground.audiences):
            return None
        return self.weights.weigh(service.key, Counts(backing.here, backing.here_v6), now=now)

    def _put(self, key: ServiceKey, decided: Offer | Refusal | None) -> Iterator[IPNetwork]:
        """Note what was decided; the prefixes whose route may be another one now."""
        before = self._offers.pop(key, None)
        self.withheld.pop(key, None)
        if isinstance(decided, Refusal):
            self.withheld[key] = decided
        now = decided if isinstance(decided, Offer) else None
        if now is None:
            self.weights.forget(key)
        else:
            self._offers[key] = now
        if now == before:
            return
        gone = {prefix for prefix, _ in before.routes} if before is not None else set()
        for prefix, _ in now.routes if now is not None else ():
            if prefix in gone:
                gone.discard(prefix)
            else:
                self._owners[prefix] = (*self._owners.get(prefix, ()), key)
            yield prefix
        for prefix in gone:
            left = tuple(one for one in self._owners[prefix] if one != key)
            if left:
                self._owners[prefix] = left
            else:
                del self._owners[prefix]
            yield prefix

    def _renew(self, prefixes: Iterable[IPNetwork]) -> Steps[None]:
        """Bring the routes of ``prefixes`` up to date, for every audience."""
        changes: list[dict[IPNetwork, Attributes | None]] = [{} for _ in self._sets]
        for piece in pieces(prefixes):
            for prefix in piece:
                for place, changed in enumerate(changes):
                    changed[prefix] = self._attributes(prefix, place)
            yield
        for place, changed in enumerate(changes):
            if changed:
                self._sets[place] = self._sets[place].changed(changed)
            yield

    def _attributes(self, prefix: IPNetwork, audience: int) -> Attributes | None:
        """Of the route that this audience gets; None = it gets none."""
        found: Attributes | None = None
        endpoints: int | None = 0
        for service in self._owners.get(prefix, ()):
            meant = [one for one in self._terms(service, prefix) if audience in one.audiences]
            for one in meant:
                found = one.attributes if found is None else merged(found, one.attributes)
            if meant:
                endpoints = _sum(endpoints, self._offers[service].counts, prefix)
        if found is None or not self.ground.audiences[audience].is_weighted:
            return found
        known = self._weighted.get((found, endpoints))
        if known is None:
            known = self._weighted[found, endpoints] = weighted(found, endpoints)
        return known

    def _terms(self, service: ServiceKey, prefix: IPNetwork) -> tuple[Terms, ...]:
        return next((terms for one, terms in self._offers[service].routes if one == prefix), ())


def _unserved(service: Service, backing: Backing | None) -> Refusal | None:
    if backing is None:
        return None
    if not backing.is_anywhere:
        return Refusal.NO_ENDPOINTS
    if service.traffic_policy is TrafficPolicy.LOCAL and not backing.is_here:
        return Refusal.NO_LOCAL_ENDPOINTS
    return None


def _sum(known: int | None, counts: Counts | None, prefix: IPNetwork) -> int | None:
    if known is None or counts is None:
        return None
    return known + (counts.v4 if prefix.version == 4 else counts.v6)  # noqa: PLR2004 - the family
