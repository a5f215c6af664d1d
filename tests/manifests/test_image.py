"""The image as ``python -m cluster.image`` writes it, read by hand; and what the Dockerfile says."""

import asyncio
import gzip
import hashlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import bareway
from cluster.image import LOCK, NAME, SETTINGS, SIZE_MAX_BYTES, build
from cluster.image_archive import write_layer
from cluster.image_contents import PREFIX, CannotBuild, programs
from cluster.image_packages import locked
from cluster.image_system import libraries

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = f"{PREFIX.lstrip('/')}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
UNCHECKED = 0b01
"""Flags of bytecode that is valid whatever its source's time."""
PROCESS_1 = ("python", "-I", "-m", "speaker.bfd", "--memory", "/run/bareway/bfd")
"""As the manifest has it."""
WANTS_BFD = """
import os, socket
from speaker.bfd.records import Request, RequestKind, pack_request
ours = socket.socket(fileno=int(os.environ["BAREWAY_BFD_DESCRIPTOR"]))
ours.send(pack_request(Request(RequestKind.FIGURES)))
print("answered" if ours.recv(4096) else "closed")
"""
COMPILERS = {"as", "cc", "clang", "g++", "gcc", "ld", "make", "rustc"}

# The first build of a machine compiles 3,000 files; the layers are then kept.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """An archive, with its layers read."""

    index: dict[str, Any]
    manifest: dict[str, Any]
    configuration: dict[str, Any]
    blobs: Mapping[str, bytes]
    files: Mapping[str, tarfile.TarInfo]
    contents: Mapping[str, bytes]
    """Of those files that the tests look into."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes; it says how large that is."""
    path = tmp_path_factory.mktemp("image") / "image.tar"
    command = [sys.executable, "-m", "cluster.image", str(path)]
    done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "MB compressed" in done.stdout
    return path


@pytest.fixture(scope="module")
def image(archive: Path) -> Unpacked:
    with tarfile.open(archive) as whole:
        blobs = {
            member.name: reader.read()
            for member in whole.getmembers()
            if (reader := whole.extractfile(member)) is not None
        }
    index = json.loads(blobs["index.json"])
    manifest = json.loads(blobs[blob(index["manifests"][0]["digest"])])
    files: dict[str, tarfile.TarInfo] = {}
    contents: dict[str, bytes] = {}
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(blobs[blob(layer["digest"])])) as tree:
            for member in tree.getmembers():
                files[member.name] = member
                if member.isfile() and ("/bin/" in member.name or member.name.endswith(".pyc")):
                    reader = tree.extractfile(member)
                    assert reader is not None
                    contents[member.name] = reader.read()
    configuration = json.loads(blobs[blob(manifest["config"]["digest"])])
    return Unpacked(
        index=index,
        manifest=manifest,
        configuration=configuration,
        blobs=blobs,
        files=files,
        contents=contents,
    )


def blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def test_every_blob_is_named_after_its_content(image: Unpacked) -> None:
    named = {name: content for name, content in image.blobs.items() if name.startswith("blobs/sha256/")}
    assert len(named) == len(image.blobs) - 2 == 5
    for name, content in named.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def test_index_and_manifest_tell_the_sizes_of_what_they_name(image: Unpacked) -> None:
    assert json.loads(image.blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    named = [*image.index["manifests"], image.manifest["config"], *image.manifest["layers"]]
    assert [each["size"] for each in named] == [len(image.blobs[blob(each["digest"])]) for each in named]


def test_the_configuration_names_the_layers_by_what_is_in_them(image: Unpacked) -> None:
    layers = [image.blobs[blob(layer["digest"])] for layer in image.manifest["layers"]]
    unpacked = [f"sha256:{hashlib.sha256(gzip.decompress(layer)).hexdigest()}" for layer in layers]
    assert image.configuration["rootfs"] == {"type": "layers", "diff_ids": unpacked}


def test_runtimes_find_it_under_the_name_that_the_manifests_use(image: Unpacked) -> None:
    (manifest,) = image.index["manifests"]
    annotations = manifest["annotations"]
    assert annotations["io.containerd.image.name"] == f"docker.io/library/bareway:{bareway.__version__}"
    assert annotations["org.opencontainers.image.ref.name"] == bareway.__version__
    assert manifest["platform"] == {"architecture": image.configuration["architecture"], "os": "linux"}


def test_a_registry_counts_no_more_than_the_budget(image: Unpacked) -> None:
    assert sum(layer["size"] for layer in image.manifest["layers"]) < SIZE_MAX_BYTES == 120_000_000


def test_the_settings_are_those_that_were_meant(image: Unpacked) -> None:
    assert image.configuration["config"] == SETTINGS


def test_every_program_is_there_and_may_be_run(image: Unpacked) -> None:
    for name, target in programs(ROOT / "pyproject.toml").items():
        path = f"{PREFIX.lstrip('/')}/bin/{name}"
        assert image.files[path].mode == 0o755
        lines = image.contents[path].decode().splitlines()
        assert lines[0] == f"#!{PREFIX}/bin/python"
        assert f"from {target.replace(':', ' import ')}" in lines


@pytest.mark.parametrize("unwanted", ["kubernetes/aio", "pip", "setuptools", "wheel"])
def test_nothing_is_there_that_no_program_needs(image: Unpacked, unwanted: str) -> None:
    assert not [name for name in image.files if name.startswith(f"{PACKAGES}/{unwanted}/")]
    assert f"{PACKAGES}/kubernetes/client/__init__.py" in image.files  # so that the right place is looked at


def test_there_is_no_compiler_no_installer_and_nothing_to_link_with(image: Unpacked) -> None:
    names = {Path(name).name for name in image.files if "/bin/" in name}
    assert not names & (COMPILERS | {"pip", "pip3", "sh", "bash", "apt", "apt-get"})
    assert not [name for name in image.files if Path(name).suffix in (".a", ".c", ".h") and "/bin/" in name]
    assert not [name for name in image.files if "ensurepip" in name or name.endswith((".a", ".o"))]


def test_everything_lies_where_programs_look_for_it(image: Unpacked) -> None:
    places = {"dev", "etc", "lib", "lib64", "opt", "proc", "run", "sys", "tmp", "usr"}
    assert {Path(name).parts[0] for name in image.files} <= places
    libraries_there = {Path(name).name.partition(".so.")[0] for name in image.files if ".so." in name}
    assert {"libc", "libssl", "libffi"} <= libraries_there


def test_no_tests_of_ours_are_in_it(image: Unpacked) -> None:
    ours = {
        Path(name).relative_to(PACKAGES).parts[0] for name in image.files if name.startswith(PACKAGES + "/")
    }
    assert {"bareway", "controller", "speaker"} <= ours
    assert not {"tests", "support", "apiserver", "lab", "cluster", "sim"} & ours


def test_every_module_is_there_as_bytecode_that_is_never_checked(image: Unpacked) -> None:
    modules = [name for name in image.files if name.endswith(".py")]
    assert len(modules) > 2000
    missing = [name for name in modules if importlib.util.cache_from_source(name) not in image.contents]
    assert missing == []
    codes = [code for name, code in image.contents.items() if name.endswith(".pyc")]
    assert {code[:4] for code in codes} == {importlib.util.MAGIC_NUMBER}
    assert {int.from_bytes(code[4:8], "little") for code in codes} == {UNCHECKED}


def test_modules_of_others_leave_docstrings_behind_and_ours_keep_what_they_assert(image: Unpacked) -> None:
    library = next(name for name in image.files if name.endswith("/asyncio/__init__.py"))
    assert asyncio.__doc__
    assert asyncio.__doc__.encode() not in image.contents[importlib.util.cache_from_source(library)]
    ours = image.contents[importlib.util.cache_from_source(f"{PACKAGES}/bareway/runtime/kube/client.py")]
    assert b"use the client as an async context manager" in ours


def test_bytecode_names_its_source_as_it_is_in_the_image(image: Unpacked) -> None:
    code = image.contents[importlib.util.cache_from_source(f"{PACKAGES}/bareway/gossip/machine.py")]
    assert f"/{PACKAGES}/bareway/gossip/machine.py".encode() in code


def test_files_belong_to_root_and_only_root_may_change_them(image: Unpacked) -> None:
    assert {(info.uid, info.gid, info.mtime) for info in image.files.values()} == {(0, 0, 0)}
    writable = {name for name, info in image.files.items() if not info.issym() and info.mode & 0o022}
    assert writable == {"tmp"}
    assert not [name for name, info in image.files.items() if info.mode & 0o6000]


def test_the_same_content_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again.tar")
    assert again.name == NAME
    assert again.path.read_bytes() == archive.read_bytes()


def test_a_layer_does_not_show_when_its_files_were_made_and_lists_them_in_order(tmp_path: Path) -> None:
    names = [f"file-{number:02}" for number in range(30)]
    for tree, second in (("one", 1), ("two", 2)):
        (tmp_path / tree).mkdir()
        for name in names:
            (tmp_path / tree / name).write_text(name)
            os.utime(tmp_path / tree / name, (second, second))
    one, two = (write_layer(tmp_path / tree, tmp_path / f"{tree}.tar.gz") for tree in ("one", "two"))
    assert (one.digest, one.diff_id) == (two.digest, two.diff_id)
    with tarfile.open(one.path) as content:
        assert content.getnames() == names


@pytest.mark.lab
@pytest.mark.host
@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        pytest.param(("bareway", "version"), 0, "bareway ", id="the command"),
        pytest.param(("bareway-controller", "--version"), 0, "bareway-controller ", id="the controller"),
        pytest.param(("bareway-controller",), 2, "not in a Pod", id="the controller outside of a Pod"),
        pytest.param(("bareway-speaker", "--node-name=a"), 2, "CAP_NET_RAW", id="the speaker as nobody"),
        pytest.param(
            (*PROCESS_1, "bareway-speaker", "--node-name=a"),
            2,
            "CAP_NET_RAW",
            id="the speaker below its supervisor",
        ),
        pytest.param(
            (*PROCESS_1, "python", "-I", "-c", WANTS_BFD),
            0,
            "answered",
            id="what keeps BFD sessions, once it is asked for some",
        ),
        pytest.param(("python3", "-c", "import kubernetes.client, grpc, ssl"), 0, "", id="libraries"),
    ],
)
def test_the_programs_run_from_nothing_but_the_image(
    unpacked_root: Path, command: tuple[str, ...], code: int, told: str
) -> None:
    user, path = SETTINGS["User"], f"{PREFIX}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    whole = ["unshare", "--net", "chroot", f"--userspec={user}", str(unpacked_root), *command]
    done = subprocess.run(whole, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, told in done.stdout + done.stderr) == (code, True), done.stderr


@pytest.fixture(scope="module")
def unpacked_root(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    for layer in image.manifest["layers"]:
        content = image.blobs[blob(layer["digest"])]
        subprocess.run(["tar", "-xz", "-C", str(root)], input=content, check=True)
    root.chmod(0o755)  # pytest keeps others out; the programs run as nobody
    return root


def test_a_package_of_another_version_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("aiohttp==0.0.1 \\\n    --hash=sha256:00\n")
    with pytest.raises(CannotBuild, match=r"aiohttp \S+ is installed, locked is aiohttp==0\.0\.1"):
        list(locked(lock))


def test_a_package_that_is_not_installed_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("no-such-thing==1 \\\n    --hash=sha256:00\nnor-this==1 ; sys_platform == 'win32' \\\n")
    with pytest.raises(CannotBuild, match="no-such-thing==1 is not installed: run `make setup`"):
        list(locked(lock))


def test_a_program_without_the_c_library_cannot_be_taken_along(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="not linked to glibc"):
        list(libraries([tmp_path / "absent"]))


def pins(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes of each package."""
    found = re.findall(r"^(\S+)==(\S+).*((?:\n    --hash=\S+.*)+)", lock.read_text(), re.MULTILINE)
    return {
        name: (version, frozenset(re.findall(r"sha256:[0-9a-f]{64}", hashes)))
        for name, version, hashes in found
    }


def test_the_image_holds_the_versions_that_are_tested() -> None:
    tested, shipped = pins(ROOT / "requirements.lock"), pins(LOCK)
    assert shipped.items() <= tested.items()
    assert {"aiohttp", "kubernetes", "grpcio"} <= shipped.keys() < tested.keys()
    assert not {"pytest", "mypy", "ruff", "hatchling"} & shipped.keys()


def test_the_dockerfile_copies_what_exists_and_says_the_same_as_the_other_builder() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    assert f"COPY --from=build {PREFIX} {PREFIX}\n" in text
    assert f"USER {SETTINGS['User']}\n" in text
    assert f"PATH={PREFIX}/bin:" in text
    assert len(re.findall(r"^FROM python:3\.11-slim-bookworm", text, re.MULTILINE)) == 2
