"""Which pools a Service may use, and in which order: namespaces, selectors, priority, auto-assign.

Pinned pools come first: those that say whom they serve, or have a priority. Lower priorities come before
higher ones, 0 last, and of equal ones the order of the document decides. Left out: what is free in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import PoolName
from bareway.model.selectors import any_matches
from bareway.model.services import Service

NAME_LABEL = "kubernetes.io/metadata.name"  # every Namespace carries it, also one that is not known yet
_NO_LABELS: frozenset[tuple[str, str]] = frozenset()


Kind: TypeAlias = tuple[str, frozenset[tuple[str, str]]]
"""A namespace, and the labels if any pool asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The pools as one Service sees them; alike Services have the same object."""

    kind: Kind
    """Of Services: which ones see them alike."""
    tiers: tuple[tuple[Pool, ...], ...]
    """What gives addresses by itself: the pinned pools, then all of them; each in order."""
    refusals: Mapping[PoolName, WhyNot]
    """Pools that it may not use, whatever is asked for."""
    manual: Mapping[PoolName, WhyNot]
    """Pools that it may use and that give nothing by themselves."""


class Pools:
    """The pools of one configuration."""

    def __init__(self, configuration: Configuration, namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self.by_name: Mapping[PoolName, Pool] = {pool.name: pool for pool in configuration.pools}
        self.order: tuple[Pool, ...] = tuple(sorted(configuration.pools, key=_rank))
        """Of all, whoever asks."""
        self._namespaces = namespaces
        self._is_by_labels = any(pool.service_selectors for pool in self.order)
        self._choices: dict[Kind, Choice] = {}

    def choice(self, service: Service) -> Choice:
        """The pools as this Service sees them."""
        labels = frozenset(service.labels.items()) if self._is_by_labels else _NO_LABELS
        kind = (service.key.namespace, labels)
        found = self._choices.get(kind)
        if found is None:
            found = self._choices[kind] = self._choice(service, kind)
        return found

    def not_for_holder(self, service: Service, pool: Pool) -> WhyNot | None:
        """Why a Service may not keep an address of the pool.

        Labels of its Namespace that are not known yet take nothing away.
        """
        refusal = self.choice(service).refusals.get(pool.name)
        is_by_namespace = refusal is not None and refusal.word is Refusal.NAMESPACE_NOT_ALLOWED
        if is_by_namespace and pool.namespace_selectors and service.key.namespace not in self._namespaces:
            return _not_selected(pool, service)
        return refusal

    def _choice(self, service: Service, kind: Kind) -> Choice:
        judged = [(pool, self._refusal(pool, service)) for pool in self.order]
        usable = tuple(pool for pool, refusal in judged if refusal is None and pool.auto_assign)
        pinned = tuple(pool for pool in usable if _is_pinned(pool))
        return Choice(
            kind=kind,
            tiers=(pinned, usable) if 0 < len(pinned) < len(usable) else (usable,),
            refusals={pool.name: refusal for pool, refusal in judged if refusal is not None},
            manual={
                pool.name: _not_automatic(pool)
                for pool, refusal in judged
                if refusal is None and not pool.auto_assign
            },
        )

    def _refusal(self, pool: Pool, service: Service) -> WhyNot | None:
        namespace = service.key.namespace
        if not _serves_namespace(pool, namespace, self._namespaces.get(namespace, {NAME_LABEL: namespace})):
            message = f'pool {pool.name} is not for namespace "{namespace}"'
            return WhyNot(word=Refusal.NAMESPACE_NOT_ALLOWED, message=message, pool=pool.name)
        return _not_selected(pool, service)


def quota(pool: Pool, namespace: str) -> int | None:
    """How many addresses of the pool the namespace may hold; None = as many as there are."""
    return pool.quota.get(namespace, pool.quota.get("*"))


def _not_selected(pool: Pool, service: Service) -> WhyNot | None:
    if not pool.service_selectors or any_matches(pool.service_selectors, service.labels):
        return None
    message = f"the labels of the Service match no service-selector of pool {pool.name}"
    return WhyNot(word=Refusal.SERVICE_NOT_SELECTED, message=message, pool=pool.name)


def _serves_namespace(pool: Pool, namespace: str, labels: Mapping[str, str]) -> bool:
    if not pool.namespaces and not pool.namespace_selectors:
        return True
    return namespace in pool.namespaces or any_matches(pool.namespace_selectors, labels)


def _is_pinned(pool: Pool) -> bool:
    speaks_of: Iterable[object] = (pool.namespaces, pool.namespace_selectors, pool.service_selectors)
    return pool.priority != 0 or any(speaks_of)


def _rank(pool: Pool) -> tuple[bool, bool, int]:
    return not _is_pinned(pool), pool.priority == 0, pool.priority


def _not_automatic(pool: Pool) -> WhyNot:
    message = f"pool {pool.name} assigns no address by itself"
    return WhyNot(word=Refusal.AUTO_ASSIGN_OFF, message=message, pool=pool.name)
