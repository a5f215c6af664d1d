"""A Kubernetes API in memory, without sockets: pages, watches, bookmarks and faults, in virtual time.

It has the methods of ``KubeClient`` that reflectors and recorders use. Faults of the transport belong to the
tests with the embedded API server, which speaks real HTTP.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from bareway.runtime.kube.errors import KubeError, api_error

Json = dict[str, Any]


def service_json(name: str, **spec: object) -> Json:
    """A Service as the API sends it, without what it need not."""
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "managedFields": [{"manager": "x"}],
        },
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80}], **spec},
        "status": {"loadBalancer": {}},
    }


class FakeKube:
    """One collection of objects, whatever the path; everything that happens has a revision."""

    def __init__(self) -> None:
        self.revision = 100
        self.compacted = 0
        """Watches from before this revision are answered 410."""
        self.objects: dict[str, Json] = {}
        self.history: list[tuple[int, str, Json]] = []
        self.requests: list[tuple[float, str, Mapping[str, str]]] = []
        """Virtual time, "list" or "watch", and the query."""
        self.failures: deque[KubeError] = deque()
        """Raised by the next requests."""
        self.broken: KubeError | None = None
        """Raised by every request."""
        self.stray_lines: deque[bytes] = deque()
        """Sent in the next open watch."""
        self._watch_error: KubeError | None = None
        self._news = asyncio.Condition()
        self._epoch = 0

    def put(self, name: str, **spec: object) -> None:
        """Create or change a Service."""
        event = "MODIFIED" if name in self.objects else "ADDED"
        self.store(event, service_json(name, **spec))

    def store(self, event: str, body: Json) -> None:
        """Let any JSON happen."""
        self.revision += 1
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.revision)}}
        name = body["metadata"]["name"]
        if event == "DELETED":
            self.objects.pop(name, None)
        else:
            self.objects[name] = body
        self.history.append((self.revision, event, body))

    def delete(self, name: str) -> None:
        """Delete a Service."""
        self.store("DELETED", self.objects[name])

    def bookmark(self) -> None:
        """Tell all watches that nothing happened up to now."""
        self.revision += 1
        body = {
            "kind": "Service",
            "metadata": {"resourceVersion": str(self.revision), "creationTimestamp": None},
        }
        self.history.append((self.revision, "BOOKMARK", body))

    def compact(self) -> None:
        """Forget all history."""
        self.compacted = self.revision
        self.history.clear()

    async def announce(self) -> None:
        """Let open watches see what happened, and wait until the readers have."""
        async with self._news:
            self._news.notify_all()
        await asyncio.sleep(0.001)

    async def end_watches(self, error: KubeError | None = None) -> None:
        """End all open watches, cleanly or with an error."""
        self._epoch += 1
        self._watch_error = error
        await self.announce()

    async def get(self, path: str, query: Mapping[str, str], *, timeout_s: float) -> bytes:
        self._begin("list", query)
        await asyncio.sleep(0.001)
        names = sorted(self.objects)
        start = int(query.get("continue", "0"))
        end = start + int(query["limit"])
        metadata = {"resourceVersion": str(self.revision), "continue": str(end) if end < len(names) else ""}
        items = [self.objects[name] for name in names[start:end]]
        return json.dumps({"kind": "ServiceList", "metadata": metadata, "items": items}).encode()

    async def watch(
        self, path: str, query: Mapping[str, str], *, timeout_s: float
    ) -> AsyncGenerator[list[bytes], None]:
        self._begin("watch", query)
        seen = int(query["resourceVersion"])
        if seen < self.compacted:
            raise api_error(f"GET {path}", 410, "Expired", "too old resource version")
        epoch = self._epoch
        ends_at = asyncio.get_running_loop().time() + float(query["timeoutSeconds"])
        yield []
        while self._epoch == epoch:
            lines = [*self.stray_lines]
            self.stray_lines.clear()
            lines += [
                json.dumps({"type": event, "object": body}).encode()
                for revision, event, body in self.history
                if revision > seen
            ]
            seen = self.revision
            if lines:
                yield lines
                continue
            try:
                async with asyncio.timeout_at(ends_at), self._news:
                    await self._news.wait()
            except TimeoutError:
                return
        if self._watch_error is not None:
            raise self._watch_error

    def _begin(self, what: str, query: Mapping[str, str]) -> None:
        self.requests.append((asyncio.get_running_loop().time(), what, dict(query)))
        if self.broken is not None:
            raise self.broken
        if self.failures:
            raise self.failures.popleft()
