"""When the demo says that all was as promised, and when it does not."""

import os
import subprocess
import sys

import pytest

from lab.stations import TESTS
from lab.story import OUTAGE_MAX_S, shortfalls
from lab.trial import Trial

PAGES = {"Hello from backend-1.", "Hello from backend-2."}


def trial(*, outage_s: float = 0.6, successor: str = "node2", stall_s: float = 0.0) -> Trial:
    return Trial(
        product="bareway",
        fault="powered off",
        owner="node1",
        successor=successor,
        outage_s=outage_s,
        requests_failed=60,
        failures={"timeout": 60},
        announced_s=0.55,
        answered_s=0.56,
        two_answerers_s=0.0,
        stall_s=stall_s,
    )


@pytest.mark.parametrize(
    ("told", "pages", "says"),
    [
        pytest.param(trial(), ["Hello from backend-1."], None, id="as promised"),
        pytest.param(
            trial(), ["Hello from backend-1.", "It works!"], "no backend's page", id="another's page"
        ),
        pytest.param(trial(), [""], "no backend's page", id="an empty page"),
        pytest.param(trial(outage_s=OUTAGE_MAX_S), [], None, id="just in time"),
        pytest.param(trial(outage_s=1.01), [], "The outage was 1.01 s, more than 1 s.", id="too late"),
        pytest.param(
            trial(outage_s=1.5, stall_s=0.4), [], "stood still for 0.40 s", id="too late on a slow host"
        ),
        pytest.param(trial(successor="node1"), [], "answers still", id="the dead node answers"),
    ],
)
def test_each_broken_promise_is_told(told: Trial, pages: list[str], says: str | None) -> None:
    found = shortfalls(told, pages, PAGES)
    assert [says in sentence for sentence in found] == [True] if says else found == []


def demo(before: str, *, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """The demo in a process of its own, after ``before``."""
    script = f"import os, sys; from lab.demo import main; {before}; sys.exit(main([]))"
    environment = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PATH": path}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )


def test_without_root_it_says_so_in_one_sentence_and_ends_with_2() -> None:
    ended = demo("os.geteuid() or os.seteuid(65534)")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "run it as root" in ended.stderr


@pytest.mark.lab
def test_a_program_that_is_not_installed_is_named_with_its_package() -> None:
    ended = demo("pass", path="/nowhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "apt-get install curl iproute2 nftables" in ended.stderr
