"""A controller as it starts in a Pod; the service account is in a folder: ``python -m … FOLDER FLAGS``.

A kubeconfig would be read by a child process, which costs more than the whole start of a Pod's program.
"""

import os
import sys
from pathlib import Path

import bareway.runtime.lean  # noqa: F401 - as the program itself does
from bareway.runtime.kube.credentials import ServiceAccount
from bareway.runtime.log import configure
from bareway.runtime.program import run_program
from controller.app import serve
from controller.settings import PROGRAM, load_settings


def main() -> int:
    """Run until SIGTERM."""
    folder = Path(sys.argv.pop(1))
    settings = load_settings()
    configure(settings.log_level)
    source = ServiceAccount(os.environ, folder)
    return run_program(PROGRAM, lambda stop: serve(settings, source, stop))


if __name__ == "__main__":
    sys.exit(main())
