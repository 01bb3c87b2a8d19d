"""Generated files are what their sources say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.architecture.source_tree import ROOT, SOURCES

_PROTO: Final = ROOT / "proto"


def run_protoc(*arguments: str) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{_PROTO}", *arguments]
    subprocess.run(command, check=True, timeout=200)


def plugin(name: str) -> str:
    return f"--plugin={name}={Path(sys.executable).with_name(name)}"


def test_protobuf_code_when_generated_again_then_the_same(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    run_protoc(
        plugin("protoc-gen-mypy"),
        f"--python_out={tmp_path}",
        f"--mypy_out={tmp_path}",
        *map(str, sorted(_PROTO.rglob("*.proto"))),
    )
    run_protoc(
        plugin("protoc-gen-mypy_grpc"),
        f"--grpc_python_out={tmp_path}",
        f"--mypy_grpc_out={tmp_path}",
        str(_PROTO / "tinyqq/_pb/node.proto"),
    )
    made = {path.name: path.read_text("utf-8") for path in (tmp_path / "tinyqq/_pb").iterdir()}
    committed = {
        path.name: path.read_text("utf-8")
        for path in (SOURCES / "_pb").iterdir()
        if path.suffix in {".py", ".pyi"} and path.name != "__init__.py"
    }
    assert made == committed, "run: make proto"


def test_protobuf_code_of_the_web_client_when_generated_again_then_the_same(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    made_by = ROOT / "web/node_modules/.bin/protoc-gen-es"
    if not made_by.exists() or shutil.which("node") is None:
        pytest.skip("the web client's packages are not there: make check")
    run_protoc(
        f"--plugin=protoc-gen-es={made_by}",
        f"--es_out={tmp_path}",
        "--es_opt=target=ts,import_extension=none",
        *(str(_PROTO / f"tinyqq/_pb/{name}.proto") for name in ("client", "content")),
    )
    committed = ROOT / "web/src/core/wire/_pb/tinyqq/_pb"
    for path in (tmp_path / "tinyqq/_pb").iterdir():
        same = (committed / path.name).read_text("utf-8") == path.read_text("utf-8")
        assert same, "run: make proto"
