import pytest

from bareway.model.configuration import GossipProfile, Layer2Settings, OnCordon, Partition
from support.configurations import accepted, error


def test_nothing_said_means_the_defaults() -> None:
    assert accepted("").layer2 == accepted("layer2: {}").layer2 == Layer2Settings()


def test_all_of_it_is_read() -> None:
    text = """\
        layer2:
          profile: wan
          partition: safe
          gratuitous-interval: 5m
          duplicate-check: no
          on-cordon: move
        """
    assert accepted(text).layer2 == Layer2Settings(
        profile=GossipProfile.WAN,
        partition=Partition.SAFE,
        gratuitous_interval_s=300.0,
        duplicate_check=False,
        on_cordon=OnCordon.MOVE,
    )


@pytest.mark.parametrize("written", ["0", "1s"])
def test_the_gratuitous_interval_may_be_none_or_a_second(written: str) -> None:
    interval = accepted(f"layer2: {{gratuitous-interval: {written}}}").layer2.gratuitous_interval_s
    assert interval == float(written.removesuffix("s"))


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ("profile: slow", "layer2.profile", 'unknown profile "slow"'),
        ("partition: maybe", "layer2.partition", 'unknown partition "maybe"'),
        ("gratuitous-interval: 999ms", "layer2.gratuitous-interval", "must be 0 or >=1s"),
        ("gratuitous-interval: 60", "layer2.gratuitous-interval", "missing unit"),
        ("gratuitous-interval: -1s", "layer2.gratuitous-interval", "must not be negative"),
        ("duplicate-check: maybe", "layer2.duplicate-check", "into bool"),
        ("on-cordon: leave", "layer2.on-cordon", 'unknown on-cordon "leave"'),
        ("on_cordon: keep", "layer2.on_cordon", "field on_cordon not found in type config.layer2"),
    ],
)
def test_a_mistake_is_told_with_its_place(written: str, path: str, message: str) -> None:
    problem = error(f"layer2: {{{written}}}")
    assert message in problem.message
    assert problem.path == path
    assert problem.hint or "negative" in message


def test_a_list_is_no_mapping() -> None:
    assert (
        error("layer2: [fast]").message == "could not parse config: cannot unmarshal !!seq into config.layer2"
    )
