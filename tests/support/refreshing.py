"""Writes what commands print now into the pages: ``make docs``.

Offline commands are run; of others the golden output is taken that is most like what the page shows. What a
new user reads first stays as a real cluster printed it (``support/first_day.py``).
"""

import re
from contextlib import chdir, redirect_stdout
from difflib import SequenceMatcher
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bareway.cli.__main__ import main
from support.first_day import READ
from support.instructions import parts, program
from support.pages import PROMPT, ROOT, Page, Sample, pages, samples

OFFLINE: Final = {"completion", "explain", "lint", "plan", "version"}
GOLDEN: Final = ROOT / "tests" / "bareway" / "cli" / "golden"
_END: Final = re.compile(r"^(?:\[\d\]\n|(?=\$ ))", re.MULTILINE)
ALIKE_MIN: Final = 0.3


def refresh(source: Page) -> str:
    """The text of the page with today's output."""
    text = source.path.read_text()
    of_real_cluster = {heading for name, heading in READ if source.path == ROOT / name}
    for block in source.blocks:
        if block.heading in of_real_cluster:
            continue
        for sample in samples(block):
            if program(parts(sample.command)[0]) == "bareway" and sample.output:
                text = text.replace(_shown(sample, sample.output), _shown(sample, _now(source, sample)))
    return text


def _shown(sample: Sample, output: str) -> str:
    return f"{PROMPT}{sample.command}\n{output}"


def _now(source: Page, sample: Sample) -> str:
    words = parts(sample.command)[0][1:]
    return _run(source, words) if words[0] in OFFLINE else _golden(words[0], sample)


def _run(source: Page, words: list[str]) -> str:
    told = StringIO()
    with TemporaryDirectory() as directory, chdir(directory), redirect_stdout(told):
        for name, text in source.files.items():
            Path(name).write_text(text)
        main(words)
    return f"{told.getvalue().rstrip()}\n"


def _golden(verb: str, sample: Sample) -> str:
    """As many lines as the page shows, of the output that is most like those."""
    texts = (path.read_text() for path in GOLDEN.glob(f"{verb}-*.txt"))
    outputs = [_without_command(output) for text in texts for output in _END.split(text)]
    count = sample.output.count("\n")
    heads = ["".join(output.splitlines(keepends=True)[:count]) for output in outputs]
    best = max(heads, key=lambda head: SequenceMatcher(None, head, sample.output).ratio(), default="")
    alike = SequenceMatcher(None, best, sample.output).ratio()
    return best if alike > ALIKE_MIN else sample.output


def _without_command(output: str) -> str:
    return output.partition("\n")[2] if output.startswith(PROMPT) else output.lstrip("\n")


if __name__ == "__main__":
    for each in pages():
        refreshed = refresh(each)
        if refreshed != each.path.read_text():
            print(f"wrote {each.name}")
            each.path.write_text(refreshed)
