"""nginx on a given configuration, in the foreground: a master, and workers that do the work."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinyqq.lab.servers.packages import program
from tinyqq.lab.servers.process import ServerProcess, accepts, wait_until


class NginxServer(ServerProcess):
    """One nginx with what ``tinyqq nginx --home FOLDER`` has made.

    Args:
        config: the file; it must exist when the server is started.
        port: where it listens, as the file says.
    """

    def __init__(self, folder: Path, *, config: Path, port: int, name: str = "nginx") -> None:
        # When the starter dies the master must still end its workers, so it is asked to, and not
        # killed: a worker without its master would go on serving.
        self._port = port
        setpriv = shutil.which("setpriv")
        asked = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        super().__init__(
            name=name,
            command=[
                *asked,
                program("nginx"),
                *("-p", folder, "-c", config, "-e", folder / "error.log", "-g", "daemon off;"),
            ],
            folder=folder,
            is_ready=lambda: accepts(port),
        )

    def kill(self) -> None:
        """End the master and its workers as a power cut does; no effect when it does not run."""
        if self.is_running:
            super().kill()
            wait_until(lambda: not _listens(self._port), what="the end of nginx's workers")


def _listens(port: int) -> bool:
    try:
        return accepts(port)
    except OSError:
        return False
