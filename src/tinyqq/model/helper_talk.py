"""What 小Q, the built-in helper account, says. Pure: a question in, an answer out.

It knows a few topics by their words and says so when it knows nothing. Every fact here must be true
of the server that it speaks for: whoever changes a rule looks here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

HELPER_NICKNAME: Final = "小Q"
HELPER_SIGNATURE: Final = "有问题就问我 · Ask me anything about TinyQQ"


class Language(Enum):
    """What the helper speaks."""

    CHINESE = "zh"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class _Topic:
    """``words`` are whole English words, ``phrases`` parts of a Chinese sentence."""

    words: frozenset[str]
    phrases: tuple[str, ...]
    chinese: str
    english: str

    def matches(self, words: frozenset[str], text: str) -> int:
        """How many of the topic's words the question has."""
        return len(self.words & words) + sum(phrase in text for phrase in self.phrases)

    def text(self, language: Language) -> str:
        """The answer."""
        return self.chinese if language is Language.CHINESE else self.english


def _topic(words: str, phrases: str, *, chinese: str, english: str) -> _Topic:
    return _Topic(frozenset(words.split()), tuple(phrases.split()), chinese, english)


_GREETING: Final = _topic(
    "", "",
    chinese=(
        "你好，欢迎来到 TinyQQ！我是小Q，这里的小帮手。\n"
        "把你的号码告诉朋友，或者按号码、昵称找到他们，就可以加好友聊天了。\n"
        "想知道怎么加好友、建群、撤回消息、收离线消息，直接问我就行。"
    ),
    english=(
        "Hello, and welcome to TinyQQ! I am 小Q (Little Q), the helper of this place.\n"
        "Give your number to your friends, or find them by number or nickname, and start to talk.\n"
        "Ask me how to add friends, make a group, recall a message or get what you missed."
    ),
)  # fmt: skip

_FALLBACK: Final = _topic(
    "", "",
    chinese=(
        "这个我还不懂，不过我在听 :) "
        "你可以问我：加好友、群、撤回、离线消息、拉黑、设备、密码、命令。"
    ),
    english=(
        "I don't know about that yet, but I am listening :) You can ask me about: friends, "
        "groups, recall, offline messages, blocking, devices, passwords, commands."
    ),
)  # fmt: skip

_ONLY_TEXT: Final = _topic(
    "", "",
    chinese="收到啦！不过我只看得懂文字，用文字问我吧。",
    english="Got it! But I can only read text, so please ask me in words.",
)  # fmt: skip

_TOPICS: Final = (
    _topic(
        "recall unsend undo withdraw retract", "撤回 收回 发错",
        chinese=(
            "自己发的消息 2 分钟内可以撤回；"
            "群主和管理员随时可以撤回群成员的消息。"
            "撤回后，内容会从服务器上抹掉。"
        ),
        english=(
            "You can recall your own message for 2 minutes; a group's owner and admins can recall "
            "members' messages at any time. The content is then erased from the server."
        ),
    ),
    _topic(
        "offline missed miss history roaming sync", "离线 没在线 不在线 漏 漫游 历史 记录",
        chinese=(
            "你不在线时，消息都存在服务器上。"
            "下次登录会按顺序补给你，不重不漏；"
            "换一台设备也能翻看历史消息。"
        ),
        english=(
            "While you are away the server keeps your messages. At your next log-in they arrive in "
            "order, each of them once; on another device you can look through the history too."
        ),
    ),
    _topic(
        "block unblock blacklist spam stranger strangers", "拉黑 黑名单 屏蔽 骚扰 陌生人",
        chinese=(
            "拉黑之后，对方就不能再给你发消息或好友申请，也可以随时解除。"
            "陌生人的消息默认会被拒收，可以在个人资料里打开。"
        ),
        english=(
            "Whoever you block can send you neither messages nor requests, until you unblock them. "
            "Messages of strangers are refused unless you allow them in your profile."
        ),
    ),
    _topic(
        "group groups admin admins owner invite join", "群 管理员 入群 邀请",
        chinese=(
            "建一个群，你就是群主，可以邀请好友、设管理员、转让或解散。\n"
            "加群有四种方式：自由加入、管理员审批、成员邀请、不允许加入。知道群号就能申请。"
        ),
        english=(
            "Make a group and you are its owner: invite friends, name admins, hand it over or "
            "dismiss it.\n"
            "A group is open, by approval, by invitation or closed. Its number is all you need to "
            "ask to join."
        ),
    ),
    _topic(
        "friend friends add contact contacts search find", "好友 朋友 加人 添加 找人 搜索",
        chinese=(
            "按号码或昵称找到对方，写一句附言，发出好友申请；对方同意后就能聊天了。\n"
            "申请 30 天内有效。如果对方已经申请加你，你再申请，就直接成为好友。"
        ),
        english=(
            "Find them by number or nickname and send a request with a short note; once they "
            "accept, you can talk.\n"
            "A request stands for 30 days. If they have asked you already, asking them makes you "
            "friends at once."
        ),
    ),
    _topic(
        "device devices phone computer laptop notes note", "设备 手机 电脑 平板 笔记 备忘",
        chinese=(
            "电脑、手机、网页、命令行可以同时登录，已读状态是同步的。"
            "给自己发消息（我的笔记）可以当备忘录，所有设备都看得到。"
        ),
        english=(
            "Desktop, phone, web and command line can be logged in at the same time and share what "
            "you have read. Write to yourself (My devices) to keep notes on all of them."
        ),
    ),
    _topic(
        "password passwords recovery forgot forgotten login account",
        "密码 恢复码 忘记 帐号 账号 登录",
        chinese=(
            "修改密码后，其他设备会退出登录。"
            "忘了密码，可以用注册时给你的恢复码重设；"
            "恢复码用一次就换新的，请收好。"
        ),
        english=(
            "Changing the password logs your other devices out. If you forget it, the recovery "
            "code shown when you signed up sets a new one; each code works once: keep it safe."
        ),
    ),
    _topic(
        "command commands client cli terminal usage", "命令 客户端 终端 怎么用 用法",
        chinese="在命令行客户端里输入 /help，就能看到全部命令和用法。",
        english="In the command-line client type /help: it lists every command and how to use it.",
    ),
    _topic(
        "who bot robot name human", "你是谁 机器人 小q 你叫 真人",
        chinese="我是小Q，TinyQQ 自带的小帮手。我不是真人，只懂一点这里的用法，但随叫随到。",
        english=(
            "I am 小Q (Little Q), the helper that comes with TinyQQ. Not a human: I know a little "
            "about this place, and I am always here."
        ),
    ),
    _topic(
        "thanks thank thx bye goodbye", "谢谢 多谢 感谢 再见 拜拜",
        chinese="不客气！有需要随时找我。",
        english="You are welcome! I am here whenever you need me.",
    ),
    _topic(
        "hello hi hey morning evening", "你好 您好 嗨 哈喽 在吗 早上好 晚上好",
        chinese="你好呀！想聊点什么？可以问我怎么加好友、建群、撤回消息。",
        english="Hello! What can I do for you? Ask me about friends, groups or recall.",
    ),
    _topic(
        "help how what guide start", "帮助 帮忙 怎么 如何 教程 新手",
        chinese=(
            "我可以讲讲：加好友、群、撤回、离线消息、拉黑、设备、密码、命令。"
            "说一个词就行。"
        ),
        english=(
            "I can tell you about: friends, groups, recall, offline messages, blocking, devices, "
            "passwords, commands. One word is enough."
        ),
    ),
)  # fmt: skip
"""By weight: of topics that match equally well the first is meant."""

_OWN_WORDS: Final = frozenset(
    topic.text(language)
    for topic in (*_TOPICS, _GREETING, _FALLBACK, _ONLY_TEXT)
    for language in Language
)


def language_of(text: str, preferred: str = "") -> Language:
    """The language to answer in: that of the text, else the preferred one (a BCP 47 tag)."""
    if any("\u4e00" <= char <= "\u9fff" for char in text):
        return Language.CHINESE
    if re.search("[a-zA-Z]", text) or (preferred and not preferred.lower().startswith("zh")):
        return Language.ENGLISH
    return Language.CHINESE


def greeting(language: str) -> str:
    """The first words to a newcomer, in the language of this BCP 47 tag."""
    return _GREETING.text(language_of("", language))


def answer(question: str, language: str = "") -> str:
    """The answer to a question.

    Args:
        language: the asker's, for questions without letters.
    """
    text = question.casefold()
    words = frozenset(re.findall("[a-z]+", text))
    best = max(_TOPICS, key=lambda topic: topic.matches(words, text))
    topic = best if best.matches(words, text) else _FALLBACK
    return topic.text(language_of(question, language))


def only_text(language: str = "") -> str:
    """The answer to a picture, a file or a voice message."""
    return _ONLY_TEXT.text(language_of("", language))


def is_own_words(text: str) -> bool:
    """Whether the helper hears itself: somebody's machine sends its answers back."""
    return text in _OWN_WORDS
