from dataclasses import fields

import pytest

from bareway.model.names import NodeName
from bareway.runtime.flags import Flag, IgnoredFlag
from bareway.runtime.manual import field_texts, manual, settings_table
from bareway.runtime.settings import CommonSettings
from controller import settings as controller
from speaker import settings as speaker

CONTROLLER = pytest.param(controller.Settings(), controller.FLAGS, controller.IGNORED, id="controller")
SPEAKER = pytest.param(speaker.Settings(node_name=NodeName("")), speaker.FLAGS, speaker.IGNORED, id="speaker")
PROGRAMS = pytest.mark.parametrize(("example", "flags", "ignored"), [CONTROLLER, SPEAKER])


@PROGRAMS
def test_every_field_says_below_it_what_it_means(
    example: CommonSettings, flags: tuple[Flag, ...], ignored: tuple[IgnoredFlag, ...]
) -> None:
    assert set(field_texts(type(example))) == {field.name for field in fields(example)}


@PROGRAMS
def test_every_flag_fills_a_field_and_every_field_has_a_flag(
    example: CommonSettings, flags: tuple[Flag, ...], ignored: tuple[IgnoredFlag, ...]
) -> None:
    assert {flag.field for flag in flags} | {"ignored"} == {field.name for field in fields(example)}


@PROGRAMS
def test_no_two_flags_share_a_name(
    example: CommonSettings, flags: tuple[Flag, ...], ignored: tuple[IgnoredFlag, ...]
) -> None:
    names = [flag.name for flag in flags] + [flag.name for flag in ignored]
    assert sorted(names) == sorted(set(names))


@PROGRAMS
def test_the_manual_and_the_table_show_every_flag_with_its_meaning_and_default(
    example: CommonSettings, flags: tuple[Flag, ...], ignored: tuple[IgnoredFlag, ...]
) -> None:
    page, rows = manual("x", example, flags, ignored), settings_table(example, flags).splitlines()
    texts = field_texts(type(example))
    for flag in flags:
        assert f"  --{flag.name}" in page
        (row,) = [row for row in rows if row.startswith(f"| `--{flag.name}` |")]
        assert (flag.short_for or texts[flag.field]) in row
    assert all(f"  --{flag.name}: {flag.reason}" in page for flag in ignored)


def test_a_default_is_written_as_one_would_write_it() -> None:
    rows = settings_table(speaker.Settings(node_name=NodeName("")), speaker.FLAGS)
    assert "| `--port` |  | `7480` |" in rows
    assert "| `--ml-bindport` | `BAREWAY_ML_BIND_PORT` `METALLB_ML_BIND_PORT` | `7947` |" in rows
    assert "| `--ignore-exclude-lb` |  | `false` |" in rows
    assert "| `--log-level` |  | `info` |" in rows
    assert "| `--lb-class` |  |  |" in rows


def test_a_switch_that_is_short_for_another_flag_says_so() -> None:
    row = "| `--ml-wan-config` |  | `false` | MetalLB's switch: short for `--profile=wan`. |"
    settings = speaker.Settings(node_name=NodeName(""))
    assert row in settings_table(settings, speaker.FLAGS).splitlines()
    page = manual("x", settings, speaker.FLAGS, ())
    assert "--ml-wan-config (default false)\n      MetalLB's switch: short for `--profile=wan`." in page


def test_a_program_speaks_of_its_own_socket() -> None:
    assert "--socket (default /run/bareway/speaker.sock)" in manual(
        "x", speaker.Settings(node_name=NodeName("")), speaker.FLAGS, ()
    )
