"""The embedded API server with thousands of Services in it from the start, each with its address.

    python -m lab.tools.filled_api --listen 192.0.2.2:6443 --kubeconfig-out FILE ADDRESS …

They look as after a restart of everything: made, served and told of long ago, so that a controller adopts
them and writes nothing to them. Every write that it serves is a line of ``Write``.
"""

import argparse
import asyncio
import gzip
import signal
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apiserver import EmbeddedApi
from apiserver.kinds import ENDPOINT_SLICES, SERVICES
from apiserver.kubeconfigs import kubeconfig
from apiserver.refusals import Refused
from apiserver.routes import target_of
from apiserver.store import Key
from lab.observations import Write

LOOK_EVERY_S = 0.02
READS = {"get", "list", "watch"}
PODS = ("10.244.0.1", "fd00:10:244::1")
POOL = "default"
AS_GZIP = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
"""As Kubernetes' own server sends long answers."""


class FilledApi(EmbeddedApi):
    """Makes each page of a list once, for all who ask for it: it is not the server that is measured."""

    def __init__(self, *, host: str, port: int) -> None:
        super().__init__(host=host, port=port, seed="filled", first_revision=int(time.time()))
        self._pages: dict[tuple[str, str], tuple[int, bytes]] = {}

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = (request.path_qs, request.headers.get("Accept", ""))
        is_page = request.method == "GET" and "limit" in request.query
        known = self._pages.get(asked) if is_page else None
        if known is not None and ("continue" in request.query or known[0] == self.store.revision):
            return web.Response(body=known[1], headers=AS_GZIP)
        response = await super()._serve(request)
        is_whole = isinstance(response, web.Response) and isinstance(response.body, bytes)
        if is_page and is_whole and response.status == HTTPStatus.OK:
            assert isinstance(response, web.Response)
            assert isinstance(response.body, bytes)
            self._pages[asked] = (self.store.revision, gzip.compress(response.body, compresslevel=1))
            return web.Response(body=self._pages[asked][1], headers=AS_GZIP)
        return response


def fill(api: EmbeddedApi, addresses: list[str]) -> None:
    """A Service for each address, with one endpoint."""
    for number, address in enumerate(addresses):
        name = f"web-{number:05}"
        api.registry.create(SERVICES, "default", service(name, address))
        status = status_of(address)
        api.registry.patch(
            SERVICES,
            Key("default", name),
            lambda old, status=status: {**old, "status": status},  # type: ignore[misc]  # bound at once
            is_status=True,
        )
        api.registry.create(ENDPOINT_SLICES, "default", endpoint_slice(name, address))


def service(name: str, address: str) -> dict[str, Any]:
    """As people write it, and as the controller leaves it."""
    return {
        "metadata": {"name": name, "annotations": {"metallb.io/ip-allocated-from-pool": POOL}},
        "spec": {
            "type": "LoadBalancer",
            "allocateLoadBalancerNodePorts": False,
            "ipFamilyPolicy": "SingleStack",
            "ipFamilies": [_family(address)],
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        },
    }


def status_of(address: str) -> dict[str, Any]:
    """With the address, and the word that it is assigned."""
    condition = {
        "type": "bareway.io/AddressAssigned",
        "status": "True",
        "reason": "Assigned",
        "message": f'assigned ["{address}"] from pool {POOL}',
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {"loadBalancer": {"ingress": [{"ip": address}]}, "conditions": [condition]}


def endpoint_slice(name: str, address: str) -> dict[str, Any]:
    """One ready endpoint."""
    return {
        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        "addressType": _family(address),
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [PODS[":" in address]], "conditions": {"ready": True}}],
    }


def _family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def written(at: float, method: str, path: str) -> Write | None:
    """What a request changed; None for one that only asks."""
    try:
        target = target_of(method, path.partition("?")[0], {})
    except Refused:  # a review of rights
        return None
    if target.verb in READS:
        return None
    return Write(at=at, verb=target.verb, resource=target.kind.plural, name=target.key.name)


async def serve(host: str, port: int, kubeconfig_out: Path, addresses: list[str]) -> None:
    """Serve until a signal comes."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    api = FilledApi(host=host, port=port)
    fill(api, addresses)
    async with api:
        kubeconfig_out.write_text(kubeconfig(api.url))  # noqa: ASYNC240 - nobody is served yet
        print(api.url, flush=True)
        told = 0
        while not end.is_set():
            await asyncio.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            for method, path in api.requests[told:]:
                if method != "GET" and (write := written(now, method, path)) is not None:
                    sys.stdout.buffer.write(msgspec.json.encode(write) + b"\n")
            told = len(api.requests)
            sys.stdout.buffer.flush()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--kubeconfig-out", type=Path, required=True, metavar="FILE")
    parser.add_argument("addresses", nargs="*")
    given = parser.parse_args()
    host, _, port = given.listen.rpartition(":")
    asyncio.run(serve(host, int(port), given.kubeconfig_out, given.addresses))


if __name__ == "__main__":
    main()
