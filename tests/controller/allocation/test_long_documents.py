"""What is long is read beside the loop, once, before the look that needs it."""

import threading

from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap, ObjectReference
from bareway.resources.configurations import ConfigurationReading
from bareway.runtime.documents import AT_ONCE_MAX
from controller.allocation.acceptance import Offer
from controller.allocation.long_documents import ROUNDS_MAX, LongDocuments

LONG = "#" * (AT_ONCE_MAX + 1)
KEY = ObjectKey("bareway-system", "config")


class Rig:
    """Documents as a test has them, and what was read in which thread."""

    def __init__(self) -> None:
        self.offered: str | None = None
        self.stored: str | None = None
        self.read: list[str] = []
        self.edits = 0
        self.documents = LongDocuments(self._offer, self._in_force, read=self._read)

    def _offer(self) -> Offer | None:
        if self.offered is None:
            return None
        about = ObjectReference(kind="ConfigMap", key=KEY)
        return Offer(document=self.offered, source="a test", about=about)

    def _in_force(self) -> ConfigMap | None:
        return None if self.stored is None else ConfigMap(key=KEY, data={"config": self.stored})

    def _read(self, text: str, extension: str) -> ConfigurationReading:
        assert threading.current_thread() is not threading.main_thread()
        self.read.append(text)
        if self.edits:
            self.edits -= 1
            self.offered = f"{text}#"
        return ConfigurationReading(configuration=None, problems=())


async def test_what_is_short_or_missing_is_left_to_the_look() -> None:
    rig = Rig()
    await rig.documents.prepare()
    rig.offered, rig.stored = LONG[1:], "{}"
    await rig.documents.prepare()
    assert rig.read == []


async def test_what_is_long_is_read_once_wherever_it_stands() -> None:
    rig = Rig()
    rig.offered = rig.stored = LONG
    await rig.documents.prepare()
    await rig.documents.prepare()
    assert rig.read == [LONG]
    rig.offered = f"{LONG} "
    await rig.documents.prepare()
    assert rig.read == [LONG, f"{LONG} "]


async def test_what_was_written_meanwhile_is_read_there_too() -> None:
    rig = Rig()
    rig.offered, rig.edits = LONG, 1
    await rig.documents.prepare()
    assert rig.read == [LONG, f"{LONG}#"]


async def test_somebody_who_never_ends_writing_keeps_nobody_from_looking() -> None:
    rig = Rig()
    rig.offered, rig.edits = LONG, 100
    await rig.documents.prepare()
    assert len(rig.read) == ROUNDS_MAX
