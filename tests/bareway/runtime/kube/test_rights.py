"""bareway.runtime.kube.rights: what is missing is named; a server that cannot be asked is believed."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from bareway.runtime.kube.errors import KubeError, Unreachable, api_error
from bareway.runtime.kube.rights import AT_ONCE, Right, missing_rights

STATUS = Right(verb="patch", resource="services/status")
SLICES = Right(verb="watch", resource="endpointslices", group="discovery.k8s.io")
SECRET = Right(verb="create", resource="secrets", namespace="bareway-system")
KEY = Right(verb="watch", resource="secrets", namespace="bareway-system", name="memberlist")


class Reviewer:
    """Allows some rights, or fails."""

    def __init__(self, *denied: str, failure: KubeError | None = None, answer: bytes | None = None) -> None:
        self.denied = denied
        self.failure = failure
        self.answer = answer
        self.asked: list[Mapping[str, str]] = []

    async def create(self, path: str, body: Mapping[str, Any]) -> bytes:
        assert path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        if self.failure:
            raise self.failure
        attributes = body["spec"]["resourceAttributes"]
        self.asked.append(attributes)
        allowed = attributes["resource"] not in self.denied
        return self.answer or json.dumps({"status": {"allowed": allowed, "reason": "RBAC"}}).encode()


async def test_missing_rights_are_named_in_words() -> None:
    missing = await missing_rights(
        Reviewer("services", "secrets", "endpointslices"), [STATUS, SLICES, SECRET, KEY]
    )
    assert [str(right) for right in missing] == [
        "patch services/status in all namespaces",
        "watch endpointslices.discovery.k8s.io in all namespaces",
        "create secrets in namespace bareway-system",
        "watch secrets memberlist in namespace bareway-system",
    ]


async def test_each_right_is_asked_for_exactly() -> None:
    reviewer = Reviewer()
    assert await missing_rights(reviewer, [STATUS, SLICES, SECRET, KEY]) == ()
    assert reviewer.asked == [
        {"verb": "patch", "resource": "services", "subresource": "status"},
        {"verb": "watch", "resource": "endpointslices", "group": "discovery.k8s.io"},
        {"verb": "create", "resource": "secrets", "namespace": "bareway-system"},
        {"verb": "watch", "resource": "secrets", "namespace": "bareway-system", "name": "memberlist"},
    ]


@pytest.mark.parametrize(
    "reviewer",
    [
        pytest.param(Reviewer(failure=api_error("POST", 404, "NotFound", "")), id="404"),
        pytest.param(Reviewer(failure=api_error("POST", 501, "", "")), id="501"),
        pytest.param(Reviewer(failure=api_error("POST", 403, "Forbidden", "")), id="not even allowed to ask"),
        pytest.param(Reviewer(answer=b"ok"), id="an answer that is no review"),
    ],
)
async def test_a_server_that_cannot_be_asked_is_believed_to_allow_all(reviewer: Reviewer) -> None:
    assert await missing_rights(reviewer, [STATUS]) == ()


async def test_some_are_asked_side_by_side_and_told_in_the_order_of_the_questions() -> None:
    class Slow(Reviewer):
        """Answers nobody before AT_ONCE have asked."""

        def __init__(self) -> None:
            super().__init__("services", "secrets", "endpointslices")
            self.waiting: list[asyncio.Event] = []

        async def create(self, path: str, body: Mapping[str, Any]) -> bytes:
            turn = asyncio.Event()
            self.waiting.append(turn)
            if len(self.waiting) == AT_ONCE:
                for event in self.waiting:
                    event.set()
            await turn.wait()
            return await super().create(path, body)

    assert await missing_rights(Slow(), [STATUS, SLICES, SECRET, KEY]) == (STATUS, SLICES, SECRET, KEY)


async def test_a_server_that_is_away_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        await missing_rights(Reviewer(failure=Unreachable("refused")), [STATUS])
