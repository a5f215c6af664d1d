"""How a program lives and ends: until SIGTERM, with 0; or with 2 and one sentence when it cannot work here.

What ends it otherwise is a mistake of ours: the traceback is logged, the exit code is 1, and whoever
supervises it starts it anew.
"""

import asyncio
import gc
import logging
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from bareway.runtime.http import Busy, HttpChange, Serving
from bareway.runtime.kube.credentials import CredentialsUnusable
from bareway.runtime.kube.errors import Forbidden, KubeError
from bareway.runtime.kube.rights import Api, Right, missing_rights
from bareway.runtime.watchdog import watched

logger = logging.getLogger(__name__)

OURS: Final = frozenset({"bareway", "controller", "speaker", "__main__"})
EXIT_MISTAKE: Final = 1
EXIT_UNABLE: Final = 2
GARBAGE_THRESHOLDS: Final = (20_000, 20, 20)
"""How many new objects are looked through for cycles at once; we make few cycles. By default it is 700: with
5,000 Services in memory that cost an eighth of all CPU, and pauses of a tenth of a second."""


class RightsMissing(Exception):
    """The service account may not do what the program needs."""


UNABLE: Final[tuple[type[Exception], ...]] = (CredentialsUnusable, Forbidden, RightsMissing)
"""What keeps any program from working, and is for the user to change."""


def run_program(
    name: str, serve: Callable[[asyncio.Event], Awaitable[None]], *, unable: tuple[type[Exception], ...] = ()
) -> int:
    """Run ``serve(stop)`` until it returns; ``stop`` is set by SIGTERM or SIGINT. Returns the exit code.

    Args:
        name: of the program, before the sentence on standard error.
        serve: the program.
        unable: exceptions, beside UNABLE, that mean that it cannot work here.
    """
    code = 0
    try:
        with _few_collections():
            asyncio.run(_until_stopped(serve))
    except* (*UNABLE, *unable) as group:
        code = EXIT_UNABLE
        for sentence in dict.fromkeys(str(error) for error in _leaves(group)):
            logger.error("cannot run", extra={"error": sentence})  # noqa: TRY400 - a sentence, not our mistake
            sys.stderr.write(f"{name}: {sentence}\n")
    except* Exception:
        code = EXIT_MISTAKE
        logger.exception("ended by a mistake of ours")
    return code


async def check_rights(client: Api, rights: Iterable[Right]) -> None:
    """Ask whether all ``rights`` are there; an API server that is away is waited for elsewhere.

    Raises:
        RightsMissing: naming all that are not.
    """
    try:
        missing = await missing_rights(client, rights)
    except KubeError as error:
        logger.warning("the API server is away; waiting for it", extra={"error": str(error)})
        return
    if missing:
        raise RightsMissing(f"the service account lacks the right to {'; to '.join(map(str, missing))}")


async def _until_stopped(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run it; a callback of ours that fails ends it, since nobody awaits a callback."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    failures: list[Exception] = []

    def judge(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Exception) or not _is_ours(error):
            loop.default_exception_handler(context)
            return
        failures.append(error)
        if task is not None:
            task.cancel()

    loop.set_exception_handler(judge)
    try:
        with watched(loop), _stop_signals() as stop:
            await serve(stop)
    except asyncio.CancelledError:
        if not failures:
            raise
        raise ExceptionGroup("a callback failed", failures) from None


def _is_ours(error: Exception) -> bool:
    """Whether code of ours was running; the mistakes of libraries in their own callbacks are only logged."""
    names = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(name.partition(".")[0] in OURS for name in names)


def log_http(change: HttpChange) -> None:
    """What becomes of the port of metrics and health."""
    match change:
        case Serving(port=port):
            logger.info("metrics and health listen", extra={"port": port})
        case Busy(port=port, reason=reason):
            logger.warning("metrics port busy, trying on", extra={"port": port, "error": reason})


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage less often than by default."""
    before = gc.get_threshold()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
