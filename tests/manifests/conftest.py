"""The manifests as kustomize renders them, with stock kubectl; no cluster is asked."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def rendered() -> list[dict[str, Any]]:
    """Every object that ``kubectl apply -k manifests/`` sends."""
    return render(ROOT / "manifests")


@pytest.fixture
def taking_over() -> list[dict[str, Any]]:
    """The same of the overlay for those who come from MetalLB."""
    return render(ROOT / "manifests" / "overlays" / "from-metallb")


@pytest.fixture(name="render")
def _render() -> Callable[[Path], list[dict[str, Any]]]:
    """What ``kubectl apply -k`` sends of any folder."""
    return render


def render(directory: Path) -> list[dict[str, Any]]:
    kubectl = Path(sys.executable).with_name("kubectl")
    command = [str(kubectl), "kustomize", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))
