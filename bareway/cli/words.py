"""Every word that ``bareway`` knows, as its help and shells tell of it; what stands behind it: `verbs.py`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, as the command's own help shows it."""

    name: str
    summary: str
    example: str
    """One call of it that makes sense, as it is typed; ends the help."""


WORDS: Final = (
    Word(
        name="lint",
        summary="Name every mistake in configuration files.",
        example="bareway lint -f metallb-config.yaml",
    ),
    Word(
        name="plan",
        summary="Show what a configuration does, before it is applied.",
        example="bareway plan -f cluster.yaml --against new-config.yaml",
    ),
    Word(
        name="why",
        summary="Say why a Service has no address, or who answers for one.",
        example="bareway why shop/web",
    ),
    Word(
        name="status",
        summary="Show who runs, what is wrong, how full the pools are.",
        example="bareway status",
    ),
    Word(
        name="bgp",
        summary="Show the sessions with routers, and what each was told.",
        example="bareway bgp -o json",
    ),
    Word(
        name="pools",
        summary="Show how many addresses each pool has, and how many are left.",
        example="bareway pools -o wide",
    ),
    Word(
        name="members",
        summary="Show how the speakers see each other, and what each announces.",
        example="bareway members",
    ),
    Word(
        name="history",
        summary="Show who had an address, when, and why it moved.",
        example="bareway history 192.0.2.10 --since 2h",
    ),
    Word(
        name="drain",
        summary="Have other nodes announce what a node announces.",
        example='bareway drain node1 --reason "new disk"',
    ),
    Word(
        name="undrain",
        summary="Let a drained node announce again.",
        example="bareway undrain node1",
    ),
    Word(
        name="move",
        summary="Have an address announced from a certain node.",
        example="bareway move 192.0.2.10 node2",
    ),
    Word(
        name="doctor",
        summary="Look for what keeps Bareway from working, installed or not.",
        example="bareway doctor",
    ),
    Word(
        name="probe",
        summary="Ask the wire who answers for an address.",
        example="bareway probe 192.0.2.10 --node node2",
    ),
    Word(
        name="uninstall",
        summary="Take back what Bareway wrote, and look for what is left.",
        example="bareway uninstall --verify",
    ),
    Word(
        name="explain",
        summary="Say what a word of Bareway's means, and what to do.",
        example="bareway explain NoFreeAddress",
    ),
    Word(
        name="completion",
        summary="Print what a shell needs to complete this command.",
        example="bareway completion bash",
    ),
    Word(name="version", summary="Print the version.", example="bareway version"),
)
