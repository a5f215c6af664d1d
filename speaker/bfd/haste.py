"""Lets the kernel run this process before all others, as far as it is allowed to (CAP_SYS_NICE)."""

import os
from typing import Final

PRIORITY: Final = 10
"""Of 1 to 99; any is above what is not real-time, and the kernel's own threads are above this."""
NICEST: Final = -20


def make_haste() -> bool:
    """Ask for real time, and for the next best if that is refused; whether it was granted.

    Programs that are started from here begin without it (SCHED_RESET_ON_FORK).
    """
    parameter = os.sched_param(PRIORITY)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, parameter)
    except PermissionError:  # no such capability, or a control group without a share of real time
        _be_less_nice()
        return False
    return True


def _be_less_nice() -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, NICEST)
    except PermissionError:
        return
