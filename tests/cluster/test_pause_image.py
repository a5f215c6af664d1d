"""The image that holds a Pod's namespaces."""

import json
import subprocess
import tarfile
from pathlib import Path

from cluster import pause_image
from lab.process import state
from lab.waiting import wait_for


def test_its_program_waits_until_it_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "pause"
    path.write_bytes(pause_image.program())
    path.chmod(0o755)
    process = subprocess.Popen([path])
    wait_for(lambda: state(process.pid) == "S", what="it to wait", within_s=10.0)
    process.terminate()
    assert process.wait() == -15


def test_it_has_one_program_and_the_name_that_nodes_ask_for(tmp_path: Path) -> None:
    built = pause_image.build("example.com/pause:1", tmp_path / "pause.tar")
    with tarfile.open(built.path) as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        (manifest,) = json.load(index)["manifests"]
    assert manifest["annotations"]["io.containerd.image.name"] == "example.com/pause:1"
    assert built.compressed_bytes < 2_000
