"""Role ``chat``: takes messages, checks what can be checked without state, and hands them to the
lane."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.conversation import ConversationState, Plan
from tinyqq.model.ids import (
    OPERATION_ID_BYTES,
    ConversationId,
    Seq,
    UserId,
    conversation_type,
)
from tinyqq.model.message import LAST_CLIENT_KIND, Kind, Recall, Sent
from tinyqq.model.speaking import plan_recall
from tinyqq.ports.services import Send
from tinyqq.ports.storage import LogReader
from tinyqq.services.lane import Change, Draft
from tinyqq.services.lanes import AnyLane
from tinyqq.services.media_sends import MediaSends
from tinyqq.wire.content import check_content, files_of

_TEXT: Final = int(Kind.TEXT)


class ChatService:
    """Implements :class:`tinyqq.ports.services.ChatApi` on this process's lane.

    Args:
        on_sent: told of every committed message of a user (sender, conversation, seq): sending
        implies
            having read.
        media: checks messages that refer to files; None: nobody does.
    """

    def __init__(
        self,
        *,
        lane: AnyLane,
        reader: LogReader,
        max_text_chars: int,
        on_sent: Callable[[UserId, ConversationId, Seq], None],
        media: MediaSends | None = None,
    ) -> None:
        self._lane = lane
        self._reader = reader
        self._max_text_chars = max_text_chars
        self._on_sent = on_sent
        self._media = media

    def send(self, send: Send) -> None:
        """See :meth:`tinyqq.ports.services.ChatApi.send`.

        Refuses at once: InvalidRequest BAD_CONVERSATION, UNSUPPORTED_KIND, BAD_CONTENT,
        TEXT_TOO_LONG. Of files that the sender may not use: NotFound MEDIA_NOT_FOUND.
        """
        try:
            mentions_all, blob_ids = self._check(send)
        except TinyQQError as error:
            send.answer(error)
            return
        media = self._media
        if media is not None and (blob_ids or media.is_holding):
            media.take(send, blob_ids, partial(self._submit, send, mentions_all))
        else:
            self._submit(send, mentions_all)

    def _submit(self, send: Send, mentions_all: bool) -> None:
        answer, on_sent = send.answer, self._on_sent

        def done(outcome: Change | TinyQQError) -> None:
            if isinstance(outcome, TinyQQError):
                answer(outcome)
                return
            entry = outcome.entry
            on_sent(entry.sender_id, entry.conversation_id, entry.seq)
            answer(Sent(entry.seq, entry.ordinal, entry.sent_at_ms))

        self._lane.submit(
            Draft(
                send.conversation_id,
                send.caller.user_id,
                send.client_message_id,
                done,
                send.kind,
                send.content,
                mentions_all,
                send.caller.session_id,
                flight=send.flight,
                send=send if send.may_leave else None,
            )
        )

    def _check(self, send: Send) -> tuple[bool, tuple[str, ...]]:
        """Whether everybody is mentioned, and which files it refers to (a text: none, whatever it
        says: nobody will see them through it); raises InvalidRequest."""
        conversation_type(send.conversation_id)
        if not 0 < send.kind <= LAST_CLIENT_KIND:
            raise InvalidRequest(ErrorCode.UNSUPPORTED_KIND, kind=send.kind)
        if len(send.client_message_id) != OPERATION_ID_BYTES:
            raise InvalidRequest(
                ErrorCode.INVALID_REQUEST,
                field="client_message_id",
                size_bytes=len(send.client_message_id),
            )
        content = check_content(send.content, self._max_text_chars)
        if send.kind != _TEXT:
            return content.mentions_all, files_of(content)
        if not content.text:
            raise InvalidRequest(ErrorCode.BAD_CONTENT, reason="empty text")
        return content.mentions_all, ()

    async def recall(self, caller: Caller, request: Recall) -> None:
        """See :meth:`tinyqq.ports.services.ChatApi.recall`; rules: ``speaking.plan_recall``."""
        conversation_type(request.conversation_id)
        target = await self._reader.find_entry(request.conversation_id, request.seq)

        def rule(state: ConversationState, now_ms: int) -> Plan:
            if target is None:
                raise NotFound(ErrorCode.MESSAGE_NOT_FOUND, seq=request.seq)
            return plan_recall(state, caller.user_id, target, now_ms)

        await self._lane.change(request.conversation_id, caller.user_id, request.operation_id, rule)
