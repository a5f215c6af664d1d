"""The chain as the programs on this node know it, asked on their sockets."""

import json
import re
from collections.abc import Mapping, Sequence
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
from bareway.model.cluster import Cluster, Unknown
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.said import Unintelligible, read_said
from bareway.runtime.clock import unix_time

CONFIG_MAP: Final = re.compile(r"ConfigMap (?P<key>[a-z0-9-]+/(?P<name>[a-z0-9.-]+))")
"""How a status says where the configuration came from."""
ONLY_A_SPEAKER: Final = "no controller answers on this node, and a speaker tells of addresses alone"
UNREAD: Final = Unknown(
    subject="ConfigMap that you write",
    why="no program on this node says where its configuration came from",
    remedy="look at --config-namespace and --config of the programs",
)
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
    place = Place(namespace=namespace, config=_config_of(cluster))
    for path in heard.controllers:
        text = ask_why(path, about, timeout_s)
        chain = read_chain(json.loads(text), place) if isinstance(text, str) and text else None
        if chain is not None:
            return completed(chain, Hearsay(speakers=cluster.speakers, unknown=cluster.unknown))
    lacking = Unknown(subject=SERVICES, why=ONLY_A_SPEAKER, remedy=FROM_OUTSIDE)
    lacks = tuple(
        Unknown(subject=subject, why=ONLY_A_SPEAKER)
        for subject in ("Nodes", "EndpointSlices", f"ConfigMap {namespace}/{IN_FORCE_NAME}", PODS)
    )
    unread = () if place.config else (UNREAD,)
    known = replace(cluster, unknown=(lacking, *lacks, *unread, *cluster.unknown))
    return why_text(view_of(known, now=unix_time(), place=place), about)


def read_chain(page: object, place: Place | None = None) -> Why | None:
    """The chain that a controller told; None if it is of another version, whose words are not ours.

    A controller of before the field does not say where its things are: that is ``place`` then.
    """
    try:
        chain = read_said(Why, page)
    except Unintelligible:
        return None
    says_where = isinstance(page, Mapping) and "place" in page
    return chain if says_where or place is None else replace(chain, place=place)


def _config_of(cluster: Cluster) -> str:
    """The user's ConfigMap, as the programs name the one that their configuration came from; else empty.

    One of the speakers is not: ``bareway-config``, where that cannot be read.
    """
    told = [one.configuration.source for one in cluster.controllers]
    told += [one.configuration.source for one in cluster.speakers.values()]
    found = map(CONFIG_MAP.fullmatch, told)
    return next((one["key"] for one in found if one is not None and one["name"] != IN_FORCE_NAME), "")
