"""What is installed on this machine, and which packages bring the rest.

The list itself is packages.txt beside this file; install.sh installs (Debian, Ubuntu).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_ADMINISTRATORS: Final = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs are that an ordinary user's PATH leaves out."""


@dataclass(frozen=True, slots=True)
class Need:
    """A program, or a file given with its path, that some kinds of servers cannot do without."""

    kinds: frozenset[str]
    thing: str
    package: str

    def is_met(self) -> bool:
        """Whether it is on this machine."""
        if self.thing.startswith("/"):
            return Path(self.thing).exists()
        return find_program(self.thing) is not None


def list_needs(path: Path = _HERE / "packages.txt") -> tuple[Need, ...]:
    """The whole list."""
    lines = path.read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return tuple(
        Need(frozenset(kinds.split(",")), thing, package) for kinds, thing, package in rows
    )


NEEDS: Final = list_needs()
KINDS: Final = frozenset().union(*(need.kinds for need in NEEDS))


def missing_kinds(kinds: Iterable[str]) -> list[str]:
    """Those of *kinds* that are not wholly installed.

    Raises:
        KeyError: a kind that nobody knows.
    """
    return [kind for kind in kinds if missing_packages([kind])]


def missing_packages(kinds: Sequence[str]) -> list[str]:
    """What to install for servers of *kinds*, sorted.

    Raises:
        KeyError: a kind that nobody knows.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise KeyError(kind)
    wanted = [need for need in NEEDS if need.kinds.intersection(kinds)]
    return sorted({need.package for need in wanted if not need.is_met()})


def install_packages(packages: Sequence[str]) -> bool:
    """Install them by apt-get, as root or by sudo, and leave no service of theirs running.

    What it does is told on stderr. Returns whether it went well.
    """
    command = ["/bin/sh", str(_HERE / "install.sh"), *packages]
    return subprocess.run(command, check=False).returncode == 0


def find_program(name: str) -> str | None:
    """The path of a program, also of one for administrators; None when it is missing."""
    return shutil.which(name) or shutil.which(name, path=_ADMINISTRATORS)


def program(name: str) -> str:
    """The path of a program; its bare name when it is missing, for the error to name it."""
    return find_program(name) or name
