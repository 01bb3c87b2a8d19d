"""What ``tinyqq up`` and ``tinyqq down`` say, in English and in Chinese."""

from __future__ import annotations

from typing import Final

from tinyqq.cli.texts import Table

UP_TEXTS: Final[Table] = {
    # ---- before it starts ------------------------------------------------------------------------
    "up.starting": ("Starting a cluster in {path}", "正在 {path} 启动集群"),
    "up.missing": (
        "Not installed: {packages}. Let `tinyqq up --install` install them, or do so yourself:\n"
        "  sudo apt-get install -y --no-install-recommends {packages}",
        "尚未安装：{packages}。可运行 `tinyqq up --install` 安装，或自行安装：\n"
        "  sudo apt-get install -y --no-install-recommends {packages}",
    ),
    "up.extra": (
        "A cluster needs more Python packages: pip install 'tinyqq[cluster]'",
        "集群需要额外的 Python 软件包：pip install 'tinyqq[cluster]'",
    ),
    "up.install_failed": ("They could not be installed: {packages}", "安装失败：{packages}"),
    "up.in_use": (
        "A cluster runs in {path} already. `tinyqq down --dir {path}` stops it.",
        "{path} 中已有集群在运行。可用 `tinyqq down --dir {path}` 停止它。",
    ),
    "up.not_ours": (
        "{path} holds something else. Choose a new or an empty folder with --dir.",
        "{path} 中有其他内容。请用 --dir 选择新的或空的目录。",
    ),
    "up.other_database": (
        "The cluster in {path} was made {made}. Go on {made}, or throw its data away with --fresh.",
        "{path} 中的集群是{made}建立的。请{made}继续，或用 --fresh 丢弃其数据。",
    ),
    "up.with_ha": ("with --ha", "带 --ha "),
    "up.without_ha": ("without --ha", "不带 --ha "),
    "up.closed_folder": (
        "As root, Galera runs as the user mysql, who cannot get into {path}. Choose a folder that "
        "everybody can pass through, with --dir, or be another user.",
        "以 root 运行时 Galera 使用 mysql 用户，而它无法进入 {path}。"
        "请用 --dir 选择所有人可进入的目录，或换用普通用户。",
    ),
    "up.failed": ("The cluster did not start: {reason}", "集群未能启动：{reason}"),
    # ---- what happens ----------------------------------------------------------------------------
    "event.ready": ("ready", "就绪"),
    "event.starting": ("starting", "启动中"),
    "event.ended": ("ended", "已结束"),
    "event.stopped": ("stopped", "已停止"),
    "event.killed": ("killed", "已强制结束"),
    "event.paused": ("paused", "已暂停"),
    "event.resumed": ("goes on", "已恢复"),
    "event.died": ("died: {detail}. Its log: {log}", "意外退出：{detail}。日志：{log}"),
    "event.unknown": ("cannot do that: {detail}", "无法执行：{detail}"),
    "up.again": (
        "to start it again: echo start {name} > {control}",
        "重新启动：echo start {name} > {control}",
    ),
    # ---- the map ---------------------------------------------------------------------------------
    "map.ready": (
        "TinyQQ {version} is ready after {seconds:.1f} s; units: {units}.",
        "TinyQQ {version} 已在 {seconds:.1f} 秒后就绪，单元数：{units}。",
    ),
    "map.front": (
        "  front door    {http}   {tcp}   (nginx)",
        "  入口        {http}   {tcp}   （nginx）",
    ),
    "map.chat": (
        "  to talk       tinyqq chat {http}",
        "  开始聊天    tinyqq chat {http}",
    ),
    "map.direct": (
        "  by directory  tinyqq chat {http}   (any unit tells where the others are)",
        "  单元目录    tinyqq chat {http}   （任一单元都会告知其他单元的地址）",
    ),
    "map.people": (
        "  an account    tinyqq user add NAME --config {settings}",
        "  添加账号    tinyqq user add 昵称 --config {settings}",
    ),
    "map.nodes": (
        "  the nodes     tinyqq nodes --config {settings}",
        "  查看节点    tinyqq nodes --config {settings}",
    ),
    "map.drain": (
        "  let one go    tinyqq drain {name} --config {settings}",
        "  下线单元    tinyqq drain {name} --config {settings}",
    ),
    "map.more": (
        "  one more node tinyqq serve --roles user --data-dir more --config {settings}",
        "  增加节点    tinyqq serve --roles user --data-dir more --config {settings}",
    ),
    "map.orders": (
        "  break things  echo kill {name} > {control}   (also: start, stop, pause, resume)",
        "  故障演练    echo kill {name} > {control}   （还有：start、stop、pause、resume）",
    ),
    "map.logs": ("  logs          {path}", "  日志        {path}"),
    "map.stop": (
        "Ctrl-C stops all of it; from elsewhere: tinyqq down --dir {path}",
        "按 Ctrl-C 全部停止；或在别处运行：tinyqq down --dir {path}",
    ),
    # ---- the end ---------------------------------------------------------------------------------
    "up.stopping": (
        "Stopping: first the units, then the servers. Ctrl-C again: at once.",
        "正在停止：先停单元，再停服务器。再按 Ctrl-C 立即结束。",
    ),
    "up.stopped": (
        "Stopped; the database is kept in {path}.",
        "已停止；数据库保留在 {path}。",
    ),
    "down.nothing": ("No cluster runs in {path}.", "{path} 中没有集群在运行。"),
    "down.stopping": (
        "Stopping {count} processes of {path} …",
        "正在停止 {path} 的 {count} 个进程……",
    ),
    "down.stopped": ("Stopped.", "已停止。"),
    "down.stuck": (
        "It has not ended in {seconds:.0f} s; its process is {pid}.",
        "{seconds:.0f} 秒内未能结束；其进程号为 {pid}。",
    ),
}
