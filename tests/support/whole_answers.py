"""The whole answer to each planted fault, as what it changes in that of a healthy cluster.

Each is made when it is asked for: what is made at import no mutant of the answers would change.

They lie in ``tests/bareway/decide/answers/golden``, a file each: what a person or a script is told changes
there, and nowhere unseen. Written by ``PYTHONPATH=tests:. .venv/bin/python -m support.whole_answers``; read
what changed.
"""

import json
import re
from collections.abc import Callable, Iterator
from difflib import ndiff
from functools import partial
from pathlib import Path
from typing import Final

from bareway.decide.answers.diagnosis import diagnose
from bareway.decide.answers.why.answer import why
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.plain import plain
from support import asked, patients
from support.asked_faults import FAULTS
from support.faults_around import AROUND
from support.faults_within import WITHIN
from support.planting import Planted

GOLDEN: Final = Path(__file__).resolve().parents[1] / "bareway" / "decide" / "answers" / "golden"
HEALTHY: Final = "healthy"


def whole_answers() -> dict[str, Callable[[], str]]:
    """What makes the text of each file, by its name."""
    return {**dict(_of_doctor()), **dict(_of_why())}


def _of_doctor() -> Iterator[tuple[str, Callable[[], str]]]:
    yield f"doctor/{HEALTHY}.txt", lambda: _text(diagnose(patients.healthy()))
    for name, fault in (AROUND | WITHIN).items():
        yield _path("doctor", name), partial(_diagnosis, fault)


def _of_why() -> Iterator[tuple[str, Callable[[], str]]]:
    for about in (asked.WEB, asked.API, asked.ON_LINK, asked.ROUTED):
        yield _path("why", f"{HEALTHY} {about}"), partial(_answer, about)
    for name, fault in FAULTS.items():
        yield _path("why", name), partial(_explanation, fault)


def _answer(about: ServiceKey | IPAddress) -> str:
    return _text(why(asked.healthy(), about))


def _diagnosis(fault: Planted) -> str:
    view = patients.healthy()
    return _news(_text(diagnose(view)), _text(diagnose(fault.plant(view))))


def _explanation(fault: asked.Fault) -> str:
    view = asked.healthy()
    return _news(_text(why(view, fault.about)), _text(why(fault.plant(view), fault.about)))


def _path(verb: str, name: str) -> str:
    return f"{verb}/{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}.txt"


def _text(answer: object) -> str:
    return json.dumps(plain(answer), indent=1) + "\n"


def _news(before: str, after: str) -> str:
    """The lines that went, and those that came."""
    changed = ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return "".join(line for line in changed if line[0] in "+-")


if __name__ == "__main__":
    kept = whole_answers()
    for path in GOLDEN.glob("*/*.txt"):
        if str(path.relative_to(GOLDEN)) not in kept:
            path.unlink()
    for each, told in kept.items():
        (GOLDEN / each).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / each).write_text(told())
