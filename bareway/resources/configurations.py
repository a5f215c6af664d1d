"""The configuration document in MetalLB's grammar (v0.12.1) with our extensions, or every mistake in it.

Messages keep MetalLB's words, because people search for them; unlike there, all mistakes are told at once.
A second document of the same grammar may extend the first, so that a roll-back to MetalLB finds its own
untouched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bareway.model.configuration import Configuration
from bareway.model.problems import Problem, Severity
from bareway.resources.document import Null, read_document
from bareway.resources.grammar.advertisements import ADVERTISEMENT
from bareway.resources.grammar.communities import read_aliases
from bareway.resources.grammar.keys import Key, Shape
from bareway.resources.grammar.layer2 import LAYER2, read_layer2
from bareway.resources.grammar.peers import PEER, read_peers
from bareway.resources.grammar.pools import POOL, PREFERRED, Context, read_pools
from bareway.resources.grammar.profiles import PROFILE, read_profiles
from bareway.resources.grammar.sections import Place, Section, Walk
from bareway.resources.grammar.selectors import REQUIREMENT, SELECTOR

DOCUMENT_KEY: Final = "config"
EXTENSION_KEY: Final = "bareway"
"""Data keys of the ConfigMap."""

BYTES_MAX: Final = 1024 * 1024 - 4096  # a ConfigMap holds 1 MiB, ours in force a digest and a source besides
PROBLEMS_MAX: Final = 100  # told at once; who has more of them generated the document and needs no more

DOCUMENT: Final = Shape(
    type_name="config.configFile",
    keys=(
        Key(name="peers", type="list", meaning="routers that sessions are opened to"),
        Key(name="bgp-communities", type="mapping of `N:N`", meaning="names for communities"),
        Key(name="address-pools", type="list", meaning="the addresses that Services get"),
        Key(name="bfd-profiles", type="list", meaning="timing of BFD sessions, for peers to refer to"),
        Key(name="layer2", type="mapping", meaning="how addresses are kept on the link, for all pools"),
    ),
)
SHAPES: Final[Mapping[str, Shape]] = {
    "": DOCUMENT,
    "address-pools[]": POOL,
    "address-pools[].bgp-advertisements[]": ADVERTISEMENT,
    "address-pools[].preferred-nodes[]": PREFERRED,
    "peers[]": PEER,
    "bfd-profiles[]": PROFILE,
    "layer2": LAYER2,
    "selector": SELECTOR,
    "selector.match-expressions[]": REQUIREMENT,
}
"""All that can be said, by where; a selector stands wherever the type of a key is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReading:
    """What a document says."""

    configuration: Configuration | None
    """None if there is an error among the problems."""
    problems: tuple[Problem, ...] = ()
    """Errors and warnings, in the order of the documents' lines."""


def read_configuration(text: str, extension: str = "") -> ConfigurationReading:
    """Check a whole configuration; an empty one has no pools.

    Args:
        text: the document.
        extension: another one that says more about the same pools and peers, by their names.
    """
    walk = Walk()
    size = len(text.encode(errors="replace")) + len(extension.encode(errors="replace"))
    if size > BYTES_MAX:
        message = f"could not parse config: {size} bytes, at most {BYTES_MAX} fit beside what we add"
        return ConfigurationReading(configuration=None, problems=(Problem(path="", message=message),))
    documents = tuple(_documents({"": text, EXTENSION_KEY: extension}, walk))
    configuration = _configuration(documents, walk) if documents else None
    problems = sorted(walk.problems, key=lambda problem: (problem.document, problem.line))
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return ConfigurationReading(configuration=None if failed else configuration, problems=_bounded(problems))


def _documents(texts: Mapping[str, str], walk: Walk) -> Iterator[Section]:
    for document, text in texts.items():
        read = read_document(text, document)
        walk.problems.extend(read.problems)
        section = walk.section(Place(read.tree or Null(line=0), "", document), DOCUMENT)
        if section is not None:
            yield section


def _configuration(documents: Sequence[Section], walk: Walk) -> Configuration:
    """What could be read of the documents; of use only if the walk met no error."""
    profiles = read_profiles(documents)
    peers = read_peers(documents, profiles)
    communities = read_aliases(documents)
    context = Context(communities=communities, peers=[peer.name for peer in peers])
    return Configuration(
        pools=read_pools(documents, context, walk),
        peers=peers,
        communities=communities,
        bfd_profiles=profiles,
        layer2=read_layer2(documents, walk),
    )


def _bounded(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= PROBLEMS_MAX:
        return tuple(problems)
    errors_first = sorted(problems, key=lambda problem: problem.severity is Severity.WARNING)
    text = f"and {len(problems) - PROBLEMS_MAX} more problems"
    more = Problem(path="", message=text, severity=errors_first[0].severity)
    return (*errors_first[:PROBLEMS_MAX], more)
