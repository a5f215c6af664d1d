"""Whether words after ``kubectl`` make sense: what our pages use of it, so that a slip is named.

Kinds, objects in our namespace and in MetalLB's, annotations and folders must be ones that there are.
"""

import re
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import yaml

from bareway.decide.allocation.requests import ADDRESSES_ANNOTATION, POOL_ANNOTATION
from bareway.decide.allocation.sharing import SHARING_ANNOTATION
from bareway.decide.announcement.moves import ANNOUNCE_FROM
from bareway.model.nodes import DRAIN_ANNOTATION, EXCLUDE_LABEL
from bareway.model.services import ANNOTATION_PREFIXES
from bareway.resources.announcer_lists import shard_keys
from bareway.resources.in_force import IN_FORCE_NAME
from bareway.resources.state import STATE_NAME
from bareway.runtime.log import LEVEL_ANNOTATION
from bareway.runtime.settings import DEFAULT_NAMESPACE
from controller.allocation.acceptance import ACCEPT_LOSS
from controller.leading.election import LEASE_NAME
from support.pages import ROOT
from support.slips import PLACEHOLDER, Place, Slip

METALLB: Final = "metallb-system"
_REQUESTS: Final = (ADDRESSES_ANNOTATION, POOL_ANNOTATION, SHARING_ANNOTATION)
MARKS: Final = {
    "annotate": {DRAIN_ANNOTATION, ANNOUNCE_FROM, ACCEPT_LOSS, LEVEL_ANNOTATION}
    | {prefix + name for prefix in ANNOTATION_PREFIXES for name in _REQUESTS},
    "label": {EXCLUDE_LABEL},
}
KINDS: Final = {
    alias: aliases.split()[0]
    for aliases in (
        *("clusterrole clusterroles", "clusterrolebinding clusterrolebindings", "configmap configmaps cm"),
        *("daemonset daemonsets ds", "deployment deployments deploy", "endpointslice endpointslices"),
        *("event events ev", "lease leases", "namespace namespaces ns", "node nodes no", "pod pods po"),
        *("secret secrets", "service services svc"),
    )
    for alias in aliases.split()
}
NAMES: Final = {
    DEFAULT_NAMESPACE: {
        "configmap": {"config", IN_FORCE_NAME, STATE_NAME, *(key.name for key in shard_keys(""))},
        "daemonset": {"bareway-speaker"},
        "deployment": {"bareway-controller"},
        "lease": {LEASE_NAME},
        "secret": {"memberlist", "bareway-bgp"},
    },
    METALLB: {
        "configmap": {"config"},
        "daemonset": {"speaker"},
        "deployment": {"controller"},
        "secret": {"memberlist"},
    },
}
"""What there is under a name that we know; of other kinds, and elsewhere, any name will do."""

_EVERYWHERE: Final = ("-n --namespace", "-o --output", "-l --selector")
_OPTIONS: Final = {
    "annotate": ("--overwrite!",),
    "apply": ("-f --filename", "-k --kustomize", "--server-side!"),
    "auth": ("--as",),
    "cordon": (),
    "create": ("--from-literal", "--dry-run"),
    "delete": ("-f --filename", "-k --kustomize", "--ignore-not-found!"),
    "describe": (),
    "diff": ("-f --filename", "-k --kustomize"),
    "drain": ("--ignore-daemonsets!", "--delete-emptydir-data!"),
    "exec": ("-c --container",),
    "get": ("-A --all-namespaces!", "--field-selector", "-w --watch!", "--sort-by"),
    "kustomize": (),
    "label": ("--overwrite!",),
    "logs": ("--previous!", "--tail", "--since", "-f --follow!", "--prefix!"),
    "patch": ("-p --patch", "--type"),
    "replace": ("-f --filename", "--force!"),
    "rollout": ("--timeout",),
    "scale": ("--replicas",),
    "taint": (),
    "uncordon": (),
    "version": (),
    "wait": ("--for", "--timeout"),
}
"""What our pages use; an exclamation mark for a switch."""
_OF_NODES: Final = {"cordon", "drain", "uncordon"}
_OF_PODS: Final = {"exec", "logs"}
_ROLLOUT: Final = {"restart", "status", "undo", "history"}


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Slip(message)


def judge(words: Sequence[str], place: Place) -> None:
    """Look at the words up to ``--``.

    Raises:
        Slip: What is wrong with them.
    """
    asked = _PARSER.parse_args(words)
    for name in (asked.filename, *([asked.kustomize] if asked.kustomize else [])):
        if name and name != "-" and not place.has(name):
            raise Slip(f"{name} does not exist")
    if asked.kustomize and not (place.root / asked.kustomize / "kustomization.yaml").exists():
        raise Slip(f"{asked.kustomize} is no folder that kustomize builds")
    if asked.verb in {"auth", "create", "kustomize", "taint"}:
        return
    marks = [word for word in asked.targets if re.search(r"=|-$", word)] if asked.verb in MARKS else []
    _judge_marks(asked.verb, marks)
    for kind, name in _objects(asked, [word for word in asked.targets if word not in marks]):
        _judge_object(kind, name, asked.namespace)


def folder(words: Sequence[str]) -> str:
    """What kustomize is to build; empty if nothing."""
    asked = _PARSER.parse_args(words[: words.index("--")] if "--" in words else words)
    return str(asked.kustomize or (asked.targets[0] if asked.verb == "kustomize" else ""))


def kinds_of(words: Sequence[str]) -> set[str]:
    """What a command is about; empty where that is not said, or where it goes on inside a Pod."""
    if "--" in words or words[:1] == ["bareway"]:
        return set()
    asked = _PARSER.parse_args(words)
    if asked.kustomize:
        return set()
    if asked.filename:
        return _kinds_in(ROOT / asked.filename)
    if asked.verb == "create":
        return {KINDS.get(asked.targets[0], "")}
    marks = [word for word in asked.targets if "=" in word or word.endswith("-")]
    targets = [word for word in asked.targets if word not in marks]
    return {KINDS[kind] for kind, _ in _objects(asked, targets)}


def _kinds_in(file: Path) -> set[str]:
    """What a file of the project holds; what a command before wrote is of a kind that was asked for there."""
    documents = yaml.safe_load_all(file.read_text()) if file.is_file() else ()
    return {each["kind"].lower() for each in documents} or {"configmap"}


def _judge_marks(verb: str, marks: Sequence[str]) -> None:
    if verb in MARKS and not marks:
        raise Slip("no mark is named")
    for mark in marks:
        key = mark.partition("=")[0] if "=" in mark else mark[:-1]
        if key not in MARKS[verb]:
            raise Slip(f"nobody reads {key}")


def _judge_object(kind: str, name: str, namespace: str) -> None:
    if kind not in KINDS:
        raise Slip(f"there is no kind {kind}")
    names = NAMES.get(namespace, {}).get(KINDS[kind])
    if name and names is not None and name not in names and not PLACEHOLDER.fullmatch(name):
        raise Slip(f"there is no {kind} {name} in {namespace}")


def _objects(asked: Namespace, words: list[str]) -> Iterable[tuple[str, str]]:
    """KIND/NAME …, or KIND[,KIND…] [NAME …]; some verbs take the name of a Node or a Pod alone."""
    if asked.verb == "rollout":
        if words[:1] == [] or words[0] not in _ROLLOUT:
            raise Slip("rollout restart, status, undo or history")
        words = words[1:]
    if asked.verb in _OF_NODES:
        return [("node", word) for word in words]
    if asked.verb in _OF_PODS and words and "/" not in words[0]:
        return [("pod", word) for word in words]
    if words and "/" in words[0]:
        return [(kind, name) for kind, _, name in (word.partition("/") for word in words)]
    return [(kind, name) for kind in (words or [""])[0].split(",") if kind for name in (words[1:] or [""])]


def _parser() -> ArgumentParser:
    top = _Parser(prog="kubectl", allow_abbrev=False, add_help=False)
    top.set_defaults(filename="", kustomize="")
    _add(top, (*_EVERYWHERE, "--kubeconfig"), default="")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, options in _OPTIONS.items():
        below = verbs.add_parser(verb, allow_abbrev=False, add_help=False)
        _add(below, (*_EVERYWHERE, *options), default=SUPPRESS)
        below.add_argument("targets", nargs="*")
    return top


def _add(parser: ArgumentParser, options: Iterable[str], *, default: str) -> None:
    for option in options:
        if option.endswith("!"):
            parser.add_argument(*option.removesuffix("!").split(), action="store_true")
        else:
            parser.add_argument(*option.split(), default=default)


_PARSER: Final = _parser()
