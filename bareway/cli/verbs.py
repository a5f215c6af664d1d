"""Every word that ``bareway`` knows; what stands behind it is imported when it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bareway.cli.verb import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, as the command's own help shows it."""

    name: str
    summary: str
    load: Callable[[], Verb]


def _lint() -> Verb:
    from bareway.cli.lint import LINT  # noqa: PLC0415 - yaml, for those who ask for it

    return LINT


def _plan() -> Verb:
    from bareway.cli.plan import PLAN  # noqa: PLC0415 - yaml, for those who ask for it

    return PLAN


def _drain() -> Verb:
    from bareway.cli.drain import DRAIN  # noqa: PLC0415 - aiohttp, for those who write to the cluster

    return DRAIN


def _undrain() -> Verb:
    from bareway.cli.undrain import UNDRAIN  # noqa: PLC0415 - as above

    return UNDRAIN


def _move() -> Verb:
    from bareway.cli.move import MOVE  # noqa: PLC0415 - as above

    return MOVE


def _status() -> Verb:
    from bareway.cli.status import STATUS  # noqa: PLC0415 - not needed to make a plan

    return STATUS


def _bgp() -> Verb:
    from bareway.cli.bgp import BGP  # noqa: PLC0415 - as above

    return BGP


def _version() -> Verb:
    from bareway.cli.version import VERSION  # noqa: PLC0415 - alike for all

    return VERSION


WORDS: Final = (
    Word(
        name="lint",
        summary="Name every mistake in configuration files.",
        load=_lint,
    ),
    Word(
        name="plan",
        summary="Show what a configuration does, before it is applied.",
        load=_plan,
    ),
    Word(
        name="status",
        summary="Show what the programs on this node know, and what is wrong.",
        load=_status,
    ),
    Word(
        name="bgp",
        summary="Show this node's sessions with routers, and what each was told.",
        load=_bgp,
    ),
    Word(
        name="drain",
        summary="Have other nodes announce what a node announces.",
        load=_drain,
    ),
    Word(
        name="undrain",
        summary="Let a drained node announce again.",
        load=_undrain,
    ),
    Word(
        name="move",
        summary="Have an address announced from a certain node.",
        load=_move,
    ),
    Word(name="version", summary="Print the version.", load=_version),
)
