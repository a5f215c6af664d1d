"""Writes docs/flags.md from the settings of both programs; a test keeps it fresh."""

from pathlib import Path

import controller.settings
import speaker.settings
from bareway.model.names import NodeName
from bareway.runtime.manual import settings_table

TARGET = Path(__file__).resolve().parent.parent / "docs" / "flags.md"

HEAD = """# Flags and environment variables

Written by `make docs` from `controller/settings.py` and `speaker/settings.py`. A flag is written
`--flag=value`, `--flag value` or with one dash; a switch needs no value. A flag beats a variable, and of two
variables the one with the prefix `BAREWAY_` wins. A wrong value ends the program with exit code 2, and every
mistake is named at once. Flags of MetalLB that have no meaning here are accepted and named once in the log;
`--help` lists them.
"""


def flags_page() -> str:
    """The whole page."""
    of_controller = settings_table(controller.settings.Settings(), controller.settings.FLAGS)
    of_speaker = settings_table(speaker.settings.Settings(node_name=NodeName("")), speaker.settings.FLAGS)
    return f"{HEAD}\n## bareway-controller\n\n{of_controller}\n## bareway-speaker\n\n{of_speaker}"


if __name__ == "__main__":
    TARGET.write_text(flags_page())
