"""What stands behind each word of ``bareway`` (`words.py`), imported when it is used."""

from collections.abc import Callable, Mapping
from typing import Final

from bareway.cli.verb import Verb


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


LOADERS: Final[Mapping[str, Callable[[], Verb]]] = {
    "lint": _lint,
    "plan": _plan,
    "why": _why,
    "status": _status,
    "bgp": _bgp,
    "pools": _pools,
    "members": _members,
    "history": _history,
    "drain": _drain,
    "undrain": _undrain,
    "move": _move,
    "doctor": _doctor,
    "probe": _probe,
    "uninstall": _uninstall,
    "explain": _explain,
    "completion": _completion,
    "version": _version,
}
"""By the word."""
