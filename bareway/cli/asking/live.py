"""The live cluster, read once through a kubeconfig: the same objects that files would hold."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, TypeVar

from bareway.cli.asking.files import CannotTell
from bareway.cli.settings import usual_kubeconfig
from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap
from bareway.model.problems import Problem
from bareway.resources.kinds import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    NAMESPACES,
    NODES,
    SERVICES,
    Kind,
    Reading,
    Unreadable,
)
from bareway.resources.manifests import DOCUMENT_FIELDS, Found, Misread, Place, Written
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialsUnusable, open_source
from bareway.runtime.kube.errors import KubeError, NotFound
from bareway.runtime.settings import DEFAULT_NAMESPACE

T = TypeVar("T")

PLACE: Final = Place(file="the cluster", document=0)
CONFIG_NAME: Final = "config"


def read_live(kubeconfig: Path | None, namespace: str | None) -> list[Found]:
    """Everything that a plan looks at; ``namespace`` is the one of the ConfigMap.

    Raises:
        CannotTell: no cluster, or a right is missing.
    """
    try:
        return asyncio.run(_read(kubeconfig, ObjectKey(namespace or DEFAULT_NAMESPACE, CONFIG_NAME)))
    except (KubeError, CredentialsUnusable, Unreadable) as error:
        raise CannotTell(f"the cluster cannot be read: {error}") from error


async def _read(kubeconfig: Path | None, key: ObjectKey) -> list[Found]:
    async with KubeClient(open_source(kubeconfig or usual_kubeconfig())) as client:
        found: list[Found] = []
        found += [one async for one in list_all(client, SERVICES)]
        found += [one async for one in list_all(client, NODES)]
        found += [one async for one in list_all(client, NAMESPACES)]
        found += [one async for one in list_all(client, ENDPOINT_SLICES)]
        try:
            found += _written(await client.read(CONFIG_MAPS, key))
        except NotFound as error:
            raise CannotTell(f"there is no ConfigMap {key} in the cluster") from error
        return found


async def list_all(
    client: KubeClient, kind: Kind[T], *, namespace: str | None = None, selector: str = ""
) -> AsyncIterator[T | Misread]:
    """Every object of a kind, or what is wrong with it; with these labels, in one namespace or in all."""
    query = {"limit": str(kind.page_size)} | ({"labelSelector": selector} if selector else {})
    while True:
        page = kind.read_page(await client.get(kind.path(namespace), query))
        for reading in page.readings:
            for found in _contents(kind, reading):
                yield found
        if not page.continue_token:
            return
        query["continue"] = page.continue_token


def _contents(kind: Kind[T], reading: Reading[T]) -> Iterator[T | Misread]:
    if not isinstance(reading.content, tuple):
        yield reading.content
        return
    for problem in reading.content:
        message = f"{kind.name} {reading.key}: {problem.message}"
        yield Misread(place=PLACE, problem=Problem(path=problem.path, message=message))


def _written(config_map: ConfigMap) -> Iterator[Found]:
    document, extension = (config_map.data.get(field, "") for field in DOCUMENT_FIELDS)
    yield Written(place=PLACE, text=document, extension=extension, config_map=config_map.key)
