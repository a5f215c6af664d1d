"""What a daemon imports to speak to Kubernetes: nothing that costs tens of megabytes."""

import subprocess
import sys

import pytest

HEAVY = (
    "kubernetes",
    "grpc",
    "scapy",
    "yaml",
    "cryptography",
    "google.protobuf",
    "pydantic",
    "prometheus_client",
)
MODULES = (
    "bareway.runtime.kube.client",
    "bareway.runtime.kube.reflector",
    "bareway.runtime.kube.events",
    "bareway.runtime.kube.credentials",
    "bareway.runtime.kube.rights",
)


@pytest.mark.slow
def test_kubernetes_access_loads_none_of_the_heavy_packages() -> None:
    program = f"import sys, {', '.join(MODULES)}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert done.stdout.decode().strip() == "[]"
