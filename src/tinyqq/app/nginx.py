"""An nginx configuration for the units that are there. Pure: nodes in, text out.

TCP goes through ``stream`` with a PROXY header, HTTP and WebSocket through ``http`` with
X-Forwarded-For: the units see their clients' addresses if ``listen.trusted_proxies`` names nginx.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tinyqq.app.settings import PROXY
from tinyqq.model.places import authority, is_everywhere
from tinyqq.ports.registry import Node

_HOST: Final = re.compile(r"[0-9A-Za-z._:-]+")
_PATIENCE_S: Final = 30
"""nginx waits longer than the units: they end a silent connection, and tell the client why."""
_MODULES: Final = (
    Path("/usr/lib/nginx/modules/ngx_stream_module.so"),
    Path("/usr/lib64/nginx/modules/ngx_stream_module.so"),
)


class NginxError(Exception):
    """There is no configuration to be made. The text is for people."""


@dataclass(frozen=True, slots=True)
class Front:
    """What nginx shall be to the outside.

    Args:
        tcp, http: ``host:port`` or ``port`` to listen on; empty: not at all.
        cert_file, key_file: nginx speaks TLS on both ports.
        stream_module: loaded first; None: nginx has it built in.
        home: a folder for the pid, the log and temporary files of an nginx of its own; None: those
            of the system's nginx.
        idle_timeout_s: after which the units end a silent connection.
        shutdown_timeout_s: how long connections that are open live on after a reload.
    """

    tcp: str = ""
    http: str = ""
    cert_file: Path | None = None
    key_file: Path | None = None
    stream_module: Path | None = None
    home: Path | None = None
    idle_timeout_s: float = 90.0
    shutdown_timeout_s: int = 3600


def find_stream_module() -> Path | None:
    """Where this machine's nginx has it, if it is a file of its own."""
    return next((path for path in _MODULES if path.exists()), None)


def make_config(nodes: Sequence[Node], front: Front) -> str:
    """The whole file. Equal pictures give equal texts: load and sessions are not in it.

    Units that drain get no new connections; those that are open live on in nginx's old workers.

    Args:
        nodes: the registry's picture.

    Raises:
        NginxError: no unit that can be reached takes clients, or they differ in what no
            configuration can bridge.
    """
    units = sorted(
        (node for node in nodes if PROXY in node.roles and not node.draining),
        key=lambda node: node.unit_id,
    )
    blocks = [_head(front)]
    if front.tcp:
        blocks.append(_stream(_places(units, lambda node: node.listen_tcp), front))
    if front.http:
        blocks.append(_http(_places(units, lambda node: node.listen_http), front))
    return "\n".join(blocks)


def _head(front: Front) -> str:
    lines = [
        "# Made by `tinyqq nginx`, and made again when units come and go: don't change it here.",
        "# The units believe who the clients are if listen.trusted_proxies names this nginx;",
        "# without it they refuse TCP connections.",
    ]
    if front.stream_module is not None and front.tcp:
        lines.append(f"load_module {_quoted(front.stream_module)};")
    lines += [
        "worker_processes auto;",
        "worker_rlimit_nofile 65536;",
        f"worker_shutdown_timeout {front.shutdown_timeout_s}s;",
    ]
    if front.home is not None:
        lines += [
            f"pid {_quoted(front.home / 'nginx.pid')};",
            f"error_log {_quoted(front.home / 'error.log')};",
        ]
    lines += ["", "events {", "    worker_connections 16384;", "}", ""]
    return "\n".join(lines)


def _stream(places: Sequence[SplitResult], front: Front) -> str:
    to_tls = _speak_tls(places)
    ends_tls = front.cert_file is not None
    lines = [
        "stream {",
        *_upstream("tinyqq_tcp", places),
        "    server {",
        f"        listen {front.tcp}{' ssl' if ends_tls else ''};",
        *_certificate(front),
        "        proxy_pass tinyqq_tcp;",
        "        proxy_protocol on;",
        *(["        proxy_ssl on;"] if to_tls and ends_tls else []),
        "        proxy_connect_timeout 1s;",
        f"        proxy_timeout {_timeout_s(front)}s;",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _http(places: Sequence[SplitResult], front: Front) -> str:
    to_tls = _speak_tls(places)
    ends_tls = front.cert_file is not None
    if to_tls and not ends_tls:
        raise NginxError("the units speak TLS: nginx needs a certificate for HTTP too")
    lines = [
        "http {",
        "    access_log off;",
        "    server_tokens off;",
        "    client_max_body_size 64k;",
        "    client_body_buffer_size 64k;",
        "    proxy_max_temp_file_size 0;",
        *_temporary(front),
        "    map $http_upgrade $connection_upgrade {",
        "        default upgrade;",
        "        '' close;",
        "    }",
        *_upstream("tinyqq_http", places),
        "    server {",
        f"        listen {front.http}{' ssl' if ends_tls else ''};",
        *_certificate(front),
        "        location / {",
        *_pass(front, to_tls),
        "        }",
        # Of any size, and passed on as it comes: the units bound it, and keep what has come.
        "        location /v1/uploads {",
        "            client_max_body_size 0;",
        "            proxy_request_buffering off;",
        *_pass(front, to_tls),
        "        }",
        "        location = /metrics {",
        "            return 404;",
        "        }",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _pass(front: Front, to_tls: bool) -> list[str]:
    return [
        f"            proxy_pass {'https' if to_tls else 'http'}://tinyqq_http;",
        "            proxy_http_version 1.1;",
        "            proxy_set_header Host $http_host;",
        "            proxy_set_header Upgrade $http_upgrade;",
        "            proxy_set_header Connection $connection_upgrade;",
        "            proxy_set_header X-Forwarded-For $remote_addr;",
        "            proxy_set_header X-Forwarded-Proto $scheme;",
        "            proxy_connect_timeout 1s;",
        f"            proxy_read_timeout {_timeout_s(front)}s;",
        f"            proxy_send_timeout {_timeout_s(front)}s;",
    ]


def _upstream(name: str, places: Sequence[SplitResult]) -> list[str]:
    """``zone``: the workers count connections and failures together."""
    return [
        f"    upstream {name} {{",
        f"        zone {name} 256k;",
        "        least_conn;",
        *(f"        server {place.netloc} max_fails=1 fail_timeout=2s;" for place in places),
        "    }",
    ]


def _certificate(front: Front) -> list[str]:
    if front.cert_file is None or front.key_file is None:
        return []
    return [
        f"        ssl_certificate {_quoted(front.cert_file.absolute())};",
        f"        ssl_certificate_key {_quoted(front.key_file.absolute())};",
        "        ssl_protocols TLSv1.2 TLSv1.3;",
    ]


def _temporary(front: Front) -> list[str]:
    if front.home is None:
        return []
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return [f"    {kind}_temp_path {_quoted(front.home / kind)};" for kind in kinds]


def _places(units: Sequence[Node], url_of: Callable[[Node], str]) -> list[SplitResult]:
    """Where nginx reaches the units; those whose address no other can use are left out."""
    places = [place for unit in units if (place := _place(url_of(unit), unit.internal)) is not None]
    if not places:
        raise NginxError(
            f"none of {len(units)} units takes clients at an address that can be reached"
            if units
            else "no unit takes clients"
        )
    return places


def _place(url: str, internal: str) -> SplitResult | None:
    """*url* with the node's own host where it names none."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if is_everywhere(host):
        host = urlsplit(f"//{internal}").hostname or ""
    if is_everywhere(host) or not _HOST.fullmatch(host) or port is None:
        return None
    return parts._replace(netloc=authority(host, port))


def _speak_tls(places: Sequence[SplitResult]) -> bool:
    found = {place.scheme.endswith("s") for place in places}
    if len(found) > 1:
        raise NginxError("some units speak TLS and some do not")
    return found.pop()


def _timeout_s(front: Front) -> int:
    return round(front.idle_timeout_s) + _PATIENCE_S


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
