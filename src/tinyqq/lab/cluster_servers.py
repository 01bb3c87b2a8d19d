"""The servers and nodes of a plan as processes that can be started."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tinyqq.lab.cluster_folder import write_private
from tinyqq.lab.cluster_plan import ClusterPlan, GaleraPlan, NodePlan, ServerPlan
from tinyqq.lab.servers.galera import GaleraNode, make_galera_template, open_to_others
from tinyqq.lab.servers.mariadb import MariaDb, make_template
from tinyqq.lab.servers.nginx import NginxServer
from tinyqq.lab.servers.packages import program
from tinyqq.lab.servers.process import ServerProcess, ask
from tinyqq.lab.servers.redis import QUICK_COPY, RedisServer, SentinelServer, replica_of
from tinyqq.lab.servers.zookeeper import ZookeeperServer, ensemble_lines

_DATABASE_OPTIONS: Final = (
    # As in production: nothing that was acknowledged is lost in a power cut.
    "innodb-doublewrite=1",
    "innodb-log-file-size=96M",
    "innodb-buffer-pool-size=256M",
    "max-connections=500",
)
_TINYQQ: Final = (sys.executable, "-m", "tinyqq.cli.main")


def make_zookeepers(plan: ClusterPlan) -> list[ServerProcess]:
    """They begin with nothing: what they know, the nodes tell them again."""
    members = plan.zookeepers
    lines = ensemble_lines([(one.peer_port, one.election_port) for one in members])
    made: list[ServerProcess] = []
    for number, one in enumerate(members, 1):
        shutil.rmtree(plan.folder / one.name, ignore_errors=True)
        made.append(
            ZookeeperServer(
                plan.folder,
                ensemble=lines if len(members) > 1 else (),
                number=number,
                port=one.port,
                name=one.name,
            )
        )
    return made


def make_redis(plan: ClusterPlan) -> list[ServerProcess]:
    """The primary first; they begin with nothing too."""
    folder = _made(plan.folder / "redis")
    first = plan.redis[0]
    return [
        RedisServer(
            folder,
            *(QUICK_COPY if one is first else replica_of(first.port)),
            port=one.port,
            name=one.name,
        )
        for one in plan.redis
    ]


def make_sentinels(plan: ClusterPlan) -> list[SentinelServer]:
    """Those that watch the first Redis, which must run when they start."""
    folder = _made(plan.folder / "redis")
    return [
        SentinelServer(folder, primary_port=plan.redis[0].port, port=one.port, name=one.name)
        for one in plan.sentinels
    ]


def make_mariadb(plan: ClusterPlan, one: ServerPlan) -> MariaDb:
    """The single database; takes a second when it is new."""
    return MariaDb(
        folder=_made(plan.folder / one.name),
        durable=True,
        name=one.name,
        port=one.port,
        options=_DATABASE_OPTIONS,
    )


def make_galera(plan: ClusterPlan, members: Sequence[GaleraPlan]) -> list[GaleraNode]:
    """The nodes of the database; takes two seconds when it is new."""
    homes = [_made(plan.folder / one.name) for one in members]
    if not all((home / "data").exists() for home in homes):
        for home in homes:  # they have never run together, or all would be there
            shutil.rmtree(home / "data", ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=plan.folder) as name:
        template = None
        if not (homes[0] / "data").exists():
            folder = Path(name)
            open_to_others(folder)
            template = make_galera_template(_made(folder / "galera"), make_template(folder))
        return [
            GaleraNode(
                folder=home,
                number=number,
                ports=[one.ports for one in members],
                template=template,
                durable=True,
                options=_DATABASE_OPTIONS,
            )
            for number, home in enumerate(homes)
        ]


def make_node(
    plan: ClusterPlan, node: NodePlan, *, overrides: Sequence[str], environment: Mapping[str, str]
) -> ServerProcess:
    """A unit, or a node of one role; its settings are written now."""
    folder = _made(plan.node_folder(node))
    settings = folder / "tinyqq.toml"
    write_private(settings, node.settings)
    sets = [word for one in overrides for word in ("--set", one)]
    return ServerProcess(
        name=node.name,
        command=[*_TINYQQ, "serve", "--config", settings, *sets],
        folder=folder,
        is_ready=lambda: _is_ready(node.http_port),
        environment=environment,
    )


def make_nginx_watch(plan: ClusterPlan, *, environment: Mapping[str, str]) -> ServerProcess:
    """What writes nginx's configuration and keeps it true; ready when it has written one."""
    nginx = plan.nginx
    home = plan.folder / nginx.name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    config, pid = home / "nginx.conf", home / "nginx.pid"
    reload = shlex.join([program("nginx"), "-s", "reload", "-c", str(config)])
    return ServerProcess(
        name="nginx-watch",
        command=[
            *(*_TINYQQ, "nginx", "--config", plan.settings_file, "--watch"),
            *("--tcp", f"127.0.0.1:{nginx.tcp_port}", "--http", f"127.0.0.1:{nginx.http_port}"),
            *("--home", home, "--output", config),
            # At first there is nobody to be told.
            *("--reload", f"test ! -s {shlex.quote(str(pid))} || {reload}"),
        ],
        folder=home,
        is_ready=config.exists,
        environment=environment,
    )


def make_nginx(plan: ClusterPlan) -> ServerProcess:
    """The front door, on the configuration that :func:`make_nginx_watch` has written."""
    nginx = plan.nginx
    home = plan.folder / nginx.name
    return NginxServer(home, config=home / "nginx.conf", port=nginx.http_port, name=nginx.name)


def can_pass(folder: Path) -> bool:
    """Whether every user of this machine can reach what is in a folder."""
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))


def _is_ready(port: int) -> bool:
    answer = ask(port, b"GET /readyz HTTP/1.0\r\n\r\n")
    return b" 200 " in answer.partition(b"\r\n")[0]


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
