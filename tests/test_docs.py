"""What the docs say is what the code does: the flags, the links, the ConfigMaps, the targets of make."""

import re
from pathlib import Path

import pytest
from generate_docs import TARGET, flags_page

from bareway.resources.configurations import read_configuration
from bareway.resources.document import read_document

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("bareway/*.md"),
        *ROOT.glob("manifests/*.md"),
        *ROOT.glob("controller/*.md"),
        *ROOT.glob("speaker/*.md"),
    )
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_table_of_flags_is_what_the_code_prints() -> None:
    assert TARGET.read_text() == flags_page(), "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_page_has_a_place_left_to_fill(page: Path) -> None:
    assert "@@" not in page.read_text()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)\b", page.read_text())) <= targets


def _documents() -> list[str]:
    pages = (ROOT / "README.md", ROOT / "docs" / "configuration.md")
    blocks = [
        block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    found = []
    for block in blocks:
        _, marker, document = block.partition("config: |\n")
        found.append(re.sub(r"^    ", "", document, flags=re.MULTILINE) if marker else block)
    return found


@pytest.mark.parametrize("document", _documents())
def test_every_configuration_in_the_docs_is_accepted(document: str) -> None:
    assert read_document(document).problems == ()
    reading = read_configuration(document)
    assert [str(problem) for problem in reading.problems] == []
    assert reading.configuration is not None
    assert reading.configuration.pools
