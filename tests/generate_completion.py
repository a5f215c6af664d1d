"""Writes bareway/cli/spoken.py: which flags each verb takes, as its parser says; a test keeps it fresh."""

from argparse import SUPPRESS, Action, ArgumentParser
from pathlib import Path

from bareway.cli.__main__ import command_parser
from bareway.cli.verbs import LOADERS
from bareway.cli.words import WORDS

SPOKEN = Path(__file__).resolve().parent.parent / "bareway" / "cli" / "spoken.py"
HEAD = '''"""Which flags each verb takes, written by ``make docs`` from the parsers; not to be edited."""

from typing import Final

TEXT: Final = """\\
'''
END = '''
"""
'''


def spoken_page() -> str:
    """The whole file: a block for the command itself, then one for each verb."""
    blocks = [_block("bareway", command_parser("bareway", ()))]
    for word in WORDS:
        parser = ArgumentParser()
        LOADERS[word.name]().add_arguments(parser)
        blocks.append(_block(word.name, parser))
    return HEAD + "\n\n".join(blocks) + END


def _block(name: str, parser: ArgumentParser) -> str:
    lines = (_line(action) for action in parser._actions if action.help != SUPPRESS)
    return "\n".join([name, *(f"  {line}" for line in lines if line)])


def _line(action: Action) -> str:
    """Its names, then what it takes: the values that there are, or what the help calls them."""
    names = [*action.option_strings]
    if action.choices is not None and not isinstance(action.choices, dict):
        return " ".join([*names, *map(str, action.choices)])
    if not names or action.nargs == 0:
        return " ".join(names)
    return " ".join([*names, action.metavar if isinstance(action.metavar, str) else action.dest.upper()])


if __name__ == "__main__":
    SPOKEN.write_text(spoken_page())
