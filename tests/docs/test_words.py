"""Words, figures and times in the pages for operators are those of the code and of the measurements."""

import re

import pytest

from bareway.decide.answers.reasons.registry import find
from bareway.gossip.profile import CRASH_GRACE_S, LADDER_STEP_S, PROFILES, ProfileName
from bareway.gossip.rotation import KEEP_S
from support.pages import Page, page

WORD = re.compile(r"`([A-Z][a-z]+[A-Z][A-Za-z]+|[a-z]+[A-Z][A-Za-z]+|Dead|Alive)`")
NO_WORDS = {"EndpointSlices", "resourceVersion", "creationTimestamp", "strictARP", "loadBalancerClass"}
"""Fields and kinds of Kubernetes that look like words of ours."""
NIGHT = [
    page(f"docs/{name}.md")
    for name in ("install", "operate", "migrate-from-metallb", "troubleshoot", "how-it-works")
]


@pytest.mark.parametrize("source", NIGHT, ids=lambda source: source.name)
def test_every_word_of_ours_is_one_that_is_explained(source: Page) -> None:
    said = {word for line in source.prose for word in WORD.findall(line)} - NO_WORDS
    assert sorted(word for word in said if not find(word)) == []


def test_troubleshooting_names_words() -> None:
    said = {word for line in page("docs/troubleshoot.md").prose for word in WORD.findall(line)}
    assert len(said - NO_WORDS) > 20


def test_every_figure_is_one_that_was_measured() -> None:
    text = "\n".join(page("docs/how-it-works.md").prose)
    figures = [number for bold in re.findall(r"\*\*([\d][^*]*)\*\*", text) for number in bold.split(" of ")]
    measured = set(re.findall(r"\d[\d.,]*\d|\d", "\n".join(page("BENCHMARKS.md").prose)))
    assert len(figures) > 10
    assert [figure for figure in figures if figure.removesuffix(" s") not in measured] == []


def test_the_time_line_is_that_of_the_default_profile() -> None:
    profile = PROFILES[ProfileName.DEFAULT]
    text = " ".join("\n".join(page("docs/how-it-works.md").prose).split())
    assert f"hear each other every {profile.interval_s:g} s" in text
    assert f"| {profile.silence_s:g} s | nobody heard it for {profile.silence_s:g} s" in text
    dead_s = profile.silence_s + profile.suspicion_s
    assert f"| {dead_s:g} s | it had {profile.suspicion_s:g} s to object" in text
    assert f"the second follows {LADDER_STEP_S:g} s later" in text
    assert f"leave it its addresses for {CRASH_GRACE_S:g} s" in text


def test_the_former_key_counts_as_long_as_it_says() -> None:
    assert KEEP_S == 60.0
    assert "and a minute has passed" in page("docs/operate.md").path.read_text()
