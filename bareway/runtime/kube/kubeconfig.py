"""What a kubeconfig says, as JSON: ``python -m bareway.runtime.kube.kubeconfig PATH [CONTEXT]``.

The only place that imports the official ``kubernetes`` package. It runs as a child process of a daemon, so
that its memory and its time of import are gone when it ends. If it cannot tell: one sentence on standard
error and exit code 2.
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_kube_config

from bareway.runtime.kube.credentials import Credentials

UNUSABLE = 2


def main(arguments: Sequence[str]) -> int:
    """Print the credentials in the file and context named."""
    path, context = arguments[0], arguments[1] if len(arguments) > 1 else None
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        credentials = _read(path, context)
    except (ConfigException, OSError, ValueError, TypeError, yaml.YAMLError) as error:
        complaints.sentences.append(" ".join(str(error).split()))
    else:
        if not complaints.sentences:
            sys.stdout.buffer.write(msgspec.json.encode(credentials))
            return 0
    sys.stderr.write(f"kubeconfig {path}: {complaints.sentences[0]}\n")
    return UNUSABLE


class _Complaints(logging.Handler):
    """The package logs a failed exec plug-in and goes on without credentials: for us that is a failure."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(" ".join(record.getMessage().split()))


def _read(path: str, context: str | None) -> Credentials:
    if not _exists(path):
        raise ConfigException("the file does not exist")
    found = Configuration()
    load_kube_config(config_file=path, context=context, client_configuration=found)
    return Credentials(
        server=str(found.host).rstrip("/"),
        authorization=str(found.api_key.get("BearerToken", "")),
        ca=_content(found.ssl_ca_cert),
        certificate=_content(found.cert_file),
        key=_content(found.key_file),
        verify=bool(found.verify_ssl),
        server_name=str(found.tls_server_name or ""),
        proxy=str(found.proxy or ""),
    )


def _exists(path: str) -> bool:
    """The package takes several files in a row, and is silent about those that are missing."""
    return any(Path(file).expanduser().exists() for file in path.split(os.pathsep) if file)


def _content(path: str | None) -> str:
    """The package writes inline certificates to files of its own, which it removes when we end."""
    return Path(path).read_text() if path else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
