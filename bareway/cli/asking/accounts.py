"""Which rights the ServiceAccounts of our programs lack (SubjectAccessReview, authorization.k8s.io/v1).

Asked by whoever may ask for others, which administrators may. The lists are those that the programs ask about
at their own start; a test compares them.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from bareway.model.arguments import CONFIG_NAME, CONFIG_NAMESPACE, GOSSIP_SECRET, value_of
from bareway.model.cluster import PodState
from bareway.resources.announcer_lists import shard_keys
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.state import STATE_NAME
from bareway.runtime.kube.errors import BadAnswer, KubeError
from bareway.runtime.kube.rights import Api, Right

PATH: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
AT_ONCE: Final = 8
WATCHING: Final = ("list", "watch")
LEASE, LEASE_GROUP = "bareway-controller", "coordination.k8s.io"
SLICES, SLICES_GROUP = "endpointslices", "discovery.k8s.io"


def controller_rights(own: str, theirs: str, config: str, secret: str) -> tuple[Right, ...]:
    """What the controller needs: ``own`` namespace, ``theirs`` of the ConfigMap ``config``."""
    maps = ((own, IN_FORCE_NAME), (own, STATE_NAME), (theirs, config))
    written = (IN_FORCE_NAME, STATE_NAME, *(key.name for key in shard_keys(own)))
    return (
        *_everywhere(("services", ""), ("namespaces", ""), (SLICES, SLICES_GROUP), ("nodes", "")),
        Right(verb="patch", resource="services/status"),
        *(Right(verb=verb, resource="configmaps", namespace=own) for verb in WATCHING),
        *(one for namespace, name in maps for one in _read("configmaps", namespace, name)),
        Right(verb="create", resource="configmaps", namespace=own),
        *(Right(verb="update", resource="configmaps", namespace=own, name=name) for name in written),
        *_read("secrets", own, secret),
        Right(verb="create", resource="secrets", namespace=own),
        *(
            Right(verb=verb, resource="leases", group=LEASE_GROUP, namespace=own, name=LEASE)
            for verb in (*WATCHING, "get", "patch")
        ),
        Right(verb="create", resource="leases", group=LEASE_GROUP, namespace=own),
        *(Right(verb=verb, resource="events") for verb in ("create", "get", "patch")),
    )


def speaker_rights(own: str, theirs: str, config: str, secret: str) -> tuple[Right, ...]:
    """What a speaker needs."""
    maps = ((own, IN_FORCE_NAME), (theirs, config))
    return (
        *_everywhere(("services", ""), (SLICES, SLICES_GROUP), ("nodes", "")),
        *(one for namespace, name in maps for one in _read("configmaps", namespace, name)),
        *(Right(verb=verb, resource="configmaps", namespace=own) for verb in WATCHING),
        *_read("secrets", own, secret),
    )


NEEDS: Final = {"controller": controller_rights, "speaker": speaker_rights}


async def missing_rights(client: Api, namespace: str, pods: Sequence[PodState]) -> dict[str, tuple[str, ...]]:
    """By ServiceAccount: what its program needs and may not do.

    Raises:
        KubeError: we may not ask, or nobody answers.
    """
    found: dict[str, tuple[str, ...]] = {}
    for component, needs in NEEDS.items():
        arguments = [one for pod in pods if pod.component == component for one in pod.arguments]
        if any(pod.component == component for pod in pods):
            rights = needs(
                namespace,
                value_of(arguments, CONFIG_NAMESPACE) or namespace,
                value_of(arguments, CONFIG_NAME) or "config",
                value_of(arguments, GOSSIP_SECRET) or "memberlist",
            )
            account = f"bareway-{component}"
            found[account] = await _missing(client, namespace, account, tuple(dict.fromkeys(rights)))
    return found


class _Decision(Struct, frozen=True):
    allowed: bool = False


class _Review(Struct, frozen=True):
    status: _Decision = _Decision()


async def _missing(client: Api, namespace: str, account: str, rights: Sequence[Right]) -> tuple[str, ...]:
    """AT_ONCE questions at a time; the first that fails ends them."""
    denied: set[Right] = set()
    failures: list[KubeError] = []
    questions = iter(rights)

    async def ask() -> None:
        for right in questions:
            try:
                is_allowed = _decision(await client.create(PATH, _review(namespace, account, right)))
            except KubeError as error:
                failures.append(error)
                return
            if failures:
                return
            if not is_allowed:
                denied.add(right)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(ask(), name="a question about rights")
    if failures:
        raise failures[0]
    return tuple(str(right) for right in rights if right in denied)


def _decision(body: bytes) -> bool:
    try:
        return msgspec.json.decode(body, type=_Review).status.allowed
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"POST {PATH}: {error}") from error


def _review(namespace: str, account: str, right: Right) -> dict[str, object]:
    resource, _, subresource = right.resource.partition("/")
    asked = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
        "name": right.name,
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ],
            "resourceAttributes": {field: value for field, value in asked.items() if value},
        },
    }


def _everywhere(*kinds: tuple[str, str]) -> tuple[Right, ...]:
    return tuple(
        Right(verb=verb, resource=plural, group=group) for plural, group in kinds for verb in WATCHING
    )


def _read(resource: str, namespace: str, name: str) -> tuple[Right, ...]:
    return tuple(Right(verb=verb, resource=resource, namespace=namespace, name=name) for verb in WATCHING)
