"""The generated code is committed; here it is generated anew and compared."""

from pathlib import Path

from generate_rpc import ROOT, generate


def test_the_committed_code_is_what_the_proto_files_say(tmp_path: Path) -> None:
    written = generate(tmp_path)
    committed = sorted((ROOT / "bareway/rpc/v1").glob("*_pb2*.py*"))
    assert [path.name for path in written] == [path.name for path in committed]
    assert [
        new.name for new, old in zip(written, committed, strict=True) if new.read_text() != old.read_text()
    ] == []


def test_every_proto_file_lies_where_its_package_says() -> None:
    for path in (ROOT / "proto").rglob("*.proto"):
        package = ".".join(path.relative_to(ROOT / "proto").parent.parts)
        assert f"\npackage {package};\n" in path.read_text()
