/** Conversations: a line of the list, how far a message got, pieces of history. */

import { conversationType, peerOf, type ConversationId, type ConversationType, type GroupId, type UserId } from "../ids";
import type { Entry, Message } from "./entries";

/** A line of the conversation list. Sort by pinned, then {@link lastActiveAtMs}. */
export interface Conversation {
  readonly conversationId: ConversationId;
  readonly type: ConversationType;
  /** The other user of a direct conversation, oneself in "self", empty in a group. */
  readonly peerId: UserId;
  readonly groupId: GroupId;
  /** Remark, else nickname or the group's name, as far as it is known; may be empty. */
  readonly name: string;
  /** The last message, one that waits to be sent included. */
  readonly last?: Entry;
  readonly lastActiveAtMs: number;
  readonly unread: number;
  /** Somebody mentioned the user (or all) in what is unread. */
  readonly isMentioned: boolean;
  readonly draft: string;
  readonly isPinned: boolean;
  readonly isMuted: boolean;
  /** The last seq that there is, and the stretch that the user may see. */
  readonly headSeq: number;
  readonly sinceSeq: number;
  readonly untilSeq: number;
  /** Up to where the account has read. */
  readonly readSeq: number;
  /** The other's cursors in a direct conversation; 0 elsewhere. */
  readonly peerReadSeq: number;
  readonly peerDeliveredSeq: number;
}

/** What is shown of a conversation that has no line in the list yet. */
export function emptyConversation(conversationId: ConversationId, me: UserId): Conversation {
  const type = conversationType(conversationId);
  return {
    conversationId,
    type,
    peerId: peerOf(conversationId, me),
    groupId: type === "group" ? conversationId : "",
    name: "",
    lastActiveAtMs: 0,
    unread: 0,
    isMentioned: false,
    draft: "",
    isPinned: false,
    isMuted: false,
    headSeq: 0,
    sinceSeq: 0,
    untilSeq: 0,
    readSeq: 0,
    peerReadSeq: 0,
    peerDeliveredSeq: 0,
  };
}

export type MessageState = "sending" | "sent" | "delivered" | "read" | "failed";

/** The state to show beside one's own message. */
export function messageState(
  message: Message,
  conversation: Pick<Conversation, "type" | "peerReadSeq" | "peerDeliveredSeq">,
): MessageState {
  if (message.state !== "sent" || conversation.type !== "direct") return message.state;
  if (message.seq <= conversation.peerReadSeq) return "read";
  return message.seq <= conversation.peerDeliveredSeq ? "delivered" : "sent";
}

/** Where a piece of history lies: its newest end, before or after a seq, or on both sides of one. */
export type HistoryPlace =
  | { readonly at: "end" }
  | { readonly at: "before"; readonly seq: number }
  | { readonly at: "after"; readonly seq: number }
  | { readonly at: "around"; readonly seq: number };

/** A piece of a conversation, ascending; at its end what waits to be sent, if it reaches there. */
export interface HistoryPage {
  readonly entries: readonly Entry[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}
