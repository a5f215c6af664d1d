"""``bareway history [ADDRESS]``: who had an address, when, why it moved, and for how long nobody answered.

Every speaker sees all claims, so several are asked and their answers put together: what one forgot when it
started anew the others still know. Exit codes: 0 somebody answered, 2 nobody did.
"""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from bareway.cli.asking.place import OVERALL_FACTOR, CannotLook, add_place, is_here
from bareway.cli.asking.running import run
from bareway.cli.pages.history import Asked, history_page, read_history, rfc3339
from bareway.cli.pages.output import add_output, show
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.model.cluster import PodState, Unknown
from bareway.model.history import SpeakerHistory
from bareway.model.names import IPAddress
from bareway.resources.said import Unintelligible
from bareway.runtime.clock import utc_now
from bareway.runtime.settings import SPEAKER_SOCKET

SPEAKERS_ASKED: Final = 5
"""All see the same claims: more than one for what a single one forgot, or was too far away to hear."""
UNITS: Final[Mapping[str, timedelta]] = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
SPAN: Final = re.compile(r"(\d{1,6})([smhd])")
CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
SOCKETS: Final = (SPEAKER_SOCKET,)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "address", metavar="ADDRESS", nargs="?", type=_address, help="external address (default: all)"
    )
    parser.add_argument(
        "--since",
        type=_since,
        metavar="TIME",
        help="only what happened since: 30m, 2h, 3d, 03:12, 2026-11-21T03:12 or with an offset from UTC",
    )
    add_place(parser, sockets=SOCKETS, at_most=SPEAKERS_ASKED)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    try:
        asked = _ask_here(arguments) if is_here(arguments, sockets=SOCKETS) else _ask_cluster(arguments)
    except CannotLook as error:
        return could_not_tell(str(error))
    show(history_page(asked), arguments.output)
    return ExitCode.WELL if asked.histories else ExitCode.COULD_NOT_TELL


HISTORY = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)


def _ask_here(arguments: Namespace) -> Asked:
    from bareway.cli.asking.sockets import Silent, ask_history  # noqa: PLC0415 - on a node

    found: list[SpeakerHistory] = []
    silent: list[Silent] = []
    for path in arguments.socket or SOCKETS:
        told = ask_history(path, arguments.address, arguments.timeout)
        if isinstance(told, Silent):
            silent.append(told)
        else:
            found.append(told)
    if not found:
        raise CannotLook("; ".join(one.sentence for one in silent))
    unknown = tuple(Unknown(subject=str(one.path), why=one.sentence) for one in silent)
    return Asked(address=arguments.address, since=arguments.since, histories=tuple(found), unknown=unknown)


def _ask_cluster(arguments: Namespace) -> Asked:
    from bareway.cli.asking.gathering import NoCluster  # noqa: PLC0415 - aiohttp, from outside

    try:
        return run(_asked(arguments))
    except NoCluster as error:
        raise CannotLook(f"the cluster cannot be asked: {error}") from error


async def _asked(arguments: Namespace) -> Asked:
    """What speakers on several nodes say."""
    from bareway.cli.asking.gathering import Wish, gather, open_cluster  # noqa: PLC0415 - as above
    from bareway.cli.asking.pods import Patience, ask_pods, choose  # noqa: PLC0415 - as above

    address: IPAddress | None = arguments.address
    words = ["history", *([] if address is None else [str(address)]), "-o", "json"]
    words += ["--timeout", f"{arguments.timeout:g}"]
    if arguments.since is not None:
        words += ["--since", rfc3339(arguments.since)]
    async with open_cluster(arguments.kubeconfig) as client:
        known = await gather(client, Wish(namespace=arguments.namespace, parts=frozenset()))
        speakers = [pod for pod in known.pods if pod.component == "speaker"]
        chosen = choose(speakers, at_most=len(speakers) if arguments.all else SPEAKERS_ASKED)
        patience = Patience(pod_s=arguments.timeout, overall_s=arguments.timeout * OVERALL_FACTOR)
        told = await ask_pods(client, arguments.namespace, chosen, words, patience=patience)
    found: list[SpeakerHistory] = []
    unknown = [*known.unknown]
    for pod in chosen:
        read = _read(pod, told[pod.name])
        if isinstance(read, Unknown):
            unknown.append(read)
        else:
            found.append(read)
    if not speakers and not unknown:
        raise CannotLook(f"no speaker runs in namespace {arguments.namespace}")
    return Asked(
        address=address,
        since=arguments.since,
        histories=tuple(found),
        unknown=tuple(unknown),
        unasked=len(speakers) - len(chosen),
    )


def _read(pod: PodState, told: bytes | Unknown) -> SpeakerHistory | Unknown:
    from bareway.cli.asking.pods import subject_of  # noqa: PLC0415 - as above

    if isinstance(told, Unknown):
        return told
    try:
        return read_history(told)
    except Unintelligible as error:
        remedy = f"its version is {pod.version or 'unknown'}; use the command of that version"
        return Unknown(subject=subject_of(pod), why=str(error), remedy=remedy)


# ------------------------------------------------------------ what is written


def _address(text: str) -> IPAddress:
    try:
        return ip_address(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an IP address") from error


def _since(text: str) -> datetime:
    return read_since(text, now=utc_now())


def read_since(text: str, *, now: datetime) -> datetime:
    """The moment that somebody means, in UTC; what has no offset is this computer's time."""
    if (span := SPAN.fullmatch(text)) is not None:
        return now - int(span[1]) * UNITS[span[2]]
    if (clock := CLOCK.fullmatch(text)) is not None:
        return _last(int(clock[1]), int(clock[2]), int(clock[3] or 0), now=now)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"{text!r} is no time; write 30m, 2h, 3d, 03:12, 2026-11-21T03:12 or 2026-11-21T03:12+01:00"
        ) from error
    return moment.astimezone(UTC)


def _last(hour: int, minute: int, second: int, *, now: datetime) -> datetime:
    """When clocks here showed that last."""
    local = now.astimezone().replace(tzinfo=None)
    moment = local.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if moment > local:
        moment -= timedelta(days=1)
    return moment.astimezone(UTC)
