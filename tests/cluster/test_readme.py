import pytest

from cluster.readme import ROOT, arguments_of, commands, headings, samples


def test_the_commands_of_a_section_are_those_in_its_code() -> None:
    assert commands("Install") == [
        ["apply", "-k", str(ROOT / "manifests")],
        ["apply", "-f", str(ROOT / "manifests" / "examples" / "configuration.yaml")],
    ]


def test_the_first_readme_installs_by_the_same_commands() -> None:
    assert commands("Install", source=ROOT / "README.md") == commands("Install")


def test_a_sample_is_a_command_with_what_it_printed() -> None:
    pods, service, status, lease = samples("Check that it works")
    assert arguments_of(pods) == ["-n", "bareway-system", "get", "pods"]
    assert pods.output.splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert service.output.count("\n") == 1
    assert status.command.endswith(" -- bareway status")
    assert "What is wrong" not in status.output
    assert lease.output.splitlines()[0].split() == ["NAME", "HOLDER", "AGE"]


@pytest.mark.parametrize(
    ("output", "found"),
    [
        pytest.param("NAME   PORT(S)\nweb    80/TCP\n", [["NAME", "PORT(S)"]], id="one table"),
        pytest.param("a b\n\nA   B C\n1   -\n\nD   E\n", [["A", "B C"], ["D", "E"]], id="two among others"),
        pytest.param("eth0   -\n", [], id="no table"),
    ],
)
def test_headings_are_the_first_lines_of_tables(output: str, found: list[list[str]]) -> None:
    assert headings(output) == found
