"""aiohttp is imported without the system's certificates, and nothing else notices."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOOK = """
import json, os, sys
import bareway.runtime.lean
read = len(sys.modules["aiohttp.connector"]._SSL_CONTEXT_VERIFIED.get_ca_certs())
print(json.dumps([read, {name: os.environ.get(name) for name in bareway.runtime.lean.PLACES}]))
"""


@pytest.mark.parametrize("file", [None, "/nowhere/ca.pem"], ids=["nothing is set", "a place is set"])
def test_no_certificates_are_read_and_the_environment_is_as_before(file: str | None) -> None:
    environment = {"PYTHONPATH": str(ROOT), **({"SSL_CERT_FILE": file} if file else {})}
    command = [sys.executable, "-c", LOOK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, {"SSL_CERT_FILE": file, "SSL_CERT_DIR": None}]


def test_the_controller_imports_it_before_anything_that_imports_aiohttp() -> None:
    look = "import sys, controller.__main__; assert 'aiohttp' not in sys.modules"
    subprocess.run([sys.executable, "-c", look], env={"PYTHONPATH": str(ROOT)}, check=True)
    main = (ROOT / "controller" / "__main__.py").read_text()
    assert main.index("import bareway.runtime.lean") < main.index("from controller.app")
