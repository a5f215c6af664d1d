"""Timing of BFD sessions: the entries of ``bfd-profiles`` (RFC 5880)."""

from collections.abc import Sequence
from typing import Final

from bareway.model.configuration import BfdProfile
from bareway.resources.grammar.keys import REQUIRED, Key, Shape
from bareway.resources.grammar.merging import named_sections
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import UINT32, Section

INTERVAL_MS: Final = (10, 60_000)
MULTIPLIER: Final = (2, 255)
TTL: Final = (1, 254)

PROFILE: Final = Shape(
    type_name="config.bfdProfile",
    keys=(
        Key(name="name", type="text", default=REQUIRED, meaning="unique; peers refer to it"),
        Key(
            name="receive-interval",
            type="10 to 60000 ms",
            meaning="the least time between two packets that we take; none: 300",
        ),
        Key(
            name="transmit-interval",
            type="10 to 60000 ms",
            meaning="the time between two packets that we send; none: 300",
        ),
        Key(
            name="detect-multiplier",
            type="2 to 255",
            meaning="so many packets missing in a row are a failure; none: 3",
        ),
        Key(name="echo-interval", type="10 to 60000 ms", meaning="the same for echo packets; none: 50"),
        Key(name="echo-mode", type="bool", default="false", meaning="has no effect: echo is not used"),
        Key(
            name="passive-mode",
            type="bool",
            default="false",
            meaning="whether we wait for the other side's first packet",
        ),
        Key(name="minimum-ttl", type="1 to 254", meaning="over several hops, the least TTL that we take"),
    ),
)


def read_profiles(documents: Sequence[Section]) -> tuple[BfdProfile, ...]:
    """The profiles of all documents; those that can be read."""
    profiles: dict[str, BfdProfile] = {}
    for section in named_sections(documents, "bfd-profiles", PROFILE, "parsing bfd profile #{}: "):
        profile = _profile(section)
        if not profile.name:
            section.fail("missing bfd profile name", hint="add a line like name: fast")
        elif profile.name in profiles:
            message = f"found duplicate bfd profile name {quoted(profile.name)[1:-1]}"
            section.walk.fail(section.place, message, hint="rename or remove one of them")
        profiles[profile.name] = profile
    return tuple(profiles.values())


def _profile(section: Section) -> BfdProfile:
    if section.truth("echo-mode"):
        hint = "remove it: routers that echo make no difference, since failures are found by control packets"
        section.warn("echo-mode has no effect", key="echo-mode", hint=hint)
    return BfdProfile(
        name=section.text("name"),
        receive_interval_ms=_within(section, "receive-interval", INTERVAL_MS),
        transmit_interval_ms=_within(section, "transmit-interval", INTERVAL_MS),
        detect_multiplier=_within(section, "detect-multiplier", MULTIPLIER),
        # MetalLB's message about the echo interval speaks of the TTL: people search for what they saw.
        echo_interval_ms=_within(
            section, "echo-interval", INTERVAL_MS, told="echo interval, invalid minimum ttl"
        ),
        echo_mode=section.truth("echo-mode"),
        passive_mode=section.truth("passive-mode"),
        minimum_ttl=_within(section, "minimum-ttl", TTL),
    )


def _within(section: Section, key: str, bounds: tuple[int, int], *, told: str = "") -> int | None:
    value = section.whole(key, UINT32)
    low, high = bounds
    if value is None or low <= value <= high:
        return value
    word = told or key.replace("-", " ")
    message = f"invalid {word} value: invalid value {value}, must be in {low}-{high} range"
    section.fail(message, key=key, hint=f"write a number from {low} to {high}")
    return None
