"""bareway.model.arguments: what a container's words tell of its program, as it reads them itself."""

import pytest

from bareway.model import arguments
from bareway.model.arguments import IGNORE_EXCLUDE_LABEL, LOAD_BALANCER_CLASS, is_on, value_of, values_of
from controller.settings import FLAGS as CONTROLLERS
from speaker.settings import FLAGS as SPEAKERS
from speaker.settings import Settings, read_settings

NAME = ["--node-name=a"]


def as_the_speaker_reads(words: list[str]) -> Settings:
    settings = read_settings([*NAME, *words], {})
    assert isinstance(settings, Settings), settings
    return settings


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--lb-class=x/y"], "x/y", id="with ="),
        pytest.param(["--lb-class", "x/y"], "x/y", id="a word of its own"),
        pytest.param(["-lb-class=x/y", "--port=1"], "x/y", id="one dash"),
        pytest.param(["-lb-class", "x=y"], "x=y", id="one dash and a word of its own"),
        pytest.param(["--lb-class=a", "--lb-class=b"], "b", id="the last one wins"),
        pytest.param(["--lb-class=a", "--lb-class="], "a", id="an empty one says nothing"),
        pytest.param(["--lb-class=", "--port", "1"], "", id="an empty one takes no word"),
        pytest.param(["--host", "192.0.2.1", "--ignore-exclude-lb"], "", id="another flag"),
        pytest.param([], "", id="none"),
    ],
)
def test_a_flag_is_found_as_the_program_reads_it(words: list[str], said: str) -> None:
    assert value_of(words, LOAD_BALANCER_CLASS) == said
    assert (as_the_speaker_reads(words).load_balancer_class or "") == said


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--lb-class"], id="nothing follows"),
        pytest.param(["--lb-classes=a", "lb-class=b"], id="other words"),
        pytest.param(["---lb-class=a", "-", "--"], id="no flags"),
    ],
)
def test_what_is_no_such_flag_says_nothing(words: list[str]) -> None:
    assert value_of(words, LOAD_BALANCER_CLASS) == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--ignore-exclude-lb"], True, id="alone"),
        pytest.param(["-ignore-exclude-lb"], True, id="one dash"),
        pytest.param(["--ignore-exclude-lb", "--port=1"], True, id="before another flag"),
        *(
            pytest.param([f"--ignore-exclude-lb={word}"], True, id=word)
            for word in ("true", "True", "t", "1")
        ),
        pytest.param(["--ignore-exclude-lb=false"], False, id="switched off"),
        pytest.param(["--ignore-exclude-lb", "--ignore-exclude-lb=0"], False, id="the last one wins"),
        pytest.param(["--ignore-exclude-lb=f", "--ignore-exclude-lb"], True, id="the last one wins, too"),
        pytest.param([], False, id="none"),
    ],
)
def test_a_switch_is_on_as_the_program_reads_it(words: list[str], said: bool) -> None:
    assert is_on(words, IGNORE_EXCLUDE_LABEL) is said
    assert as_the_speaker_reads(words).ignore_exclude_label is said


def test_of_a_flag_that_adds_up_every_value_is_found() -> None:
    words = ["server", "--kube-proxy-arg=proxy-mode=ipvs", "--kube-proxy-arg", "ipvs-strict-arp=true"]
    assert values_of(words, "kube-proxy-arg") == ("proxy-mode=ipvs", "ipvs-strict-arp=true")


def test_every_flag_that_is_looked_for_is_one_of_our_programs() -> None:
    names = {text for name, text in vars(arguments).items() if name.isupper() and isinstance(text, str)}
    assert names - {flag.name for flag in SPEAKERS} == set()
    assert names - {flag.name for flag in CONTROLLERS} == {IGNORE_EXCLUDE_LABEL}
