"""A server that speaks S3 over HTTP (moto), for tests; it keeps what it is given in memory."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tinyqq.lab.servers.process import ServerProcess, accepts, free_port
from tinyqq.media.bucket import BucketStore


class S3Server(ServerProcess):
    """One of these."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._buckets = count(1)
        super().__init__(
            name=f"s3-{self.port}",
            command=[
                sys.executable,
                *("-W", "ignore", "-m", "moto.server"),
                *("-H", "127.0.0.1", "-p", str(self.port)),
            ],
            folder=folder,
            is_ready=lambda: accepts(self.port),
        )

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self) -> str:
        """A new one; returns its address, with a prefix."""
        name = f"files-{next(self._buckets)}"
        wish = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")
        with urllib.request.urlopen(wish, timeout=60):
            return f"s3://{name}/tinyqq"


def bucket(url: str, endpoint: str, timeout_s: float = 30.0) -> BucketStore:
    """A bucket of a server of a test."""
    return BucketStore.open(
        url,
        endpoint=endpoint,
        region="us-east-1",
        access_key="key",
        secret_key="secret",
        timeout_s=timeout_s,
    )


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The server that tests share: each makes a bucket of its own."""
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server
