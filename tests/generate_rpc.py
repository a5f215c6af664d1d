"""Writes bareway/rpc/v1 from proto/: `make proto`.

The folders of proto/ mirror the import packages, so the generated imports are right as they come.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"


def generate(destination: Path) -> tuple[Path, ...]:
    """Write the code of every file below proto/ into ``destination``; returns what was written."""
    sources = sorted(PROTO.rglob("*.proto"))
    with_calls = [source for source in sources if "\nservice " in source.read_text(encoding="utf-8")]
    package = destination / "bareway" / "rpc" / "v1"
    for old in package.glob("*_pb2*"):
        old.unlink()
    _protoc(sources, f"--python_out={destination}", f"--mypy_out=quiet:{destination}")
    _protoc(with_calls, f"--grpc_python_out={destination}", f"--mypy_grpc_out=quiet:{destination}")
    return tuple(sorted(package.glob("*_pb2*.py*")))


def _protoc(sources: list[Path], *outputs: str) -> None:
    tools = Path(sys.executable).parent
    plugins = [f"--plugin={name}={tools / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *plugins, *outputs]
    subprocess.run([*command, *(str(source) for source in sources)], check=True)


if __name__ == "__main__":
    generate(ROOT)
