"""The ConfigMap ``bareway-config``: the configuration in force, written by the controller, read by everybody.

It holds the accepted document word for word, so that any version of Bareway reads it by its own grammar, with
its digest (an edit by hand is noticed), its generation and where it came from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from bareway.model.configuration import Configuration
from bareway.model.objects import ConfigMap
from bareway.model.problems import Problem, Severity
from bareway.resources.configurations import read_configuration

IN_FORCE_NAME: Final = "bareway-config"
DOCUMENT: Final = "config"
DIGEST: Final = "sha256"
GENERATION: Final = "generation"
SOURCE: Final = "source"
NUMBER: Final = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """An accepted configuration."""

    configuration: Configuration
    document: str
    sha256: str
    """Of ``document`` in UTF-8, in hexadecimal."""
    generation: int
    """Counts accepted documents, from 1."""
    source: str
    """Where the document came from, for people."""


def digest(document: str) -> str:
    """SHA-256 of a document, in hexadecimal."""
    return sha256(document.encode()).hexdigest()


def write_in_force(document: str, *, generation: int, source: str) -> Mapping[str, str]:
    """The ``data`` of the ConfigMap."""
    return {DOCUMENT: document, DIGEST: digest(document), GENERATION: str(generation), SOURCE: source}


def read_in_force(config_map: ConfigMap) -> InForce | list[Problem]:
    """The configuration in force, or why it cannot be used."""
    data = config_map.data
    document, told = data.get(DOCUMENT, ""), data.get(DIGEST, "")
    hint = f"delete ConfigMap {config_map.key}, and the controller writes it anew"
    if told != digest(document):
        return [Problem(path=f"data.{DIGEST}", message="is not that of the document", hint=hint)]
    if not NUMBER.fullmatch(data.get(GENERATION, "")):
        return [Problem(path=f"data.{GENERATION}", message="is not a number", hint=hint)]
    reading = read_configuration(document)
    if reading.configuration is None:
        return [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    return InForce(
        configuration=reading.configuration,
        document=document,
        sha256=told,
        generation=int(data[GENERATION]),
        source=data.get(SOURCE, ""),
    )
