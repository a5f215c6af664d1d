"""What the controller is told at its start; what MetalLB's controller takes (v0.12.1) is accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bareway.model.problems import Problem
from bareway.runtime.flags import Flag, IgnoredFlag, read_flags, read_number
from bareway.runtime.manual import manual
from bareway.runtime.settings import (
    COMMON_FLAGS,
    COMMON_IGNORED,
    CONTROLLER_SOCKET,
    DEFAULT_NAMESPACE,
    GOSSIP_PORT,
    CommonSettings,
    load,
    read_object_name,
)

PROGRAM: Final = "bareway-controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the controller."""

    socket: Path | None = CONTROLLER_SOCKET
    """Unix socket that `bareway status` reads, `off` = none; instances on one machine need one each."""
    pod_name: str = ""
    """Name of the Pod, by which the Lease says who leads; by default the name of the host."""
    gossip_port: int = GOSSIP_PORT
    """TCP port of the speakers' gossip, in which the controller listens; the same on all nodes."""


FLAGS: Final = (
    *COMMON_FLAGS,
    Flag(name="pod-name", field="pod_name", read=read_object_name, environment="POD_NAME"),
    Flag(name="ml-bindport", field="gossip_port", read=read_number(1, 65_535), environment="ML_BIND_PORT"),
)
IGNORED: Final = (
    *COMMON_IGNORED,
    IgnoredFlag(name="deployment", reason="the Secret for gossip has no owner"),
    IgnoredFlag(name="disable-cert-rotation", reason="there is no webhook", is_switch=True),
    IgnoredFlag(name="cert-dir", reason="there is no webhook"),
    IgnoredFlag(name="cert-service-name", reason="there is no webhook"),
    IgnoredFlag(name="webhook-mode", reason="there is no webhook"),
    IgnoredFlag(name="webhook-secret", reason="there is no webhook"),
    IgnoredFlag(name="webhook-http2", reason="there is no webhook", is_switch=True),
)


def read_settings(
    argv: Sequence[str], environ: Mapping[str, str], own_namespace: str = DEFAULT_NAMESPACE
) -> Settings | list[Problem]:
    """The settings told by flags and environment, or every mistake in them."""
    reading = read_flags(argv, environ, flags=FLAGS, ignored=IGNORED)
    if reading.problems:
        return list(reading.problems)
    return Settings(**{"namespace": own_namespace, **reading.values}, ignored=reading.ignored)


def load_settings(argv: Sequence[str] | None = None) -> Settings:
    """The settings of this process; a mistake ends it with 2."""
    return load(PROGRAM, read_settings, lambda: manual(PROGRAM, Settings(), FLAGS, IGNORED), argv)
