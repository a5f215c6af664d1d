"""What the API server says about itself: groups, kinds, version, and the OpenAPI that kubectl asks for.

kubectl looks into OpenAPI v3 only to learn whether a kind takes ``fieldValidation``; the schemas themselves
are left out, so ``kubectl explain`` has nothing to tell.
"""

from typing import Any, Final

from apiserver.kinds import GROUP_VERSIONS, KINDS, Kind
from apiserver.store import JsonObject

VERSION: Final = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0-bareway.embedded",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}

VERBS: Final = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
REVIEWS: Final = {
    "name": "authorization.k8s.io",
    "versions": [{"groupVersion": "authorization.k8s.io/v1", "version": "v1"}],
    "preferredVersion": {"groupVersion": "authorization.k8s.io/v1", "version": "v1"},
}
REVIEW_RESOURCES: Final[JsonObject] = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "authorization.k8s.io/v1",
    "resources": [
        {
            "name": "selfsubjectaccessreviews",
            "singularName": "selfsubjectaccessreview",
            "namespaced": False,
            "kind": "SelfSubjectAccessReview",
            "verbs": ["create"],
        }
    ],
}
STATUS_VERBS: Final = ["get", "patch", "update"]


def _documents() -> dict[str, JsonObject]:
    groups = [_group(group) for group, _ in GROUP_VERSIONS if group]
    schemas = {_base(pair): {"serverRelativeURL": f"/openapi/v3/{_base(pair)}"} for pair in GROUP_VERSIONS}
    documents: dict[str, JsonObject] = {
        "version": dict(VERSION),
        "api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "openapi/v3": {"paths": schemas},
    }
    for group in groups:
        documents[f"apis/{group['name']}"] = {"kind": "APIGroup", "apiVersion": "v1"} | group
    documents["apis/authorization.k8s.io"] = {"kind": "APIGroup", "apiVersion": "v1"} | REVIEWS
    documents["apis/authorization.k8s.io/v1"] = REVIEW_RESOURCES
    groups.append(REVIEWS)
    for pair in GROUP_VERSIONS:
        documents[_base(pair)] = _resources(*pair)
        documents[f"openapi/v3/{_base(pair)}"] = _openapi(pair)
    return documents


def _base(pair: tuple[str, str]) -> str:
    group, version = pair
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _group(group: str) -> dict[str, Any]:
    version = next(version for name, version in GROUP_VERSIONS if name == group)
    named = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [named], "preferredVersion": named}


def _resources(group: str, version: str) -> JsonObject:
    resources: list[dict[str, Any]] = []
    for kind in _kinds((group, version)):
        about: dict[str, Any] = {
            "name": kind.plural,
            "singularName": kind.name.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.name,
            "verbs": VERBS,
        }
        if kind.short_names:
            about["shortNames"] = list(kind.short_names)
        if kind.categories:
            about["categories"] = list(kind.categories)
        resources.append(about)
        if kind.has_status:
            status = {"name": f"{kind.plural}/status", "singularName": "", "verbs": STATUS_VERBS}
            resources.append(status | {"namespaced": kind.namespaced, "kind": kind.name})
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": resources,
    }


def _openapi(pair: tuple[str, str]) -> JsonObject:
    paths: dict[str, Any] = {}
    for kind in _kinds(pair):
        scope = "namespaces/{namespace}/" if kind.namespaced else ""
        patch = {
            "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": {
                "group": kind.group,
                "kind": kind.name,
                "version": kind.version,
            },
        }
        paths[f"/{_base(pair)}/{scope}{kind.plural}/{{name}}"] = {"patch": patch}
    info = {"title": "Bareway embedded API server", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _kinds(pair: tuple[str, str]) -> list[Kind]:
    return [kind for kind in KINDS if (kind.group, kind.version) == pair]


DOCUMENTS: Final = _documents()
"""Path without slashes at its ends -> what is there."""
