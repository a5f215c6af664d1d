"""What a speaker is told at its start; what MetalLB's speaker takes (v0.12.1) is accepted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from bareway.gossip.profile import ProfileName
from bareway.model.names import IPAddress, NodeName
from bareway.model.problems import Problem
from bareway.runtime.flags import Flag, IgnoredFlag, Silence, read_flags, read_number, read_switch
from bareway.runtime.manual import manual
from bareway.runtime.settings import (
    COMMON_FLAGS,
    COMMON_IGNORED,
    DEFAULT_NAMESPACE,
    GOSSIP_PORT,
    SPEAKER_SOCKET,
    CommonSettings,
    load,
    read_address,
    read_object_name,
)

PROGRAM: Final = "bareway-speaker"
MEMBERS_MAX: Final = 1_000
"""As many members as gossip takes; a longer list is a mistake."""
MEMBER: Final = re.compile(r"(?P<name>[^=]+)=(\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+))(:(?P<port>[0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticMember:
    """Where a member of gossip is found."""

    address: IPAddress
    port: int | None = None
    """None = the same as our own --ml-bindport."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of a speaker."""

    node_name: NodeName
    """Name of the Node this speaker runs on; required, it is also its name in gossip."""
    socket: Path | None = SPEAKER_SOCKET
    """Unix socket that `bareway status` reads, `off` = none; instances on one machine need one each."""
    gossip_address: str = ""
    """Address on which gossip is served; by default all."""
    gossip_port: int = GOSSIP_PORT
    """TCP port of gossip, the same on all nodes; a busy port is retried and reported, never fatal."""
    gossip_key: str = field(default="", repr=False)
    """Key that seals gossip; by default it is read from the Secret of `--ml-secret-name`."""
    members: Mapping[NodeName, StaticMember] = field(default_factory=dict)
    """Members as `name=ip[:port],…`, IPv6 in brackets; by default the Nodes that the API lists."""
    profile: ProfileName | None = None
    """Timing of gossip: `default`, `fast` or `wan`, on all nodes alike; by default as the ConfigMap says."""
    ignore_exclude_label: bool = False
    """Announce also from Nodes labelled `node.kubernetes.io/exclude-from-external-load-balancers`."""


def read_members(text: str) -> Mapping[NodeName, StaticMember]:
    """``name=ip[:port],…``; an IPv6 address stands in brackets."""
    members: dict[NodeName, StaticMember] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, member = _read_member(entry)
        if name in members:
            raise ValueError(f"{name!r} stands there twice; write each member once")
        members[name] = member
    if len(members) > MEMBERS_MAX:
        raise ValueError(f"{len(members)} members; at most {MEMBERS_MAX} are possible")
    return members


def read_profile(text: str) -> ProfileName:
    """One of the profiles' names."""
    try:
        return ProfileName(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a profile; write one of {', '.join(ProfileName)}") from error


def read_wide_area(text: str) -> ProfileName | Silence:
    """MetalLB's switch for its slow profile."""
    return ProfileName.WAN if read_switch(text) else Silence.NOT_GIVEN


FLAGS: Final = (
    *COMMON_FLAGS,
    Flag(name="node-name", field="node_name", read=read_object_name, environment="NODE_NAME"),
    Flag(name="ml-bindaddr", field="gossip_address", read=read_address, environment="ML_BIND_ADDR"),
    Flag(name="ml-bindport", field="gossip_port", read=read_number(1, 65_535), environment="ML_BIND_PORT"),
    Flag(name="ml-secret-key", field="gossip_key", read=str, environment="ML_SECRET_KEY"),
    Flag(name="members", field="members", read=read_members),
    Flag(name="profile", field="profile", read=read_profile),
    Flag(
        name="ml-wan-config",
        field="profile",
        read=read_wide_area,
        is_switch=True,
        short_for="--profile=wan",
    ),
    Flag(name="ignore-exclude-lb", field="ignore_exclude_label", read=read_switch, is_switch=True),
)
IGNORED: Final = (
    *COMMON_IGNORED,
    IgnoredFlag(name="ml-namespace", reason="members are found as Nodes"),
    IgnoredFlag(name="pod-name", reason="a speaker goes by the name of its node"),
    IgnoredFlag(name="ml-labels", reason="members are found as Nodes"),
    IgnoredFlag(name="ml-secret-key-path", reason="the Secret is read through the API"),
    IgnoredFlag(name="frrk8s-namespace", reason="there is no FRR"),
    IgnoredFlag(name="frrk8s-secret-passthrough", reason="there is no FRR", is_switch=True),
    IgnoredFlag(name="bgp-debounce-timeout", reason="there is no FRR"),
)


def read_settings(
    argv: Sequence[str], environ: Mapping[str, str], own_namespace: str = DEFAULT_NAMESPACE
) -> Settings | list[Problem]:
    """The settings told by flags and environment, or every mistake in them."""
    reading = read_flags(argv, environ, flags=FLAGS, ignored=IGNORED)
    problems = list(reading.problems)
    if "node_name" not in reading.values and not any(_is_about_node_name(problem) for problem in problems):
        hint = "set it, or METALLB_NODE_NAME, to the name of the Node (fieldRef spec.nodeName)"
        problems.append(Problem(path="--node-name", message="is missing", hint=hint))
    if problems:
        return problems
    return Settings(**{"namespace": own_namespace, **reading.values}, ignored=reading.ignored)


def load_settings(argv: Sequence[str] | None = None) -> Settings:
    """The settings of this process; a mistake ends it with 2."""
    example = Settings(node_name=NodeName(""))
    return load(PROGRAM, read_settings, lambda: manual(PROGRAM, example, FLAGS, IGNORED), argv)


def _is_about_node_name(problem: Problem) -> bool:
    return problem.path.endswith(("--node-name", "_NODE_NAME"))


def _read_member(entry: str) -> tuple[NodeName, StaticMember]:
    found = MEMBER.fullmatch(entry)
    if found is None:
        raise ValueError(f"{entry!r} is not a member; write name=192.0.2.1:7947 or name=[2001:db8::1]:7947")
    name, port = read_object_name(found["name"].strip()), found["port"]
    address = ip_address(read_address(found["v4"] or found["v6"]))
    return NodeName(name), StaticMember(
        address=address, port=None if port is None else read_number(1, 65_535)(port)
    )
