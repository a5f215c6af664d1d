"""bareway.cli.settings: what kind of terminal it is, and which kubeconfig kubectl would take."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bareway.cli.settings import kubeconfig_of, terminal_of


@pytest.mark.parametrize(
    ("environ", "is_terminal", "is_rich", "has_colours"),
    [
        pytest.param({"TERM": "xterm"}, True, True, True, id="a terminal"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1"}, True, True, False, id="without colours"),
        pytest.param({"TERM": "xterm", "NO_COLOR": ""}, True, True, True, id="NO_COLOR that says nothing"),
        pytest.param({"TERM": "dumb"}, True, False, False, id="a dumb one"),
        pytest.param({}, True, True, True, id="one that does not say what it is"),
        pytest.param({"TERM": "xterm"}, False, False, False, id="a pipe"),
    ],
)
def test_a_person_sees_tables_and_a_pipe_gets_text(
    environ: Mapping[str, str], *, is_terminal: bool, is_rich: bool, has_colours: bool
) -> None:
    found = terminal_of(environ, is_terminal=is_terminal)
    assert (found.is_rich, found.has_colours) == (is_rich, has_colours)


def test_the_width_is_the_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal_of({}, is_terminal=True).columns == 40


def test_the_kubeconfig_is_the_one_that_kubectl_takes(tmp_path: Path) -> None:
    assert kubeconfig_of({}, tmp_path) is None
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").touch()
    assert kubeconfig_of({}, tmp_path) == tmp_path / ".kube" / "config"
    assert kubeconfig_of({"KUBECONFIG": "a:b"}, tmp_path) == Path("a:b")
    assert kubeconfig_of({"KUBECONFIG": ""}, tmp_path) == tmp_path / ".kube" / "config"
