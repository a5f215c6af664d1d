"""The ConfigMap ``bareway-config``: the configuration in force, written by the controller, read by everybody.

It holds the accepted documents word for word, so that any version of Bareway reads them by its own grammar,
with their digest (an edit by hand is noticed), a generation and where they came from.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from bareway.model.configuration import Configuration
from bareway.model.objects import ConfigMap
from bareway.model.problems import Problem, Severity
from bareway.resources.configurations import (
    DOCUMENT_KEY,
    EXTENSION_KEY,
    ConfigurationReading,
    read_configuration,
)

IN_FORCE_NAME: Final = "bareway-config"
DIGEST: Final = "sha256"
GENERATION: Final = "generation"
SOURCE: Final = "source"
NUMBER: Final = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """An accepted configuration."""

    configuration: Configuration
    document: str
    extension: str = ""
    """The document that says more about the same pools and peers; empty if there is none."""
    sha256: str
    """Of both, see ``digest``."""
    generation: int
    """Counts accepted documents, from 1."""
    source: str
    """Where the document came from, for people."""


def digest(document: str, extension: str = "") -> str:
    """SHA-256 of a document in UTF-8, in hexadecimal; an extension follows it after a zero byte."""
    content = f"{document}\0{extension}" if extension else document
    return sha256(content.encode()).hexdigest()


def write_in_force(document: str, *, extension: str = "", generation: int, source: str) -> Mapping[str, str]:
    """The ``data`` of the ConfigMap."""
    return {
        DOCUMENT_KEY: document,
        **({EXTENSION_KEY: extension} if extension else {}),
        DIGEST: digest(document, extension),
        GENERATION: str(generation),
        SOURCE: source,
    }


def read_in_force(
    config_map: ConfigMap, *, read: Callable[[str, str], ConfigurationReading] = read_configuration
) -> InForce | list[Problem]:
    """The configuration in force, or why it cannot be used; ``read`` may remember what it read."""
    data = config_map.data
    document, extension, told = data.get(DOCUMENT_KEY, ""), data.get(EXTENSION_KEY, ""), data.get(DIGEST, "")
    hint = f"delete ConfigMap {config_map.key}, and the controller writes it anew"
    if told != digest(document, extension):
        return [Problem(path=f"data.{DIGEST}", message="is not that of the document", hint=hint)]
    if not NUMBER.fullmatch(data.get(GENERATION, "")):
        return [Problem(path=f"data.{GENERATION}", message="is not a number", hint=hint)]
    reading = read(document, extension)
    if reading.configuration is None:
        return [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    return InForce(
        configuration=reading.configuration,
        document=document,
        extension=extension,
        sha256=told,
        generation=int(data[GENERATION]),
        source=data.get(SOURCE, ""),
    )
