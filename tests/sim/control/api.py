"""The API server in memory: objects with versions, merge patches, and a history for watches.

It has the rules that controllers live by: a write over another version is refused (409), a name is taken
once, a Service that is no LoadBalancer any more shows nothing, and what watches ask for may be forgotten
(410).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from apiserver.patches import merge
from bareway.model.names import ObjectKey
from bareway.model.services import Service
from bareway.resources.kinds import SERVICES, Kind
from bareway.runtime.kube.errors import KubeError, api_error

T = TypeVar("T")
Json = dict[str, Any]

BORN: Final = 1_780_000_000
"""Unix time at the world's beginning."""


class Place(NamedTuple):
    """Where an object is; without a name, a collection."""

    plural: str
    namespace: str
    name: str = ""


@dataclass(frozen=True)
class Stored:
    """An object at one version."""

    revision: int
    body: Json

    @cached_property
    def text(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of history."""

    revision: int
    place: Place
    before: Stored | None
    after: Stored | None
    by: str
    """Who wrote it: a process, or a user."""


def place_of(path: str) -> tuple[Place, bool]:
    """What a path leads to, and whether that is the status of it."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    return Place(parts[0], namespace, parts[1] if len(parts) > 1 else ""), parts[-1] == "status"


class Api:
    """What all controllers and users write to; the truth."""

    def __init__(self) -> None:
        self.revision = 0
        self.objects: dict[Place, Stored] = {}
        self.history: list[Change] = []
        self.compacted = 0
        """Watches from before this revision are answered 410."""
        self.after_change: list[Callable[[Change], None]] = []
        self._read: dict[Place, tuple[Stored, Any]] = {}

    # ------------------------------------------------------------ what others see

    def get(self, place: Place) -> Stored:
        found = self.objects.get(place)
        if found is None:
            raise _refusal(404, "NotFound", place)
        return found

    def model(self, kind: Kind[T], place: Place) -> T | None:
        """An object as our own code reads it."""
        stored = self.objects.get(place)
        if stored is None:
            return None
        known = self._read.get(place)
        if known is None or known[0] is not stored:
            content = kind.read(stored.text).content
            assert not isinstance(content, tuple), content
            known = self._read[place] = stored, content
        found: T = known[1]
        return found

    def services(self) -> Mapping[ObjectKey, Service]:
        """All Services as they are."""
        places = [place for place in sorted(self.objects) if place.plural == "services"]
        read = (self.model(SERVICES, place) for place in places)
        return {service.key: service for service in read if service is not None}

    # ------------------------------------------------------------ what is written

    def create(self, place: Place, body: Json, *, by: str, now: float) -> Stored:
        place = place._replace(name=body["metadata"]["name"])
        if place in self.objects:
            raise _refusal(409, "AlreadyExists", place)
        metadata = {
            **body["metadata"],
            "namespace": place.namespace,
            "uid": f"uid-{self.revision + 1}",
            "creationTimestamp": _stamp(now),
        }
        return self._store(place, {**body, "metadata": metadata}, by=by)

    def replace(self, place: Place, body: Json, *, by: str) -> Stored:
        present = self.get(place)
        _check_version(present, body, place)
        kept = {name: present.body["metadata"][name] for name in ("uid", "creationTimestamp")}
        return self._store(place, {**body, "metadata": {**body["metadata"], **kept}}, by=by)

    def merge_patch(self, place: Place, patch: Json, *, by: str) -> Stored:
        """Change fields; nothing happens where none of them is another one."""
        present = self.get(place)
        _check_version(present, patch, place)
        body = merge(present.body, patch)
        body["metadata"]["resourceVersion"] = present.body["metadata"]["resourceVersion"]
        if place.plural == "services" and body["spec"]["type"] != "LoadBalancer":
            body.get("status", {}).pop("loadBalancer", None)
        return present if body == present.body else self._store(place, body, by=by)

    def delete(self, place: Place, *, by: str) -> None:
        present = self.get(place)
        del self.objects[place]
        self.revision += 1
        self._tell(Change(revision=self.revision, place=place, before=present, after=None, by=by))

    def compact(self) -> None:
        """Forget all history."""
        self.compacted = self.revision

    def _store(self, place: Place, body: Json, *, by: str) -> Stored:
        self.revision += 1
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.revision)}}
        before, after = self.objects.get(place), Stored(self.revision, body)
        self.objects[place] = after
        self._tell(Change(revision=self.revision, place=place, before=before, after=after, by=by))
        return after

    def _tell(self, change: Change) -> None:
        self.history.append(change)
        for look in self.after_change:
            look(change)


def _check_version(present: Stored, body: Json, place: Place) -> None:
    told = body.get("metadata", {}).get("resourceVersion")
    if told is not None and told != str(present.revision):
        raise _refusal(409, "Conflict", place)


def _refusal(status: int, reason: str, place: Place) -> KubeError:
    return api_error("/".join(place), status, reason, "as the API server says it")


def _stamp(now: float) -> str:
    minutes, seconds = divmod(int(now), 60)
    hours, minutes = divmod(minutes, 60)
    return f"2026-06-01T{hours:02}:{minutes:02}:{seconds:02}Z"
