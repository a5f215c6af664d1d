"""May I? The answer to a SelfSubjectAccessReview: yes, unless a ``reviewed`` fault forbids it.

Programs ask this at their start and ``kubectl auth can-i`` asks nothing else.
"""

from typing import Any, Final

from apiserver import refusals
from apiserver.faults import Fault, Faults, Request
from apiserver.kinds import KINDS, Kind
from apiserver.refusals import Cause
from apiserver.store import JsonObject

PATH: Final = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
API_VERSION: Final = "authorization.k8s.io/v1"
NAME: Final = "SelfSubjectAccessReview"


def answer(body: Any, faults: Faults) -> JsonObject:
    """The review with its status."""
    if not isinstance(body, dict) or not isinstance(body.get("spec"), dict):
        raise refusals.bad_request(f"the object provided is unrecognized (must be of type {NAME})")
    asked = body["spec"].get("resourceAttributes")
    if not isinstance(asked, dict):
        message = "Invalid value: must name a resource or a path"
        cause = Cause(path="spec.resourceAttributes", message=message)
        raise refusals.invalid(Kind(group="authorization.k8s.io", plural="", name=NAME), "", [cause])
    request = Request(
        verb=asked.get("verb", ""),
        kind=_kind(asked.get("group", ""), asked.get("resource", "")),
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
        subresource=asked.get("subresource", ""),
    )
    forbidding = (rule for rule in faults.rules if rule.fault is Fault.FORBIDDEN and rule.reviewed)
    denied = any(request.fits(rule) for rule in forbidding)
    review = {"kind": NAME, "apiVersion": API_VERSION, "metadata": {}, "spec": body["spec"]}
    return review | {"status": {"allowed": not denied}}


def _kind(group: str, plural: str) -> Kind:
    """The kind asked about, or one of that name for what is not served here."""
    known = (kind for kind in KINDS if (kind.group, kind.plural) == (group, plural))
    return next(known, Kind(group=group, plural=plural, name=plural))
