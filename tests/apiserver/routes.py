"""From method and path to verb, kind, name and subresource."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apiserver import refusals
from apiserver.faults import Request
from apiserver.kinds import BY_PATH, KINDS, Kind
from apiserver.selectors import selected_name
from apiserver.store import Key

NAMED_VERBS: Final = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
COLLECTION_VERBS: Final = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
IN_NAMESPACE: Final = 2  # where in namespaces/NAME/PLURAL/… the plural stands
OF_NAMESPACES: Final = frozenset({"status", "finalize"})  # subresources of the namespace itself
STATUS_VERBS: Final = frozenset({"get", "update", "patch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is about."""

    verb: str
    kind: Kind
    key: Key
    """The name is empty for a collection, the namespace for all namespaces."""
    subresource: str = ""
    selected: str = ""
    """The name of the one object that a collection is asked for: rights by name hold for it, too."""

    @property
    def is_status(self) -> bool:
        """Whether it is about the status alone."""
        return self.subresource == "status"

    def request(self) -> Request:
        """The same for the rules of faults."""
        return Request(
            verb=self.verb,
            kind=self.kind,
            namespace=self.key.namespace,
            name=self.key.name or self.selected,
            subresource=self.subresource,
        )


def target_of(method: str, path: str, query: Mapping[str, str]) -> Target:
    """What the request is about, or a refusal that says what is served."""
    root, *rest = path.strip("/").split("/")
    if root == "apis" and len(rest) > 1:
        return _target(method, rest[0], rest[1], rest[2:], query)
    if root == "api" and rest:
        return _target(method, "", rest[0], rest[1:], query)
    raise refusals.no_such_path()


def _target(method: str, group: str, version: str, rest: list[str], query: Mapping[str, str]) -> Target:
    namespace = ""
    if len(rest) > IN_NAMESPACE and rest[0] == "namespaces" and rest[IN_NAMESPACE] not in OF_NAMESPACES:
        namespace, rest = rest[1], rest[IN_NAMESPACE:]
    if not rest:
        raise refusals.no_such_path()
    kind = BY_PATH.get((group, version, rest[0]))
    if kind is None:
        served = ", ".join(kind.resource for kind in KINDS)
        asked = f"{rest[0]}.{group}/{version}" if group else rest[0]
        raise refusals.not_implemented(f"does not serve {asked}; it has {served}")
    if bool(namespace) and not kind.namespaced:
        raise refusals.no_such_path()
    name = rest[1] if len(rest) > 1 else ""
    subresource = "/".join(rest[2:])
    verb = (NAMED_VERBS if name else COLLECTION_VERBS).get(method)
    if verb == "list" and query.get("watch") in {"true", "1"}:
        verb = "watch"
    if subresource and (subresource != "status" or not kind.has_status or verb not in STATUS_VERBS):
        raise refusals.not_implemented(f"does not serve {kind.plural}/{subresource}")
    if verb is None or (kind.namespaced and not namespace and (name or verb == "create")):
        raise refusals.method_not_allowed()
    selected = "" if name else selected_name(query.get("fieldSelector", ""))
    key = Key(namespace, name)
    return Target(verb=verb, kind=kind, key=key, subresource=subresource, selected=selected)
