"""What all tests share."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import settings

# On Python 3.11 pytest-asyncio asks for "the" event loop before there is one, which would make one that
# nobody closes; the warning about it would fail whichever test runs when it is collected.
asyncio.set_event_loop(None)

settings.register_profile("unhurried", parent=settings.default, deadline=None)  # a busy machine is no fault
settings.load_profile("unhurried")

WHOLE_MACHINE = ["0", "0", "4294967295"]
"""The map of users where a namespace has them all, each under its own number (user_namespaces(7))."""
NEED_ROOT = "need root of this machine, for control groups and other users: run them as root (sudo)."


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse, rather than skip, what only root of the machine can do; before anything else has run."""
    chosen = [item for item in session.items if item.get_closest_marker("host")]
    # From one of several workers nobody hears why it ended: there each test says it.
    if not chosen or session.config.option.collectonly or hasattr(session.config, "workerinput"):
        return
    if not _is_root_of_the_machine():
        pytest.exit(f"{len(chosen)} of these tests {NEED_ROOT}", returncode=2)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The same for a worker."""
    if item.get_closest_marker("host") and not _is_root_of_the_machine():
        pytest.fail(f"these tests {NEED_ROOT}", pytrace=False)


def _is_root_of_the_machine() -> bool:
    return os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split() == WHOLE_MACHINE
