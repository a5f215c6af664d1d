"""All rows of layer 2, one run after the other, each in a file of its own; then what is met and what is not.

    make bench ONLY=layer2 SCENARIO=all TRIALS=30 [RUNS=power-off,arp]

What was measured of this very code already is not measured again: a file says of which, and by which command.
A run that fails or hangs is told, and the next one begins; the same command tries it again. Ctrl-C ends the
run that goes on, and the campaign with it. Results lie in tests/bench/results/layer2.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.layer2.targets import RUNS, TARGETS, Run, Verdict, judged
from bench.trials import say
from lab.stations import IMPORTABLE

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "tests" / "bench" / "results" / "layer2"
CODE = ("bareway", "controller", "speaker")
"""What is measured. Who changes how it is measured takes the results away that it changes."""
ENDS_WITHIN_S = 90.0
"""A run that was told to end takes its lab away first."""
GRACE_MINUTES = 10.0


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Where a result comes from; the first lines of its file."""

    code: str
    """A digest of the product's code."""
    commit: str
    command: str
    seconds: float = 0.0


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed in the end, as JSON."""

    code: str
    commit: str
    load: float
    measured: list[str]
    kept: list[str]
    """Of this very code, measured before."""
    failed: dict[str, str]
    """Run, and why there is no result."""
    met: int
    missed: int
    verdicts: list[Verdict]


def campaign(*, trials: int, more: Mapping[str, Sequence[str]], only: Sequence[str], folder: Path) -> Summary:
    """Measure what is missing, then judge all.

    Args:
        trials: of each failover row; the others have at most as many as the table says.
        more: words for a run, by its name, as ``--minutes`` of a short form.
        only: names of runs; all if empty.
        folder: where the results are kept.
    """
    code, wanted = code_of(ROOT), [run for run in RUNS if not only or run.name in only]
    folder.mkdir(parents=True, exist_ok=True)
    measured: list[str] = []
    kept: list[str] = []
    failed: dict[str, str] = {}
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for number, run in enumerate(wanted, 1):
            words = words_of(run, trials, more.get(run.name, ()))
            if _is_done(folder / f"{run.name}.json", code, words):
                kept.append(run.name)
                continue
            say(f"[{number} of {len(wanted)}] {' '.join(words)}")
            stamp = Stamp(code=code, commit=commit_of(ROOT), command=" ".join(words))
            if why := _measure(run, words, stamp, folder):
                failed[run.name] = why
                say(f"  {run.name}: no result: {why}")
            else:
                measured.append(run.name)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
    finally:
        signal.signal(signal.SIGTERM, before)
    verdicts = verdicts_of(wanted, folder, code)
    for verdict in verdicts:
        say(str(verdict))
    met = sum(verdict.is_met for verdict in verdicts)
    return Summary(
        code=code,
        commit=commit_of(ROOT),
        load=round(os.getloadavg()[0], 2),
        measured=measured,
        kept=kept,
        failed=failed,
        met=met,
        missed=len(verdicts) - met,
        verdicts=verdicts,
    )


def words_of(run: Run, trials: int, more: Sequence[str]) -> list[str]:
    """The command of a run, without the interpreter."""
    counted = ("--trials", str(min(trials, run.trials_most))) if run.trials_most else ()
    return [run.module, *run.words, *counted, *more]


def verdicts_of(runs: Sequence[Run], folder: Path, code: str) -> list[Verdict]:
    """Every target of these runs; a result of other code counts as none."""
    found: list[Verdict] = []
    for run in runs:
        document = _read(folder / f"{run.name}.json", code)
        found += [judged(target, document) for target in TARGETS if target.run == run.name]
    return found


def _measure(run: Run, words: Sequence[str], stamp: Stamp, folder: Path) -> str:
    """Run it; why there is no result, or nothing. What it says goes to standard error as it comes."""
    command, began = [sys.executable, "-m", *words], time.monotonic()
    # In a session of its own: Ctrl-C reaches this program alone, which passes it on once.
    environment = {**os.environ, **IMPORTABLE}
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    try:
        told, _ = process.communicate(timeout=60 * (3 * run.minutes + GRACE_MINUTES))
    except subprocess.TimeoutExpired:
        _end(process, signal.SIGTERM)
        return f"given up after {(time.monotonic() - began) / 60:.0f} minutes"
    except BaseException:
        _keep(_end(process, signal.SIGINT), _timed(stamp, began), folder / f"{run.name}.interrupted.json")
        raise
    if not _keep(told, _timed(stamp, began), folder / f"{run.name}.json"):
        return f"exit code {process.returncode}, and no JSON"
    return ""


def _end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> bytes:
    """Tell it to end; what it wrote. It takes its lab away first, unless it hangs."""
    process.send_signal(number)
    try:
        return process.communicate(timeout=ENDS_WITHIN_S)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def _timed(stamp: Stamp, began: float) -> Stamp:
    """The same with the time that it took."""
    return msgspec.structs.replace(stamp, seconds=round(time.monotonic() - began, 1))


def _keep(told: bytes, stamp: Stamp, path: Path) -> bool:
    """Write what a run printed, whole or not at all; False if it is no JSON."""
    try:
        document = msgspec.json.decode(told, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return False
    partly = path.with_suffix(".part")
    partly.write_bytes(msgspec.json.format(msgspec.json.encode({"of": stamp, **document}), indent=1) + b"\n")
    partly.rename(path)
    return True


def _is_done(path: Path, code: str, words: Sequence[str]) -> bool:
    stamp = _stamp(path)
    return stamp is not None and (stamp.code, stamp.command) == (code, " ".join(words))


def _stamp(path: Path) -> Stamp | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Stamped).of
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


class _Stamped(msgspec.Struct):
    of: Stamp


def _read(path: Path, code: str) -> object:
    stamp = _stamp(path)
    return msgspec.json.decode(path.read_bytes()) if stamp is not None and stamp.code == code else None


def code_of(root: Path) -> str:
    """A digest of the product's code, so that a commit of results alone changes nothing."""
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def commit_of(root: Path) -> str:
    """For people: what was changed since is in the code's digest only."""
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
