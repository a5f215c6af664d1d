"""bareway explain: any word that Bareway says, in sentences.

Golden output: delete a file in ``golden/`` and run this to have it written anew.
"""

import json
from pathlib import Path

import pytest

from bareway.cli.__main__ import main
from bareway.cli.verb import ExitCode
from bareway.decide.answers.reasons.registry import entries

GOLDEN = Path(__file__).parent / "golden"


def _said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main(["explain", *words])
    told = capsys.readouterr()
    return f"$ bareway explain {' '.join(words)}\n{told.out}{told.err}[{code:d}]\n"


def _is_golden(name: str, page: str) -> bool:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(page)
        pytest.fail(f"{name} is new: read it")
    return page == path.read_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("good", (["NoFreeAddress"], ["addressinuse"]), id="a word, in any case"),
        pytest.param("empty", (["zzzzzz"], [""]), id="no word"),
        pytest.param(
            "broken", (["NoFreeAdress"], ["notpermitted"]), id="a slip, and a word with two meanings"
        ),
    ],
)
def test_it_answers_as_promised(
    name: str,
    words: tuple[list[str], ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert _is_golden(f"explain-{name}.txt", "\n".join(_said(capsys, *one) for one in words))


def test_the_object_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "AddressInUse", "-o", "json"]) == ExitCode.WELL
    page = json.loads(capsys.readouterr().out)
    assert page["version"] == 1
    (row,) = page["words"]
    assert row["word"] == "AddressInUse"
    assert row["meaning"].startswith("A station on the link")
    assert len(row["enums"]) == len(row["seen"]) == 2
    assert not any("`" in str(value) for value in row.values())


def test_without_a_word_all_are_listed_each_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == ExitCode.WELL
    lines = capsys.readouterr().out.splitlines()
    for entry in entries():
        word = entry.explanation.word
        assert [line for line in lines if line.startswith(f"{word} ") and "  " in line[len(word) :]], word
    assert main(["explain", "-o", "json"]) == ExitCode.WELL
    assert len(json.loads(capsys.readouterr().out)["words"]) == len([*entries()])


def test_forty_columns_are_enough(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["explain", "noEndpoints"]) == ExitCode.WELL
    page = capsys.readouterr().out
    wide = [line for line in page.splitlines() if len(line) > 40]
    assert all(len(line.split()) == 1 for line in wide)
    assert "No Pod that is ready" in page


def test_what_moves_a_cursor_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "\x1b[2J"]) == ExitCode.COULD_NOT_TELL
    assert "\x1b" not in capsys.readouterr().err
