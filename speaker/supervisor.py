"""PID 1 of the speaker's container: starts the main program, and starts it anew at once when it dies.

``python -I -m speaker.supervisor PROGRAM [ARGUMENT…]``. A program that is back within the 1.2 s for which its
claims stay its own loses none of them; the kubelet would take longer. It ends with the program's code when
that was told to end, cannot work here (2: a right or a capability is missing), or dies at once again and
again: then the kubelet shows why. It passes signals on and reaps orphans. Standard library only, without
asyncio: it has to stay small, and nothing in it is to fail.

Left out: a program that is frozen or stuck (``bareway.runtime.watchdog`` ends the latter).
"""

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Final

TOLD_TO_END: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
PASSED_ON: Final = TOLD_TO_END | {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
WAITED_FOR: Final = PASSED_ON | {signal.SIGCHLD}

ENDED_ON_PURPOSE: Final = 0
CANNOT_WORK_HERE: Final = 2
CANNOT_BE_STARTED: Final = 127
FINAL: Final = frozenset({ENDED_ON_PURPOSE, CANNOT_WORK_HERE, CANNOT_BE_STARTED})
"""Codes after which another start would end alike."""
BY_SIGNAL: Final = 128
"""Shells and container runtimes add it to the number of the signal that ended a program."""

HEALTHY_S: Final = 10.0
"""A program that lived so long has started; its next death is the first one again."""
PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Before each new start after deaths in a row. What these do not cure is for people, who look at the Pod:
from then on the kubelet starts the container, ever more seldom."""

STANDARD_OUTPUT: Final = 1
STANDARD_ERROR: Final = 2


class Patience:
    """Counts deaths in a row, each soon after the start."""

    def __init__(self, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self._pauses_s = pauses_s
        self._deaths = 0

    def pause_s(self, *, lived_s: float) -> float | None:
        """How long to wait before the next start; None = it is of no use."""
        self._deaths = 0 if lived_s >= HEALTHY_S else self._deaths + 1
        place = max(0, self._deaths - 1)
        return self._pauses_s[place] if place < len(self._pauses_s) else None


class Supervisor:
    """One program, kept running."""

    def __init__(self, command: list[str], *, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self._command = command
        self._patience = Patience(pauses_s)
        self._pid = 0
        self._stopping = False

    def run(self) -> int:
        """Until it need not run any more; the exit code."""
        self._take_over()
        while True:
            self._start()
            began = now()
            code = self._await_end()
            if self._stopping or code in FINAL:
                return self._final(code)
            pause_s = self._patience.pause_s(lived_s=now() - began)
            if pause_s is None:
                _log("the main program dies at once again and again; ending", code)
                return self._final(code)
            _log(f"the main program died; starting it anew in {pause_s:g} s", code)
            if self._is_told_to_end_before(now() + pause_s):
                return ENDED_ON_PURPOSE

    def _take_over(self) -> None:
        """No signal is lost from now on."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)

    def _let_go(self) -> None:
        """In the child: signals mean what they mean to every program."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR)

    def _next_signal(self, until: float | None = None) -> int | None:
        """The next one of those that are waited for; None if there is none by then."""
        if until is None:
            return signal.sigwait(WAITED_FOR)
        found = signal.sigtimedwait(WAITED_FOR, max(0.0, until - now()))
        return None if found is None else found.si_signo

    def _start(self) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            self._let_go()
            try:
                os.execvp(self._command[0], self._command)  # noqa: S606 - what the manifest says
            except OSError as error:
                _write(STANDARD_ERROR, f"{self._command[0]}: {error.strerror}\n")
            os._exit(CANNOT_BE_STARTED)

    def _await_end(self) -> int:
        """Pass signals on until the program has ended; its code, or minus the signal that ended it."""
        while True:
            number = self._next_signal()
            if number is not None:
                self._take(number)
            code = self._reap()
            if code is not None:
                return code

    def _is_told_to_end_before(self, until: float) -> bool:
        while now() < until:
            if self._next_signal(until) in TOLD_TO_END:
                return True
            self._reap()
        return False

    def _take(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        self._stopping = self._stopping or number in TOLD_TO_END
        os.kill(self._pid, number)  # it is there until we have reaped it

    def _reap(self) -> int | None:
        """Take the codes of all that ended, orphans too; that of the program, if it is among them."""
        code = None
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                if pid == self._pid:
                    code = os.waitstatus_to_exitcode(status)
        return code

    def _final(self, code: int) -> int:
        """A program that a signal to end reached before it could listen ended on purpose, too."""
        if code >= 0:
            return code
        if self._stopping and -code in TOLD_TO_END:
            return ENDED_ON_PURPOSE
        return BY_SIGNAL - code


def main() -> None:
    """Run what the arguments say."""
    if len(sys.argv) == 1:
        _write(STANDARD_ERROR, "speaker.supervisor: which program? Write it as arguments.\n")
        sys.exit(CANNOT_WORK_HERE)
    sys.exit(Supervisor(sys.argv[1:]).run())


def now() -> float:
    """The clock of this process."""
    return time.monotonic()  # noqa: TID251 - bareway.runtime.clock would cost a megabyte here


def _log(message: str, code: int) -> None:
    warn("supervisor.py", message, f',"exit_code":{code}' if code >= 0 else f',"signal":{-code}')


def warn(caller: str, message: str, figures: str = "") -> None:
    """One line like those of the programs (``bareway.runtime.log``)."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = f'{{"caller":"{caller}","level":"warn","ts":"{at}","msg":"{message}"{figures}}}\n'
    _write(STANDARD_OUTPUT, line)


def _write(descriptor: int, text: str) -> None:
    with suppress(OSError):  # a reader of the log that goes away must not end the program
        os.write(descriptor, text.encode())


if __name__ == "__main__":
    main()
