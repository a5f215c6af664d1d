"""A real Kubernetes control plane without kubelets: what the API server's own behaviour is tested against.

``with ControlPlane(directory) as plane:`` starts etcd, kube-apiserver and kube-controller-manager and
returns when they are ready; ``plane.kubeconfig`` is an administrator's. Inside a network namespace
(``netns``) the address must be one of its own, with ``lo`` up. Nodes and EndpointSlices are made by hand:
no controller that judges Nodes by their heartbeats runs.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apiserver.kubeconfigs import kubeconfig
from cluster.build import binary
from cluster.daemons import Daemon

ADMIN: Final = "admin"
NOBODY: Final = "nobody"  # may do nothing: for tests of missing rights
MANAGER: Final = "system:kube-controller-manager"
PROXY: Final = "system:kube-proxy"
GROUPS: Final = {ADMIN: "system:masters", NOBODY: "", MANAGER: "", PROXY: ""}

SERVICE_NETWORKS: Final = "10.96.0.0/16,fd10:96::/112"
POD_NETWORKS: Final = "10.244.0.0/16,fd10:244::/48"
CONTROLLERS: Final = (
    "endpointslice-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
)

READY_WITHIN_S: Final = 90.0  # 4 s on an idle machine
READY_POLL_S: Final = 0.1


class NotReady(Exception):
    """The control plane did not come up; the message holds the end of the log to look at."""


class ControlPlane:
    """etcd, kube-apiserver and kube-controller-manager, and kube-proxies for the nodes of a lab."""

    def __init__(
        self,
        directory: Path,
        *,
        address: str = "127.0.0.1",
        netns: str | None = None,
        controllers: Sequence[str] = CONTROLLERS,
        flags: Sequence[str] = (),
        manager_flags: Sequence[str] = (),
        users: Mapping[str, str] = GROUPS,
    ) -> None:
        self.directory = directory
        self.address = address
        self.netns = netns
        self.port, self._etcd_port, self._peer_port = _free_ports(3)
        self._groups = users
        self._tokens = {user: secrets.token_hex(16) for user in users}
        self._binary = binary()
        self._controllers = controllers
        self._flags = flags
        self._more_manager_flags = manager_flags
        self.etcd = self._daemon("etcd", self._etcd_flags())
        self.api_server = self._daemon("kube-apiserver", self._api_server_flags())
        self.manager = self._daemon("kube-controller-manager", self._manager_flags())
        self._proxies: list[Daemon] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the API server is."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{self.port}"

    @property
    def certificate_authority(self) -> Path:
        """The certificate that the API server made for itself, with which clients check it."""
        return self.directory / "certs" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator."""
        return self.kubeconfig_of(ADMIN)

    def token_of(self, user: str) -> str:
        """The bearer token of one of the users."""
        return self._tokens[user]

    def kubeconfig_of(self, user: str) -> Path:
        """The kubeconfig of one of the users."""
        return self.directory / f"{user.removeprefix('system:')}.kubeconfig"

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._write_files()
        self.etcd.start()
        self.api_server.start()
        self.wait_ready()
        self.manager.start()
        self._wait_for("the default service account", ["get", "serviceaccount", "default"], self.manager)

    def stop(self) -> None:
        """End everything that was started; files and logs stay."""
        for daemon in (*self._proxies, self.manager, self.api_server, self.etcd):
            daemon.kill()  # nothing is to be kept, and a graceful end of the API server takes seconds
        self._proxies.clear()

    def wait_ready(self) -> None:
        """Return when the API server answers, for example after it was killed and started again."""
        self._wait_for("the API server", ["get", "--raw", "/readyz"], self.api_server)

    def kubectl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run stock kubectl as administrator, from within the network namespace; does not raise."""
        program = Path(sys.executable).parent / "kubectl"
        command = [str(program), f"--kubeconfig={self.kubeconfig}", "--request-timeout=5s", *arguments]
        if self.netns:
            command = ["nsenter", f"--net=/run/netns/{self.netns}", *command]
        environment = dict(os.environ) | {"KUBECACHEDIR": str(self.directory / "kubectl-cache")}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def compact(self, version: str) -> None:
        """Let etcd forget what was before a resourceVersion, as it does by itself every five minutes."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._etcd_port}/v3/kv/compaction",
            data=json.dumps({"revision": version, "physical": True}).encode(),
        )
        with urllib.request.urlopen(request, timeout=READY_WITHIN_S) as answer:  # noqa: S310 - http
            answer.read()

    def kube_proxy(self, *, node: str, netns: str) -> Daemon:
        """Start the kube-proxy of a node; needs the program ``nft``.

        The Node object, with its InternalIP, must exist.
        """
        command = self.proxy_command(node)
        proxy = Daemon("kube-proxy", command, log=self.directory / node / "kube-proxy.log", netns=netns)
        proxy.start()
        self._proxies.append(proxy)
        return proxy

    def proxy_command(self, node: str) -> list[str]:
        """Write the settings of a node's kube-proxy; returns how to run it."""
        directory = self.directory / node
        directory.mkdir(exist_ok=True)
        settings = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "hostnameOverride": node,
            "clusterCIDR": POD_NETWORKS,
            "oomScoreAdj": 0,  # containers and small machines may not lower it
            "clientConnection": {"kubeconfig": str(self.kubeconfig_of(PROXY))},
            "conntrack": {"maxPerCore": 0, "min": 0},  # not writable outside the first network namespace
            "nftables": {"minSyncPeriod": "100ms"},
        }
        path = directory / "kube-proxy.json"
        path.write_text(json.dumps(settings, indent=2))
        return [str(self._binary), "kube-proxy", f"--config={path}"]

    def _daemon(self, name: str, flags: list[str]) -> Daemon:
        command = [str(self._binary), name, *flags]
        return Daemon(name, command, log=self.directory / f"{name}.log", netns=self.netns)

    def _etcd_flags(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        return [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # thrown away afterwards
            "--log-level=warn",
        ]

    def _api_server_flags(self) -> list[str]:
        # On loopback the Service "kubernetes" has no endpoints: the API refuses such addresses.
        reconciler = "none" if ip_address(self.address).is_loopback else "lease"
        key = self.directory / "service-account.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--cert-dir={self.directory / 'certs'}",
            f"--advertise-address={self.address}",
            f"--bind-address={self.address}",
            f"--secure-port={self.port}",
            f"--endpoint-reconciler-type={reconciler}",
            f"--service-cluster-ip-range={SERVICE_NETWORKS}",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--profiling=false",
            *self._flags,
        ]

    def _manager_flags(self) -> list[str]:
        own = self.kubeconfig_of(MANAGER)
        return [
            f"--kubeconfig={own}",
            f"--authentication-kubeconfig={own}",
            f"--authorization-kubeconfig={own}",
            f"--controllers={','.join(self._controllers)}",
            f"--service-account-private-key-file={self.directory / 'service-account.key'}",
            f"--root-ca-file={self.certificate_authority}",
            f"--cert-dir={self.directory / 'manager-certs'}",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            "--leader-elect=false",
            "--use-service-account-credentials",
            "--kube-api-qps=500",  # the default of 20 delays the first service account by seconds
            "--kube-api-burst=1000",
            *self._more_manager_flags,
        ]

    def _write_files(self) -> None:
        rows = [f'{token},{user},{user},"{self._groups[user]}"\n' for user, token in self._tokens.items()]
        _write_secret(self.directory / "tokens.csv", "".join(rows))
        key = ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        _write_secret(self.directory / "service-account.key", text.decode())
        authority = str(self.certificate_authority)
        for user, token in self._tokens.items():
            text_of_user = kubeconfig(self.url, token=token, certificate_authority=authority)
            _write_secret(self.kubeconfig_of(user), text_of_user)

    def _wait_for(self, what: str, arguments: list[str], daemon: Daemon) -> None:
        ends_at = time.monotonic() + READY_WITHIN_S
        while self.kubectl(*arguments).returncode:
            if daemon.ends_within(READY_POLL_S):
                raise NotReady(f"{daemon.name} ended; its log {daemon.log} ends with:\n{daemon.tail()}")
            if time.monotonic() > ends_at:
                late = f"{what} was not ready in {READY_WITHIN_S:.0f} s"
                raise NotReady(f"{late}; {daemon.log} ends with:\n{daemon.tail()}")


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
