"""What both programs are told at their start: namespaces, ports, sockets, how much to log.

Each program has a frozen dataclass of its own that extends ``CommonSettings``; nobody but this file and
theirs reads settings from the environment. The manual is printed from them (``bareway.runtime.manual``).
"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar

from bareway import __version__
from bareway.model.problems import Problem
from bareway.runtime.flags import Flag, IgnoredFlag, read_number, read_text
from bareway.runtime.log import LogLevel

DEFAULT_NAMESPACE: Final = "bareway-system"
HTTP_PORT: Final = 7480
"""Metrics and health; not MetalLB's 7472, so that both can run on one node while one takes over."""
GOSSIP_PORT: Final = 7947
"""Not MetalLB's 7946, so that both can run on one node while one takes over."""
CONTROLLER_SOCKET: Final = Path("/run/bareway/controller.sock")
SPEAKER_SOCKET: Final = Path("/run/bareway/speaker.sock")
NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
SOCKET_PATH_MAX: Final = 106
"""Bytes of a Unix socket's path: what sun_path takes, less its final zero and a dot before the name."""
EXIT_BAD_SETTINGS: Final = 2

LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
NAMESPACE: Final = re.compile(LABEL)
OBJECT_NAME: Final = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")

SettingsT = TypeVar("SettingsT")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """What both programs need to know."""

    namespace: str = DEFAULT_NAMESPACE
    """Namespace of our own objects; by default the Pod's, outside a cluster `bareway-system`."""
    config_namespace: str = ""
    """Namespace of the ConfigMap to read; by default `--namespace`; `metallb-system` to take over."""
    config_name: str = "config"
    """Name of the ConfigMap with the configuration."""
    kubeconfig: Path | None = None
    """Path of a kubeconfig; only needed outside a cluster, by default the Pod's service account is used."""
    load_balancer_class: str | None = None
    """Serve only Services with this `spec.loadBalancerClass`; by default only those without one."""
    gossip_secret: str = "memberlist"  # noqa: S105 - the name of a Secret, not its content
    """Name of the Secret whose key `secretkey` seals gossip; the controller creates it when absent."""
    http_address: str = ""
    """Address on which metrics and health are served; by default all."""
    http_port: int = HTTP_PORT
    """TCP port of metrics and health, 0 = off; a busy port is retried and reported, never fatal."""
    socket: Path | None
    """Unix socket that `bareway status` reads, `off` = none; instances on one machine need one each."""
    log_level: LogLevel = LogLevel.INFO
    """Lowest level that is logged: `all`, `debug`, `info`, `warn`, `error` or `none`."""
    ignored: tuple[str, ...] = ()
    """Flags given that have no meaning here; the program names them once in its log."""

    @property
    def configuration_namespace(self) -> str:
        """Namespace of the ConfigMap with the configuration."""
        return self.config_namespace or self.namespace


def load(
    program: str,
    read: Callable[[Sequence[str], Mapping[str, str], str], SettingsT | list[Problem]],
    manual: Callable[[], str],
    argv: Sequence[str] | None = None,
) -> SettingsT:
    """The settings of this process: ``read(argv, environ, own_namespace)``; ``argv`` is its own if None.

    Exits with 0 after ``--help`` or ``--version``, with 2 after it has printed every mistake.
    """
    given = sys.argv[1:] if argv is None else argv
    arguments = {f"--{argument.lstrip('-')}" for argument in given if argument.startswith("-")}
    if arguments & {"--help", "--h"}:
        sys.stdout.write(manual())
        raise SystemExit(0)
    if "--version" in arguments:
        sys.stdout.write(f"{program} {__version__}\n")
        raise SystemExit(0)
    result = read(given, os.environ, own_namespace())
    if isinstance(result, list):
        sys.stderr.writelines(f"{program}: {problem}\n" for problem in result)
        raise SystemExit(EXIT_BAD_SETTINGS)
    return result


def own_namespace(path: Path = NAMESPACE_FILE) -> str:
    """The namespace of the Pod we run in; outside a cluster DEFAULT_NAMESPACE."""
    try:
        return path.read_text(encoding="utf-8").strip() or DEFAULT_NAMESPACE
    except (OSError, UnicodeDecodeError):
        return DEFAULT_NAMESPACE


def read_namespace(text: str) -> str:
    """A namespace's name (RFC 1123 section 2.1)."""
    if not NAMESPACE.fullmatch(text):
        raise ValueError(f"{text!r} is not a namespace; write up to 63 of a-z, 0-9 and -")
    return text


def read_object_name(text: str) -> str:
    """The name of a Node, Secret or ConfigMap."""
    if not OBJECT_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name; write up to 253 of a-z, 0-9, - and .")
    return text


def read_address(text: str) -> str:
    """An address to listen on, kept as text for sockets."""
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an IP address; write one like 192.0.2.1 or 2001:db8::1") from error


def read_socket(text: str) -> Path | None:
    """A path for a Unix socket; None for ``off``."""
    if text == "off":
        return None
    path = Path(text)
    if not path.is_absolute() or len(os.fsencode(path)) > SOCKET_PATH_MAX:
        raise ValueError(f"{text!r} is not an absolute path of at most {SOCKET_PATH_MAX} bytes, nor off")
    return path


def read_log_level(text: str) -> LogLevel:
    """One of MetalLB's words."""
    try:
        return LogLevel(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a level; write one of {', '.join(LogLevel)}") from error


read_port = read_number(0, 65_535)

COMMON_FLAGS: Final = (
    Flag(name="namespace", field="namespace", read=read_namespace, environment="NAMESPACE"),
    Flag(name="config-namespace", field="config_namespace", read=read_namespace),
    Flag(name="config", field="config_name", read=read_object_name),
    Flag(name="kubeconfig", field="kubeconfig", read=Path),
    Flag(name="lb-class", field="load_balancer_class", read=read_text),
    Flag(name="ml-secret-name", field="gossip_secret", read=read_object_name, environment="ML_SECRET_NAME"),
    Flag(name="host", field="http_address", read=read_address, environment="HOST"),
    Flag(name="port", field="http_port", read=read_port),
    Flag(name="socket", field="socket", read=read_socket),
    Flag(name="log-level", field="log_level", read=read_log_level),
)

COMMON_IGNORED: Final = (
    IgnoredFlag(name="disable-epslices", reason="EndpointSlices are always used", is_switch=True),
    IgnoredFlag(name="enable-pprof", reason="a profiler of Go", is_switch=True),
    IgnoredFlag(name="pprof-bind-address", reason="a profiler of Go"),
    IgnoredFlag(name="health-probe-port", reason="health is served on `--port`"),
    IgnoredFlag(name="metrics-cert-dir", reason="metrics are served without TLS"),
    IgnoredFlag(name="tls-min-version", reason="metrics are served without TLS"),
    IgnoredFlag(name="tls-cipher-suites", reason="metrics are served without TLS"),
    IgnoredFlag(name="tls-curve-preferences", reason="metrics are served without TLS"),
)
