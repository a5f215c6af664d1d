"""What the speaker mirrors of Kubernetes, and the View it makes of it.

The configuration is the one in force (ConfigMap ``bareway-config``, written by the controller); the user's
own ConfigMap counts only while that does not exist, so that a speaker can serve before a controller ever ran.
The announcer lists are sixteen ConfigMaps in one watch, by their label.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeAlias, TypeVar

from bareway.decide.announcement.announcers import AnnouncerView
from bareway.gossip.events import ListsKnown
from bareway.model.configuration import Configuration, Layer2Settings
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import ObjectKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap, Secret
from bareway.model.problems import Problem, Severity
from bareway.model.services import Service
from bareway.model.status import ConfigurationStatus
from bareway.resources.announcer_lists import SELECTOR
from bareway.resources.configurations import DOCUMENT_KEY, EXTENSION_KEY
from bareway.resources.in_force import IN_FORCE_NAME, read_in_force
from bareway.resources.kinds import CONFIG_MAPS, ENDPOINT_SLICES, NODES, SECRETS, SERVICES, Kind
from bareway.resources.objects import KEY_FIELD
from bareway.runtime.documents import DocumentReader
from bareway.runtime.figures import KubernetesFigures
from bareway.runtime.kube.reflector import Api, Reflector, ignore
from bareway.runtime.kube.rights import Right
from bareway.runtime.log import LEVEL_ANNOTATION
from speaker.lists import ListReader
from speaker.settings import Settings

T = TypeVar("T")
Mirror: TypeAlias = (
    Reflector[Service] | Reflector[EndpointSlice] | Reflector[Node] | Reflector[ConfigMap] | Reflector[Secret]
)
OnObjects: TypeAlias = Callable[[Collection[ObjectKey]], None]

NOTHING_READ: Final = ("", "")
NO_STATUS: Final = ConfigurationStatus()
GONE: Final = Problem(
    path="", message="the ConfigMap with the configuration is gone; the last good one stays in force"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A configuration and where it came from; ``configuration`` is None while there is none to use."""

    configuration: Configuration | None = None
    status: ConfigurationStatus = NO_STATUS


class Watch:
    """Mirrors of all kinds that the speaker looks at."""

    def __init__(
        self, client: Api, settings: Settings, *, rng: Random, on_change: Callable[[], None]
    ) -> None:
        """``on_change`` is called when anything changed; it must not wait."""

        def mirror(
            kind: Kind[T], namespace: str | None = None, name: str = "", on_objects: OnObjects = ignore
        ) -> Reflector[T]:
            return Reflector(
                client,
                kind,
                namespace=namespace,
                field_selector=f"metadata.name={name}" if name else "",
                rng=rng,
                on_change=on_change,
                on_objects=on_objects,
            )

        self._settings = settings
        self.on_services: OnObjects = ignore
        """Called with what changed, before ``on_change``, for those who decide Service by Service."""
        self.on_slices: OnObjects = ignore
        self.services = mirror(SERVICES, on_objects=self._services_changed)
        self.slices = mirror(ENDPOINT_SLICES, on_objects=self._slices_changed)
        self.nodes = mirror(NODES)
        self._in_force_key = ObjectKey(settings.namespace, IN_FORCE_NAME)
        self._written_key = ObjectKey(settings.configuration_namespace, settings.config_name)
        self._in_force = mirror(CONFIG_MAPS, settings.namespace, IN_FORCE_NAME)
        self._written = mirror(CONFIG_MAPS, settings.configuration_namespace, settings.config_name)
        self._secret = mirror(SECRETS, settings.namespace, settings.gossip_secret)
        self.documents = DocumentReader(on_read=on_change)
        """Has a ``run``."""
        self._shards = Reflector(
            client,
            CONFIG_MAPS,
            namespace=settings.namespace,
            label_selector=SELECTOR,
            rng=rng,
            on_change=self._shards_changed,
        )
        self.lists = ListReader(settings.namespace, self._shards, on_read=on_change)
        """Has a ``run``."""
        self._on_change = on_change
        self._read: tuple[tuple[str, str], Configured] = (NOTHING_READ, Configured())

    @property
    def reflectors(self) -> tuple[Mirror, ...]:
        """All mirrors; each has a ``run``."""
        every: tuple[Mirror, ...] = (
            self.services,
            self.slices,
            self.nodes,
            self._in_force,
            self._written,
            self._shards,
        )
        return every if self._settings.gossip_key else (*every, self._secret)

    @property
    def synced(self) -> bool:
        """Whether everything that the decision looks at was listed once."""
        return all(reflector.synced for reflector in self.reflectors if reflector is not self._secret)

    @property
    def lists_known(self) -> ListsKnown:
        """How much of the announcer lists there is."""
        return ListsKnown(
            generation=self.lists.lists.generation, exist=self.lists.exist, current=self._shards.connected
        )

    @property
    def connected(self) -> bool:
        """Whether everything is fresh."""
        return all(reflector.connected for reflector in self.reflectors)

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why the API server does not serve us, one sentence each."""
        return _sentences(mirror.trouble for mirror in self.reflectors if not mirror.refused)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Which rights it misses, though it serves us, one sentence each."""
        return _sentences(mirror.trouble for mirror in self.reflectors if mirror.refused)

    @property
    def gossip_key(self) -> bytes | None:
        """What seals gossip; None while the Secret is absent or empty."""
        if self._settings.gossip_key:
            return self._settings.gossip_key.encode()
        secret = self._secret.objects.get(ObjectKey(self._settings.namespace, self._settings.gossip_secret))
        return (secret.data.get(KEY_FIELD) if secret else None) or None

    @property
    def lacks_gossip_key(self) -> bool:
        """Whether the Secret was looked for and is not there."""
        return self._secret.synced and self.gossip_key is None

    @property
    def me(self) -> Node | None:
        """Our own Node, as the API has it."""
        return self.nodes.objects.get(ObjectKey("", self._settings.node_name))

    @property
    def log_level(self) -> str:
        """What the operator asks for by an annotation on his ConfigMap; empty without it."""
        written = self._written.objects.get(self._written_key)
        return written.annotations.get(LEVEL_ANNOTATION, "") if written is not None else ""

    def configured(self) -> Configured:
        """The configuration to use now; parsed anew only when its ConfigMap changed."""
        source = self._source()
        if source is None:
            return _kept(self._read[1])
        version = (source.uid, source.resource_version)
        if self._read[0] != version and self.documents.is_ready(*_documents(source)):
            last = self._read[1].configuration
            is_in_force = source.key == self._in_force_key
            fresh = self._accepted(source) if is_in_force else self._as_written(source)
            # Fail static: what cannot be read leaves the last good one in force.
            self._read = (version, fresh if fresh.configuration else replace(fresh, configuration=last))
        return self._read[1]

    @property
    def knows_source(self) -> bool:
        """Whether it is known which ConfigMap counts: until then a document may be one that never counted."""
        return self._in_force.synced and self._written.synced

    @property
    def layer2(self) -> Layer2Settings | None:
        """How addresses are kept on the link; None until it is known what is configured."""
        configuration = self.configured().configuration
        if configuration is not None:
            return configuration.layer2
        source = self._source()
        is_read = source is None or self._read[0] == (source.uid, source.resource_version)
        return Layer2Settings() if self.knows_source and is_read else None

    @property
    def ready(self) -> bool:
        """Whether there is a configuration, and everything that the decision looks at was listed once."""
        return self.configured().configuration is not None and self.synced and self.lists.are_read

    def view(self) -> AnnouncerView | None:
        """What the decision looks at; None until it is ready.

        Of Nodes that is what pools select by: one whose kubelet comes and goes is no reason to decide anew.
        """
        configuration = self.configured().configuration
        if configuration is None or not self.ready:
            return None
        return AnnouncerView(
            configuration=configuration,
            services=tuple(self.services.objects.values()),
            slices=tuple(self.slices.objects.values()),
            nodes=tuple(Node(name=each.name, labels=each.labels) for each in self.nodes.objects.values()),
            load_balancer_class=self._settings.load_balancer_class,
        )

    def figures(self) -> KubernetesFigures:
        """How we get on with the API server."""
        configured = self.configured()
        return KubernetesFigures(
            updates=sum(mirror.updates for mirror in self.reflectors),
            update_errors=sum(mirror.errors for mirror in self.reflectors),
            config_loaded=configured.configuration is not None,
            config_stale=any(p.severity is Severity.ERROR for p in configured.status.problems),
            connected=self.connected,
        )

    def _source(self) -> ConfigMap | None:
        """The ConfigMap that counts."""
        in_force = self._in_force.objects.get(self._in_force_key)
        return in_force or self._written.objects.get(self._written_key)

    def _services_changed(self, keys: Collection[ObjectKey]) -> None:
        self.on_services(keys)

    def _slices_changed(self, keys: Collection[ObjectKey]) -> None:
        self.on_slices(keys)

    def _shards_changed(self) -> None:
        self.lists.look_again()
        self._on_change()

    def _accepted(self, source: ConfigMap) -> Configured:
        """What the controller put in force."""
        accepted = read_in_force(source, read=self.documents.read)
        if isinstance(accepted, list):
            return Configured(status=ConfigurationStatus(source=_place(source), problems=tuple(accepted)))
        return Configured(
            configuration=accepted.configuration,
            status=ConfigurationStatus(
                generation=accepted.generation, sha256=accepted.sha256, source=accepted.source
            ),
        )

    def _as_written(self, source: ConfigMap) -> Configured:
        """What the user wrote, while no controller ever put anything in force."""
        read = self.documents.read(*_documents(source))
        return Configured(
            configuration=read.configuration,
            status=ConfigurationStatus(source=_place(source), problems=tuple(read.problems)),
        )


def rights(settings: Settings) -> tuple[Right, ...]:
    """What the speaker must be allowed to do; without one of these it cannot work."""
    own, theirs = settings.namespace, settings.configuration_namespace
    everywhere = (("services", ""), ("endpointslices", "discovery.k8s.io"), ("nodes", ""))
    reads = [Right(verb=verb, resource=r, group=g) for r, g in everywhere for verb in ("list", "watch")]
    maps = [
        Right(verb=verb, resource="configmaps", namespace=namespace, name=name)
        for namespace, name in ((own, IN_FORCE_NAME), (theirs, settings.config_name))
        for verb in ("list", "watch")
    ]
    lists = [Right(verb=verb, resource="configmaps", namespace=own) for verb in ("list", "watch")]
    secret = settings.gossip_secret
    secrets = [Right(verb=verb, resource="secrets", namespace=own, name=secret) for verb in ("list", "watch")]
    return (*reads, *maps, *lists, *([] if settings.gossip_key else secrets))


def _kept(last: Configured) -> Configured:
    """What is in force while no ConfigMap tells: who deletes one takes no address away."""
    if last.configuration is None:
        return Configured()
    return replace(last, status=replace(last.status, problems=(GONE,)))


def _documents(source: ConfigMap) -> tuple[str, str]:
    """The document in a ConfigMap, and what extends it."""
    return source.data.get(DOCUMENT_KEY, ""), source.data.get(EXTENSION_KEY, "")


def _place(source: ConfigMap) -> str:
    return f"ConfigMap {source.key}"


def _sentences(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in told if sentence))
