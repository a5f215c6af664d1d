"""A kubeconfig of the usual simple form, read here: a start of the official package takes half a second.

Understood are one file, one server, its authority, and a token or a certificate, inline or in files. All
else, from exec plug-ins to proxies, and every mistake is left to ``bareway.runtime.kube.kubeconfig``, which
has the official package and its words: nothing is guessed here.
"""

import re
from base64 import standard_b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bareway.resources.document import Fields, Items, Text, Tree, read_document

PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
"""Variables, in small or in capital letters, that the official package heeds."""
OF_CLUSTER: Final = frozenset(
    {
        "server",
        "certificate-authority",
        "certificate-authority-data",
        "insecure-skip-tls-verify",
        "extensions",
    }
)
OF_USER: Final = frozenset(
    {"token", "client-certificate", "client-certificate-data", "client-key", "client-key-data"}
)
SERVER: Final = re.compile(r"https?://[^/?#\s]+/*")
NO_TEXT: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""Without quotes they mean something else in YAML; what begins with no letter may, too."""
SWITCH: Final[Mapping[str, bool]] = {"true": True, "false": False}


class Plain(NamedTuple):
    """What it says; the names are those of ``Credentials``."""

    server: str
    authorization: str
    ca: str
    certificate: str
    key: str
    verify: bool


class _NotPlain(Exception):
    """The file is not of the form that is read here."""


def read_plain(path: Path, context: str, environ: Mapping[str, str]) -> Plain | None:
    """The credentials of the file; None where somebody else has to read it."""
    if any(name.casefold() in PROXIES for name in environ):
        return None
    try:
        return _read(path, context)
    except (_NotPlain, OSError, ValueError):  # of text, of base64, of a path
        return None


def _read(path: Path, context: str) -> Plain:
    document = read_document(path.read_text(encoding="utf-8"))
    if document.problems:
        raise _NotPlain
    tree = document.tree
    named = _named(tree, "contexts", "context", context or _text(_field(tree, "current-context")))
    cluster = _named(tree, "clusters", "cluster", _text(_field(named, "cluster")))
    user = _named(tree, "users", "user", _text(_field(named, "user")))
    server = _text(_field(cluster, "server"))
    keys = {entry.key for entry in (*cluster.entries, *user.entries)}
    if keys - OF_CLUSTER - OF_USER or not SERVER.fullmatch(server):
        raise _NotPlain
    if not server.startswith("https://") and keys - {"server", "extensions", "token"}:
        raise _NotPlain
    token = _field(user, "token")
    return Plain(
        server=server.rstrip("/"),
        authorization=f"Bearer {_text(token)}" if token is not None else "",
        ca=_content(cluster, "certificate-authority", path.parent),
        certificate=_content(user, "client-certificate", path.parent),
        key=_content(user, "client-key", path.parent),
        verify=not _switch(_field(cluster, "insecure-skip-tls-verify")),
    )


def _field(tree: Tree | None, key: str) -> Tree | None:
    if not isinstance(tree, Fields):
        raise _NotPlain
    return next((entry.value for entry in tree.entries if entry.key == key), None)


def _named(tree: Tree | None, many: str, one: str, name: str) -> Fields:
    """What the one entry with this name says."""
    listed = _field(tree, many)
    if not isinstance(listed, Items):
        raise _NotPlain
    found = [_field(entry, one) for entry in listed.values if _any_text(_field(entry, "name")) == name]
    if len(found) != 1 or not isinstance(found[0], Fields):
        raise _NotPlain
    return found[0]


def _any_text(tree: Tree | None) -> str:
    return tree.value if isinstance(tree, Text) else ""


def _text(tree: Tree | None) -> str:
    """Text that YAML cannot take for something else."""
    if not isinstance(tree, Text) or not tree.value or not (tree.quoted or _is_text(tree.value)):
        raise _NotPlain
    return tree.value


def _is_text(value: str) -> bool:
    return (value[0].isalpha() or value[0] == "/") and value.casefold() not in NO_TEXT


def _switch(tree: Tree | None) -> bool:
    if tree is None:
        return False
    if not isinstance(tree, Text) or tree.quoted or tree.value not in SWITCH:
        raise _NotPlain
    return SWITCH[tree.value]


def _content(tree: Fields, key: str, folder: Path) -> str:
    """What stands inline, or in the file: its path may be relative to the kubeconfig."""
    inline, file = _field(tree, f"{key}-data"), _field(tree, key)
    if inline is not None and file is not None:
        raise _NotPlain
    if inline is not None:
        return standard_b64decode(_text(inline)).decode()
    return (folder / _text(file)).read_text(encoding="utf-8") if file is not None else ""
