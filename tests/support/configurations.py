"""Configuration documents, read: what they say, or what is wrong with them."""

from textwrap import dedent

from bareway.model.configuration import Configuration, Peer, Pool
from bareway.model.problems import Problem, Severity
from bareway.resources.configurations import read_configuration

POOL = "{name: a, protocol: layer2, addresses: [192.0.2.0/24]}"
PEER = "{my-asn: 64512, peer-asn: 64513, peer-address: 192.0.2.1}"


def accepted(text: str, extension: str = "") -> Configuration:
    """The configuration; there may be warnings."""
    reading = read_configuration(dedent(text), dedent(extension))
    assert errors(text, extension) == ()
    assert reading.configuration is not None
    return reading.configuration


def errors(text: str, extension: str = "") -> tuple[Problem, ...]:
    """What keeps the documents from being used."""
    problems = read_configuration(dedent(text), dedent(extension)).problems
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)


def error(text: str, extension: str = "") -> Problem:
    """The only one."""
    (only,) = errors(text, extension)
    return only


def with_key(mapping: str, written: str) -> str:
    """A flow mapping with one more key, or with another value of a key that it has."""
    key = written.partition(":")[0]
    pairs = [pair for pair in mapping.strip("{}").split(", ") if pair and not pair.startswith(f"{key}:")]
    return "{" + ", ".join([*pairs, written]) + "}"


def pool_with(written: str) -> str:
    """A document with one pool of layer 2, and this key in it."""
    return f"address-pools:\n- {with_key(POOL, written)}\n"


def bgp_pool_with(written: str) -> str:
    """A document with one pool of BGP, and this key in it."""
    return pool_with(written).replace("layer2", "bgp")


def peer_with(written: str) -> str:
    """A document with one peer, and this key in it."""
    return f"peers:\n- {with_key(PEER, written)}\n"


def pool(written: str) -> Pool:
    """The pool of layer 2 with this key."""
    return accepted(pool_with(written)).pools[0]


def peer(written: str) -> Peer:
    """The peer with this key."""
    return accepted(peer_with(written)).peers[0]
