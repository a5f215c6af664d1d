"""One look at the cluster where something is not known for sure: nothing is decided by what may be old."""

from random import Random

from bareway.model.objects import ConfigMap, Secret
from bareway.resources.in_force import write_in_force
from bareway.resources.kinds import Reading
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.assumptions import Memory
from controller.allocation.desk import Desk
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.effects import Emit, SetIngress, WriteConfiguration, WriteShard
from support.builders import ips, service

SETTINGS = Settings(socket=None)
POOL = "address-pools: [{name: %s, protocol: layer2, addresses: [%s]}]"


class Table:
    """A desk, and mirrors that show what a test says."""

    def __init__(self) -> None:
        client = KubeClient(Fixed(Credentials(server="http://127.0.0.1:1")))
        self.watch = Watch(client, SETTINGS, rng=Random("desk"), on_change=lambda: None)
        self.memory = Memory()
        self.desk = Desk(SETTINGS, watch=self.watch, memory=self.memory)
        secret = Secret(key=self.watch.secret_key, resource_version="1")
        self.watch.secrets._store.apply(Reading(secret.key, "1", secret))
        made = service("web")
        self.watch.services._store.apply(Reading(made.key, "1", made))
        self.watch._changed.add(made.key)
        self.now_s = 0.0

    def show(self, version: str, document: str) -> None:
        """The mirror of the configuration in force."""
        key = self.watch.in_force_key
        data = write_in_force(document, generation=int(version), source="a test")
        self.watch.in_force._store.apply(
            Reading(key, version, ConfigMap(key=key, resource_version=version, data=data))
        )

    def doubt(self, over: str) -> None:
        """Another configuration was written over that one, and no answer came."""
        written = ConfigMap(key=self.watch.in_force_key, resource_version=over)
        self.memory.configurations.note(written, over=over, is_certain=False)

    def look(self) -> list[object]:
        self.now_s += 2.0
        return [one for one in self.desk.look(now_s=self.now_s, unix=1_000) if not isinstance(one, Emit)]


def test_while_another_configuration_may_be_in_force_nothing_is_decided_by_the_one_that_is_seen() -> None:
    table = Table()
    table.show("1", POOL % ("a", "192.0.2.0/24"))
    table.doubt("1")
    (write,) = table.look()
    assert isinstance(write, WriteConfiguration)
    assert (write.over, write.in_force.generation) == ("1", 1), "once more, over what was seen: that tells"
    table.show("2", POOL % ("b", "198.51.100.0/24"))
    shards = table.look()
    assert {type(one) for one in shards} <= {WriteShard, SetIngress}
    (entry,) = [one for one in shards if isinstance(one, WriteShard)]
    assert entry.shard.entries.keys() >= {*ips("198.51.100.0")}


def test_what_is_told_of_pools_stays_while_it_is_not_known_which_configuration_is_in_force() -> None:
    table = Table()
    table.show("1", POOL % ("a", "192.0.2.0/24"))
    table.look()
    before = table.desk.report.allocation
    assert before is not None
    table.doubt("1")
    table.look()
    assert table.desk.report.allocation == before
