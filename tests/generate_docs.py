"""Writes flags.md, reasons.md, metrics.md and tables of configuration.md in docs/; a test keeps them new."""

from ipaddress import ip_address
from pathlib import Path

import controller.settings
import speaker.settings
from bareway.decide.answers.reasons.explanation import Topic
from bareway.decide.answers.reasons.registry import TOPICS
from bareway.model.names import NodeName
from bareway.resources.configurations import SHAPES
from bareway.resources.grammar.keys import REQUIRED, Key
from bareway.runtime.families import controller_families, speaker_families
from bareway.runtime.figures import BfdFigures, ControllerFigures, PeerFigures, SpeakerFigures
from bareway.runtime.manual import settings_table
from bareway.runtime.metrics import Family

DOCS = Path(__file__).resolve().parent.parent / "docs"
TARGET = DOCS / "flags.md"
REASONS = DOCS / "reasons.md"
METRICS = DOCS / "metrics.md"
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

REASONS_HEAD = """# Words

Written by `make docs` from `bareway/decide/answers/reasons/`. Wherever Bareway says "no", or names a state
that wants a look, it does so with one of these words: in conditions, Events, logs, labels of metrics and the
output of `bareway`. `bareway explain WORD` tells the same on a terminal.
"""


METRICS_HEAD = """# Metrics

Written by `make docs` from `bareway/runtime/families.py`. Both programs serve them on port 7480 under
`/metrics`, as text for Prometheus; `manifests/monitoring` has a PodMonitor and alert rules. What begins with
`metallb_` has the name and labels of MetalLB, so that its dashboards go on; what begins with `bareway_` is
ours. Words in the labels `reason` and `state` are those of [reasons.md](reasons.md). The process tells of
itself too, by the names that every Python program has (`process_…`, `python_gc_…`).

Where MetalLB's are of no use, ours differ: `metallb_allocator_services_allocated_total` counts (there it
never does), a pool's figures do not overflow, an address that no Service has any more has no series, and each
frame sent unasked counts once. Pools and waiting Services are told by the controller that leads, and by no
other. Sessions with routers are told where there are any; `vrf` is always `default`.
"""


def metrics_page() -> str:
    """Every name of both programs."""
    router = PeerFigures(peer="192.0.2.254:179", address=ip_address("192.0.2.254"), bfd=BfdFigures())
    speaker_figures = SpeakerFigures(node=NodeName("node1"), peers=(router,))
    pages = {
        "bareway-controller": controller_families(ControllerFigures()),
        "bareway-speaker": speaker_families(speaker_figures),
    }
    head = "\n| name | type | labels | meaning |\n|---|---|---|---|\n"
    tables = (f"\n## {name}\n{head}{''.join(map(_metric, families))}" for name, families in pages.items())
    return METRICS_HEAD + "".join(tables)


def _metric(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels) or "-"
    return f"| `{family.name}` | {family.kind} | {labels} | {family.text} |\n"


def flags_page() -> str:
    """The whole page."""
    of_controller = settings_table(controller.settings.Settings(), controller.settings.FLAGS)
    of_speaker = settings_table(speaker.settings.Settings(node_name=NodeName("")), speaker.settings.FLAGS)
    return f"{HEAD}\n## bareway-controller\n\n{of_controller}\n## bareway-speaker\n\n{of_speaker}"


def reasons_page() -> str:
    """Every word that is explained, by topic."""
    return REASONS_HEAD + "".join(map(_topic, TOPICS))


def _topic(topic: Topic) -> str:
    rows = "".join(f"| `{one.word}` | {one.meaning} | {one.remedy} |\n" for one in topic.words)
    head = f"\n## {topic.title}\n\nSaid in: {topic.seen}.\n\n| word | meaning | what to do |\n|---|---|---|\n"
    return head + rows


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
    REASONS.write_text(reasons_page())
    METRICS.write_text(metrics_page())
    CONFIGURATION.write_text(configuration_page(CONFIGURATION.read_text()))
