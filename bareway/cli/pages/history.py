"""What the history of addresses looks like: a table for people, an object for scripts, and the way back.

What one speaker remembers has the same form as what several say together, so that the command in a Pod and
the one that asks many Pods are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from ipaddress import ip_address

from bareway.cli.pages.findings import unknown_block
from bareway.cli.pages.output import versioned
from bareway.cli.pages.shapes import Block, Cell, Column, Lines, Mood, Page, Table, columns
from bareway.decide.answers.history.handovers import SEAMLESS, SILENT
from bareway.decide.answers.history.merging import Told, complete_from, merge
from bareway.model.cluster import Unknown
from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import IPAddress, NodeName
from bareway.model.plain import plain
from bareway.resources.said import Unintelligible, read_page

HEAD = (
    *columns("WHEN", "ADDRESS", "FROM", "TO", "WHY", "GAP", "NOTE"),
    Column("MEASURED BY", wide=True),
    Column("SEEN BY", wide=True),
    Column("CLAIM", wide=True),
)
NO_GAP = "none"
"""The former holder answered until the new one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked, and what came of it."""

    address: IPAddress | None
    """None: all."""
    since: datetime | None = None
    histories: tuple[SpeakerHistory, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    unasked: int = 0
    """Speakers that were left out: all see the same claims."""

    @property
    def key(self) -> IPAddress | None:
        """Under which address the one asked for is claimed, as far as somebody knows."""
        keys = {one.key for one in self.histories if one.key is not None} - {self.address}
        return min(keys, key=str, default=self.address)


def history_page(asked: Asked, *, zone: tzinfo | None = None) -> Page:
    """What is shown, in the time of ``zone``; None: that of this computer."""
    told = merge(asked.histories, since=asked.since)
    blocks: list[Block] = []
    if asked.key != asked.address:
        blocks.append(Lines(lines=(f"{asked.address} is announced together with {asked.key}",)))
    if told:
        blocks.append(Table(columns=HEAD, rows=tuple(_row(one, zone) for one in told)))
    blocks.append(Lines(lines=tuple(_remarks(asked, told, zone))))
    return Page(blocks=(*blocks, *unknown_block(asked.unknown)), data=_data(asked, told))


def read_history(body: bytes) -> SpeakerHistory:
    """What one speaker answered to ``bareway --local history -o json``.

    Raises:
        Unintelligible: it is something else.
    """
    page = read_page(body)
    try:
        (speaker,) = _listed(page["speakers"])
        return SpeakerHistory(
            node=NodeName(_text(speaker["node"])),
            since=_moment(speaker["since"]),
            dropped=_number(speaker["dropped"]),
            key=None if page["key"] is None else ip_address(_text(page["key"])),
            handovers=tuple(map(_handover, _listed(page["changes"]))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unintelligible(f"what came is no history of one speaker: {error}") from error


# ------------------------------------------------------------ for people


def _row(told: Told, zone: tzinfo | None) -> tuple[Cell | str, ...]:
    one = told.handover
    is_fault = one.reason in SILENT
    return (
        shown_time(one.at, zone),
        str(one.address),
        one.former or "",
        one.holder or "",
        Cell(one.reason, Mood.BAD if is_fault else Mood.PLAIN),
        _gap(one),
        one.detail,
        told.gap_by or "",
        ",".join(told.seen_by),
        f"{one.generation}.{one.count}",
    )


def _gap(handover: Handover) -> str:
    if handover.reason in SEAMLESS:
        return NO_GAP
    return "" if handover.gap_s is None else f"{handover.gap_s:.3f}s"


def shown_time(moment: datetime, zone: tzinfo | None) -> str:
    """To the millisecond, with the offset from UTC."""
    local = moment.astimezone(zone)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03} {offset[:3]}:{offset[3:5]}"


def _remarks(asked: Asked, told: Sequence[Told], zone: tzinfo | None) -> list[Cell | str]:
    since = complete_from(asked.histories)
    if since is None:
        return [Cell("No speaker answered, so nothing is known.", Mood.BAD)]
    lines: list[Cell | str] = []
    if not told:
        what = "No address" if asked.address is None else str(asked.address)
        when = f" since {shown_time(max(asked.since, since), zone)}" if asked.since is not None else ""
        before = "; of the time before that nothing is known" if asked.since and asked.since < since else ""
        how = "changed" if asked.address is None else "did not change"
        lines.append(f"{what} {how} hands{when}{before}.")
    asked_of = len(asked.histories)
    more = f"; {asked.unasked} others were not asked, since all see the same claims" if asked.unasked else ""
    lines.append(
        f"{asked_of} {'speaker remembers' if asked_of == 1 else 'speakers remember together'} all since"
        f" {shown_time(since, zone)}{more}."
    )
    if any(one.handover.gap_s for one in told):
        lines.append(
            "A gap is the time from the last word of the former holder to the claim, as the speaker measured"
            " it that heard the former holder last."
        )
    return lines


# ------------------------------------------------------------ for scripts


def _data(asked: Asked, told: Sequence[Told]) -> dict[str, object]:
    since = complete_from(asked.histories)
    return versioned(
        {
            "address": plain(asked.address),
            "key": plain(asked.key),
            "complete_from": None if since is None else rfc3339(since),
            "changes": list(map(_change, told)),
            "speakers": [
                {"node": one.node, "since": rfc3339(one.since), "dropped": one.dropped}
                for one in sorted(asked.histories, key=lambda one: one.node)
            ],
            "unasked": asked.unasked,
            "unknown": plain(asked.unknown),
        }
    )


def _change(told: Told) -> dict[str, object]:
    one = told.handover
    return {
        "address": str(one.address),
        "at": rfc3339(one.at),
        "from": one.former,
        "to": one.holder,
        "reason": one.reason,
        "note": one.detail,
        "gap_s": one.gap_s,
        "gap_measured_by": told.gap_by,
        "seen_by": list(told.seen_by),
        "claim": {"generation": one.generation, "count": one.count},
    }


def rfc3339(moment: datetime) -> str:
    """In UTC, to the microsecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


# ------------------------------------------------------------ and back


def _handover(value: dict[str, object]) -> Handover:
    claim = value["claim"]
    if not isinstance(claim, dict):
        raise TypeError("a claim is no object")
    gap_s = value["gap_s"]
    return Handover(
        address=ip_address(_text(value["address"])),
        generation=_number(claim["generation"]),
        count=_number(claim["count"]),
        former=_name(value["from"]),
        holder=_name(value["to"]),
        at=_moment(value["at"]),
        reason=_text(value["reason"]),
        gap_s=float(gap_s) if isinstance(gap_s, int | float) else None,
        detail=_text(value["note"]),
    )


def _listed(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise TypeError("no list of objects")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _name(value: object) -> NodeName | None:
    return None if value is None else NodeName(_text(value))


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r:.60} is no whole number")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no offset from UTC")
    return moment.astimezone(UTC)
