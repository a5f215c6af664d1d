"""The API servers that the controller is measured with: Kubernetes' own, or the embedded one for a dry run.

Both count what they served: the real one in its own metrics, the embedded one by remembering each request.
"""

import os
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from apiserver import EmbeddedApi
from apiserver.client import Client
from apiserver.kubeconfigs import kubeconfig
from apiserver.refusals import Refused
from apiserver.routes import target_of
from bench.controller.program import Launch
from cluster.build import CannotBuild
from cluster.control_plane import ADMIN, GROUPS, ControlPlane, NotReady
from lab.commands import CannotTry, LabError

USER = "bareway"
"""As whom the controllers speak: unlike an administrator, they are subject to priority and fairness."""
LIFETIME_S = 3600.0
"""No measure lasts as long."""
VERBS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
"""Writes, as the embedded server and as the metrics of the real one call them."""
COUNTED = frozenset({"services", "events", "configmaps", "secrets", "leases"})
"""What controllers write; the real API server keeps Leases of its own, in another namespace."""

_SAMPLE = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Request(NamedTuple):
    """A kind of write."""

    verb: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


class Server(Protocol):
    """What is needed of an API server."""

    launch: Launch
    """How a controller is started that speaks to it."""

    def client(self) -> Client:
        """Somebody who may do everything, and look on for as long as a stage lives."""

    async def writes(self) -> Counter[Request]:
        """How many writes of each kind it has answered so far."""


class _Embedded:
    """In this process: good for a dry run, not for figures."""

    def __init__(self, api: EmbeddedApi, folder: Path) -> None:
        self._api = api
        file = folder / "kubeconfig"
        file.write_text(kubeconfig(api.url))
        self.launch = Launch(module="controller", arguments=(f"--kubeconfig={file}",))

    def client(self) -> Client:
        return Client(self._api.url, answer_within_s=LIFETIME_S)

    async def writes(self) -> Counter[Request]:
        count: Counter[Request] = Counter()
        for method, path in self._api.requests:
            try:
                target = target_of(method, path.partition("?")[0], {})
            except Refused:  # a review of rights, or no path at all
                continue
            if target.verb in VERBS:
                count[_request(VERBS[target.verb], target.kind.plural, target.subresource)] += 1
        return count


class _Real:
    """kube-apiserver and etcd, on loopback."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._plane = plane
        account = folder / "account"
        account.mkdir()
        (account / "token").write_text(plane.token_of(USER))
        (account / "ca.crt").write_bytes(plane.certificate_authority.read_bytes())
        server = urlsplit(plane.url)
        self.launch = Launch(
            module="bench.controller.pod",
            arguments=(str(account),),
            environment={
                "KUBERNETES_SERVICE_HOST": server.hostname or "",
                "KUBERNETES_SERVICE_PORT": str(server.port),
            },
        )

    def client(self) -> Client:
        plane = self._plane
        return Client(
            plane.url,
            token=plane.token_of(ADMIN),
            certificate_authority=plane.certificate_authority,
            answer_within_s=LIFETIME_S,
        )

    async def writes(self) -> Counter[Request]:
        async with self.client() as client:
            return counted((await client.get("/metrics")).body)


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Server]:
    """The server of ``tests/apiserver``."""
    async with EmbeddedApi() as api:
        yield _Embedded(api, folder)


@asynccontextmanager
async def real(folder: Path) -> AsyncIterator[Server]:
    """A new control plane; of Kubernetes' controllers only one runs, without which it does not start."""
    try:
        plane = ControlPlane(
            folder / "plane", controllers=("serviceaccount-controller",), users={**GROUPS, USER: ""}
        )
        with plane:
            _bind(plane)
            yield _Real(plane, folder)
    except CannotBuild as failure:
        raise CannotTry(str(failure)) from failure
    except NotReady as late:
        raise LabError(str(late)) from late


def counted(metrics: str) -> Counter[Request]:
    """The writes in a page of kube-apiserver's metrics, whatever came of them."""
    count: Counter[Request] = Counter()
    for labels, value in _SAMPLE.findall(metrics):
        told = dict(_LABEL.findall(labels))
        verb = "PATCH" if told["verb"] == "APPLY" else told["verb"]
        if verb in VERBS.values() and told["resource"] in COUNTED:
            count[_request(verb, told["resource"], told["subresource"])] += int(float(value))
    return count


def _request(verb: str, resource: str, subresource: str) -> Request:
    return Request(verb, f"{resource}/{subresource}" if subresource else resource)


def _bind(plane: ControlPlane) -> None:
    """All rights for the controllers: whether those in the manifests suffice is tested elsewhere."""
    bound = plane.kubectl(
        "create", "clusterrolebinding", USER, "--clusterrole=cluster-admin", f"--user={USER}"
    )
    if bound.returncode:
        raise LabError(f"the controllers got no rights: {bound.stderr}")


def load() -> float:
    """Of the last minute: other work on the machine."""
    return round(os.getloadavg()[0], 2)
