"""Ceilings: no file and no function grows past what a reader can hold."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from tests.architecture.source_tree import MODULES, ROOT, Module

MAX_FILE_LINES: Final = 600
MAX_FUNCTION_LINES: Final = 80
MAX_POSITIONAL: Final = 6
_MAY_PRINT: Final = ("tinyqq.cli", "tinyqq.lab", "tinyqq.app.run")
_READS_ENVIRONMENT: Final = ("tinyqq.app.sources", "tinyqq.cli")


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Parameters that may be given without their names, ``self`` left out."""
    names = [one.arg for one in function.args.posonlyargs + function.args.args]
    return len([name for name in names if name not in {"self", "cls"}])


def calls(module: Module) -> list[tuple[ast.Call, str]]:
    found = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return [(call, ast.unparse(call.func)) for call in found]


def python_files() -> list[Path]:
    folders = ("src/tinyqq", "tests", "bench", "examples")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in files if "_pb" not in path.parts]


def test_file_when_hand_written_then_under_the_ceiling() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert [path for path, count in lines.items() if count > MAX_FILE_LINES] == []


def test_function_when_counted_then_under_the_ceiling() -> None:
    long = [
        f"{module.name}.{function.name}: {body_lines(function)} lines"
        for module in MODULES.values()
        for function in module.functions()
        if body_lines(function) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_function_when_it_takes_much_then_by_keyword() -> None:
    many = [
        f"{module.name}.{function.name}: {positional(function)} positional parameters"
        for module in MODULES.values()
        for function in module.functions()
        if positional(function) > MAX_POSITIONAL
    ]
    assert many == []


def test_module_when_read_then_it_says_what_it_is_for() -> None:
    assert [name for name, module in MODULES.items() if not ast.get_docstring(module.tree)] == []


def test_task_when_started_then_in_a_task_group() -> None:
    """A task that nobody owns is lost together with its exception."""
    loose = [
        f"{module.name}:{call.lineno}: {name}"
        for module in MODULES.values()
        for call, name in calls(module)
        if name.endswith("ensure_future")
        or (
            name.endswith("create_task")
            and not name.endswith(("group.create_task", "tasks.create_task"))
        )
    ]
    assert loose == []


def test_print_when_not_a_command_then_absent() -> None:
    prints = [
        f"{module.name}:{call.lineno}"
        for module in MODULES.values()
        if not module.name.startswith(_MAY_PRINT)
        for call, name in calls(module)
        if name == "print"
    ]
    assert prints == []


def test_environment_when_read_then_by_settings_and_commands() -> None:
    readers = [
        module.name
        for module in MODULES.values()
        if not module.name.startswith(_READS_ENVIRONMENT)
        and any(
            isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
            for node in ast.walk(module.tree)
        )
    ]
    assert readers == []
