"""Rights and capabilities that our programs need and do not have."""

from collections.abc import Iterator
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.answers import Finding, Gravity

LACKS_RIGHT: Final = "the service account lacks the right to"
"""How a program ends that misses a right; a test holds these words to its sentence."""
NEEDS_CAPABILITY: Final = "the speaker needs CAP_"
SENTENCE_MAX: Final = 300  # characters of a program's last words that are quoted


def check(view: DoctorView) -> Iterator[Finding]:
    """Rights as the API server tells them, then what programs said when they ended."""
    missing = view.surroundings.missing_rights
    for account, rights in sorted(missing.items()):
        if rights:
            yield _right(f"ServiceAccount {account}", f"It may not {some([*rights])}.")
    for pod, words in sorted(view.surroundings.last_words.items()):
        if LACKS_RIGHT in words and not any(missing.values()):
            yield _right(f"Pod {pod}", f"It ended with: {quoted(words)}")
        elif NEEDS_CAPABILITY in words:
            yield Finding(
                word=Ailment.CAPABILITY_MISSING,
                gravity=Gravity.BROKEN,
                subject=f"Pod {pod}",
                evidence=f"It ended with: {quoted(words)}",
                consequence="The speaker does not run on this node.",
                remedy="Give its container the capability, and root as its user: kubectl apply -k manifests/;"
                " if it is taken away again, see Pod Security admission of the namespace"
                f" (kubectl label namespace {view.surroundings.namespace}"
                " pod-security.kubernetes.io/enforce=privileged).",
            )


def quoted(words: str) -> str:
    """The last line of what a program said, cut."""
    line = words.strip().rpartition("\n")[2]
    return line if len(line) <= SENTENCE_MAX else f"{line[:SENTENCE_MAX]}…"


def _right(subject: str, evidence: str) -> Finding:
    return Finding(
        word=Ailment.RIGHT_MISSING,
        gravity=Gravity.BROKEN,
        subject=subject,
        evidence=evidence,
        consequence="The program ends at its start, or cannot write what it decides.",
        remedy="Apply the manifests again, as somebody who may grant rights: kubectl apply -k manifests/",
    )
