"""What a page shows of a terminal is what is printed: offline commands are run, others are compared.

A sample of a command that needs a cluster is the same as one in ``manifests/README.md`` or in the parts that
a new user reads first (``support/first_day.py``), which stories on the real cluster compare with what they
see; or it is the golden output of a verb for a cluster that is made up (``tests/bareway/cli/golden``), which
that verb's own test compares. ``make demo`` is told by the lab. What no real cluster prints is written anew
by ``make docs``.
"""

from pathlib import Path

import pytest

from bareway.cli.__main__ import main
from support.first_day import READ
from support.instructions import parts, program
from support.pages import PROMPT, Page, Sample, page, pages, read_page, samples
from support.refreshing import GOLDEN, OFFLINE, refresh

CHECKED_ON_THE_RING = "manifests/README.md"
BY_THE_LAB = {"make demo"}
REFRESH = "run: make docs"

SHOWN = [(each, sample) for each in pages() for block in each.blocks for sample in samples(block)]


def _name(value: object) -> str | None:
    match value:
        case Page():
            return value.name
        case Sample():
            return value.command
        case _:
            return None


def _is_offline(sample: Sample) -> bool:
    words = parts(sample.command)[0]
    return program(words) == "bareway" and words[1] in OFFLINE


@pytest.mark.parametrize(
    ("source", "sample"), [(each, one) for each, one in SHOWN if _is_offline(one)], ids=_name
)
def test_an_offline_command_prints_what_the_page_shows(
    source: Page,
    sample: Sample,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in source.files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    code = main(parts(sample.command)[0][1:])
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.rstrip("\n") == sample.output.rstrip("\n"), REFRESH
    assert sample.code in {None, code}


def _is_compared_elsewhere(sample: Sample) -> bool:
    parts_there = [page(CHECKED_ON_THE_RING).blocks, *(page(name).below(heading) for name, heading in READ)]
    ring = [one for blocks in parts_there for block in blocks for one in samples(block)]
    words = parts(sample.command)[0]
    verb = words[1] if program(words) == "bareway" else ""
    told = f"{PROMPT}{sample.command}\n{sample.output}"
    golden = [path.read_text() for path in GOLDEN.glob(f"{verb}-*.txt")] if verb else []
    typed = [path.read_text() for path in GOLDEN.glob("*.txt")]  # with the command above each output
    return (
        sample in ring
        or any(sample.output and sample.output in text for text in golden)
        or any(told in text for text in typed)
    )


def test_samples_of_a_cluster_are_compared_elsewhere() -> None:
    ours = [
        (each.name, one)
        for each, one in SHOWN
        if not _is_offline(one) and each.name != CHECKED_ON_THE_RING and one.command not in BY_THE_LAB
    ]
    assert [(name, one.command) for name, one in ours if not _is_compared_elsewhere(one)] == [], REFRESH


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("HolderDied      0.810s", "HolderDead      1.810s", id="golden output"),
        pytest.param("so a client could only be\n  refused", "so nobody comes", id="an offline command"),
    ],
)
def test_a_page_is_refreshed_by_what_is_printed_now(right: str, wrong: str, tmp_path: Path) -> None:
    text = page("docs/troubleshoot.md").path.read_text()
    assert right in text
    path = tmp_path / "page.md"
    path.write_text(text.replace(right, wrong))
    assert refresh(read_page(path)) == text


def test_there_is_something_to_compare() -> None:
    assert len([one for _, one in SHOWN if _is_offline(one)]) >= 6
