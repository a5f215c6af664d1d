"""What the controller mirrors of Kubernetes: all that decides, what it wrote itself, the key of gossip."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from random import Random
from typing import Final, TypeAlias

from bareway.model.endpoints import EndpointSlice
from bareway.model.names import ObjectKey, ServiceKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap, Namespace, Secret
from bareway.model.services import Service
from bareway.resources.announcer_lists import SELECTOR, shard_keys
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.kinds import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    LEASES,
    NAMESPACES,
    NODES,
    SECRETS,
    SERVICES,
)
from bareway.resources.state import STATE_NAME
from bareway.runtime.kube.reflector import Api, Reflector, ignore
from bareway.runtime.kube.rights import Right
from controller.allocation.sources import ConfigMapSource, Source
from controller.leading.election import LEASE_NAME
from controller.settings import Settings

Mirror: TypeAlias = (
    Reflector[Service]
    | Reflector[Namespace]
    | Reflector[EndpointSlice]
    | Reflector[Node]
    | Reflector[ConfigMap]
    | Reflector[Secret]
)

WATCHING: Final = ("list", "watch")


class Watch:
    """All mirrors; none of them writes."""

    def __init__(
        self, client: Api, settings: Settings, *, rng: Random, on_change: Callable[[], None]
    ) -> None:
        """``on_change`` is called when anything changed; it must not wait."""
        self._changed: set[ServiceKey] = set()
        self.on_services: Callable[[Collection[ServiceKey]], None] = ignore
        """Called with the Services that changed; must not wait."""
        self._labels: Mapping[str, Mapping[str, str]] | None = None
        self.in_force_key = ObjectKey(settings.namespace, IN_FORCE_NAME)
        self.state_key = ObjectKey(settings.namespace, STATE_NAME)
        self.secret_key = ObjectKey(settings.namespace, settings.gossip_secret)
        self.services = Reflector(
            client, SERVICES, rng=rng, on_change=on_change, on_objects=self._services_changed
        )
        self.namespaces = Reflector(
            client, NAMESPACES, rng=rng, on_change=on_change, on_objects=self._forget_labels
        )
        self.slices = Reflector(client, ENDPOINT_SLICES, rng=rng, on_change=on_change)
        self.nodes = Reflector(client, NODES, rng=rng, on_change=on_change)
        self.lists = Reflector(
            client,
            CONFIG_MAPS,
            namespace=settings.namespace,
            label_selector=SELECTOR,
            rng=rng,
            on_change=on_change,
        )
        self.in_force, self.state = (
            Reflector(
                client,
                CONFIG_MAPS,
                namespace=key.namespace,
                field_selector=f"metadata.name={key.name}",
                rng=rng,
                on_change=on_change,
            )
            for key in (self.in_force_key, self.state_key)
        )
        self.secrets = Reflector(
            client,
            SECRETS,
            namespace=settings.namespace,
            field_selector=f"metadata.name={settings.gossip_secret}",
            rng=rng,
            on_change=on_change,
        )
        document = ObjectKey(settings.configuration_namespace, settings.config_name)
        self.source: Source = ConfigMapSource(client, document, rng=rng, on_change=on_change)

    @property
    def mirrors(self) -> Sequence[Mirror]:
        """Each has a ``run``."""
        theirs = (self.services, self.namespaces, self.slices, self.nodes)
        ours = (self.in_force, self.state, self.lists, self.secrets)
        return (*theirs, *ours, *self.source.mirrors)

    def _services_changed(self, keys: Collection[ServiceKey]) -> None:
        self._changed.update(keys)
        self.on_services(keys)

    def take_changed(self) -> set[ServiceKey]:
        """The Services that changed since this was asked last; whoever asks has to look at them."""
        changed = {*self._changed}
        self._changed.clear()
        return changed

    @property
    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of each Namespace; the very same object as long as none changed."""
        if self._labels is None:
            self._labels = {key.name: one.labels for key, one in self.namespaces.objects.items()}
        return self._labels

    def _forget_labels(self, _: Collection[ObjectKey]) -> None:
        self._labels = None

    async def warm_up(self) -> bool:
        """Return once everything was listed once; whether no controller ever put a configuration in force."""
        for mirror in self.mirrors:
            await mirror.wait_synced()
        return not self.in_force.objects

    async def relist(self) -> None:
        """Return once everything was listed anew: what others wrote before is seen."""
        async with asyncio.TaskGroup() as group:
            for mirror in self.mirrors:
                group.create_task(mirror.relist(), name=f"list {mirror.kind.plural}")

    @property
    def connected(self) -> bool:
        """Whether everything is fresh."""
        return all(mirror.connected for mirror in self.mirrors)

    @property
    def unsynced(self) -> tuple[str, ...]:
        """What was not listed once; nothing is decided before it is."""
        return tuple(dict.fromkeys(mirror.kind.plural for mirror in self.mirrors if not mirror.synced))

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why the API server does not serve us, one sentence each."""
        return _sentences(mirror.trouble for mirror in self.mirrors if not mirror.refused)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Which rights it misses, though it serves us, one sentence each."""
        return _sentences(mirror.trouble for mirror in self.mirrors if mirror.refused)


def rights(settings: Settings) -> tuple[Right, ...]:
    """What the controller must be allowed to do; without one of these it cannot work."""
    own, theirs = settings.namespace, settings.configuration_namespace
    maps = ((own, IN_FORCE_NAME), (own, STATE_NAME), (theirs, settings.config_name))
    secret = settings.gossip_secret
    return (
        *(Right(verb=verb, resource="services") for verb in WATCHING),
        Right(verb="patch", resource="services/status"),
        *(
            Right(verb=verb, resource=kind.plural, group=kind.group)
            for kind in (NAMESPACES, ENDPOINT_SLICES, NODES)
            for verb in WATCHING
        ),
        # RBAC knows no labels: for the announcer lists all ConfigMaps of our own namespace.
        *(Right(verb=verb, resource="configmaps", namespace=own) for verb in WATCHING),
        *(
            Right(verb=verb, resource="configmaps", namespace=namespace, name=name)
            for namespace, name in maps
            for verb in WATCHING
        ),
        Right(verb="create", resource="configmaps", namespace=own),  # RBAC knows no name before there is one
        *(
            Right(verb="update", resource="configmaps", namespace=own, name=name)
            for name in (IN_FORCE_NAME, STATE_NAME, *(key.name for key in shard_keys(own)))
        ),
        *(Right(verb=verb, resource="secrets", namespace=own, name=secret) for verb in WATCHING),
        Right(verb="create", resource="secrets", namespace=own),
        *(
            Right(verb=verb, resource="leases", group=LEASES.group, namespace=own, name=LEASE_NAME)
            for verb in (*WATCHING, "get", "patch")
        ),
        Right(verb="create", resource="leases", group=LEASES.group, namespace=own),
        *(Right(verb=verb, resource="events") for verb in ("create", "get", "patch")),
    )


def _sentences(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in told if sentence))
