"""The embedded API server with objects of kinds that it does not have itself: they can be listed."""

import re
from typing import Any, Final

from aiohttp import web

from apiserver import answers
from apiserver.faults import Request
from apiserver.kinds import Kind
from apiserver.selectors import matcher
from apiserver.server import EmbeddedApi

RBAC: Final = "rbac.authorization.k8s.io"
KINDS: Final = (
    Kind(plural="serviceaccounts", name="ServiceAccount"),
    Kind(group="apps", plural="daemonsets", name="DaemonSet"),
    Kind(group="apps", plural="deployments", name="Deployment"),
    Kind(group="networking.k8s.io", plural="networkpolicies", name="NetworkPolicy"),
    Kind(group="policy", plural="poddisruptionbudgets", name="PodDisruptionBudget"),
    Kind(group=RBAC, plural="clusterroles", name="ClusterRole", namespaced=False),
    Kind(group=RBAC, plural="clusterrolebindings", name="ClusterRoleBinding", namespaced=False),
    Kind(group=RBAC, plural="roles", name="Role"),
    Kind(group=RBAC, plural="rolebindings", name="RoleBinding"),
)
ABSENT: Final = "/apis/monitoring.coreos.com/"
"""As where its CRDs are not installed."""

_BY_PATH: Final = {(kind.api_version, kind.plural): kind for kind in KINDS}
_LIST: Final = re.compile(r"/apis?/((?:[^/]+/)?v1)(?:/namespaces/([^/]+))?/([^/]+)")


class FurnishedApi(EmbeddedApi):
    """Everything else is as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.furniture: list[tuple[str, dict[str, Any]]] = []

    def put(self, kind: str, name: str, namespace: str = "", *, labels: Any = None, **rest: Any) -> None:
        """Have this object; it is ours unless its labels say otherwise."""
        metadata: dict[str, Any] = {"name": name, "labels": {"app": "bareway"} if labels is None else labels}
        if namespace:
            metadata["namespace"] = namespace
        self.furniture.append((kind, {"metadata": metadata, **rest}))

    async def _aside(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith(ABSENT):
            return web.json_response({"kind": "Status", "reason": "NotFound", "code": 404}, status=404)
        found = _LIST.fullmatch(request.path)
        kind = _BY_PATH.get((found[1], found[3])) if found else None
        if found is None or kind is None or request.method != "GET":
            return await super()._aside(request)
        asked = Request(verb="list", kind=kind, namespace=found[2] or "", name="", subresource="")
        rule = self.faults.take(asked)
        answer = await self._misbehave(rule, asked) if rule is not None else None
        return answer or answers.respond(self._list(kind, found[2], request.query.get("labelSelector", "")))

    def _list(self, kind: Kind, namespace: str | None, labels: str) -> dict[str, Any]:
        matches = matcher(kind, labels=labels, fields="")
        items = [
            body
            for name, body in self.furniture
            if name == kind.name and matches(body) and namespace in (None, body["metadata"].get("namespace"))
        ]
        metadata = {"resourceVersion": str(self.store.revision)}
        return {
            "kind": f"{kind.name}List",
            "apiVersion": kind.api_version,
            "metadata": metadata,
            "items": items,
        }
