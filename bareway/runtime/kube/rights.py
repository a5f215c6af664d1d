"""Which rights are missing, asked before the work begins (SelfSubjectAccessReview, authorization.k8s.io/v1).

A right that is missed when it is needed shows up in the middle of the work, perhaps after days; asked at
the start it is one sentence and an exit code. A server that does not answer such questions is believed to
allow all: the refusal then comes with the request itself.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Struct

from bareway.runtime.kube.errors import ApiError, KubeError

PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
AT_ONCE = 4
"""Questions: one after the other they would make the start of a speaker wait twenty times for an answer.
What begins next needs as many connections."""


class Api(Protocol):
    """What is needed of ``KubeClient``."""

    async def create(self, path: str, body: Mapping[str, object]) -> bytes:
        """Post a review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One verb on one resource."""

    verb: str
    resource: str
    """Plural, as in RBAC: ``services`` or ``services/status``."""
    group: str = ""
    namespace: str = ""
    """Empty = in all namespaces."""
    name: str = ""
    """Of the one object, for a list or watch by that field selector too; empty = of all."""

    def __str__(self) -> str:
        where = f"in namespace {self.namespace}" if self.namespace else "in all namespaces"
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}{f' {self.name}' if self.name else ''} {where}"


class _Decision(Struct, frozen=True):
    allowed: bool = False


class _Review(Struct, frozen=True):
    status: _Decision = _Decision()


async def missing_rights(client: Api, rights: Iterable[Right]) -> tuple[Right, ...]:
    """Those of ``rights`` that the API server denies us.

    Raises:
        KubeError: the API server cannot be asked at all.
    """
    asked = tuple(rights)
    answers: dict[Right, bool | KubeError] = {}
    questions = iter(asked)

    async def ask() -> None:
        for right in questions:
            try:
                answers[right] = await _is_allowed(client, right)
            except KubeError as error:
                answers[right] = error

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(ask(), name="a question about rights")
    for answer in answers.values():
        if isinstance(answer, KubeError):
            raise answer
    return tuple(right for right in asked if not answers[right])


async def _is_allowed(client: Api, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    asked = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
        "name": right.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {field: value for field, value in asked.items() if value}},
    }
    try:
        answer = await client.create(PATH, review)
    except ApiError:
        return True
    try:
        return msgspec.json.decode(answer, type=_Review).status.allowed
    except msgspec.MsgspecError:
        return True
