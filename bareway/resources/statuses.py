"""What ``bareway --local status -o json`` printed, read back.

Sixteen speakers say nearly the same of 5,000 addresses. So an address is read once for all that say it in the
same words.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Raw, Struct

from bareway.model.status import AddressStatus, ControllerStatus, SpeakerStatus
from bareway.resources.said import Unintelligible, read_said

ROWS_KEPT: Final = 65_536  # 10,000 addresses as their holder tells of each, and as the others do
ADDRESSES: Final = "addresses"


class _Page(Struct, frozen=True):
    controllers: list[Raw]
    speakers: list[dict[str, Raw]]


def read_statuses(body: bytes) -> tuple[list[ControllerStatus], list[SpeakerStatus]]:
    """Every controller and every speaker in it.

    Raises:
        Unintelligible: it is something else.
    """
    try:
        page = msgspec.json.decode(body, type=_Page)
        controllers = [read_said(ControllerStatus, msgspec.json.decode(one)) for one in page.controllers]
        return controllers, [_speaker(one) for one in page.speakers]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unintelligible(f"what came is no status in JSON: {error}") from error


def _speaker(fields: dict[str, Raw]) -> SpeakerStatus:
    rest = {name: msgspec.json.decode(raw) for name, raw in fields.items() if name != ADDRESSES}
    speaker = read_said(SpeakerStatus, rest)
    if ADDRESSES not in fields:
        return speaker
    rows = msgspec.json.decode(fields[ADDRESSES], type=list[Raw])
    return replace(speaker, addresses=tuple(_address(bytes(row)) for row in rows))


@lru_cache(maxsize=ROWS_KEPT)
def _address(row: bytes) -> AddressStatus:
    return read_said(AddressStatus, msgspec.json.decode(row))
