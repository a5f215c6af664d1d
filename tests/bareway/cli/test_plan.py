"""Golden files in ``golden/``: written anew by deleting one and running its test, which then fails once."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bareway.cli.__main__ import main
from bareway.cli.verb import ExitCode

GOLDEN = Path(__file__).parent / "golden"
CLUSTER, NEW, MISTAKES = (str(GOLDEN / name) for name in ("cluster.yaml", "new.yaml", "mistakes.yaml"))

CASES = [
    pytest.param(("plan", "-f", CLUSTER), "plan.txt", id="plan"),
    pytest.param(("plan", "-f", CLUSTER, "-o", "json"), "plan.json", id="plan, JSON"),
    pytest.param(("plan", "-f", CLUSTER, "--against", NEW), "against.txt", id="against"),
    pytest.param(("plan", "-f", CLUSTER, "--against", NEW, "-o", "json"), "against.json", id="against, JSON"),
    pytest.param(("plan", "-f", MISTAKES, "-o", "json"), "plan_mistakes.json", id="mistakes"),
    pytest.param(("lint", "-f", MISTAKES), "lint.txt", id="lint"),
    pytest.param(("lint", "-f", MISTAKES, "-o", "json"), "lint.json", id="lint, JSON"),
]


def run(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out.replace(f"{GOLDEN}/", ""), printed.err


@pytest.mark.parametrize(("words", "name"), CASES)
def test_the_answer_is_the_one_that_was_promised(
    words: Sequence[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = run(words, capsys)
    assert err == ""
    if not (GOLDEN / name).exists():
        (GOLDEN / name).write_text(out)
        pytest.fail(f"{name} is new: read it")
    assert out == (GOLDEN / name).read_text()
    assert found == ExitCode.SOMETHING_WRONG


def test_a_plan_against_itself_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served = tmp_path / "served.yaml"
    served.write_text("address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/28]}\n")
    code, out, _ = run(("plan", "-f", str(served), "--against", str(served)), capsys)
    assert (code, out) == (ExitCode.WELL, "Nothing changes.\n")


def test_pools_count_what_services_will_hold(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(("plan", "-f", CLUSTER, "-o", "json"), capsys)
    page = json.loads(out)
    assert [pool["used"] for pool in page["pools"]] == [
        sum(1 for row in page["services"] if row["pool"] == pool["name"]) for pool in page["pools"]
    ]


BAD = [
    pytest.param(("plan", "-f", "/nowhere"), "/nowhere: No such file or directory", id="no file"),
    pytest.param(("lint", "-f", "/nowhere"), "/nowhere: No such file or directory", id="lint, no file"),
    pytest.param(("plan", "-f", "/"), "/: Is a directory", id="a directory"),
    pytest.param(("plan", "-f", sys.executable), "is not text in UTF-8", id="no text"),
    pytest.param(("plan", "-f", CLUSTER, NEW), "there are 2 configuration documents", id="two"),
    pytest.param(("plan", "-f", CLUSTER, "--against", "/nowhere"), "/nowhere: No such", id="no new file"),
]


@pytest.mark.parametrize(("words", "sentence"), BAD)
def test_nothing_is_found_out_from_what_cannot_be_read(
    words: Sequence[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(words, capsys)
    assert code == ExitCode.COULD_NOT_TELL
    assert out == ""
    assert sentence in err


def test_no_document_is_not_an_empty_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = tmp_path / "namespace.yaml"
    nothing.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    code, out, err = run(("plan", "-f", str(nothing)), capsys)
    assert (code, out) == (ExitCode.COULD_NOT_TELL, "")
    assert "there is no configuration document in these files" in err


def test_warnings_alone_are_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = tmp_path / "namespace.yaml"
    nothing.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    code, out, _ = run(("lint", "-f", str(nothing), "-o", "json"), capsys)
    assert code == ExitCode.WELL
    assert [row["severity"] for row in json.loads(out)] == ["warning"]


def test_the_standard_input_is_a_file() -> None:
    text = Path(MISTAKES).read_bytes()
    command = (sys.executable, "-m", "bareway.cli", "lint", "-f", "-", "-o", "json")
    done = subprocess.run(command, input=text, capture_output=True, check=False)
    assert done.returncode == ExitCode.SOMETHING_WRONG
    assert {row["file"] for row in json.loads(done.stdout)} == {"-"}


def test_offline_verbs_import_neither_a_client_nor_grpc() -> None:
    heavy = ("aiohttp", "grpc", "kubernetes", "scapy", "cryptography", "prometheus_client")
    script = (
        "import sys\nfrom bareway.cli.__main__ import main\n"
        f"main(['plan', '-f', {CLUSTER!r}])\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
