"""Control groups are made, removed with what is below them, and known by the pid of their lab."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from cluster import cgroups

pytestmark = [pytest.mark.lab, pytest.mark.host]

MINE = f"bareway-lab-{os.getpid()}-0"


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    cgroups.remove(MINE)


def there(path: str) -> bool:
    return any((hierarchy / path).is_dir() for hierarchy in (cgroups.ROOT, *cgroups.ROOT.glob("*")))


def test_a_group_is_there_with_those_above_it_and_a_process_may_join_it() -> None:
    cgroups.make(f"{MINE}/node1")
    for hierarchy in [cgroups.ROOT] if cgroups.is_unified() else [cgroups.ROOT / "cpuset"]:
        process = subprocess.Popen(["sleep", "100"])
        try:  # a cpuset that allows nothing would refuse it
            (hierarchy / MINE / "node1" / "cgroup.procs").write_text(str(process.pid))
        finally:
            process.kill()
            process.wait()


def test_a_group_weighs_as_much_as_many_processes() -> None:
    cgroups.make(f"{MINE}/node1")
    place = cgroups.ROOT if cgroups.is_unified() else cgroups.ROOT / "cpu"
    told = {name: (place / MINE / "node1" / name).read_text().strip() for name in cgroups.WEIGHTS
            if (place / MINE / "node1" / name).exists()}  # fmt: skip
    assert told
    assert told.items() <= cgroups.WEIGHTS.items()


def test_making_it_twice_changes_nothing() -> None:
    cgroups.make(f"{MINE}/node1")
    cgroups.make(f"{MINE}/node1")
    assert there(f"{MINE}/node1")


def test_a_group_goes_with_all_below_it() -> None:
    cgroups.make(f"{MINE}/node1/kubepods/pod1")
    cgroups.remove(MINE)
    assert not there(MINE)


def test_groups_of_the_living_stay_and_groups_of_the_dead_go() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead = f"bareway-lab-{gone.pid}-1"
    cgroups.make(f"{MINE}/node1")
    cgroups.make(f"{dead}/node1")
    assert dead in cgroups.clean()
    assert not there(dead)
    assert there(MINE)


def test_no_controller_is_missing_that_the_kernel_offers() -> None:
    assert cgroups.missing_controllers() == []
