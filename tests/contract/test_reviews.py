"""May I? What a program asks at its start, before it needs a right."""

import pytest

from cluster.servers import Server

PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"verb": "list", "resource": "services"}, id="everywhere"),
        pytest.param(
            {"verb": "patch", "resource": "services", "subresource": "status", "namespace": "default"},
            id="a subresource",
        ),
        pytest.param({"verb": "list", "group": "apps", "resource": "deployments"}, id="another group"),
    ],
)
async def test_an_administrator_may(server: Server, attributes: dict[str, str]) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await server.client.create(PATH, review)
    assert (answer.code, answer.body["status"]["allowed"]) == (201, True)
    assert answer.body["spec"]["resourceAttributes"] == attributes


async def test_kubectl_asks_the_same(server: Server) -> None:
    assert await server.kubectl("auth", "can-i", "list", "services") == "yes\n"


async def test_a_review_without_a_question_is_refused(server: Server) -> None:
    empty = await server.client.create(PATH, {"spec": {}})
    assert (empty.code, empty.reason) == (422, "Invalid")
    assert "spec.resourceAttributes: Invalid value" in empty.message
    assert (await server.client.create(PATH, [])).code == 400
