"""Writes docs/flags.md and the key tables of docs/configuration.md from the code; a test keeps them fresh."""

from pathlib import Path

import controller.settings
import speaker.settings
from bareway.model.names import NodeName
from bareway.resources.configurations import SHAPES
from bareway.resources.grammar.keys import REQUIRED, Key
from bareway.runtime.manual import settings_table

DOCS = Path(__file__).resolve().parent.parent / "docs"
TARGET = DOCS / "flags.md"
CONFIGURATION = DOCS / "configuration.md"
BEGIN = "<!-- Written by make docs from bareway/resources; do not edit from here -->\n"
END = "<!-- to here -->\n"

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


def configuration_page(written: str) -> str:
    """The page with its tables as the code has them."""
    before, _, rest = written.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "".join(_table(where) for where in SHAPES) + "\n" + END + after


def _table(where: str) -> str:
    rows = "".join(map(_row, SHAPES[where].keys))
    title = f"`{where}`" if where else "the document"
    return f"\n**{title[0].upper()}{title[1:]}**\n\n| key | type, default | meaning |\n|---|---|---|\n{rows}"


def _row(key: Key) -> str:
    default = key.default if key.default in {"", REQUIRED} else f"`{key.default}`"
    type_ = ", ".join(part for part in (key.type, default) if part)
    return f"| `{key.name}` | {type_} | {key.meaning} |\n"


if __name__ == "__main__":
    TARGET.write_text(flags_page())
    CONFIGURATION.write_text(configuration_page(CONFIGURATION.read_text()))
