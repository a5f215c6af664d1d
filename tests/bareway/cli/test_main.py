import os
import shlex
import subprocess
import sys

import pytest

from bareway import __version__
from bareway.cli.__main__ import command_parser, main
from bareway.cli.verb import ExitCode
from bareway.cli.verbs import LOADERS
from bareway.cli.words import WORDS, Word


def test_without_a_verb_the_command_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.WELL
    page = capsys.readouterr().out
    assert page.startswith("usage: bareway ")
    assert all(f"{word.name} " in page and word.summary in page for word in WORDS)


def test_every_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for word in WORDS:
        with pytest.raises(SystemExit) as ended:
            main([word.name, "--help"])
        assert ended.value.code == 0
        assert word.summary in capsys.readouterr().out


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_the_help_of_every_verb_ends_with_an_example_that_its_parser_takes(
    word: Word, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *words = shlex.split(word.example)
    assert (command, words[0]) == ("bareway", word.name)
    assert command_parser("bareway", words).parse_args(words).verb == LOADERS[word.name]()
    with pytest.raises(SystemExit):
        main([word.name, "--help"])
    assert capsys.readouterr().out.endswith(f"\n\nexample: {word.example}\n")


def test_an_example_names_the_command_as_it_was_called(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_parser("kubectl-bareway", ["move"]).parse_args(["move", "--help"])
    assert capsys.readouterr().out.endswith("example: kubectl bareway move 192.0.2.10 node2\n")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == ExitCode.WELL
    assert capsys.readouterr().out == f"bareway {__version__}\n"


@pytest.mark.parametrize(
    ("called_as", "shown"),
    [("/usr/bin/bareway", "usage: bareway "), ("/usr/local/bin/kubectl-bareway", "usage: kubectl bareway ")],
    ids=["by itself", "by kubectl"],
)
def test_it_calls_itself_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], called_as: str, shown: str
) -> None:
    monkeypatch.setitem(vars(sys), "argv", [called_as])
    assert main() == ExitCode.WELL
    assert capsys.readouterr().out.startswith(shown)


@pytest.mark.parametrize("words", [["status", "--help"], ["version"]], ids=" ".join)
def test_who_is_not_read_to_the_end_says_so_without_a_traceback(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    # argparse says nothing of what it could not write: only what waits in a buffer shows it.
    command = ["env", "-u", "PYTHONUNBUFFERED", sys.executable, "-m", "bareway.cli", *words]
    try:
        done = subprocess.run(command, check=False, stdout=writer, stderr=subprocess.PIPE, timeout=30)
    finally:
        os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 141)
