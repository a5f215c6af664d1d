"""Kinds that every cluster has and this server holds nothing of: their lists are empty.

``kubectl describe`` looks for them beside what it describes. Nothing can be made of them, they cannot be
watched, and discovery does not name them.
"""

import re
from typing import Final

from apiserver.store import JsonObject

KINDS: Final = {"limitranges": "LimitRange", "pods": "Pod", "resourcequotas": "ResourceQuota"}

_LIST: Final = re.compile(r"/api/v1/(?:namespaces/[^/]+/)?(?P<plural>[^/]+)")


def empty_list(method: str, path: str, *, is_watch: bool, revision: int) -> JsonObject | None:
    """The list that a request asks for; None if it asks for something else."""
    found = _LIST.fullmatch(path)
    name = KINDS.get(found["plural"]) if found else None
    if name is None or method != "GET" or is_watch:
        return None
    metadata = {"resourceVersion": str(revision)}
    return {"kind": f"{name}List", "apiVersion": "v1", "metadata": metadata, "items": []}
