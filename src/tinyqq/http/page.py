"""``/``: a page for people who open the address in a browser, in Chinese and English."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Final

from aiohttp import web

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;max-width:40rem;
margin:10vh auto;padding:0 1.5rem}
h1{font-weight:600}
code{background:#8882;border-radius:4px;padding:.15em .4em;word-break:break-all}
li{margin:.4em 0}
footer{margin-top:3rem;opacity:.6;font-size:.85em}
"""

_PAGE: Final = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>TinyQQ</title>
<style>{style}</style>
<h1>TinyQQ</h1>
<section>
<p>服务正在运行。在终端里开始聊天：</p>
<p><code>tinyqq chat {url}</code></p>
<ul>
<li>单元目录：<code>{url}/v1/units</code></li>
<li>WebSocket：<code>{websocket}</code></li>
</ul>
</section>
<section lang="en">
<p>The server is running. To chat from a terminal:</p>
<p><code>tinyqq chat {url}</code></p>
<ul>
<li>Unit directory: <code>{url}/v1/units</code></li>
<li>WebSocket: <code>{websocket}</code></li>
</ul>
</section>
<footer>{agent}</footer>
</html>
"""


def style_hash() -> str:
    """The page's style, as a Content-Security-Policy names it."""
    digest = hashlib.sha256(_STYLE.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class Page:
    """Answers ``/``.

    Args:
        agent: the server's name and version.
    """

    def __init__(self, *, agent: str) -> None:
        self._agent = agent
        self._policy = (
            f"default-src 'none'; style-src {style_hash()}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )

    async def answer(self, request: web.Request) -> web.Response:
        """The page, with the address by which the reader came."""
        url = f"{request.scheme}://{request.host}"
        text = _PAGE.format(
            style=_STYLE,
            url=html.escape(url),
            websocket=html.escape(f"ws{url.removeprefix('http')}/ws"),
            agent=html.escape(self._agent),
        )
        return web.Response(
            text=text,
            content_type="text/html",
            headers={"Content-Security-Policy": self._policy},
        )
