"""Commands for a cluster are typed into a shell, page by page and in order, against an API server.

The embedded one has no Pods and no Deployments: lines about those are left out here, and parsed all the same
(``test_commands.py``). Lines with a placeholder for the reader to replace are left out, too.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from apiserver.client import Client
from apiserver.kubeconfigs import kubeconfig
from apiserver.server import EmbeddedApi
from bareway.cli.verb import ExitCode
from support.instructions import commands, parts, program
from support.kubectl_words import kinds_of
from support.pages import ROOT, Page, pages
from support.slips import PLACEHOLDER

SERVED: Final = {"configmap", "endpointslice", "event", "lease", "namespace", "node", "secret", "service"}
WITH_ANY_CLUSTER: Final = {"drain", "move", "plan", "undrain"}
ASKING: Final = {"bgp", "doctor", "history", "members", "pools", "status", "uninstall", "why"}
"""What these find is not well: no program of ours runs there. But they say so in sentences."""
NAMESPACES: Final = ("bareway-system", "default", "metallb-system")
TYPED_MIN: Final = 20
ADDRESSES: Final = {"web": "192.0.2.10", "other": "192.0.2.11"}


def _config(namespace: str) -> dict[str, Any]:
    document = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "config", "namespace": namespace},
        "data": {"config": document},
    }


def _service(name: str, address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
    }


@asynccontextmanager
async def cluster(directory: Path) -> AsyncIterator[str]:
    """What a shell is told before, to reach two nodes, two Services, and what an installation has."""
    async with EmbeddedApi() as api, Client(api.url) as client:
        for name in NAMESPACES:
            await client.create("/api/v1/namespaces", {"metadata": {"name": name}})
        for name in ("node1", "node2"):
            await client.create("/api/v1/nodes", {"metadata": {"name": name}})
        for namespace in ("bareway-system", "metallb-system"):
            await client.create(f"/api/v1/namespaces/{namespace}/configmaps", _config(namespace))
        await client.create("/api/v1/namespaces/bareway-system/secrets", {"metadata": {"name": "memberlist"}})
        leases = "/apis/coordination.k8s.io/v1/namespaces/bareway-system/leases"
        await client.create(leases, {"metadata": {"name": "bareway-controller"}, "spec": {}})
        for name, address in ADDRESSES.items():
            path = "/api/v1/namespaces/default/services"
            await client.create(path, _service(name, address))
            await client.patch(f"{path}/{name}/status", {"status": _service(name, address)["status"]})
        (directory / "kubeconfig").write_text(kubeconfig(api.url))
        (directory / "manifests").symlink_to(ROOT / "manifests")
        own = Path(sys.executable).parent
        yield f"export KUBECONFIG={directory}/kubeconfig KUBECACHEDIR={directory}/cache PATH={own}:$PATH; "


def _can_be_typed(line: str) -> bool:
    return all(map(_is_answered, parts(line)))


def _is_answered(words: list[str]) -> bool:
    if any(PLACEHOLDER.fullmatch(word) for word in words):
        return False
    match program(words):
        case "bareway":
            return words[1] in WITH_ANY_CLUSTER | ASKING and "-f" not in words
        case "kubectl":
            kinds = kinds_of(words[1:])
            return bool(kinds) and kinds <= SERVED
        case _:
            return False


def _codes(line: str) -> Collection[int]:
    words = parts(line)[-1]
    return set(ExitCode) if program(words) == "bareway" and words[1] in ASKING else {0}


def _lines(page: Page) -> list[str]:
    """Each once."""
    return list(
        dict.fromkeys(line for block in page.blocks for line in commands(block) if _can_be_typed(line))
    )


PAGES: Final = [page for page in pages() if _lines(page)]


@pytest.mark.timeout(200)  # a program for each line
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_what_a_page_says_can_be_typed_one_line_after_the_other(page: Page, tmp_path: Path) -> None:
    async with cluster(tmp_path) as prelude:
        for line in _lines(page):
            process = await asyncio.create_subprocess_shell(
                prelude + line,
                cwd=tmp_path,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            told, _ = await process.communicate()
            assert not re.search(r"Traceback|^/bin/sh:", told.decode()), f"{line}\n{told.decode()}"
            assert process.returncode in _codes(line), f"{line}\n{told.decode()}"


def test_there_is_something_to_type() -> None:
    assert sum(len(_lines(page)) for page in PAGES) >= TYPED_MIN
