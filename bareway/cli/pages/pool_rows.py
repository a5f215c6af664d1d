"""Pools as a table."""

from collections.abc import Sequence

from bareway.cli.pages.shapes import Cell, Column, Mood, Table
from bareway.decide.answers.pools import PoolView

HUNDRED = 100
NEARLY_FULL = 90
"""Per cent, from which on somebody should think of more addresses."""

HEAD = (
    Column("POOL"),
    Column("PROTOCOL"),
    Column("ADDRESSES", right=True),
    Column("USED", right=True),
    Column("FREE", right=True),
    Column("SHARE", right=True),
    Column("AUTO", wide=True),
    Column("PRIORITY", wide=True),
    Column("IPV6", wide=True),
    Column("RANGES", wide=True),
)


def pools_table(pools: Sequence[PoolView]) -> tuple[Table, ...]:
    """Nothing without pools."""
    return (Table(columns=HEAD, rows=tuple(map(_row, pools))),) if pools else ()


def _row(pool: PoolView) -> tuple[Cell | str, ...]:
    ipv6 = f"{_count(pool.used_ipv6) or '?'} of {_count(pool.total_ipv6)}" if pool.total_ipv6 else ""
    return (
        pool.name,
        pool.protocol,
        _count(pool.total),
        _count(pool.used),
        _count(pool.free),
        _share(pool),
        "yes" if pool.auto_assign else "no",
        str(pool.priority or ""),
        ipv6,
        ", ".join(pool.ranges),
    )


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _share(pool: PoolView) -> Cell:
    if not pool.total or pool.used is None:
        return Cell("", Mood.FAINT)
    share = HUNDRED * pool.used // pool.total
    mood = Mood.BAD if share >= HUNDRED else Mood.ODD if share >= NEARLY_FULL else Mood.PLAIN
    return Cell(f"{share}%", mood)
