"""Who we are to the API server: a service account inside the cluster, a kubeconfig outside of it.

Inside, that is two files and two variables of the environment; the token is a projected volume that the
kubelet replaces, so it is read again each minute. Outside, the official ``kubernetes`` package understands
kubeconfig files, exec plug-ins and OIDC; it costs 60 MB and half a second, so it runs in a child process
(``bareway.runtime.kube.kubeconfig``) that prints what it found and ends; a file of the usual simple form does
without (``bareway.runtime.kube.plain_kubeconfig``).
"""

import asyncio
import os
import ssl
import sys
from asyncio import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_AGE_S = 60.0  # the kubelet replaces a token at 80 per cent of its life, at least 10 minutes long
KUBECONFIG_AGE_S = 600.0  # tokens of exec plug-ins live longer; an expired one is renewed by the 401 it meets
RENEWAL_PAUSE_S = 10.0  # least time between two runs of a plug-in, however many 401 come in
CHILD_TIMEOUT_S = 30.0  # an exec plug-in may ask a server of its own
READER = (sys.executable, "-m", "bareway.runtime.kube.kubeconfig")


class CredentialsUnusable(Exception):
    """There is no way to speak to an API server; the text says what is missing, in one sentence."""


class Credentials(Struct, frozen=True, kw_only=True):
    """All that one request needs; also the JSON that the child process prints."""

    server: str
    """``https://host:port``, without a slash at the end."""
    authorization: str = ""
    """The whole header: ``Bearer …`` or ``Basic …``; empty without one."""
    ca: str = ""
    """PEM; empty = the system's authorities."""
    certificate: str = ""
    key: str = ""
    verify: bool = True
    server_name: str = ""
    """The name in the server's certificate, where it differs from the one in ``server``."""
    proxy: str = ""

    def __repr__(self) -> str:
        return f"Credentials(server={self.server!r})"


class CredentialSource(Protocol):
    """Where credentials come from, and how they are kept fresh."""

    async def current(self, *, now: float) -> Credentials:
        """What to use now."""

    async def renew(self, *, now: float) -> Credentials:
        """What to use after the server answered 401; the same as before if nothing newer can be had."""


class Fixed:
    """Credentials that never change; a plain ``http://`` server needs no more."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def current(self, *, now: float) -> Credentials:  # noqa: ARG002 - they have no age
        """The same as ever."""
        return self._credentials

    async def renew(self, *, now: float) -> Credentials:
        """The same as ever."""
        return await self.current(now=now)


class ServiceAccount:
    """The service account of the Pod we run in."""

    def __init__(self, environ: Mapping[str, str], directory: Path = SERVICE_ACCOUNT) -> None:
        self._server = _server_of(environ)
        self._directory = directory
        self._read_at = 0.0
        self._credentials = self._read()

    async def current(self, *, now: float) -> Credentials:
        """The token as the kubelet wrote it, not older than a minute."""
        if now - self._read_at >= TOKEN_AGE_S:
            return await self.renew(now=now)
        return self._credentials

    async def renew(self, *, now: float) -> Credentials:
        """The token as it is in the file now; the last one if the file cannot be read at this moment."""
        self._read_at = now
        try:
            self._credentials = self._read()
        except CredentialsUnusable:
            return self._credentials
        return self._credentials

    def _read(self) -> Credentials:
        try:
            token = (self._directory / "token").read_text().strip()
            authority = (self._directory / "ca.crt").read_text()
        except OSError as error:
            raise CredentialsUnusable(
                f"cannot read {error.filename} ({error.strerror}): the Pod has no service account token;"
                " set automountServiceAccountToken, or pass --kubeconfig"
            ) from error
        return Credentials(server=self._server, authorization=f"Bearer {token}", ca=authority)


class Kubeconfig:
    """A kubeconfig file: read here if it is a simple one, else by a child process."""

    def __init__(
        self,
        path: Path,
        context: str = "",
        *,
        environ: Mapping[str, str] | None = None,
        reader: tuple[str, ...] = READER,
        timeout_s: float = CHILD_TIMEOUT_S,
    ) -> None:
        self._path, self._context, self._environ = path, context, environ or {}
        self._command = (*reader, str(path), *filter(None, [context]))
        self._timeout_s = timeout_s
        self._credentials: Credentials | None = None
        self._read_at = 0.0
        self._lock = asyncio.Lock()

    async def current(self, *, now: float) -> Credentials:
        """What the file said at most ten minutes ago."""
        async with self._lock:
            if self._credentials is None or now - self._read_at >= KUBECONFIG_AGE_S:
                return await self._refresh(now)
            return self._credentials

    async def renew(self, *, now: float) -> Credentials:
        """What the file says now; not asked more often than every ten seconds."""
        async with self._lock:
            if self._credentials is None or now - self._read_at >= RENEWAL_PAUSE_S:
                return await self._refresh(now)
            return self._credentials

    async def _refresh(self, now: float) -> Credentials:
        from bareway.runtime.kube.plain_kubeconfig import read_plain  # noqa: PLC0415 - YAML: no Pod needs it here

        self._read_at = now
        try:
            plain = read_plain(self._path, self._context, self._environ)
            self._credentials = (
                Credentials(**plain._asdict())
                if plain is not None
                else await _ask_child(self._command, self._timeout_s)
            )
        except CredentialsUnusable:
            if self._credentials is None:
                raise
        return self._credentials


def open_source(kubeconfig: Path | None, context: str = "") -> CredentialSource:
    """The kubeconfig if one is given, else the service account of the Pod.

    Raises:
        CredentialsUnusable: neither is there.
    """
    environ = os.environ  # noqa: TID251 - what the kubelet sets in every container, and proxies, are no settings
    if kubeconfig:
        return Kubeconfig(kubeconfig, context, environ=environ)
    return ServiceAccount(environ)


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """The TLS settings of ``credentials``.

    Raises:
        CredentialsUnusable: a certificate or key is not one.
    """
    try:
        context = ssl.create_default_context(cadata=credentials.ca or None)
        if credentials.certificate:
            _load_certificate(context, credentials)
    except ssl.SSLError as error:
        raise CredentialsUnusable(
            f"the certificates for {credentials.server} are unusable: {error}"
        ) from error
    if not credentials.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_certificate(context: ssl.SSLContext, credentials: Credentials) -> None:
    """OpenSSL takes a file only: give it one in memory, so that no key is ever written to a disk."""
    with open(os.memfd_create("client-certificate"), "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(f"{credentials.certificate}\n{credentials.key}\n".encode())
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")


def _server_of(environ: Mapping[str, str]) -> str:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise CredentialsUnusable(
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: not in a Pod; pass --kubeconfig"
        )
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


async def _ask_child(command: tuple[str, ...], timeout_s: float) -> Credentials:
    child = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, complaint = await child.communicate()
    except TimeoutError:
        raise CredentialsUnusable(f"reading the kubeconfig took more than {timeout_s:g} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise CredentialsUnusable(lines[-1] if lines else "the kubeconfig cannot be read")
    try:
        return msgspec.json.decode(output, type=Credentials)
    except msgspec.MsgspecError as error:
        raise CredentialsUnusable(
            f"what was read from the kubeconfig cannot be understood: {error}"
        ) from error
