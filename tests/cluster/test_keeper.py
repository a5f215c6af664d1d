"""The process that keeps a ring for people, as far as it goes without one."""

import fcntl
import os
import socket
import threading
from pathlib import Path

import msgspec
import pytest

from cluster import keeper, ring
from lab.commands import LabError


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place of the test's own."""
    for name in ("SOCKET", "LOCK", "KUBECONFIG"):
        monkeypatch.setattr(keeper, name, tmp_path / name.lower())
    return tmp_path


def answer_once(answer: keeper.Answer, heard: list[bytes]) -> threading.Thread:
    """Stand at the door as a keeper does, for one command."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(keeper.SOCKET))
    door.listen()

    def serve() -> None:
        with door:
            line, _ = door.accept()
            with line:
                heard.append(keeper._all_of(line))
                line.sendall(msgspec.json.encode(answer))

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_without_a_ring_a_command_says_how_to_get_one() -> None:
    with pytest.raises(keeper.NotUp, match="make cluster-up"):
        keeper.ask("node", "node1", "cut")


def test_a_command_is_told_word_by_word_and_its_answer_comes_back() -> None:
    heard: list[bytes] = []
    thread = answer_once(keeper.Answer(is_done=True, text="done"), heard)
    assert keeper.ask("node", "node1", "cut").text == "done"
    thread.join()
    assert msgspec.json.decode(heard[0]) == ["node", "node1", "cut"]


def test_a_command_that_was_not_done_is_an_error_with_its_sentence() -> None:
    thread = answer_once(keeper.Answer(is_done=False, text="there is no node 'node9'"), [])
    with pytest.raises(LabError, match="no node 'node9'"):
        keeper.ask("node", "node9", "cut")
    thread.join()


def test_who_holds_the_lock_is_the_keeper() -> None:
    assert keeper.keeper() is None
    with keeper.LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(os.getpid(), file=lock, flush=True)
        assert keeper.keeper() == os.getpid()


def test_a_lock_that_a_dead_keeper_left_is_free() -> None:
    keeper.LOCK.write_text("1\n")
    assert keeper.keeper() is None


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["up", "--fast"], id="a flag that there is not"),
        pytest.param(["exec", "node1"], id="no command to run"),
        pytest.param(["dance"], id="an unknown word"),
    ],
)
def test_words_that_make_no_sense_get_the_manual(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ring.main(words) == 2
    assert "cluster.ring up" in capsys.readouterr().err
