"""Every link in every page of the project leads to a file that there is, and to a heading in it."""

import re
from itertools import pairwise

import pytest

from support.pages import ROOT, Page, page, pages

OUTSIDE = re.compile(r"https://[\w.-]+(/\S*)?")
NIGHT = (
    *("README", "install", "operate", "migrate-from-metallb", "troubleshoot", "how-it-works"),
    *("configuration", "layer2", "bgp", "flags", "metrics", "reasons"),
)


def _name(page: Page) -> str:
    return page.name


def _is_dead(link: str, source: Page) -> bool:
    if OUTSIDE.fullmatch(link):
        return False
    name, _, fragment = link.partition("#")
    target = (source.path.parent / name).resolve() if name else source.path
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    if not fragment:
        return False
    return target.suffix != ".md" or fragment not in page(target.relative_to(ROOT).as_posix()).anchors


@pytest.mark.parametrize("source", pages(), ids=_name)
def test_no_link_is_dead(source: Page) -> None:
    assert [link for link in source.links if _is_dead(link, source)] == []


@pytest.mark.parametrize(
    ("link", "dead"),
    [
        pytest.param("layer2.md", False, id="a page"),
        pytest.param("layer2.md#who-announces", False, id="a heading"),
        pytest.param("#which-address-a-service-gets", False, id="a heading of its own"),
        pytest.param("../tests/bench/results", False, id="a folder"),
        pytest.param("https://example.com/a#b", False, id="outside"),
        pytest.param("layer3.md", True, id="no such page"),
        pytest.param("layer2.md#who-announce", True, id="no such heading"),
        pytest.param("../../elsewhere", True, id="out of the project"),
        pytest.param("ftp://example.com", True, id="no web"),
    ],
)
def test_a_dead_link_is_told_from_a_living_one(link: str, dead: bool) -> None:
    assert _is_dead(link, page("docs/configuration.md")) is dead


def test_every_page_for_operators_is_in_the_index_and_the_index_in_the_readme() -> None:
    index = page("docs/README.md")
    assert {f"{name}.md" for name in NIGHT[1:]} <= {link.partition("#")[0] for link in index.links}
    assert "docs/README.md" in page("README.md").links


@pytest.mark.parametrize("source", pages(), ids=_name)
def test_no_heading_leaves_out_a_level(source: Page) -> None:
    levels = [len(found[1]) for line in source.prose if (found := re.match(r"(#{1,6}) ", line))]
    assert levels[:1] == [1]
    assert [(one, two) for one, two in pairwise(levels) if two > one + 1] == []
