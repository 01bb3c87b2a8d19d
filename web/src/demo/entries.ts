/** Entries of the made-up talk. */

import { Kind, type ConversationId, type Draft, type Message, type Notice, type NoticeBody, type UserId } from "../core/api";
import { newId, toHex } from "../core/ids";
import { ME } from "./people";

export const NO_NOTICE: NoticeBody = {
  userIds: [],
  groupId: "",
  targetSeq: 0,
  name: "",
  note: "",
  role: "none",
  joinPolicy: "approval",
  announcement: "",
};

/** A message in the log; with seq 0: one on its way there. */
export function makeMessage(
  conversationId: ConversationId,
  seq: number,
  senderId: UserId,
  draft: Draft,
  sentAtMs: number,
): Message {
  const { text, kind = Kind.TEXT, quote, mentions = [], mentionsAll = false, media } = draft;
  return {
    is: "message",
    key: seq === 0 ? `m${toHex(newId())}` : `s${seq}`,
    conversationId,
    seq,
    kind,
    senderId,
    isOwn: senderId === ME,
    sentAtMs,
    content: { text, quote, mentions, mentionsAll, media },
    state: seq === 0 ? "sending" : "sent",
  };
}

/** The notice with which a group's log begins. */
export function makeFounding(conversationId: ConversationId, notice: NoticeBody): Notice {
  const [seq, sentAtMs] = [1, Date.now()];
  const key = `s${seq}`;
  return { is: "notice", key, conversationId, seq, kind: Kind.GROUP_CREATED, senderId: ME, isOwn: true, sentAtMs, notice };
}

/** What is left of a message that was taken back. */
export function recalled(message: Message): Message {
  const recalledText = message.isOwn ? message.content.text : undefined;
  const content = { text: "", mentions: [], mentionsAll: false };
  return { ...message, kind: Kind.RECALLED, content, recalledText };
}
