"""What the controller mirrors of Kubernetes: Services, configurations, and the Secret for gossip."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final, TypeAlias

from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap, Secret
from bareway.model.services import Service
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.kinds import CONFIG_MAPS, SECRETS, SERVICES
from bareway.runtime.kube.reflector import Api, Reflector
from bareway.runtime.kube.rights import Right
from controller.settings import Settings
from controller.sources import ConfigMapSource, Source

Mirror: TypeAlias = Reflector[Service] | Reflector[ConfigMap] | Reflector[Secret]

WATCHING: Final = ("list", "watch")


class Watch:
    """All mirrors; none of them writes."""

    def __init__(
        self, client: Api, settings: Settings, *, rng: Random, on_change: Callable[[], None]
    ) -> None:
        """``on_change`` is called when anything changed; it must not wait."""
        self.in_force_key = ObjectKey(settings.namespace, IN_FORCE_NAME)
        self.secret_key = ObjectKey(settings.namespace, settings.gossip_secret)
        self.services = Reflector(client, SERVICES, rng=rng, on_change=on_change)
        self.in_force = Reflector(
            client,
            CONFIG_MAPS,
            namespace=settings.namespace,
            field_selector=f"metadata.name={IN_FORCE_NAME}",
            rng=rng,
            on_change=on_change,
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
        return (self.services, self.in_force, self.secrets, *self.source.mirrors)

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
    maps = ((own, IN_FORCE_NAME), (theirs, settings.config_name))
    secret = settings.gossip_secret
    return (
        *(Right(verb=verb, resource="services") for verb in WATCHING),
        Right(verb="patch", resource="services/status"),
        *(
            Right(verb=verb, resource="configmaps", namespace=namespace, name=name)
            for namespace, name in maps
            for verb in WATCHING
        ),
        Right(verb="create", resource="configmaps", namespace=own),  # RBAC knows no name before there is one
        Right(verb="update", resource="configmaps", namespace=own, name=IN_FORCE_NAME),
        *(Right(verb=verb, resource="secrets", namespace=own, name=secret) for verb in WATCHING),
        Right(verb="create", resource="secrets", namespace=own),
        *(Right(verb=verb, resource="events") for verb in ("create", "get", "patch")),
    )


def _sentences(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in told if sentence))
