"""Imports go down the floors, and nowhere in circles."""

from __future__ import annotations

import ast
from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from typing import Final

import pytest
from tests.architecture.source_tree import GENERATED, MODULES, Module, imported_modules

_GROUND: Final = frozenset({"errors", "clock", "log", "outcomes", "threads"})
_LOW: Final = _GROUND | {"model", "ports"}
_MIDDLE: Final = frozenset(
    {
        "gateway",
        "http",
        "rpc",
        "services",
        "storage",
        "presence",
        "registry",
        "media",
        "client",
    }
)

MAY_IMPORT: Final[dict[str, frozenset[str]]] = {
    "": frozenset(),
    "errors": frozenset(),
    "clock": frozenset(),
    "log": frozenset(),
    "outcomes": frozenset({"errors"}),
    "threads": frozenset({"errors"}),
    "model": frozenset({"errors"}),
    "ports": frozenset({"errors", "model"}),
    "wire": frozenset({"errors", "model", "_pb"}),
    **{package: _LOW | {"wire"} for package in _MIDDLE},
    "rpc": _LOW | {"wire", "_pb"},
    "storage": _LOW,
    "presence": _LOW,
    "registry": _LOW,
    "media": _LOW,
    "client": _GROUND | {"model", "wire"},
    "tui": _GROUND | {"model", "client"},
    "bot": _GROUND | {"model", "client"},
    "testing": _LOW | {"wire"} | _MIDDLE,
    "lab": _LOW | {"wire", "client", "app", "testing", "_pb"} | _MIDDLE,
    "app": _LOW | {"wire"} | _MIDDLE,
    "cli": _LOW | {"wire", "client", "tui", "bot", "app", "lab"} | _MIDDLE,
}
"""The floors: what a package may import besides itself. Packages of the middle floor are missing
from each other's lines: they meet in ``ports`` and are joined in ``app``."""

PURE: Final = (
    "tinyqq.wire", "tinyqq.model", "tinyqq.client.inbox", "tinyqq.client.outbox",
    "tinyqq.rpc.select", "tinyqq.rpc.redial", "tinyqq.rpc.buffer",
)  # fmt: skip
IMPURE: Final = frozenset(
    {"asyncio", "socket", "ssl", "time", "random", "secrets", "threading", "selectors", "uvloop"}
)
_JOINS_OPTIONAL_BACK_ENDS: Final = frozenset(
    {
        "tinyqq.app.ground",
        "tinyqq.app.media",
        "tinyqq.app.peers",
        "tinyqq.app.registry",
        "tinyqq.storage.open",
    }
)
_READS_PROTOBUF: Final = ("tinyqq.wire", "tinyqq.rpc", "tinyqq.lab")
"""The lab's floor program does without our layers, and is what they are compared with."""


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def offences(imported: Callable[[Module], set[str]]) -> list[str]:
    """What the rule found, one line per module that breaks it."""
    return [
        f"{module.name} imports {', '.join(sorted(found))}"
        for module in MODULES.values()
        if (found := imported(module))
    ]


def test_imports_when_within_the_package_then_only_downwards() -> None:
    def upwards(module: Module) -> set[str]:
        allowed = MAY_IMPORT[module.package] | {module.package}
        names = imported_modules(module) - {"tinyqq"}
        return {name for name in names if name.split(".")[1] not in allowed}

    assert {module.package for module in MODULES.values()} <= set(MAY_IMPORT)
    assert offences(upwards) == []


def test_imports_when_followed_then_never_in_a_circle() -> None:
    graph = {name: imported_modules(module) for name, module in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        pytest.fail(" → ".join(exc.args[1]))


def test_imports_when_sans_io_then_no_clock_no_chance_no_sockets() -> None:
    def impure(module: Module) -> set[str]:
        tops = {name.split(".")[0] for name in module.imports()}
        return tops & IMPURE if is_in(module.name, PURE) else set()

    assert offences(impure) == []


def test_imports_when_protobuf_then_only_where_it_is_translated() -> None:
    def protobuf(module: Module) -> set[str]:
        if is_in(module.name, _READS_PROTOBUF):
            return set()
        names = {name for name in module.imports() if name.startswith("google.protobuf")}
        return names | (imported_modules(module) & {GENERATED})

    assert offences(protobuf) == []


def test_imports_when_settings_library_then_only_in_app_and_http() -> None:
    def settings(module: Module) -> set[str]:
        if module.package in {"app", "http"}:
            return set()
        return {name for name in module.imports() if name.startswith("pydantic")}

    assert offences(settings) == []


def test_imports_when_fakes_then_only_in_tests_and_the_lab() -> None:
    def fakes(module: Module) -> set[str]:
        if module.package in {"testing", "lab"}:
            return set()
        return {name for name in imported_modules(module) if is_in(name, ("tinyqq.testing",))}

    assert offences(fakes) == []


def test_imports_when_anywhere_then_absolute_and_at_the_top() -> None:
    inside = [
        f"{module.name}:{node.lineno}"
        for module in MODULES.values()
        if module.name not in _JOINS_OPTIONAL_BACK_ENDS
        for function in module.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []
