"""What both programs have in common before they run."""

import subprocess
import sys

import pytest

STOPPED_EARLY = """
import importlib.abc, os, signal, sys

class Meanwhile(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "{program}.app":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Meanwhile())
from {program}.__main__ import main
main()
sys.exit("it went on")
"""


@pytest.mark.slow
@pytest.mark.parametrize("program", ["controller", "speaker"])
def test_a_program_that_is_told_to_end_while_it_still_starts_ends_with_0(program: str) -> None:
    script = STOPPED_EARLY.replace("{program}", program)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
