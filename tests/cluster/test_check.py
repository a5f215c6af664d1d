"""What a machine lacks is told in sentences that say what to do."""

import os
import sys
from pathlib import Path

import pytest

from cluster import build, check, ring


def test_programs_that_are_not_installed_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    told = check.what_is_missing()
    assert told[0].startswith("Programs are not installed: apt-get install conntrack containerd curl ")


def test_who_is_not_root_is_told_so_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (sentence,) = check.what_is_missing()
    assert "as root" in sentence


def test_a_binary_that_is_not_built_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(build, "cached", lambda: tmp_path / "kubernetes")
    assert any("Kubernetes is not built" in sentence for sentence in check.what_is_missing())
    assert not any("not built" in sentence for sentence in check.what_is_missing(but_the_binary=True))


@pytest.mark.parametrize("place", ["/run/kubernetes", "/var/lib/ci/kubernetes"])
def test_what_machines_would_not_see_is_named(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr(build, "cached", lambda: Path(place))
    assert [place in sentence for sentence in check._places()] == [True]


def test_a_lack_ends_the_command_with_3_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "executable", "/bin/false")  # should `up` go on: it starts nothing
    monkeypatch.setattr(ring, "binary", lambda: pytest.fail("minutes of compiling for nothing"))
    assert ring.main(["check"]) == ring.main(["build"]) == ring.main(["up"]) == 3
    assert "as root" in capsys.readouterr().err
