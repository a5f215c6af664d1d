"""The writing verbs: create, update, patch and delete, with everything that the API promises about them.

Identity (uid, creationTimestamp, resourceVersion) is the server's; a write of an older version is a
conflict; a write that changes nothing stores nothing; an object with finalizers waits for the last of them
to go. A namespace takes its content with it at once, where a real one leaves that to its controller.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from apiserver import admission, refusals
from apiserver.allocations import Allocations, RangeIsFull
from apiserver.decoding import read_object, read_patched
from apiserver.kinds import EVENTS, LEASES, NAMESPACES, SERVICES, Kind
from apiserver.refusals import Cause, Reason, Refused
from apiserver.store import JsonObject, Key, Store

SUFFIX_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH: Final = 5
CREATED_BY_UPDATE: Final = frozenset({SERVICES, LEASES, EVENTS})
FIRST_NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
UNDYING_NAMESPACES: Final = frozenset({"default", "kube-public", "kube-system"})
OWN_SERVICE: Final = {
    "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
}

SERVERS_OWN: Final = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a client may ask of a write."""

    strict: bool = False
    dry_run: bool = False


AS_EVER: Final = Options()


class Registry:
    """The objects of one API server, changed only by its verbs."""

    def __init__(self, store: Store, rng: Random) -> None:
        self._store = store
        self._rng = rng
        self._allocations = Allocations()
        for name in FIRST_NAMESPACES:
            self.create(NAMESPACES, "", {"metadata": {"name": name}})
        self.create(SERVICES, "default", OWN_SERVICE)

    def create(self, kind: Kind, namespace: str, body: Any, options: Options = AS_EVER) -> JsonObject:
        """Store a new object."""
        new = read_object(kind, body, strict=options.strict)
        metadata = new["metadata"]
        self._place(kind, metadata, namespace)
        if metadata.pop("resourceVersion", ""):
            message = "resourceVersion should not be set on objects to be created"
            raise Refused(code=500, reason=Reason.UNKNOWN, message=message)
        key = Key(namespace, self._name(kind, metadata))
        metadata["uid"] = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        metadata["creationTimestamp"] = _now()
        metadata.pop("deletionTimestamp", None)
        if kind.counts_generations:
            metadata["generation"] = 1
        try:
            admission.prepare_new(kind, new, self._allocations)
        except RangeIsFull as error:
            raise _no_room(error) from error
        causes = [*admission.mistakes(kind, new, None, self._allocations)]
        if causes:
            raise refusals.invalid(kind, key.name, causes)
        if self._store.get(kind, key) is not None:
            raise refusals.already_exists(kind, key.name)
        return new if options.dry_run else self._write(kind, key, new)

    def update(
        self, kind: Kind, key: Key, body: Any, *, is_status: bool, options: Options = AS_EVER
    ) -> JsonObject:
        """Replace an object, or its status; of some kinds also make it."""
        old = self._store.get(kind, key)
        if old is None and kind in CREATED_BY_UPDATE:
            return self.create(kind, key.namespace, body, options)
        if old is None:
            raise refusals.not_found(kind, key.name)
        new = read_object(kind, body, strict=options.strict)
        metadata, stored = new["metadata"], old["metadata"]
        self._check_place(kind, key, metadata)
        if not metadata.get("resourceVersion") and not kind.unconditional_update:
            message = "Invalid value: 0: must be specified for an update"
            raise refusals.invalid(kind, key.name, [Cause(path="metadata.resourceVersion", message=message)])
        if metadata.get("uid", stored["uid"]) != stored["uid"]:
            why = f"UID in precondition: {metadata['uid']}, UID in object meta: {stored['uid']}"
            raise refusals.conflict(
                kind,
                key.name,
                f"StorageError: invalid object, Code: 4, AdditionalErrorMsg: Precondition failed: {why}",
            )
        return self._replace(kind, key, old, new, is_status=is_status, dry_run=options.dry_run)

    def patch(
        self,
        kind: Kind,
        key: Key,
        change: Callable[[JsonObject], Any],
        *,
        is_status: bool,
        options: Options = AS_EVER,
    ) -> JsonObject:
        """Change an object, or its status, by a function of what is stored."""
        old = self._store.get(kind, key)
        if old is None:
            raise refusals.not_found(kind, key.name)
        new = read_patched(kind, change(old), strict=options.strict)
        metadata, stored = new["metadata"], old["metadata"]
        self._check_place(kind, key, metadata)
        if metadata.get("uid", stored["uid"]) != stored["uid"]:
            message = f'Invalid value: "{metadata["uid"]}": field is immutable'
            raise refusals.invalid(kind, key.name, [Cause(path="metadata.uid", message=message)])
        return self._replace(kind, key, old, new, is_status=is_status, dry_run=options.dry_run)

    def delete(self, kind: Kind, key: Key, options: Any) -> JsonObject:
        """Remove an object, or mark it for its finalizers; returns its last state."""
        old = self._store.get(kind, key)
        if old is None:
            raise refusals.not_found(kind, key.name)
        wanted = (options.get("preconditions") or {}) if isinstance(options, dict) else {}
        self._check_preconditions(kind, key, wanted, old["metadata"])
        if old["metadata"].get("finalizers"):
            if "deletionTimestamp" in old["metadata"]:
                return old
            metadata = {**old["metadata"], "deletionTimestamp": _now(), "deletionGracePeriodSeconds": 0}
            return self._write(kind, key, {**old, "metadata": metadata})
        return self._end_namespace(key, old) if kind is NAMESPACES else self._remove(kind, key)

    def _replace(
        self, kind: Kind, key: Key, old: JsonObject, new: JsonObject, *, is_status: bool, dry_run: bool
    ) -> JsonObject:
        metadata, stored = new["metadata"], old["metadata"]
        if (metadata.get("resourceVersion") or stored["resourceVersion"]) != stored["resourceVersion"]:
            raise refusals.conflict(kind, key.name)
        for name in SERVERS_OWN:
            metadata.pop(name, None)
        own = {name: stored[name] for name in SERVERS_OWN if name in stored}
        metadata.update(own, uid=stored["uid"], resourceVersion=stored["resourceVersion"])
        if is_status:
            admission.prepare_status(kind, new, old)
            causes = [*admission.status_mistakes(kind, new)]
        else:
            try:
                admission.prepare_changed(kind, new, old, self._allocations)
            except RangeIsFull as error:
                raise _no_room(error) from error
            causes = [*admission.mistakes(kind, new, old, self._allocations)]
        if causes:
            raise refusals.invalid(kind, key.name, causes)
        if kind.counts_generations:
            metadata["generation"] = stored["generation"] + _counts(old, new)
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and not dry_run:
            self._remove(kind, key)
            return new
        return new if dry_run or new == old else self._write(kind, key, new)

    def _place(self, kind: Kind, metadata: JsonObject, namespace: str) -> None:
        """See to it that the object is in the namespace of the URL, and that this exists."""
        if not kind.namespaced:
            metadata.pop("namespace", None)
            return
        if metadata.setdefault("namespace", namespace) != namespace:
            raise refusals.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if self._store.get(NAMESPACES, Key("", namespace)) is None:
            raise refusals.not_found(NAMESPACES, namespace)

    def _check_place(self, kind: Kind, key: Key, metadata: JsonObject) -> None:
        if metadata.setdefault("name", key.name) != key.name:
            said = metadata["name"]
            raise refusals.bad_request(
                f"the name of the object ({said}) does not match the name on the URL ({key.name})"
            )
        self._place(kind, metadata, key.namespace)

    def _check_preconditions(
        self, kind: Kind, key: Key, wanted: Mapping[str, str], metadata: Mapping[str, str]
    ) -> None:
        for name, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(name, metadata[name]) != metadata[name]:
                why = (
                    f"the {label} in the precondition ({wanted[name]}) does not match the {label} in record "
                    f"({metadata[name]}). The object might have been deleted and then recreated"
                )
                raise refusals.conflict(kind, key.name, why)

    def _name(self, kind: Kind, metadata: JsonObject) -> str:
        if metadata.get("generateName") and not metadata.get("name"):
            suffix = "".join(self._rng.choices(SUFFIX_LETTERS, k=SUFFIX_LENGTH))
            metadata["name"] = metadata["generateName"] + suffix
        name: str = metadata.get("name", "")
        if not name:
            message = "Required value: name or generateName is required"
            cause = Cause(path="metadata.name", message=message, word="FieldValueRequired")
            raise refusals.invalid(kind, "", [cause])
        return name

    def _write(self, kind: Kind, key: Key, new: JsonObject) -> JsonObject:
        if kind is SERVICES:
            self._allocations.record(self._store.get(kind, key), new)
        return self._store.put(kind, key, new)

    def _remove(self, kind: Kind, key: Key) -> JsonObject:
        last = self._store.delete(kind, key)
        if kind is SERVICES:
            self._allocations.record(last, None)
        return last

    def _end_namespace(self, key: Key, old: JsonObject) -> JsonObject:
        if key.name in UNDYING_NAMESPACES:
            raise refusals.namespace_stays(key.name)
        metadata = {**old["metadata"], "deletionTimestamp": _now()}
        terminating = {**old, "metadata": metadata, "status": {"phase": "Terminating"}}
        shown = self._write(NAMESPACES, key, terminating)
        for kind in self._store.kinds():
            for content, _ in self._store.all(kind):
                if content.namespace == key.name:
                    self._remove(kind, content)
        self._remove(NAMESPACES, key)
        return shown


def _counts(old: JsonObject, new: JsonObject) -> bool:
    """Whether this change makes a new generation: anything but annotations."""
    labels = [value["metadata"].get("labels", {}) for value in (old, new)]
    return {**new, "metadata": None} != {**old, "metadata": None} or labels[0] != labels[1]


def _no_room(error: RangeIsFull) -> Refused:
    message = f"Internal error occurred: failed to allocate a serviceIP or nodePort: {error}"
    return Refused(code=500, reason=Reason.INTERNAL_ERROR, message=message)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
