"""What the commands say to people, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "zh"]
Table = Mapping[str, tuple[str, str]]

_TEXTS: Final[Table] = {
    # ---- serve, demo -----------------------------------------------------------------------------
    "serve.ready": ("TinyQQ {version} is running.", "TinyQQ {version} 已启动。"),
    "serve.page": ("  page             {url}", "  网页        {url}"),
    "serve.tcp": ("  TCP              {url}", "  TCP         {url}"),
    "serve.roles": (
        "  roles            {roles}\n  health           {url}/readyz",
        "  角色        {roles}\n  健康检查    {url}/readyz",
    ),
    "serve.lan": ("  in the LAN       {url}", "  局域网      {url}"),
    "serve.data": ("  data folder      {path}", "  数据目录    {path}"),
    "serve.chat": ("  to talk          {command}", "  开始聊天    {command}"),
    "serve.demo": ("  with people      {command}", "  演示数据    {command}"),
    "serve.fingerprint": ("  certificate      {fingerprint}", "  证书指纹    {fingerprint}"),
    "serve.stop": ("Ctrl-C stops it.", "按 Ctrl-C 停止。"),
    "serve.stopped": ("Stopped; everything is on disk.", "已停止，数据已全部落盘。"),
    "serve.moved": (
        "Port {wanted} is taken, using {port}.",
        "端口 {wanted} 已被占用，改用 {port}。",
    ),
    "serve.open": (
        "Anybody who can reach {host} can make an account. To ask for a code instead: "
        "--registration invite, with accounts.invite_code in tinyqq.toml.",
        "能访问 {host} 的任何人都可以注册账号。若要凭邀请码注册：--registration invite，"
        "并在 tinyqq.toml 中设置 accounts.invite_code。",
    ),
    "serve.plain": (
        "Connections are not encrypted. In a LAN: --tls-self-signed.",
        "连接未加密。局域网中可使用 --tls-self-signed。",
    ),
    "demo.people": ("People to log in as (number, password):", "可登录的账号（号码、密码）："),
    "demo.person": ("  {user_id}  {password}   {nickname}", "  {user_id}  {password}   {nickname}"),
    "demo.admin": (
        "  {nickname} may administer the server: open /admin",
        "  {nickname} 是管理员，可打开 /admin",
    ),
    "demo.bot": (
        "  {user_id}  {nickname} is a bot: write to it, it answers.",
        "  {user_id}  {nickname} 是机器人：给它发消息，它会回复。",
    ),
    "demo.group": (
        "  {group_id}  {name} is a group of all of them.",
        "  {group_id}  {name} 是大家都在的群。",
    ),
    # ---- errors ----------------------------------------------------------------------------------
    "error.settings": ("The settings cannot be used:", "设置有误："),
    "error.port_taken": (
        "{host}:{port} is in use by {owner}. Stop it, or choose another port "
        "(--tcp-port, --http-port; without them a free one is taken).",
        "{host}:{port} 已被 {owner} 占用。请停止它，或换一个端口"
        "（--tcp-port、--http-port；不指定则自动选用空闲端口）。",
    ),
    "error.unknown_owner": ("another process", "其他进程"),
    "error.listen": (
        "Cannot listen on {host}: {reason}. Is it an address of this machine?",
        "无法监听 {host}：{reason}。这是本机的地址吗？",
    ),
    "error.storage": (
        "The database cannot be used: {reason}",
        "数据库无法使用：{reason}",
    ),
    "error.data_dir": (
        "{path} cannot be used: {reason}. Choose another folder with --data-dir.",
        "{path} 无法使用：{reason}。请用 --data-dir 换一个目录。",
    ),
    "error.registry": (
        "ZooKeeper at {hosts} does not answer, or does not let this node in.",
        "位于 {hosts} 的 ZooKeeper 没有应答，或拒绝了本节点。",
    ),
    "error.node_port": (
        "Cannot listen for the other nodes at {address}: it is in use by {owner}, or no address of "
        "this machine. Mend listen.node_port or listen.host; node_port = 0 takes any free one.",
        "无法为其他节点监听 {address}：它已被 {owner} 占用，或不是本机的地址。"
        "请修改 listen.node_port 或 listen.host；node_port = 0 表示任选空闲端口。",
    ),
    "error.extra": (
        "The setting {setting} needs more packages: pip install 'tinyqq[cluster]'",
        "设置项 {setting} 需要额外的软件包：pip install 'tinyqq[cluster]'",
    ),
    "error.in_use": (
        "Another TinyQQ uses the data folder {path}. Stop it first, or choose another "
        "folder with --data-dir.",
        "另一个 TinyQQ 正在使用数据目录 {path}。请先停止它，或用 --data-dir 换一个目录。",
    ),
    "error.tls": ("The certificate cannot be used: {reason}", "证书无法使用：{reason}"),
    "error.refused": ("Refused: {reason}", "被拒绝：{reason}"),
    "error.user_id": ("{text!r} is not a number of a user.", "{text!r} 不是有效的号码。"),
    # ---- user ------------------------------------------------------------------------------------
    "user.added": ("Made {user_id} ({nickname}).", "已创建 {user_id}（{nickname}）。"),
    "user.token": (
        "Its token, shown this once:\n{token}",
        "它的令牌（仅显示这一次）：\n{token}",
    ),
    "user.device": ("for this device id: {device_id}", "对应的设备号：{device_id}"),
    "user.password_made": (
        "Its password, shown this once: {password}",
        "初始密码（仅显示这一次）：{password}",
    ),
    "user.password_set": (
        "The password of {user_id} is set; all its devices are logged out.",
        "已重设 {user_id} 的密码，其所有设备已下线。",
    ),
    "user.must_change": (
        "It must be changed at the next log-in.",
        "下次登录时必须修改密码。",
    ),
    "user.disabled": ("{user_id} is disabled.", "已停用 {user_id}。"),
    "user.enabled": ("{user_id} is enabled.", "已启用 {user_id}。"),
    "user.none": ("There are no accounts yet.", "还没有账号。"),
    "user.ask_password": ("New password", "新密码"),
    # ---- doctor, migrate -------------------------------------------------------------------------
    "doctor.good": ("Everything looks good.", "一切正常。"),
    "doctor.bad": ("{count} thing(s) to mend; see above.", "有 {count} 项需要处理，见上。"),
    # ---- nodes, drain ----------------------------------------------------------------------------
    "nodes.alone": (
        "This is a server on its own (registry = memory): there are no other nodes. Ctrl-C or "
        "SIGTERM stops it.",
        "这是单机部署（registry = memory），没有其他节点。用 Ctrl-C 或 SIGTERM 停止它。",
    ),
    "nodes.none": ("The registry shows no nodes.", "注册中心里没有节点。"),
    "drain.begun": (
        "{node} is leaving; it had {sessions} connections.",
        "{node} 正在退出，它有 {sessions} 个连接。",
    ),
    "drain.done": ("{node} has gone.", "{node} 已退出。"),
    "drain.unknown": (
        "No node's name begins with {name}. There are: {names}",
        "没有以 {name} 开头的节点。现有：{names}",
    ),
    "drain.which": (
        "{name} may be any of: {names}",
        "{name} 可能是以下之一：{names}",
    ),
    "drain.no_answer": (
        "{node} does not answer at {at}: {reason}",
        "{node} 在 {at} 没有应答：{reason}",
    ),
    "nginx.failed": ("No configuration for nginx: {reason}", "无法生成 nginx 配置：{reason}"),
    "migrate.done": ("{path}: schema {revision}.", "{path}：数据库结构版本 {revision}。"),
}


class Texts:
    """A table in one language: ``texts("serve.data", path=...)``.

    Args:
        table: English and Chinese by name.
    """

    def __init__(self, language: Language, table: Table = _TEXTS) -> None:
        self.language = language
        self._table = table
        self._column = 1 if language == "zh" else 0

    def __call__(self, key: str, /, **fields: object) -> str:
        """The text of that name, with its fields filled in."""
        return self._table[key][self._column].format(**fields)


def choose_language(environ: Mapping[str, str], system_locale: str = "") -> Language:
    """TINYQQ_LANG, else the locale of the messages, else that of the system; English if in
    doubt."""
    for name in ("TINYQQ_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if system_locale.lower().startswith(("zh", "chinese")) else "en"
