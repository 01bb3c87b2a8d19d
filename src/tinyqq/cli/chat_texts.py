"""What the chat client says, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tinyqq.cli.texts import Language, Table, Texts
from tinyqq.errors import ErrorCode, TinyQQError

Say = Callable[..., str]

HELP: Final = {
    "en": """\
  text          goes to whom you have open
  /open N       talk with user N            /g N          talk in group N
  /list         your conversations          /history      what was said here before
  /friends      friends and requests        /groups       your groups
  /add N note   ask N to be a friend        /accept N     say yes      /decline N   say no
  /create NAME  make a group                /join N       come into group N
  /invite N     invite N into this group    /leave        leave this group
  /invitations  groups you are invited into: /join N, or /refuse N
  /who          who is here                 /recall       take back your last message here
  /image PATH   send a picture              /file PATH    send a file
  /save N PATH  keep file N that was shown (PATH: a folder or a name; here if left out)
  /files        what you have on the server /delete N     delete file N there, for everybody
  /help         this                        /quit         leave""",
    "zh": """\
  直接输入      发给当前会话
  /open 号码    与某人聊天                  /g 群号       在群里聊天
  /list         会话列表                    /history      当前会话的历史消息
  /friends      好友和申请                  /groups       我的群
  /add 号码 留言  申请加好友                /accept 号码  同意         /decline 号码  拒绝
  /create 群名  建群                        /join 群号    加群
  /invite 号码  邀请进当前群                /leave        退出当前群
  /invitations  收到的群邀请：/join 群号 接受，/refuse 群号 谢绝
  /who          这里有谁                    /recall       撤回我在这里的上一条消息
  /image 路径   发图片                      /file 路径    发文件
  /save 编号 路径  保存显示过的文件（路径可以是文件夹或文件名，省略则存到当前目录）
  /files        你存在服务器上的文件        /delete 编号  从服务器删除，所有人都不再能看到
  /help         帮助                        /quit         退出""",
}

_TEXTS: Final[Table] = {
    # ---- coming in -------------------------------------------------------------------------------
    "ask.number": ("Your number (empty: make an account): ", "你的号码（直接回车注册新账号）："),
    "ask.password": ("Password: ", "密码："),
    "ask.nickname": ("Nickname: ", "昵称："),
    "ask.new_password": ("New password (8 or more): ", "设置密码（至少 8 位）："),
    "ask.again": ("Once more: ", "再输一次："),
    "ask.invite": ("Invite code: ", "邀请码："),
    "in.differ": ("These are not the same.", "两次输入不一致。"),
    "in.registered": (
        "Your number is {user_id}. Recovery code, shown this once: {code}",
        "你的号码是 {user_id}。找回密码用的恢复码（仅显示这一次）：{code}",
    ),
    "in.welcome": (
        "Hello {name} ({user_id}). /help shows the commands.",
        "{name}（{user_id}），你好。输入 /help 查看命令。",
    ),
    "in.must_change": ("You must set a new password now.", "你需要现在设置新密码。"),
    "in.known": ("Here before: {numbers}", "曾在这里登录：{numbers}"),
    "in.not_a_number": ("{text} is not a number.", "{text} 不是号码。"),
    # ---- the connection --------------------------------------------------------------------------
    "link.down": ("(connection lost, trying again …)", "（连接已断开，正在重连……）"),
    "link.up": ("(connected again)", "（已重新连接）"),
    "link.kicked": ("You were logged out: {reason}", "你已下线：{reason}"),
    "link.ended": ("The log-in has ended: {reason}", "登录已失效：{reason}"),
    # ---- messages --------------------------------------------------------------------------------
    "message.own": ("to {peer}", "发给 {peer}"),
    "message.note": ("note", "备忘"),
    "message.recalled": ("(taken back)", "（已撤回）"),
    "message.kind": ("[kind {kind}]", "[类型 {kind}]"),
    "message.2": ("[image]", "[图片]"),
    "message.3": ("[file]", "[文件]"),
    "message.4": ("[voice]", "[语音]"),
    "message.5": ("[card]", "[名片]"),
    "message.media": (
        "{kind} {name} ({size})  (/save {number})",
        "{kind} {name}（{size}）（/save {number}）",
    ),
    "message.refused": ("Not sent: “{text}”: {reason}", "未发出：“{text}”：{reason}"),
    # ---- changes ---------------------------------------------------------------------------------
    "change.100": ("{actor} took back a message", "{actor} 撤回了一条消息"),
    "change.110": ("{actor} made the group {group}", "{actor} 创建了群 {group}"),
    "change.111": ("{who} joined {group}", "{who} 加入了 {group}"),
    "change.112": ("{actor} left {group}", "{actor} 退出了 {group}"),
    "change.113": ("{who} was removed from {group}", "{who} 被移出 {group}"),
    "change.114": ("{who} has another role in {group}", "{who} 在 {group} 的身份有变动"),
    "change.115": ("{group} belongs to {who} now", "{group} 的群主变更为 {who}"),
    "change.116": ("{actor} changed {group}", "{actor} 修改了 {group} 的资料"),
    "change.117": ("{actor} dismissed {group}", "{actor} 解散了 {group}"),
    "change.118": ("{actor} is called {name} in {group}", "{actor} 在 {group} 改名为 {name}"),
    "change.119": (
        "{actor} asks to join {group}: {note}  (/g {group_id}, then /accept {actor_id})",
        "{actor} 申请加入 {group}：{note}（先 /g {group_id}，再 /accept {actor_id}）",
    ),
    "change.120.own": ("You refused to join {group}", "你谢绝了加入 {group}"),
    "change.120": ("{actor} declined: {group}", "{actor} 谢绝了：{group}"),
    "change.121": (
        "{actor} invites you into {group}  (/join {group_id} or /refuse {group_id})",
        "{actor} 邀请你加入 {group}（/join {group_id} 或 /refuse {group_id}）",
    ),
    "change.130.own": ("You asked {who} to be a friend", "你向 {who} 发出了好友申请"),
    "change.130": (
        "{actor} asks to be a friend: {note}  (/accept {actor_id} or /decline {actor_id})",
        "{actor} 申请加你为好友：{note}（/accept {actor_id} 或 /decline {actor_id}）",
    ),
    "change.131": ("You and {peer} are friends now", "你和 {peer} 已成为好友"),
    "change.132.own": ("You declined {who}", "你拒绝了 {who} 的申请"),
    "change.132": ("{actor} declined", "{actor} 拒绝了你的申请"),
    "change.133": ("{who} is no friend any more", "已删除好友 {who}"),
    "change.134": ("{who} is blocked", "已拉黑 {who}"),
    "change.135": ("{who} is not blocked any more", "已取消拉黑 {who}"),
    # ---- commands --------------------------------------------------------------------------------
    "say.unknown": (
        "There is no /{name}; /help shows the commands.",
        "没有 /{name} 命令，输入 /help 查看。",
    ),
    "say.number": ("/{name} needs a number.", "/{name} 后面要跟号码。"),
    "say.name": ("/{name} needs a name.", "/{name} 后面要跟名称。"),
    "say.nowhere": (
        "Open somebody first: /open N or /g N.",
        "请先打开会话：/open 号码 或 /g 群号。",
    ),
    "say.no_group": ("Open a group first: /g N.", "请先打开一个群：/g 群号。"),
    "say.open": ("Talking with {name}.", "正在与 {name} 聊天。"),
    "say.asked": ("Asked {name}.", "已向 {name} 发出申请。"),
    "say.done": ("Done.", "好了。"),
    "say.path": ("/{name} needs a file.", "/{name} 后面要跟文件路径。"),
    "say.no_file": ("There is no file {number} here.", "没有编号为 {number} 的文件。"),
    "say.bad_file": ("{path}: {reason}", "{path}：{reason}"),
    "say.storage": ("{used} of {quota} used.", "已用 {used}，共 {quota}。"),
    "say.more_files": ("There are more: /files more", "还有更多：/files more"),
    "say.saved": ("Saved as {path}.", "已保存为 {path}。"),
    "say.waiting": ("Asked; an admin must say yes.", "已申请，等待管理员同意。"),
    "say.created": ("Group {group_id} is made.", "群 {group_id} 已创建。"),
    "say.nothing": ("(nothing)", "（无）"),
    "say.nothing_to_recall": ("You have said nothing here yet.", "你在这里还没有发过消息。"),
    "say.refused": ("{reason}", "{reason}"),
    "say.bye": ("Bye.", "再见。"),
    "list.unread": ("{count} new", "{count} 条新消息"),
    "list.online": ("online", "在线"),
    "list.offline": ("offline", "离线"),
    "list.asks": ("asks to be a friend", "申请加你为好友"),
    "list.asked": ("asked by you", "已申请"),
    "list.blocked": ("blocked", "已拉黑"),
    "list.invited": ("invited by {who}", "{who} 邀请你加入"),
    "list.members": ("{count} members", "{count} 人"),
    "role.2": ("admin", "管理员"),
    "role.3": ("owner", "群主"),
    "peer.note": ("notes to yourself", "我的笔记"),
}

_REASONS: Final[dict[ErrorCode, tuple[str, str]]] = {
    ErrorCode.TEXT_TOO_LONG: ("This is too long.", "内容太长了。"),
    ErrorCode.MEDIA_TOO_LARGE: ("The file is too large.", "文件太大了。"),
    ErrorCode.MEDIA_TYPE_REFUSED: ("Such files are not taken here.", "服务器不接收这种文件。"),
    ErrorCode.BAD_MEDIA: ("This file is broken, or no picture.", "文件已损坏，或不是图片。"),
    ErrorCode.FILE_UNREADABLE: ("This file cannot be read.", "无法读取这个文件。"),
    ErrorCode.MEDIA_NOT_FOUND: ("The file is gone, or not for you.", "文件不存在或无权查看。"),
    ErrorCode.MEDIA_QUOTA_EXCEEDED: ("Your room for files is used up.", "你的文件空间已用完。"),
    ErrorCode.BAD_NICKNAME: ("This nickname cannot be used.", "这个昵称不可用。"),
    ErrorCode.WEAK_PASSWORD: ("This password is too weak.", "密码太弱。"),
    ErrorCode.BAD_INVITE_CODE: ("This invite code is not right.", "邀请码不对。"),
    ErrorCode.BAD_CREDENTIALS: ("Wrong number or password.", "号码或密码错误。"),
    ErrorCode.ACCOUNT_DISABLED: ("The account is disabled.", "账号已停用。"),
    ErrorCode.NOT_FRIENDS: ("You are not friends: /add first.", "你们还不是好友，请先 /add。"),
    ErrorCode.BLOCKED: ("Blocked.", "已被拉黑。"),
    ErrorCode.NOT_A_MEMBER: ("You are not in this group.", "你不在这个群里。"),
    ErrorCode.NOT_AN_ADMIN: ("Only admins may do this.", "只有管理员可以这样做。"),
    ErrorCode.NOT_THE_OWNER: ("Only the owner may do this.", "只有群主可以这样做。"),
    ErrorCode.RECALL_TOO_LATE: ("It is too late to take it back.", "超过 2 分钟，不能撤回了。"),
    ErrorCode.GROUP_CLOSED: ("This group takes nobody in.", "这个群不允许加入。"),
    ErrorCode.INVITATION_NEEDED: ("Only by invitation.", "这个群只能通过邀请加入。"),
    ErrorCode.REGISTRATION_CLOSED: ("No accounts are made here.", "服务器未开放注册。"),
    ErrorCode.USER_NOT_FOUND: ("There is no such user.", "没有这个人。"),
    ErrorCode.GROUP_NOT_FOUND: ("There is no such group.", "没有这个群。"),
    ErrorCode.REQUEST_NOT_FOUND: ("There is no such request.", "没有这个申请。"),
    ErrorCode.ALREADY_FRIENDS: ("You are friends already.", "你们已经是好友了。"),
    ErrorCode.ALREADY_A_MEMBER: ("Already in the group.", "已经在群里了。"),
    ErrorCode.GROUP_DISMISSED: ("The group was dismissed.", "这个群已解散。"),
    ErrorCode.OWNER_MUST_TRANSFER: (
        "Hand the group over or dismiss it first.",
        "群主需要先转让或解散群。",
    ),
    ErrorCode.SELF_NOT_ALLOWED: ("Not with yourself.", "不能对自己这样做。"),
    ErrorCode.RATE_LIMITED: ("Too fast; wait a moment.", "太快了，请稍等。"),
    ErrorCode.TOO_MANY_LOG_INS: ("Too many tries; wait a while.", "尝试次数过多，请稍后再试。"),
    ErrorCode.CONNECTION_LOST: ("The server cannot be reached.", "无法连接服务器。"),
    ErrorCode.TIMED_OUT: ("The server takes too long.", "服务器响应超时。"),
    ErrorCode.BUSY: ("The server is busy; try again.", "服务器繁忙，请重试。"),
}  # fmt: skip


class ChatTexts(Texts):
    """The table in one language: ``say("say.open", name=...)``."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, _TEXTS)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in _TEXTS

    @property
    def help(self) -> str:
        """All commands."""
        return HELP[self.language]

    def reason(self, error: TinyQQError) -> str:
        """Why something did not work, in words for people."""
        known = _REASONS.get(error.code)
        return known[self._column] if known else str(error)
