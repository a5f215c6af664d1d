"""Completion offers what the parsers take: the scripts run in the shells that are here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from generate_completion import SPOKEN, spoken_page

from bareway.cli.__main__ import main
from bareway.cli.grammar import phrases
from bareway.cli.shells import SHELLS, bash, kubectl
from bareway.cli.verb import ExitCode
from bareway.cli.words import WORDS

HERE = [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell)]
"""Shells that this machine has; bash is one everywhere."""
TOLD = """
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_bareway
printf '%s\\n' "${COMPREPLY[@]}"
"""
CASES = [
    pytest.param("bareway l", ["lint"], id="a verb"),
    pytest.param("bareway --local st", ["status"], id="a verb after a switch"),
    pytest.param("bareway lint -o js", ["json"], id="a fixed value"),
    pytest.param("bareway explain --output = ya", ["yaml"], id="a fixed value after ="),
    pytest.param("bareway explain --output =", ["table", "wide", "json", "yaml"], id="all fixed values"),
    pytest.param("bareway drain node1 --re", ["--reason"], id="a flag after a name"),
    pytest.param("bareway plan --", ["--help", "--filename", "--against"], id="the flags of the verb"),
    pytest.param("bareway completion ", ["bash", "zsh", "fish", "kubectl"], id="words that may follow"),
    pytest.param("bareway status --timeout ", [""], id="nothing where anything may stand"),
    pytest.param("bareway nonsense -", [""], id="nothing for a verb that is none"),
]


def _completed(script: str, typed: str) -> list[str]:
    told = subprocess.run(
        ["bash", "-c", script + TOLD, "bash", *typed.split(" ")], capture_output=True, text=True, check=True
    )
    assert told.stderr == ""
    return told.stdout.removesuffix("\n").split("\n")


def test_what_is_completed_is_what_the_parsers_take() -> None:
    assert SPOKEN.read_text() == spoken_page(), "run: make docs"


def test_every_verb_has_its_phrase_and_the_first_is_the_command_itself() -> None:
    names = [word.name for word in WORDS]
    assert [phrase.verb for phrase in phrases()] == ["", *names]
    assert list(phrases()[0].choices) == names
    assert all(phrase.summary for phrase in phrases()[1:])
    assert all("--help" in phrase.candidates for phrase in phrases())


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash_offers_what_fits(typed: str, offered: list[str]) -> None:
    found = _completed(bash(phrases()), typed)
    assert found[: len(offered)] == offered
    assert found == [""] or all(word.startswith(typed.rpartition(" ")[2].strip("=")) for word in found)


def test_bash_completes_files_where_one_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a file.yaml").touch()
    assert _completed(bash(phrases()), f"bareway lint -f {tmp_path}/") == [f"{tmp_path}/a file.yaml"]


def test_kubectl_completes_the_plug_in(tmp_path: Path) -> None:
    for name, text in (("kubectl_complete-bareway", kubectl(phrases())), ("kubectl-bareway", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    program = Path(sys.executable).with_name("kubectl")
    told = subprocess.run(
        [program, "__complete", "bareway", "explain", "-o", "j"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert told.stdout == "json\n:4\n"


@pytest.mark.parametrize("shell", HERE)
def test_each_shell_that_is_here_reads_its_script(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(SHELLS[shell](phrases()))
    told = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_knows_every_verb_and_every_flag(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == ExitCode.WELL
    script = capsys.readouterr().out
    for phrase in phrases():
        assert phrase.verb in script
        for name in (name for flag in phrase.flags for name in flag.names):
            assert (f" {name.strip('-')}" if shell == "fish" else name) in script


def test_an_unknown_shell_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion", "csh"])
    assert ended.value.code == ExitCode.COULD_NOT_TELL
    assert "bash" in capsys.readouterr().err
