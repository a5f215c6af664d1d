"""A real cluster for the stories here: each begins when all is well, and repairs what it broke."""

from collections.abc import Callable, Iterator

import pytest

from cluster.installation import SYSTEM, Installation
from cluster.node import Node
from cluster.whole_cluster import Ring
from lab.network import Lab
from lab.site import Watchers
from lab.trial import steady_owner

Tell = Callable[[str], None]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print for the person who waits, whatever the test's outcome."""

    def say(sentence: str) -> None:
        with capsys.disabled():
            print(f"\n    {sentence}", end=" ", flush=True)

    return say


@pytest.fixture(scope="session")
def bareway() -> Iterator[Installation]:
    """A cluster whose nodes have the images; nothing is installed yet."""
    with Lab() as lab:
        ring = Ring(lab)
        ring.start()
        installation = Installation(ring)
        installation.load_images()
        yield installation


@pytest.fixture
def reported(request: pytest.FixtureRequest, bareway: Installation) -> Iterator[None]:
    """After a failure, what somebody who looks for its cause would ask first."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        bareway.report()


@pytest.fixture
def address(bareway: Installation) -> str:
    """The example's, on a cluster where all is well: who broke something has repaired it."""
    if SYSTEM not in bareway.kubectl("get", "namespaces", "-o", "name"):
        bareway.install()
    address = bareway.publish()  # which changes nothing if it is there
    bareway.settle()
    return address


@pytest.fixture
def watchers(bareway: Installation, address: str) -> Iterator[Watchers]:
    """A client that asks for the page all the time, and gets it."""
    watchers = bareway.ring.lan.watch(address)
    steady_owner(watchers)
    yield watchers
    watchers.stop()


@pytest.fixture
def announcer(bareway: Installation, watchers: Watchers) -> Iterator[Node]:
    """The node that announces; it carries no page, so that its fault takes the address away and no page."""
    node = bareway.ring.node(steady_owner(watchers).name)
    bareway.keep_page_away_from(node)
    yield node
    if node.machine.is_on:
        node.machine.join()
    else:
        node.power_on()
