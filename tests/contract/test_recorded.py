"""Every request that our programs are on record for, sent to both servers: answered, and answered alike.

The bodies are the programs' own. Beside what a program hopes for there is what it must understand when it
comes late: the name is taken, the version is old, the object is gone. The record is made and watched over in
``test_life.py``; a request whose kind or query is new fails here until it is exercised.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from apiserver.client import Answer
from apiserver.record import Recorded, load
from bareway.model.names import ObjectKey
from bareway.model.objects import Lease, ObjectReference
from bareway.model.services import Condition, Service
from bareway.resources.announcer_lists import LABEL, SELECTOR
from bareway.resources.events import EventType, Note, WireEvent, again_patch, event_body, event_key
from bareway.resources.kinds import LEASES, SERVICES
from bareway.resources.objects import config_map_body, lease_body, lease_patch, lease_spec, secret_body
from bareway.resources.status import assign_patch, condition_patch, release_patch
from cluster.servers import Server
from support.builders import ips

Json = dict[str, Any]

RECORD: Final = load()
UNREAD: Final = frozenset({"managedFields"})
"""What the real server adds and no program reads."""
MOMENT: Final = "2026-01-02T03:04:05Z"
COMPONENT: Final = "metallb-controller"
OLD: Final = "1"  # as resourceVersion: from before anything was stored
PAGE: Final = 500
CLUSTER_SCOPED: Final = frozenset({"nodes", "namespaces"})
OTHERS: Final = frozenset({"daemonsets"})
"""What the embedded server holds nothing of: they are looked for, and none is there."""


class Seen(NamedTuple):
    """One answer: what was asked, the code, the words, and which fields the body has."""

    what: str
    code: int
    message: str
    shape: object


def shape(value: object) -> object:
    """The fields of a body and the types of what is in them."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in sorted(value.items()) if name not in UNREAD}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return type(value).__name__


def seen(what: str, answer: Answer) -> Seen:
    return Seen(what, answer.code, answer.message, shape(answer.body))


class Exercise:
    """A request on record, as it is sent to one server."""

    def __init__(self, server: Server, recorded: Recorded) -> None:
        self.server = server
        self.client = server.client
        self.recorded = recorded
        root, _, rest = recorded.path.partition("/{name}")
        self.collection = root.replace("{namespace}", server.namespace)
        self.part = rest
        self.plural = self.collection.rsplit("/", 1)[1]
        self.key = ObjectKey(server.namespace, "web")
        self.name = {
            # What has no namespace is the test's own in another way.
            "nodes": f"node-{server.namespace}",
            "namespaces": f"namespace-{server.namespace}",
            "events": event_key(_note(self.key), COMPONENT, "").name,
        }.get(self.plural, "web")

    async def run(self) -> list[Seen]:
        """Send it, and what belongs to it; what came back."""
        earlier = len(self.client.asked)
        try:
            answers = await self._verb()()
        finally:
            if self.plural in CLUSTER_SCOPED:
                for name in (self.name, self._first()):
                    await self.client.delete(f"{self.collection}/{name}")
        assert self.recorded.asked in self.client.asked[earlier:], "something else was sent"
        return answers

    def _verb(self) -> Callable[[], Awaitable[list[Seen]]]:
        is_watch = "watch" in self.recorded.query
        verbs = {
            ("GET", False): self._watch if is_watch else self._list,
            ("GET", True): self._get,
            ("POST", False): self._create,
            ("PUT", True): self._update,
            ("PATCH", True): self._patch,
        }
        return verbs[self.recorded.method, "{name}" in self.recorded.path]

    # -- reading

    async def _list(self) -> list[Seen]:
        if self.plural not in OTHERS:
            await self._make()
        query = await self._query(limit=str(PAGE))
        answer = await self.client.get(self.collection, **query)
        items = [item for item in answer.body["items"] if self._is_own(item)]
        return [seen("the list", replace(answer, body={**answer.body, "items": items}))]

    async def _watch(self) -> list[Seen]:
        query = await self._query(timeoutSeconds="1", allowWatchBookmarks="true")
        made = await self._make()
        await self.client.delete(f"{self.collection_of_own()}/{self.name}")
        events = await self.client.events(self.collection, **{**query, "watch": "true"})
        own = [event for event in events if event["type"] != "BOOKMARK" and self._is_own(event["object"])]
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in own]
        assert int(query["resourceVersion"]) < versions[0] == int(made.version)
        assert versions == sorted(set(versions))
        if self.plural == "namespaces":
            # It ends once all in it is gone: how often it is written until then, and whether it is gone in
            # this second, is for the real server's controllers to say.
            assert own[0]["type"] == "ADDED"
            assert {event["type"] for event in own[1:]} <= {"MODIFIED", "DELETED"}
            return [Seen("ADDED", 200, "", shape(own[0]))]
        assert [event["type"] for event in own] == ["ADDED", "DELETED"]
        return [Seen(event["type"], 200, "", shape(event)) for event in own]

    async def _get(self) -> list[Seen]:
        missing = await self.client.get(self._path())
        await self._make()
        return [seen("nothing there", missing), seen("there", await self.client.get(self._path()))]

    async def _query(self, **values: str) -> dict[str, str]:
        """Values for the query on record; the version and the token are those of a list made now."""
        first = await self.client.get(self.collection, limit="1" if self._is_late_page() else str(PAGE))
        metadata = first.body["metadata"]
        known = {
            "continue": metadata.get("continue", ""),
            "fieldSelector": f"metadata.name={self.name}",
            "labelSelector": SELECTOR,
            "resourceVersion": metadata["resourceVersion"],
            "watch": "true",
            **values,
        }
        return {name: known[name] for name in self.recorded.query}

    def _is_late_page(self) -> bool:
        return "continue" in self.recorded.query

    def _is_own(self, item: Json) -> bool:
        metadata = item["metadata"]
        own_place = metadata.get("namespace", self.server.namespace) == self.server.namespace
        return bool(own_place and metadata["name"] == self.name)

    # -- writing

    async def _create(self) -> list[Seen]:
        made = seen("made", await self._send("POST", self.collection, self._body()))
        again = seen("again", await self._send("POST", self.collection, self._body()))
        return [made] if self.plural == "selfsubjectaccessreviews" else [made, again]

    async def _update(self) -> list[Seen]:
        gone = await self._send("PUT", self._path(), self._body(version=OLD))
        made = await self._make()
        stale = await self._send("PUT", self._path(), self._body(version=OLD))
        written = await self._send("PUT", self._path(), self._body("other", version=made.version))
        assert int(written.version) > int(made.version)
        return [seen("gone", gone), seen("stale", stale), seen("written", written)]

    async def _patch(self) -> list[Seen]:
        patches = _PATCHES[self.plural]
        answers: list[Seen] = []
        made = await self._make()
        for what, patch in patches.items():
            path = self._path() + self.part
            stale = await self._send("PATCH", path, patch(_old(made.body)))
            current = await self.client.get(self._path())
            written = await self._send("PATCH", path, patch(current.body))
            assert int(written.version) > int(current.version)
            answers += [seen(f"stale, {what}", stale), seen(what, written)]
        await self.client.delete(self._path())
        late = next(iter(patches.values()))
        return [*answers, seen("gone", await self._send("PATCH", self._path() + self.part, late(made.body)))]

    async def _send(self, method: str, path: str, body: Mapping[str, object]) -> Answer:
        """As the programs encode it: bytes become base64."""
        content_type = self.recorded.content_type or "application/json"
        content = msgspec.json.encode(body)
        limit = {"timeout": "1000ms"} if "timeout" in self.recorded.query else {}
        return await self.client.request(method, path, content, content_type=content_type, **limit)

    # -- objects

    async def _make(self) -> Answer:
        """The object that is asked about, and another one before it in the order of lists."""
        if self._is_late_page():
            other = await self._post(self._body(name=self._first()))
            assert other.code in {201, 409}, other
        made = await self._post(self._body())
        assert made.code == 201, made
        return made

    async def _post(self, body: Mapping[str, object]) -> Answer:
        return await self.client.create(self.collection_of_own(), msgspec.json.encode(body))

    def collection_of_own(self) -> str:
        """Where to make objects of a kind that is listed in all namespaces."""
        if self.plural in CLUSTER_SCOPED or f"/namespaces/{self.server.namespace}/" in self.collection:
            return self.collection
        root, _, plural = self.collection.rpartition("/")
        return f"{root}/namespaces/{self.server.namespace}/{plural}"

    def _path(self) -> str:
        return f"{self.collection}/{self.name}"

    def _first(self) -> str:
        """The name of another object, which comes before in the order of lists."""
        return f"a-{self.name}"

    def _body(self, data: str = "some", *, name: str = "", version: str = "") -> Mapping[str, object]:
        key = ObjectKey(self.server.namespace, name or self.name)
        return _BODIES[self.plural](key, data, version)


def _note(about: ObjectKey) -> Note:
    reference = ObjectReference(kind="Service", key=about, api_version="v1")
    return Note(reference, EventType.NORMAL, "IPAllocated", 'Assigned IP ["192.0.2.10"]')


def _review() -> Mapping[str, object]:
    attributes = {"verb": "patch", "resource": "services", "subresource": "status"}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def _metadata(key: ObjectKey) -> Json:
    return {"name": key.name, "labels": {"kubernetes.io/service-name": key.name}}


_BODIES: Final[Mapping[str, Callable[[ObjectKey, str, str], Mapping[str, object]]]] = {
    "configmaps": lambda key, data, version: config_map_body(
        key, {"config": data}, labels=LABEL, resource_version=version
    ),
    "secrets": lambda key, data, _: secret_body(key, {"secretkey": data.encode()}),
    "events": lambda key, *_: event_body(_note(ObjectKey(key.namespace, "web")), COMPONENT, "", MOMENT),
    "selfsubjectaccessreviews": lambda *_: _review(),
    "leases": lambda key, *_: lease_body(key, _spec()),
    # What others write, and we only read:
    "namespaces": lambda key, *_: {"metadata": {"name": key.name}},
    "services": lambda key, *_: {
        "metadata": _metadata(key),
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    },
    "nodes": lambda key, *_: {
        "metadata": _metadata(key),
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    },
    "endpointslices": lambda key, *_: {
        "metadata": _metadata(key),
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.1"], "nodeName": "n1"}],
        "ports": [{"port": 8080}],
    },
}


def _service(body: Json) -> Service:
    read = SERVICES.read(msgspec.json.encode(body)).content
    assert isinstance(read, Service)
    return read


def _lease(body: Json) -> Lease:
    read = LEASES.read(msgspec.json.encode(body)).content
    assert isinstance(read, Lease)
    return read


def _spec(transitions: int = 1) -> Mapping[str, object]:
    at = datetime.fromisoformat(MOMENT)
    return lease_spec(holder="one", duration_s=3, transitions=transitions, at=at, is_new_holder=True)


SAID: Final = Condition(is_true=True, reason="Assigned", message="192.0.2.10 of default", since=MOMENT)
_PATCHES: Final[Mapping[str, Mapping[str, Callable[[Json], Mapping[str, object]]]]] = {
    "services": {
        "assign": lambda body: assign_patch(_service(body), ips("192.0.2.10"), "default", SAID),
        "say": lambda body: condition_patch(_service(body), None),
        "release": lambda body: release_patch(_service(body), SAID),
    },
    "leases": {"renew": lambda body: lease_patch(_lease(body), _spec(transitions=2))},
    "events": {"count": lambda body: again_patch(msgspec.convert(body, WireEvent), MOMENT)},
}


def _old(body: Json) -> Json:
    return {**body, "metadata": {**body["metadata"], "resourceVersion": OLD}}


each_request = pytest.mark.parametrize("recorded", RECORD, ids=str)


@each_request
async def test_a_recorded_request_is_served(server: Server, recorded: Recorded) -> None:
    answers = await Exercise(server, recorded).run()
    assert {answer.code for answer in answers} & {200, 201}
    assert not {answer.code for answer in answers} & {400, 405, 422, 500, 501}


@pytest.mark.real
@each_request
async def test_a_recorded_request_is_answered_alike_by_both_servers(
    both: tuple[Server, Server], recorded: Recorded
) -> None:
    ours, theirs = [await Exercise(server, recorded).run() for server in both]
    assert ours == theirs
