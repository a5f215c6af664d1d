"""Where a configuration comes from; all sources look alike to the rest of the controller."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap, ObjectReference
from bareway.resources.configurations import DOCUMENT_KEY, EXTENSION_KEY
from bareway.resources.kinds import CONFIG_MAPS
from bareway.runtime.kube.reflector import Api, Reflector
from bareway.runtime.log import LEVEL_ANNOTATION
from controller.allocation.acceptance import ACCEPT_LOSS, Offer


class Source(Protocol):
    """Something that users write and that becomes one configuration."""

    @property
    def place(self) -> str:
        """Where it is looked for, for people."""

    @property
    def mirrors(self) -> "Sequence[Reflector[ConfigMap]]":
        """What has to run for it."""

    @property
    def log_level(self) -> str:
        """What is asked for beside it; empty if nothing is."""

    def offer(self) -> Offer | None:
        """The newest document; None if there is none. Of use once the mirrors are synced."""


class ConfigMapSource:
    """The document in one ConfigMap, as MetalLB has it, and what extends it; without its key it is empty."""

    def __init__(self, client: Api, key: ObjectKey, *, rng: Random, on_change: Callable[[], None]) -> None:
        self._key = key
        self._mirror = Reflector(
            client,
            CONFIG_MAPS,
            namespace=key.namespace,
            field_selector=f"metadata.name={key.name}",
            rng=rng,
            on_change=on_change,
        )

    @property
    def place(self) -> str:
        """The name of the ConfigMap."""
        return f"ConfigMap {self._key}"

    @property
    def mirrors(self) -> Sequence[Reflector[ConfigMap]]:
        """The one ConfigMap."""
        return (self._mirror,)

    @property
    def log_level(self) -> str:
        """By an annotation."""
        found = self._mirror.objects.get(self._key)
        return found.annotations.get(LEVEL_ANNOTATION, "") if found is not None else ""

    def offer(self) -> Offer | None:
        """The document in it."""
        found = self._mirror.objects.get(self._key)
        if found is None:
            return None
        about = ObjectReference(kind="ConfigMap", key=found.key, uid=found.uid)
        return Offer(
            document=found.data.get(DOCUMENT_KEY, ""),
            extension=found.data.get(EXTENSION_KEY, ""),
            source=self.place,
            about=about,
            accepted_loss=found.annotations.get(ACCEPT_LOSS, ""),
        )
