"""The chain as the programs on this node know it, asked on their sockets."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bareway.cli.asking.here import hear
from bareway.cli.asking.place import CannotLook
from bareway.cli.asking.sockets import SOCKETS, ask_why
from bareway.decide.answers.why.answer import completed, why_text
from bareway.decide.answers.why.chain import Place, Why
from bareway.decide.answers.why.told import Hearsay
from bareway.decide.answers.why.view import PODS, SERVICES, view_of
from bareway.model.addresses import parse_address
from bareway.model.cluster import Unknown
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.said import Unintelligible, read_said
from bareway.runtime.clock import unix_time

CONFIG_NAME: Final = "config"
ONLY_A_SPEAKER: Final = "no controller answers on this node, and a speaker tells of addresses alone"
FROM_OUTSIDE: Final = "ask with a kubeconfig, or in the controller's Pod"


def why_here(
    about: str,
    named: Sequence[Path],
    *,
    namespace: str,
    timeout_s: float,
    usual: Sequence[Path] = SOCKETS,
) -> Why:
    """Of a Service or an address; ``namespace`` is where the programs run, if none of them says it.

    Raises:
        CannotLook: no program answers here.
    """
    filtered = (about,) if parse_address(about) is not None else ()
    heard = hear(named, timeout_s=timeout_s, usual=usual, addresses=filtered)
    if heard.is_nobody:
        raise CannotLook(heard.silence)
    cluster = heard.cluster()
    for path in heard.controllers:
        text = ask_why(path, about, timeout_s)
        chain = read_chain(json.loads(text)) if isinstance(text, str) and text else None
        if chain is not None:
            return completed(chain, Hearsay(speakers=cluster.speakers, unknown=cluster.unknown))
    lacking = Unknown(subject=SERVICES, why=ONLY_A_SPEAKER, remedy=FROM_OUTSIDE)
    lacks = tuple(
        Unknown(subject=subject, why=ONLY_A_SPEAKER)
        for subject in ("Nodes", "EndpointSlices", f"ConfigMap {namespace}/{IN_FORCE_NAME}", PODS)
    )
    known = replace(cluster, unknown=(lacking, *lacks, *cluster.unknown))
    place = Place(namespace=namespace, config=f"{namespace}/{CONFIG_NAME}")
    return why_text(view_of(known, now=unix_time(), place=place), about)


def read_chain(page: object) -> Why | None:
    """The chain that a controller told; None if it is of another version, whose words are not ours."""
    try:
        return read_said(Why, page)
    except Unintelligible:
        return None
