"""What the docs say is what the code does: the flags, the links, the ConfigMaps, the targets of make."""

import re
from pathlib import Path

import pytest
from generate_docs import (
    CONFIGURATION,
    METRICS,
    REASONS,
    TARGET,
    configuration_page,
    flags_page,
    metrics_page,
    reasons_page,
)

from bareway.cli.__main__ import main
from bareway.model.configuration import Layer2Settings
from bareway.model.problems import Severity
from bareway.resources.configurations import read_configuration

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

WITH_COMMANDS = (ROOT / "README.md", CONFIGURATION)
WITH_MISTAKES = "mistakes.yaml"


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_table_of_flags_is_what_the_code_prints() -> None:
    assert TARGET.read_text() == flags_page(), "run: make docs"


def test_the_table_of_words_is_what_the_code_explains() -> None:
    assert REASONS.read_text() == reasons_page(), "run: make docs"


def test_the_table_of_metrics_is_what_the_programs_tell() -> None:
    assert METRICS.read_text() == metrics_page(), "run: make docs"


def test_the_tables_of_keys_are_what_the_code_prints() -> None:
    assert CONFIGURATION.read_text() == configuration_page(CONFIGURATION.read_text()), "run: make docs"


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


def _documents() -> list[tuple[str, str]]:
    """All configurations in the docs: the document, and what extends it."""
    pages = (ROOT / "README.md", CONFIGURATION)
    blocks = [
        block
        for page in pages
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
        if not block.startswith(f"# {WITH_MISTAKES}\n")
    ]
    return [(_document(block, "config") or block, _document(block, "bareway")) for block in blocks]


def _document(block: str, key: str) -> str:
    """What stands under one data key of a ConfigMap; empty if there is none."""
    found = re.search(rf"^  {key}: \|\n((?:    .*\n|\n)*)", block, re.MULTILINE)
    return re.sub(r"^    ", "", found.group(1), flags=re.MULTILINE) if found else ""


@pytest.mark.parametrize(("document", "extension"), _documents())
def test_every_configuration_in_the_docs_is_accepted(document: str, extension: str) -> None:
    reading = read_configuration(document, extension)
    errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    assert list(map(str, errors)) == []
    assert reading.configuration is not None
    assert reading.configuration.pools


def test_what_the_readme_configures_is_served() -> None:
    (document, extension), *_ = _documents()
    assert read_configuration(document, extension).problems == ()


def test_the_manual_shows_a_configuration_with_every_part() -> None:
    read = (read_configuration(*one).configuration for one in _documents())
    (found,) = (one for one in read if one is not None and one.peers)
    assert found.communities
    assert found.bfd_profiles
    assert found.layer2 != Layer2Settings()
    assert any(pool.advertisements for pool in found.pools)
    assert any(pool.reserve for pool in found.pools)


def _shown(page: Path) -> list[tuple[str, str, str]]:
    """The commands that a page shows and that need no cluster, with their output and exit code."""
    block = r"```console\n\$ bareway ((?:lint|plan) .*?)\n(.*?)\$ echo \$\?\n(\d)\n```"
    return re.findall(block, page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=_name)
def test_commands_answer_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in re.findall(r"```yaml\n(?=# (\S+)\n)(.*?)```", page.read_text(), re.DOTALL):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    commands = _shown(page)
    assert len(commands) == page.read_text().count("$ bareway lint ") + page.read_text().count(
        "$ bareway plan "
    )
    assert commands
    for command, output, code in commands:
        assert (main(command.split()), *capsys.readouterr()) == (int(code), output, "")


def test_the_manual_accepts_the_loss_that_it_shows() -> None:
    assert len(set(re.findall(r"accept-loss=(\w+)", CONFIGURATION.read_text()))) == 1
