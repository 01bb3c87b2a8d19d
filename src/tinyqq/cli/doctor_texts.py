"""What ``tinyqq doctor`` advises, in English and in Chinese. What it found is said in facts."""

from __future__ import annotations

from typing import Final

from tinyqq.cli.texts import Table

ADVICE: Final[Table] = {
    "python.old": (
        "TinyQQ needs Python 3.11 or newer: install it, then `make`.",
        "TinyQQ 需要 Python 3.11 或更新的版本：请安装后再运行 `make`。",
    ),
    "uvloop.missing": (
        "`pip install uvloop`: several times faster.",
        "运行 `pip install uvloop`，速度可提升数倍。",
    ),
    "descriptors.few": (
        "Raise the limit: `ulimit -Hn 65536` as root, or LimitNOFILE=65536 of the service.",
        "请提高上限：以 root 运行 `ulimit -Hn 65536`，或在服务中设置 LimitNOFILE=65536。",
    ),
    "port.taken": ("Stop it, or choose another port.", "请停止占用者，或换一个端口。"),
    "port.address": (
        "Choose an address of this machine (listen.host).",
        "请使用本机的地址（listen.host）。",
    ),
    "folder.read_only": (
        "Make it yours (`sudo chown -R $USER FOLDER`), or choose another with --data-dir.",
        "请取得它的所有权（`sudo chown -R $USER 目录`），或用 --data-dir 换一个目录。",
    ),
    "disk.broken": ("See the data folder above.", "见上面的数据目录。"),
    "disk.slow": (
        "Slow: a message is acknowledged only when it is on disk. Put the data folder on an SSD, "
        "and not on a network file system.",
        "太慢：消息落盘之后才会确认。请把数据目录放在 SSD 上，不要放在网络文件系统上。",
    ),
    "database.broken": ("Restore it from a backup.", "请从备份恢复。"),
    "database.schema": (
        "`tinyqq migrate`, after a backup. If the schema is the newer one: update TinyQQ.",
        "先备份，再运行 `tinyqq migrate`。若数据库的版本更新，请升级 TinyQQ。",
    ),
    "database.server": (
        'See docs/operations.md, "A database server".',
        "见 docs/operations.md 的“A database server”一节。",
    ),
    "extra.cluster": ("`pip install 'tinyqq[cluster]'`", "运行 `pip install 'tinyqq[cluster]'`"),
    "extra.s3": ("`pip install 'tinyqq[s3]'`", "运行 `pip install 'tinyqq[s3]'`"),
    "files.unusable": (
        'See docs/media.md, "Where they lie": the folder must be writable; the bucket must be '
        "there, and the key be allowed to get, put and delete.",
        "见 docs/media.md 的“Where they lie”一节：目录必须可写；存储桶必须存在，"
        "且密钥有读、写、删的权限。",
    ),
    "clock.wrong": (
        "It is wrong: switch on NTP (`timedatectl set-ntp true`).",
        "时钟不准：请开启 NTP（`timedatectl set-ntp true`）。",
    ),
    "cluster.not_shared": (
        "Nodes of one cluster share their database server, Redis and the place of files: see "
        "docs/cluster.md.",
        "同一集群的节点必须共用数据库服务器、Redis 和存放文件的位置：见 docs/cluster.md。",
    ),
    "cluster.certificate": (
        "See cluster.cert_file, key_file.",
        "请检查 cluster.cert_file 和 key_file。",
    ),
    "cluster.zookeeper": (
        "Does ZooKeeper run there, and take the password?",
        "ZooKeeper 是否在那里运行？密码是否正确？",
    ),
    "cluster.redis": (
        "Does Redis run there, and take the password?",
        "Redis 是否在那里运行？密码是否正确？",
    ),
    "cluster.silent_nodes": (
        "Is cluster.secret the same here and there (and mTLS, if used), and is the way open? One "
        "that has just died stays in the registry for registry_session_timeout_s.",
        "两边的 cluster.secret（以及 mTLS，如果启用）是否一致？网络是否相通？"
        "刚死掉的节点还会在注册中心里停留 registry_session_timeout_s 秒。",
    ),
}
