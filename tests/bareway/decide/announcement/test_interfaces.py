"""The key ``interfaces`` of a pool, row by row."""

from dataclasses import replace

import pytest

from bareway.decide.announcement.interfaces import allows
from bareway.model.names import InterfaceName
from support.builders import pool


@pytest.mark.parametrize(
    ("interfaces", "link", "allowed"),
    [
        pytest.param((), "eth0", True, id="none listed: all"),
        pytest.param(("eth0",), "eth0", True, id="listed"),
        pytest.param(("eth0",), "eth00", False, id="a longer name"),
        pytest.param(("bond0", "eth0"), "eth0", True, id="the second one listed"),
        pytest.param(("eth.",), "eth0", False, id="a name is no pattern"),
        pytest.param(("regex:^eth[0-3]$",), "eth3", True, id="pattern"),
        pytest.param(("regex:^eth[0-3]$",), "eth4", False, id="pattern that does not match"),
        pytest.param(("regex:eth",), "veth1", True, id="a pattern need not match from the start"),
        pytest.param(("regex:^x", "eth0"), "eth0", True, id="name beside a pattern"),
    ],
)
def test_a_link_is_allowed_by_name_or_pattern(interfaces: tuple[str, ...], link: str, allowed: bool) -> None:
    assert allows(replace(pool(), interfaces=interfaces), InterfaceName(link)) is allowed
