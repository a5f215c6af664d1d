import sys

import pytest

from bareway import __version__
from bareway.cli.__main__ import main
from bareway.cli.verb import ExitCode
from bareway.cli.verbs import WORDS


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
