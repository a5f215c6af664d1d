"""``bareway members``: the speakers as they see each other, and what each of them announces.

Exit codes: 0 everybody is alive to everybody, 1 somebody is held dead or suspect, they disagree, or there is
no Bareway; 2 no speaker answered, or not every one that was asked.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from bareway.cli.asking.parts import Part
from bareway.cli.asking.place import CannotLook, add_place, look
from bareway.cli.pages.findings import absent_block, is_absent, unasked_block, unknown_block
from bareway.cli.pages.output import add_output, show, versioned
from bareway.cli.pages.shapes import Cell, Column, Lines, Mood, Page, Table, columns
from bareway.cli.pages.table import span
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.members import TROUBLED, MemberView, members_of
from bareway.gossip.member import MemberState
from bareway.model.cluster import Cluster
from bareway.model.plain import plain

DISSENT_SHOWN = 3
"""Others that see a member otherwise, by name; how many more is counted."""
HEAD = (
    *columns("MEMBER", "STATE", "FOR", "SEEN SO BY", "ANNOUNCES", "OTHERS SAY"),
    Column("REACHED AT", wide=True),
    Column("LEAVES", wide=True),
    Column("VERSION", wide=True),
)
NONE = "There are no members: no speaker answered that has joined gossip."


def _add_arguments(parser: ArgumentParser) -> None:
    add_place(parser)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    try:
        cluster = look(arguments, Part.SPEAKERS)
    except CannotLook as error:
        return could_not_tell(str(error))
    page, code = members_answer(cluster, arguments.namespace)
    show(page, arguments.output)
    return code


def members_answer(cluster: Cluster, namespace: str) -> tuple[Page, ExitCode]:
    """What is shown, those that want a look first, and how it stands."""
    members = sorted(members_of(cluster), key=lambda one: (not one.is_troubled, one.name))
    data = versioned({"members": plain(members), "unknown": plain(cluster.unknown)})
    if is_absent(cluster):
        return Page(blocks=absent_block(namespace), data=data), ExitCode.SOMETHING_WRONG
    table = Table(columns=HEAD, rows=tuple(map(_row, members))) if members else Lines(lines=(NONE,))
    blocks = (table, *unasked_block(cluster), *unknown_block(cluster.unknown))
    return Page(blocks=blocks, data=data), _code(cluster, members)


def _code(cluster: Cluster, members: Sequence[MemberView]) -> ExitCode:
    if any(one.is_troubled for one in members):
        return ExitCode.SOMETHING_WRONG
    return ExitCode.WELL if cluster.speakers and not cluster.unknown else ExitCode.COULD_NOT_TELL


def _row(member: MemberView) -> tuple[Cell | str, ...]:
    return (
        member.name,
        Cell(member.state, _mood(member.state)),
        span(member.since_s) if member.since_s else "",
        f"{member.seen_by} of {member.asked}" if member.asked else "",
        str(member.announces),
        Cell(_some(member.dissent), Mood.ODD),
        member.address,
        member.leaving,
        member.version,
    )


def _mood(state: str) -> Mood:
    if state in TROUBLED:
        return Mood.BAD
    return Mood.GOOD if state == MemberState.ALIVE else Mood.FAINT


def _some(sentences: Sequence[str]) -> str:
    shown = ", ".join(sentences[:DISSENT_SHOWN])
    more = len(sentences) - DISSENT_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


MEMBERS = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)
