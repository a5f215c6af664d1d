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
    example: str
    """One call of it that makes sense, as it is typed; ends the help."""


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


def _pools() -> Verb:
    from bareway.cli.pools import POOLS  # noqa: PLC0415 - as above

    return POOLS


def _members() -> Verb:
    from bareway.cli.members import MEMBERS  # noqa: PLC0415 - as above

    return MEMBERS


def _history() -> Verb:
    from bareway.cli.history import HISTORY  # noqa: PLC0415 - asks programs

    return HISTORY


def _probe() -> Verb:
    from bareway.cli.probe import PROBE  # noqa: PLC0415 - as above

    return PROBE


def _uninstall() -> Verb:
    from bareway.cli.uninstall import UNINSTALL  # noqa: PLC0415 - asks a cluster

    return UNINSTALL


def _explain() -> Verb:
    from bareway.cli.explain import EXPLAIN  # noqa: PLC0415 - two hundred sentences, for those who ask

    return EXPLAIN


def _completion() -> Verb:
    from bareway.cli.completion import COMPLETION  # noqa: PLC0415 - scripts, for those who ask

    return COMPLETION


def _doctor() -> Verb:
    from bareway.cli.doctor import DOCTOR  # noqa: PLC0415 - the checks, for those who ask

    return DOCTOR


def _why() -> Verb:
    from bareway.cli.why import WHY  # noqa: PLC0415 - every decision, for those who ask for reasons

    return WHY


def _version() -> Verb:
    from bareway.cli.version import VERSION  # noqa: PLC0415 - alike for all

    return VERSION


WORDS: Final = (
    Word(
        name="lint",
        summary="Name every mistake in configuration files.",
        load=_lint,
        example="bareway lint -f metallb-config.yaml",
    ),
    Word(
        name="plan",
        summary="Show what a configuration does, before it is applied.",
        load=_plan,
        example="bareway plan -f cluster.yaml --against new-config.yaml",
    ),
    Word(
        name="why",
        summary="Say why a Service has no address, or who answers for one.",
        load=_why,
        example="bareway why shop/web",
    ),
    Word(
        name="status",
        summary="Show who runs, what is wrong, how full the pools are.",
        load=_status,
        example="bareway status",
    ),
    Word(
        name="bgp",
        summary="Show the sessions with routers, and what each was told.",
        load=_bgp,
        example="bareway bgp -o json",
    ),
    Word(
        name="pools",
        summary="Show how many addresses each pool has, and how many are left.",
        load=_pools,
        example="bareway pools -o wide",
    ),
    Word(
        name="members",
        summary="Show how the speakers see each other, and what each announces.",
        load=_members,
        example="bareway members",
    ),
    Word(
        name="history",
        summary="Show who had an address, when, and why it moved.",
        load=_history,
        example="bareway history 192.0.2.10 --since 2h",
    ),
    Word(
        name="drain",
        summary="Have other nodes announce what a node announces.",
        load=_drain,
        example='bareway drain node1 --reason "new disk"',
    ),
    Word(
        name="undrain",
        summary="Let a drained node announce again.",
        load=_undrain,
        example="bareway undrain node1",
    ),
    Word(
        name="move",
        summary="Have an address announced from a certain node.",
        load=_move,
        example="bareway move 192.0.2.10 node2",
    ),
    Word(
        name="doctor",
        summary="Look for what keeps Bareway from working, installed or not.",
        load=_doctor,
        example="bareway doctor",
    ),
    Word(
        name="probe",
        summary="Ask the wire who answers for an address.",
        load=_probe,
        example="bareway probe 192.0.2.10 --node node2",
    ),
    Word(
        name="uninstall",
        summary="Take back what Bareway wrote, and look for what is left.",
        load=_uninstall,
        example="bareway uninstall --verify",
    ),
    Word(
        name="explain",
        summary="Say what a word of Bareway's means, and what to do.",
        load=_explain,
        example="bareway explain NoFreeAddress",
    ),
    Word(
        name="completion",
        summary="Print what a shell needs to complete this command.",
        load=_completion,
        example="bareway completion bash",
    ),
    Word(name="version", summary="Print the version.", load=_version, example="bareway version"),
)
