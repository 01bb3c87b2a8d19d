"""The built web client, as it is served."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tinyqq.http.problems import add_security_headers, tell_problems
from tinyqq.http.site import Site

SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a build makes."""
    built = tmp_path / "_web"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html>你好", "utf-8")
    (built / "assets" / "index-3f.js").write_bytes(SCRIPT)
    (built / "assets" / "index-3f.js.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "app.webmanifest").write_text("{}")
    (built / ".hash").write_text("of what it was made of")
    (tmp_path / "secret").write_text("secret")
    return built


@asynccontextmanager
async def open_site(folder: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A session, and the site's URL."""
    app = web.Application(middlewares=[tell_problems])
    app.on_response_prepare.append(add_security_headers)
    Site(folder).add_to(app.router)
    async with TestServer(app) as server, aiohttp.ClientSession(auto_decompress=False) as session:
        yield session, f"http://127.0.0.1:{server.port}"


async def test_page_when_asked_then_it_may_run_its_own_scripts_and_no_others(folder: Path) -> None:
    async with open_site(folder) as (session, url), session.get(url) as answer:
        assert "你好" in await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_worker_when_asked_then_it_may_fetch_from_its_own_node(folder: Path) -> None:
    (folder / "sw.js").write_text("// works")
    async with open_site(folder) as (session, url), session.get(f"{url}/sw.js") as answer:
        assert "connect-src 'self'" in answer.headers["Content-Security-Policy"].split("; ")


async def test_asset_when_the_browser_takes_gzip_then_packed_and_kept_for_ever(
    folder: Path,
) -> None:
    headers = {"Accept-Encoding": "gzip"}
    async with open_site(folder) as (session, url):
        async with session.get(f"{url}/assets/index-3f.js", headers=headers) as answer:
            assert gzip.decompress(await answer.read()) == SCRIPT
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Vary"] == "Accept-Encoding"


async def test_asset_when_the_browser_takes_no_gzip_then_plain(folder: Path) -> None:
    headers = {"Accept-Encoding": "identity"}
    async with open_site(folder) as (session, url):
        async with session.get(f"{url}/assets/index-3f.js", headers=headers) as answer:
            assert await answer.read() == SCRIPT


async def test_page_when_it_is_unchanged_then_not_sent_again(folder: Path) -> None:
    async with open_site(folder) as (session, url):
        async with session.get(url) as first:
            headers = {"If-None-Match": first.headers["ETag"]}
        async with session.get(url, headers=headers) as second:
            assert second.status == 304


@pytest.mark.parametrize(
    "path",
    ["/secret", "/../secret", "/%2e%2e/secret", "/assets/", "/assets/index-3f.js.gz", "/.hash"],
)
async def test_path_when_it_is_no_file_of_the_build_then_not_found(folder: Path, path: str) -> None:
    async with open_site(folder) as (session, url), session.get(url + path) as answer:
        assert answer.status == 404


def test_site_when_nothing_is_built_then_says_so(tmp_path: Path) -> None:
    assert not Site(tmp_path / "missing").is_built


async def test_admin_when_its_page_is_built_then_below_its_own_path(folder: Path) -> None:
    (folder / "admin.html").write_text("<!doctype html>admin", "utf-8")
    async with open_site(folder) as (session, url):
        async with session.get(f"{url}/admin") as answer:
            assert "admin" in await answer.text()
            policy = answer.headers["Content-Security-Policy"].split("; ")
            assert {"script-src 'self'", "connect-src 'self'"} <= set(policy)


async def test_admin_when_its_page_is_not_built_then_nothing_there(folder: Path) -> None:
    async with open_site(folder) as (session, url), session.get(f"{url}/admin") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/", "/index.html"])
async def test_page_when_asked_then_it_may_follow_the_units(folder: Path, path: str) -> None:
    async with open_site(folder) as (session, url), session.get(url + path) as answer:
        connect = "connect-src 'self' http: https: ws: wss:"
        assert connect in answer.headers["Content-Security-Policy"].split("; ")


def build(folder: Path, part: str) -> None:
    """As the build does it: away with what there is, the stamp last."""
    shutil.rmtree(folder)
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f"<script src=/assets/{part}>", "utf-8")
    (folder / "assets" / part).write_text(part, "utf-8")
    (folder / ".hash").write_text(part)


async def test_site_when_built_anew_then_served_and_open_pages_find_their_parts(
    folder: Path,
) -> None:
    async def text_of(path: str) -> str:
        async with session.get(url + path, headers={"Accept-Encoding": "identity"}) as answer:
            return await answer.text() if answer.status == 200 else ""

    async with open_site(folder) as (session, url):
        build(folder, "index-40.js")
        assert "index-40.js" in await text_of("/")
        assert await text_of("/assets/index-40.js") == "index-40.js"
        assert await text_of("/assets/index-3f.js") == SCRIPT.decode()
        assert await text_of("/app.webmanifest") == ""
        build(folder, "index-41.js")
        assert await text_of("/assets/index-41.js") == "index-41.js"
        assert await text_of("/assets/index-40.js") == "index-40.js"
        assert await text_of("/assets/index-3f.js") == ""


async def test_site_when_a_build_is_under_way_then_the_one_before_is_served(folder: Path) -> None:
    async with open_site(folder) as (session, url):
        shutil.rmtree(folder)
        async with session.get(url) as page, session.get(f"{url}/assets/index-3f.js") as part:
            assert (page.status, part.status) == (200, 200)
