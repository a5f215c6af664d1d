"""Every command that a page shows can be typed as it stands: programs, verbs, flags, files, names, targets.

What runs without a cluster is run by ``test_samples.py``; what needs one is run by the story on the real
cluster (``tests/cluster``), which reads the same pages or is named beside the command in a comment.
"""

import re
import sys
from pathlib import Path

import pytest

from cluster.readme import commands as typed_on_the_ring
from lab.commands import run
from support.instructions import PROGRAMS, commands, parts, program, slips
from support.kubectl_words import folder
from support.pages import ROOT, Page, pages
from support.slips import Place

WITH_COMMANDS = [page for page in pages() if any(map(commands, page.blocks))]
RUN_BY = re.compile(r"<!-- run by (.*?) -->", re.DOTALL)


def _name(page: Page) -> str:
    return page.name


def _place(page: Page) -> Place:
    """Files that the page shows, and those that an earlier command of it writes."""
    written = {
        name for block in page.blocks for name in re.findall(r"> ([\w.-]+)$", block.text, re.MULTILINE)
    }
    return Place(root=ROOT, files=frozenset({*page.files, *written}))


def _in_prose(page: Page) -> list[str]:
    """Commands between backticks, of ``a|b`` the first; one word after the program, or a flag at the end, is
    only a mention.
    """
    spans = (span for span in page.spans if program(span.split()) in PROGRAMS and len(span.split()) > 2)
    return [re.sub(r"(\S)\|\S+", r"\1", span) for span in spans if not re.search(r" -\w$", span)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=_name)
def test_every_command_in_a_block_can_be_typed(page: Page) -> None:
    typed = [line for block in page.blocks for line in commands(block)]
    assert [slip for line in typed for slip in slips(line, _place(page))] == []


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_every_command_in_a_sentence_can_be_typed(page: Page) -> None:
    assert [slip for span in _in_prose(page) for slip in slips(span, _place(page))] == []


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_no_command_hides_in_a_block_that_is_not_read(page: Page) -> None:
    unread = [block for block in page.blocks if not commands(block)]
    assert [line for block in unread for line in block.lines if program(line.split()[:1]) in PROGRAMS] == []


def test_every_folder_that_a_page_installs_from_is_built_by_kustomize() -> None:
    built = {
        folder(words[1:]).rstrip("/")
        for page in pages()
        for line in (*(line for block in page.blocks for line in commands(block)), *_in_prose(page))
        for words in parts(line)
        if program(words) == "kubectl" and words[1:2] != ["bareway"]
    }
    overlays = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("manifests/overlays/*/*.yaml")}
    assert built - {""} == {"manifests", "manifests/monitoring", *overlays}
    for name in built - {""}:
        run(str(Path(sys.executable).with_name("kubectl")), "kustomize", str(ROOT / name))


def test_the_stories_that_run_a_command_exist() -> None:
    stories = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    comments = [found for page in pages() for found in RUN_BY.findall("\n".join(page.prose))]
    named = [name for found in comments for name in re.split(r",?\s+", found)]
    assert named
    assert [name for name in named if f"def {name}(" not in stories] == []


@pytest.mark.parametrize(
    ("page", "title", "of_the_ring"),
    [
        pytest.param("install.md", "3. The programs, the addresses", "Install", id="install"),
        pytest.param("operate.md", "Upgrade", "Upgrade", id="upgrade"),
        pytest.param("migrate-from-metallb.md", "2. Hand over", "From MetalLB", id="from MetalLB"),
    ],
)
def test_the_same_is_typed_as_on_the_real_cluster(page: str, title: str, of_the_ring: str) -> None:
    told = typed_on_the_ring(title, source=ROOT / "docs" / page)
    ring = typed_on_the_ring(of_the_ring)
    assert ring
    assert told[: len(ring)] == ring
