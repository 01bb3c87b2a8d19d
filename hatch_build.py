"""Puts the built web client into the wheel (and the sdist, so that a wheel of it needs no Node)."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebClientHook(BuildHookInterface[Any]):
    """See the module's docstring."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, where it is needed to build and the system has none."""
        # An editable install takes what make has built, and must not fetch a Node for nothing. The
        # interface does not say which kind is asked for; the caller's name does.
        if any(frame.function == "get_requires_for_build_editable" for frame in inspect.stack()):
            return []
        client = self._client()
        root = Path(self.root)
        return [] if client.is_fresh(root) or client.find_node() else [client.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless it is built and unchanged."""
        if version == "editable":
            return
        client = self._client()
        root = Path(self.root)
        if not client.is_fresh(root):
            node = client.find_node()
            if node is None:
                raise RuntimeError("building the web client needs Node >= 22.12")
            client.build(node, root)
        build_data["artifacts"].append("src/tinyqq/_web/**")

    def _client(self) -> ModuleType:
        path = Path(self.root) / "scripts/web_client.py"
        spec = importlib.util.spec_from_file_location("web_client", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["web_client"] = module
        spec.loader.exec_module(module)
        return module
