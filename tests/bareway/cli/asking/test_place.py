"""Who is asked: the programs on this node, or a cluster."""

import socket
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from bareway.cli.__main__ import main
from bareway.cli.asking.place import TIMEOUT_S, CannotLook, add_place, is_here, look, namespace_of
from bareway.cli.verb import ExitCode
from bareway.cli.verbs import LOADERS
from bareway.cli.words import WORDS
from bareway.runtime.settings import DEFAULT_NAMESPACE


def parsed(*words: str) -> Namespace:
    parser = ArgumentParser()
    add_place(parser)
    return parser.parse_args(words)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "speaker.sock"))
    return tmp_path / "speaker.sock"


def test_by_itself_a_verb_asks_the_node_where_a_program_runs_and_else_a_cluster(path: Path) -> None:
    assert is_here(parsed(), sockets=(path,))
    assert not is_here(parsed(), sockets=(path.with_name("none"),))
    assert not is_here(parsed(), sockets=(path.parent,))


def test_what_is_said_wins_over_what_is_there(path: Path) -> None:
    nothing = path.with_name("none")
    assert is_here(parsed("--local"), sockets=(nothing,))
    assert is_here(parsed("--socket", str(nothing)), sockets=(nothing,))
    assert not is_here(parsed("--kubeconfig", "x"), sockets=(path,))
    assert is_here(parsed("--kubeconfig", "x", "--local"), sockets=(nothing,))


def test_in_a_pod_of_ours_nobody_looks_at_a_cluster_while_its_program_is_not_there(
    tmp_path: Path,
) -> None:
    ours, others = tmp_path / "bareway" / "speaker.sock", tmp_path / "elsewhere" / "speaker.sock"
    ours.parent.mkdir()
    (pod_file := tmp_path / "namespace").write_text("bareway-system")
    assert is_here(parsed(), sockets=(ours,), pod_file=pod_file)
    assert not is_here(parsed("--kubeconfig", "x"), sockets=(ours,), pod_file=pod_file)
    assert not is_here(parsed(), sockets=(others,), pod_file=pod_file)
    assert not is_here(parsed(), sockets=(ours,), pod_file=tmp_path / "none")


def test_in_our_pod_its_namespace_is_that_of_the_programs_and_of_a_cluster_what_was_said(
    tmp_path: Path,
) -> None:
    (pod_file := tmp_path / "namespace").write_text("lb")
    assert namespace_of(parsed("--local"), pod_file=pod_file) == "lb"
    assert namespace_of(parsed("--local", "-n", "other"), pod_file=pod_file) == "other"
    assert namespace_of(parsed("--local"), pod_file=tmp_path / "none") == DEFAULT_NAMESPACE
    assert namespace_of(parsed("--kubeconfig", "x"), pod_file=pod_file) == DEFAULT_NAMESPACE


def test_a_folder_that_is_not_ours_to_look_into_is_no_node(tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 300)
    assert not is_here(parsed(), sockets=(too_long,))


def test_what_is_not_said_has_its_usual_value() -> None:
    found = parsed()
    assert (found.namespace, found.timeout, found.all) == (DEFAULT_NAMESPACE, TIMEOUT_S, False)
    assert (found.socket, found.kubeconfig) == ([], None)


@pytest.mark.parametrize("text", ["UPPER", "", "a/b"])
def test_a_namespace_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("-n", text)
    assert "is not a namespace" in capsys.readouterr().err


def test_where_no_program_runs_a_look_on_the_node_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotLook, match=r"no socket .*none: nothing runs here with it"):
        look(parsed("--socket", str(tmp_path / "none")))


ASKING = ("status", "bgp", "pools", "members")


@pytest.mark.parametrize("verb", ASKING)
@pytest.mark.parametrize("order", ["before", "after"])
def test_local_may_stand_before_the_verb_or_after_it(
    verb: str, order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = ["--socket", str(tmp_path / "none")]
    words = ["--local", verb, *rest] if order == "before" else [verb, "--local", *rest]
    assert main(words) == ExitCode.COULD_NOT_TELL
    printed = capsys.readouterr()
    assert printed.err == f"bareway: no socket {tmp_path / 'none'}: nothing runs here with it\n"
    assert printed.out == ""


def test_a_verb_that_asks_no_programs_refuses_local(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--local", "drain", "node1"], ["drain", "node1", "--local"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == ExitCode.COULD_NOT_TELL
        assert "--local" in capsys.readouterr().err


def test_whoever_says_that_it_asks_programs_takes_the_flag() -> None:
    for word in WORDS:
        verb = LOADERS[word.name]()
        parser = ArgumentParser()
        verb.add_arguments(parser)
        assert ("--local" in parser.format_help()) == verb.answers_here, word.name
