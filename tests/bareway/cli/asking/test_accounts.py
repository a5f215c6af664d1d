"""The rights of our ServiceAccounts are those that the programs ask about themselves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bareway.cli.asking.accounts import AT_ONCE, NEEDS, missing_rights
from bareway.model.cluster import PodState
from bareway.model.names import NodeName
from bareway.runtime.kube.errors import ApiError, BadAnswer, Forbidden
from bareway.runtime.kube.rights import Right
from controller import settings as controller_settings
from controller import watch as controller_watch
from speaker import settings as speaker_settings
from speaker import watch as speaker_watch

PODS = [
    PodState(name=f"bareway-{component}-1", component=component, node=NodeName("n1"), ready=True)
    for component in NEEDS
]


def _programs(config_namespace: str) -> Mapping[str, tuple[Right, ...]]:
    of_controller = replace(controller_settings.Settings(), config_namespace=config_namespace)
    of_speaker = replace(
        speaker_settings.Settings(node_name=NodeName("n1")), config_namespace=config_namespace
    )
    return {"controller": controller_watch.rights(of_controller), "speaker": speaker_watch.rights(of_speaker)}


@pytest.mark.parametrize("component", NEEDS)
@pytest.mark.parametrize("theirs", ["bareway-system", "metallb-system"])
def test_a_programs_rights_are_those_that_it_asks_about_at_its_start(component: str, theirs: str) -> None:
    told = NEEDS[component]("bareway-system", theirs, "config", "memberlist")
    assert set(told) == set(_programs(theirs)[component])


class Reviewer:
    """An API server that answers reviews, and denies what it is told to."""

    def __init__(self, *denied: tuple[str, str], error: ApiError | None = None) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._denied = denied
        self._error = error

    async def create(self, path: str, body: Mapping[str, Any]) -> bytes:
        assert path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        assert body["kind"] == "SubjectAccessReview"
        if self._error is not None:
            raise self._error
        self.asked.append(body["spec"])
        asked = body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        allowed = (asked["verb"], resource) not in self._denied
        return msgspec.json.encode({"status": {"allowed": allowed}})


async def test_what_is_denied_is_named_by_account() -> None:
    reviewer = Reviewer(("patch", "services/status"), ("watch", "nodes"))
    assert await missing_rights(reviewer, "bareway-system", PODS) == {
        "bareway-controller": ("watch nodes in all namespaces", "patch services/status in all namespaces"),
        "bareway-speaker": ("watch nodes in all namespaces",),
    }


async def test_the_account_is_asked_about_with_the_groups_that_it_is_in() -> None:
    reviewer = Reviewer()
    await missing_rights(reviewer, "lb", PODS[:1])
    assert {one["user"] for one in reviewer.asked} == {"system:serviceaccount:lb:bareway-controller"}
    assert reviewer.asked[0]["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:lb",
        "system:authenticated",
    ]


async def test_the_arguments_of_the_program_say_which_config_map_it_reads() -> None:
    reviewer = Reviewer()
    pod = replace(PODS[1], arguments=("bareway-speaker", "--config-namespace=metallb-system"))
    await missing_rights(reviewer, "bareway-system", [pod])
    places = {
        (one["resourceAttributes"]["namespace"], one["resourceAttributes"]["name"])
        for one in reviewer.asked
        if one["resourceAttributes"]["resource"] == "configmaps" and "name" in one["resourceAttributes"]
    }
    assert places == {("metallb-system", "config"), ("bareway-system", "bareway-config")}


async def test_who_may_not_ask_is_told_so_after_a_few_questions() -> None:
    refusal = Forbidden("POST", status=403, reason="Forbidden", message="you cannot")
    reviewer = Reviewer(error=refusal)
    with pytest.raises(Forbidden, match="you cannot"):
        await missing_rights(reviewer, "bareway-system", PODS)
    assert len(reviewer.asked) <= AT_ONCE


async def test_an_answer_that_is_none_is_not_taken_for_a_right() -> None:
    class Strange:
        async def create(self, path: str, body: Mapping[str, Any]) -> bytes:
            return b"<html>"

    with pytest.raises(BadAnswer):
        await missing_rights(Strange(), "bareway-system", PODS)


async def test_of_a_program_that_is_not_there_nothing_is_asked() -> None:
    assert await missing_rights(Reviewer(), "bareway-system", []) == {}
