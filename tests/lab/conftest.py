"""A lab for a test: three machines on one switch, taken away whatever happens."""

from collections.abc import Callable, Iterator

import pytest

from lab.apis import Api, EmbeddedApi, RealApi
from lab.commands import what_is_missing
from lab.machine import Machine, Switch
from lab.network import Lab
from lab.site import Site, Watchers
from lab.system import System


@pytest.fixture(scope="session")
def _prerequisites() -> None:
    """A lab that cannot be built is a failure, never a skip: nobody must believe it passed."""
    if missing := what_is_missing():
        pytest.fail(missing, pytrace=False)


@pytest.fixture
def lab(_prerequisites: None) -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def lan(lab: Lab) -> Switch:
    return lab.switch("lan")


@pytest.fixture
def node(lab: Lab, lan: Switch) -> Machine:
    return lab.machine("node1", lan, "192.0.2.11/24")


@pytest.fixture
def client(lab: Lab, lan: Switch) -> Machine:
    return lab.machine("client", lan, "192.0.2.100/24")


@pytest.fixture
def observer(lab: Lab, lan: Switch) -> Machine:
    return lab.machine("observer", lan, "192.0.2.101/24")


@pytest.fixture
def system(lab: Lab) -> Iterator[System]:
    """Bareway on three nodes with a published Service; all speakers know each other."""
    yield from running(lab, EmbeddedApi)


@pytest.fixture
def real_system(lab: Lab) -> Iterator[System]:
    """The same on a real kube-apiserver."""
    yield from running(lab, RealApi)


def running(lab: Lab, api: Callable[[Site], Api]) -> Iterator[System]:
    system = System(Site(lab), api)
    system.start_cluster()
    system.start_all()
    system.configure()
    system.publish()
    system.settle()
    yield system
    # Whatever a test did to the others: what still runs has not met a mistake of its own.
    for process in (system.controller, *system.speakers.values()):
        assert process is not None
        assert "Traceback" not in process.output.read_text() + process.errors.read_text()


@pytest.fixture
def watchers(system: System) -> Watchers:
    return Watchers(system.site, system.address_of())
