"""What ``bareway why`` prints of clusters; ``PYTHONPATH=tests:. python -m support.why_pages`` writes it.

The files are compared by ``tests/bareway/cli/test_why.py``; read what changed before you keep it.
"""

import io
from dataclasses import replace
from pathlib import Path
from typing import Final

from bareway.cli.pages.drawing import draw
from bareway.cli.pages.output import plain_text
from bareway.cli.pages.shapes import Block, Form, Table
from bareway.cli.pages.why import why_page
from bareway.cli.settings import Terminal
from bareway.decide.answers.why.answer import why, why_text
from bareway.decide.answers.why.chain import Why
from bareway.decide.answers.why.view import WhyView
from bareway.model.cluster import Unknown
from bareway.model.configuration import Configuration
from bareway.model.names import NodeName
from support.asked import API, NODES, ON_LINK, WEB, healthy
from support.asked_faults import FAULTS

GOLDEN: Final = Path(__file__).resolve().parents[1] / "bareway" / "cli" / "golden"
NARROW: Final = Terminal(is_rich=True, has_colours=False, columns=40)
BROKEN: Final = (
    "pool exhausted",
    "address of another",
    "a stranger answers",
    "no endpoint on any node",
    "one session is down",
)


def good() -> tuple[Why, ...]:
    """All is well."""
    return why(healthy(), WEB), why(healthy(), API), why_text(healthy(), "192.0.2.12")


def empty() -> tuple[Why, ...]:
    """There is nothing, or next to nothing."""
    nothing = WhyView(services={}, nodes=(), slices=())
    configured = replace(nothing, configuration=Configuration(), generation=1, source="ConfigMap a/config")
    silent = Unknown(
        subject="Services", why="a right is missing: services is forbidden", remedy="kubectl auth can-i"
    )
    unknown = WhyView(is_configuration_known=False, unknown=(silent,))
    return (
        why_text(nothing, "web"),
        why_text(nothing, "192.0.2.10"),
        why_text(configured, "192.0.2.10"),
        why_text(unknown, "shop/web"),
    )


def broken() -> tuple[Why, ...]:
    """Planted faults, and a speaker that does not answer."""
    gone = NODES[2]
    silent = Unknown(
        subject=f"speaker on {gone}", why="no answer within 3 s", remedy=f"kubectl logs speaker-{gone}"
    )
    found = [why(FAULTS[name].plant(healthy()), FAULTS[name].about) for name in BROKEN]
    return (*found, why(_without(healthy(), gone, silent), ON_LINK))


def _without(view: WhyView, name: NodeName, unknown: Unknown) -> WhyView:
    speakers = {one: status for one, status in view.speakers.items() if one != name}
    return replace(view, speakers=speakers, unknown=(unknown,))


def text() -> dict[str, str]:
    """Every file by its name."""
    pages = {"good": good(), "empty": empty(), "broken": broken()}
    shown = {f"why-{name}.txt": _plain(found) for name, found in pages.items()}
    return {**shown, "why-narrow.txt": _narrow((good()[0], *broken()[:2]))}


def _plain(found: tuple[Why, ...]) -> str:
    return "".join(f"$ bareway why {_about(one)}\n{plain_text(_blocks(one))}\n" for one in found)


def _blocks(found: Why) -> list[Block]:
    """Without the columns of ``-o wide``."""
    blocks = why_page(found).blocks
    return [one.for_form(Form.TABLE) if isinstance(one, Table) else one for one in blocks]


def _narrow(found: tuple[Why, ...]) -> str:
    file = io.StringIO()
    for one in found:
        draw(_blocks(one), NARROW, file)
        file.write("\n")
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _about(one: Why) -> str:
    return one.about.removeprefix("Service ")


if __name__ == "__main__":
    for name, page in text().items():
        (GOLDEN / name).write_text(page)
