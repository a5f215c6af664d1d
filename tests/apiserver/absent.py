"""Kinds that every cluster has and this server holds nothing of: their lists are empty, or as a test wants.

``kubectl describe`` looks for them beside what it describes, and the controller for MetalLB's DaemonSet.
Nothing can be made of them over HTTP, they cannot be watched, and discovery does not name them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from apiserver import selectors
from apiserver.faults import Request
from apiserver.kinds import Kind
from apiserver.store import JsonObject

KINDS: Final = {
    ("v1", "limitranges"): "LimitRange",
    ("v1", "pods"): "Pod",
    ("v1", "resourcequotas"): "ResourceQuota",
    ("apps/v1", "daemonsets"): "DaemonSet",
}

_LIST: Final = re.compile(r"/apis?/(?P<version>v1|apps/v1)/(?:namespaces/[^/]+/)?(?P<plural>[^/]+)")


def asked(method: str, path: str, query: Mapping[str, str]) -> Request | None:
    """What a request asks of these kinds, for the rules of faults; None if it asks for something else."""
    found = _LIST.fullmatch(path)
    name = KINDS.get((found["version"], found["plural"])) if found else None
    if found is None or name is None or method != "GET" or "watch" in query:
        return None
    group = found["version"].rpartition("/")[0]
    kind = Kind(group=group, plural=found["plural"], name=name)
    return Request(verb="list", kind=kind, namespace="", name="", subresource="")


def listed(
    method: str,
    path: str,
    query: Mapping[str, str],
    *,
    others: Mapping[str, Sequence[JsonObject]],
    revision: int,
) -> JsonObject | None:
    """The list that a request asks for, of ``others`` by plural; None if it asks for something else."""
    found = _LIST.fullmatch(path)
    name = KINDS.get((found["version"], found["plural"])) if found else None
    if found is None or name is None or method != "GET" or "watch" in query:
        return None
    kind = Kind(plural=found["plural"], name=name)
    matches = selectors.matcher(kind, labels=query.get("labelSelector", ""), fields="")
    items = [one for one in others.get(kind.plural, ()) if matches(one)]
    metadata = {"resourceVersion": str(revision)}
    return {"kind": f"{name}List", "apiVersion": found["version"], "metadata": metadata, "items": items}
