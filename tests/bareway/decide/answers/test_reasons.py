"""Every word of every Enum that says "no" is explained, and every explained word is said somewhere."""

import ast
import re
from collections.abc import Iterator
from enum import Enum, IntEnum, StrEnum
from importlib import import_module
from pathlib import Path

import pytest

from bareway.decide.answers.reasons.registry import TOPICS, Entry, entries, find, nearest

ROOT = Path(__file__).resolve().parents[4]
PRODUCT = sorted(
    path
    for folder in ("bareway", "controller", "speaker")
    for path in (ROOT / folder).rglob("*.py")
    if "_pb2" not in path.name and "reasons" not in path.parts
)
NEVER_READ = {
    "bareway.bgp.errors.Treatment": "what a fault in an UPDATE costs; never shown",
    "bareway.bgp.events.How": "how a connection is closed; an order between parts",
    "bareway.bgp.events.Stage": "begin and end of a drain; an order between parts",
    "bareway.bgp.events.StopReason": "an order to a session; what is told of it is a SessionReason",
    "bareway.bgp.fsm.Act": "what a session does next; an order between parts",
    "bareway.bgp.peers.Change": "what new settings cost; an order between parts",
    "bareway.cli.pages.shapes.Form": "a value that users write",
    "bareway.cli.pages.shapes.Mood": "a colour",
    "bareway.decide.preview.preview.Action": "what becomes of an address in a plan; its reason is explained",
    "bareway.gossip.claims.Outcome": "what became of a claim; never shown",
    "bareway.gossip.events.Permission": "the fence's answer to a responder; what is told of it is Fenced",
    "bareway.gossip.events.Question": "why the link is asked; never shown",
    "bareway.gossip.profile.ProfileName": "a value that users write",
    "bareway.layer2.forms.Form": "a kind of frame",
    "bareway.model.configuration.DynamicAsn": "a value that users write",
    "bareway.model.configuration.GossipProfile": "a value that users write",
    "bareway.model.configuration.GracefulRestart": "a value that users write",
    "bareway.model.configuration.OnCordon": "a value that users write",
    "bareway.model.configuration.Partition": "a value that users write",
    "bareway.model.configuration.Protocol": "a value that users write",
    "bareway.model.configuration.Reuse": "a value that users write",
    "bareway.model.problems.Severity": "error or warning; the sentence beside it says what",
    "bareway.model.selectors.Operator": "a value that users write",
    "bareway.model.services.FamilyPolicy": "Kubernetes' word",
    "bareway.model.services.TrafficPolicy": "Kubernetes' word",
    "bareway.resources.events.EventType": "Kubernetes' word",
    "bareway.runtime.log.LogLevel": "a value that users write",
    "bareway.runtime.metrics.FamilyKind": "Prometheus' word",
    "speaker.bgp.transport.Stage": "of a connection's life; never shown",
}
"""Enums of text that say no "no", and name no state that wants a look; each with its reason."""


def _str_enums() -> Iterator[str]:
    for path in PRODUCT:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "StrEnum" for base in node.bases):
                yield f"{module}.{node.name}"


def _words(enum: str) -> frozenset[str]:
    """As people read them: numbers go by their names."""
    module, _, name = enum.rpartition(".")
    found = getattr(import_module(module), name)
    assert issubclass(found, Enum)
    if issubclass(found, IntEnum):
        return frozenset(member.name.title().replace("_", "") for member in found)
    assert issubclass(found, StrEnum)
    return frozenset(member.value for member in found)


def _explained() -> dict[str, list[str]]:
    """The words that stand in the registry, by Enum."""
    found: dict[str, list[str]] = {}
    for entry in entries():
        for enum in (entry.topic.enum, *entry.explanation.also):
            found.setdefault(enum, []).append(entry.explanation.word)
    return found


ENUMS = sorted({*_str_enums()} - {*NEVER_READ})


@pytest.mark.parametrize("enum", ENUMS)
def test_every_word_that_says_no_is_explained_once(enum: str) -> None:
    explained = _explained().get(enum, [])
    assert sorted(explained) == sorted(_words(enum)), (
        "add its words to bareway/decide/answers/reasons, or the Enum to NEVER_READ with its reason"
    )


def test_every_explained_enum_is_one_of_the_code_with_all_its_words() -> None:
    wrong = {
        enum: words
        for enum, words in _explained().items()
        if enum and enum not in ENUMS and sorted(words) != sorted(_words(enum))
    }
    assert wrong == {}


def test_the_list_of_what_is_never_read_has_no_enum_that_is_gone_or_explained() -> None:
    assert {*NEVER_READ} - {*_str_enums()} == set()
    assert {*NEVER_READ} & {*_explained()} == set()


def test_words_of_no_enum_are_said_by_the_code() -> None:
    said = "\n".join(path.read_text() for path in PRODUCT)
    words = [one.word for topic in TOPICS if not topic.enum for one in topic.words]
    assert words
    assert [word for word in words if f'"{word}"' not in said] == []


def test_every_reason_of_an_event_that_is_written_out_is_explained() -> None:
    calls = [
        node
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit"
    ]
    reasons = {
        one.value
        for call in calls
        for one in (*call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }
    assert "nodeAssigned" in reasons
    assert [reason for reason in sorted(reasons) if not find(reason)] == []


def test_metrics_annotations_and_flags_that_are_named_exist() -> None:
    said = "\n".join(path.read_text() for path in (*PRODUCT, *(ROOT / "manifests").rglob("*.yaml")))
    told = "\n".join(_text(entry) for entry in entries())
    names = {*re.findall(r"`(bareway_[a-z0-9_]+|--[a-z][a-z-]+|node\.kubernetes\.io/[a-z-]+)`", told)}
    assert names
    assert [name for name in sorted(names) if name.removeprefix("--") not in said] == []


@pytest.mark.parametrize(
    "entry", [*entries()], ids=lambda entry: f"{entry.topic.enum}-{entry.explanation.word}"
)
def test_each_word_is_told_in_whole_sentences(entry: Entry) -> None:
    for text in (entry.explanation.meaning, entry.explanation.remedy):
        assert re.fullmatch(r"[A-Z`0-9].*[.`?]", text), text
        assert "|" not in text, "it would end a cell of the table"
        assert text.count("`") % 2 == 0
        assert "  " not in text
    assert "beside it" not in entry.explanation.remedy, "nothing stands beside it in `bareway explain`"
    assert entry.explanation.meaning != entry.explanation.remedy


def _text(entry: Entry) -> str:
    return f"{entry.topic.seen} {entry.explanation.meaning} {entry.explanation.remedy}"


def test_case_does_not_matter() -> None:
    assert [one.explanation.word for one in find("NOENDPOINTS")] == ["noEndpoints"]


def test_a_word_with_two_meanings_is_told_twice_and_one_with_the_same_once() -> None:
    assert {one.topic.enum.rpartition(".")[2] for one in find("NotPermitted")} == {
        "MoveRefusal",
        "WithdrawReason",
    }
    (in_use,) = find("AddressInUse")
    assert [topic.enum.rpartition(".")[2] for topic in in_use.topics] == ["Reason", "FindingWord"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("noendpoint", "noEndpoints", id="a letter is missing"),
        pytest.param("PoolExausted", "PoolExhausted", id="a slip of the pen"),
        pytest.param("strictarp", "StrictArpMissing", id="the beginning"),
        pytest.param("proxyarp", "ProxyArpSuspected", id="in small letters"),
    ],
)
def test_who_mistypes_a_word_is_told_the_nearest(typed: str, meant: str) -> None:
    assert find(typed) == ()
    assert nearest(typed)[0] == meant


@pytest.mark.parametrize("typed", ["", "zzzzzzzzzz", "\x1b[2J"])
def test_what_looks_like_no_word_is_like_none(typed: str) -> None:
    assert nearest(typed) == ()
