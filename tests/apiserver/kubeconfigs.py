"""A kubeconfig for an API server of the tests."""

import json


def kubeconfig(url: str, *, token: str = "", certificate_authority: str = "") -> str:
    """The text of a kubeconfig (JSON is YAML) with one cluster, one user, one context."""
    cluster = {"server": url}
    if certificate_authority:
        cluster["certificate-authority"] = certificate_authority
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "tests", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
    }
    return json.dumps(document, indent=2) + "\n"
