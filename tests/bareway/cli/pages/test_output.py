"""Answers in every form: for people on a terminal of any width, for awk, for scripts."""

import io
import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest
import yaml

from bareway.cli.pages.drawing import draw, fits
from bareway.cli.pages.output import add_output, plain_text, read_form, show, versioned
from bareway.cli.pages.shapes import Cell, Column, Form, Lines, Mood, Page, Table, columns
from bareway.cli.settings import Terminal

POOLS = Table(
    columns=(*columns("POOL", "STATE"), Column("USED", right=True), Column("RANGES", wide=True)),
    rows=(
        ("public", Cell("full", Mood.BAD), "256", "192.0.2.0/24"),
        ("inner", "", "7", "10.0.0.0/8"),
    ),
)
HEAD = Lines(lines=(Cell("two pools", Mood.TITLE), "one of them is full"))
PAGE = Page(blocks=(HEAD, POOLS), data=versioned({"pools": ["public", "inner"], "odd": "no: \u00fc"}))
ESCAPE = "\x1b"


def shown(page: Page, form: Form, capsys: pytest.CaptureFixture[str], on: Terminal | None = None) -> str:
    show(page, form, on or Terminal())
    return capsys.readouterr().out


def drawn(*blocks: Lines | Table, columns: int = 80, colours: bool = False) -> str:
    file = io.StringIO()
    draw(blocks, Terminal(is_rich=True, has_colours=colours, columns=columns), file)
    return file.getvalue()


def test_a_pipe_gets_plain_columns_without_those_for_the_few(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(PAGE, Form.TABLE, capsys) == (
        "two pools\none of them is full\n\nPOOL     STATE   USED\npublic   full    256\ninner    -       7\n"
    )


def test_wide_shows_all_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(PAGE, Form.WIDE, capsys).endswith(
        "POOL     STATE   USED   RANGES\n"
        "public   full    256    192.0.2.0/24\n"
        "inner    -       7      10.0.0.0/8\n"
    )


def test_json_and_yaml_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(PAGE, Form.JSON, capsys)
    assert json.loads(said) == PAGE.data
    assert said.startswith('{\n  "version": 1,\n')
    written = shown(PAGE, Form.YAML, capsys)
    assert yaml.safe_load(written) == PAGE.data
    assert written.startswith("version: 1\npools:\n- public\n")
    assert "\u00fc" in written


def test_on_a_terminal_there_are_colours_and_nothing_else_is_different() -> None:
    coloured = drawn(HEAD, POOLS.for_form(Form.TABLE), colours=True)
    assert f"{ESCAPE}[1;31mfull" in coloured
    plain = drawn(HEAD, POOLS.for_form(Form.TABLE))
    assert ESCAPE not in plain
    assert [line.split() for line in plain.splitlines() if "\u2500" not in line] == [
        ["two", "pools"],
        ["one", "of", "them", "is", "full"],
        [],
        ["POOL", "STATE", "USED"],
        ["public", "full", "256"],
        ["inner", "-", "7"],
    ]


def test_what_would_move_the_cursor_is_shown_as_text_in_every_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nasty = Page(
        blocks=(Lines(lines=("a\x1b[2Jb", "[red]c[/red]")), Table(columns=columns("X"), rows=(("\x07",),))),
        data={},
    )
    for text in (plain_text(nasty.blocks), drawn(*nasty.blocks), drawn(*nasty.blocks, colours=True)):
        assert "\x1b[2J" not in text
        assert "\x07" not in text
        assert "[red]c[/red]" in text


LONG = Table(
    columns=columns("SERVICE", "REASON", "MESSAGE"),
    rows=(
        ("shop/a-rather-long-name", "PoolExhausted", "no available IPs in any of the pools that it may use"),
        ("shop/web", "", "a word of 50 letters: " + "x" * 50),
    ),
)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    text = drawn(LONG, HEAD, columns=width)
    assert max(map(len, text.splitlines())) <= width
    letters = "".join(text.split())
    for row in LONG.rows:
        for cell in row:
            assert "".join(str(cell).split()) in letters


def test_on_forty_columns_each_row_stands_by_itself() -> None:
    assert not fits(LONG, 40)
    assert fits(LONG, 80)
    lines = [line.rstrip() for line in drawn(LONG, columns=40).splitlines()]
    assert lines[:4] == [
        "shop/a-rather-long-name",
        "  reason: PoolExhausted",
        "  message: no available IPs in any of",
        "  the pools that it may use",
    ]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("table", Form.TABLE),
        ("text", Form.TABLE),
        ("wide", Form.WIDE),
        ("json", Form.JSON),
        ("yaml", Form.YAML),
    ],
)
def test_every_form_has_its_word_and_the_old_one_is_known(text: str, form: Form) -> None:
    parser = ArgumentParser()
    add_output(parser)
    assert parser.parse_args(["-o", text]).output is form
    assert read_form(text) is form


def test_an_unknown_form_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    add_output(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["-o", "xml"])
    assert "'xml' is no form of output; write one of table, wide, json, yaml" in capsys.readouterr().err


def test_nothing_to_show_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(Page(blocks=(), data={}), Form.TABLE, capsys) == ""
    assert drawn() == ""


def test_rich_and_yaml_are_imported_only_where_they_are_needed() -> None:
    script = (
        "import sys\n"
        "from bareway.cli.pages import output\n"
        "output.show(output.Page(blocks=(), data={}), output.Form.JSON)\n"
        "output.show(output.Page(blocks=(), data={}), output.Form.TABLE)\n"
        "print(sorted({'rich', 'yaml', 'aiohttp', 'grpc', 'kubernetes'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "{}\n[]\n"


@pytest.mark.parametrize("nasty", ["\x7f", "\x9b2J", "\u202e", "\u2028", "\ud800", "\U000e0001"], ids=ascii)
def test_no_form_writes_what_a_terminal_obeys(nasty: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"before {nasty} after, ü"
    page = Page(blocks=(Lines(lines=(said,)),), data={"said": said})
    for form in Form:
        if form is Form.YAML and nasty == "\ud800":
            continue  # half of a character, which YAML has no way to write
        out = shown(page, form, capsys)
        assert out.replace("\n", "").isprintable()
        if form is Form.JSON:
            assert "ü" in out
            assert json.loads(out)["said"] == said
        if form is Form.YAML:
            assert yaml.safe_load(out)["said"] == said


@pytest.mark.parametrize("form", Form)
def test_what_an_encoding_cannot_write_is_escaped(form: Form) -> None:
    code = (
        "from bareway.cli.__main__ import main; from bareway.cli.pages.output import show\n"
        "from bareway.cli.pages.shapes import *\n"
        "main(['version'])\n"
        f"show(Page(blocks=(Lines(lines=('\\u00fc',)),), data={{'a': '\\u00fc'}}), Form('{form}'))"
    )
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, env=environment, timeout=30)
    out = done.stdout.decode("ascii").partition("\n")[2]
    assert done.stderr == b""
    if form is Form.JSON:
        assert json.loads(out) == {"a": "ü"}
    elif form is Form.YAML:
        assert yaml.safe_load(out) == {"a": "ü"}
    else:
        assert out == "\\xfc\n"
