"""How addresses are kept on the link, for all pools: the entry ``layer2``."""

from collections.abc import Sequence
from typing import Final

from bareway.model.configuration import GossipProfile, Layer2Settings, OnCordon, Partition
from bareway.resources.grammar.keys import Key, Shape
from bareway.resources.grammar.merging import merged_mapping
from bareway.resources.grammar.sections import Section, Walk

GRATUITOUS_MIN_S: Final = 1.0  # a thousand addresses sent unasked each second are enough for any switch

LAYER2: Final = Shape(
    type_name="config.layer2",
    keys=(
        Key(
            name="profile",
            type="`default`, `fast` or `wan`",
            default="default",
            meaning="how fast a death is noticed",
        ),
        Key(
            name="partition",
            type="`available` or `safe`",
            default="available",
            meaning="what the smaller side of a split network does: go on, or withdraw",
        ),
        Key(
            name="gratuitous-interval",
            type="duration",
            default="60s",
            meaning="how often each address is announced unasked; at least `1s`, or `0`: only when it moves",
        ),
        Key(
            name="duplicate-check",
            type="bool",
            default="true",
            meaning="whether the link is asked for strangers before a new address is used",
        ),
        Key(
            name="on-cordon",
            type="`keep` or `move`",
            default="keep",
            meaning="whether a cordoned node keeps what it announces, or hands it over",
        ),
    ),
)


def read_layer2(documents: Sequence[Section], walk: Walk) -> Layer2Settings:
    """The settings of all documents together."""
    default = Layer2Settings()
    section = merged_mapping(documents, "layer2", LAYER2, walk)
    if section is None:
        return default
    return Layer2Settings(
        profile=section.word("profile", GossipProfile.DEFAULT),
        partition=section.word("partition", Partition.AVAILABLE),
        gratuitous_interval_s=_gratuitous_interval_s(section, default.gratuitous_interval_s),
        duplicate_check=section.truth("duplicate-check", default=default.duplicate_check),
        on_cordon=section.word("on-cordon", OnCordon.KEEP),
    )


def _gratuitous_interval_s(section: Section, default: float) -> float:
    key = "gratuitous-interval"
    seconds = section.duration_s(key, default)
    if 0 < seconds < GRATUITOUS_MIN_S:
        section.fail(f"invalid {key}: must be 0 or >=1s", key=key, hint="write 60s")
    return seconds
