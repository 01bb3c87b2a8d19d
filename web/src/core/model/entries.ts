/** What a conversation consists of: messages of people, notices of the server. */

import type { ChatError } from "../errors";
import type { ConversationId, GroupId, UserId } from "../ids";
import type { Media } from "./files";
import type { JoinPolicy, Role } from "./groups";

/** Numbers of docs/protocol.md, section 14. Others are of the future. */
export const Kind = {
  HIDDEN: 0,
  TEXT: 1,
  IMAGE: 2,
  FILE: 3,
  VOICE: 4,
  CARD: 5,
  CUSTOM: 6,
  RECALLED: 64,
  RECALL: 100,
  GROUP_CREATED: 110,
  MEMBER_JOINED: 111,
  MEMBER_LEFT: 112,
  MEMBER_REMOVED: 113,
  ROLE_CHANGED: 114,
  OWNER_CHANGED: 115,
  GROUP_CHANGED: 116,
  GROUP_DISMISSED: 117,
  CARD_CHANGED: 118,
  JOIN_REQUESTED: 119,
  JOIN_DECLINED: 120,
  MEMBER_INVITED: 121,
  FRIEND_REQUESTED: 130,
  FRIEND_ADDED: 131,
  REQUEST_DECLINED: 132,
  FRIEND_REMOVED: 133,
  BLOCKED: 134,
  UNBLOCKED: 135,
} as const;

/** From here on kinds are notices of the server, below messages of people. */
export const FIRST_NOTICE_KIND = 100;

/** The message that another one answers. The excerpt is the sender's word: look it up by seq. */
export interface Quote {
  readonly seq: number;
  readonly senderId: UserId;
  readonly excerpt: string;
}

export interface LinkCard {
  readonly title: string;
  readonly summary: string;
  readonly url: string;
}

/** What a message says: the sender's words, possibly false or hostile. Show as text only. */
export interface Content {
  /** For kinds other than TEXT what stands in for them. */
  readonly text: string;
  readonly quote?: Quote;
  readonly mentions: readonly UserId[];
  readonly mentionsAll: boolean;
  readonly media?: Media;
  readonly card?: LinkCard;
}

/** What a notice says; which fields count depends on the kind. */
export interface NoticeBody {
  readonly userIds: readonly UserId[];
  readonly groupId: GroupId;
  readonly targetSeq: number;
  readonly name: string;
  readonly note: string;
  readonly role: Role;
  readonly joinPolicy: JoinPolicy;
  readonly announcement: string;
}

interface EntryBase {
  /** Stays the same from "sending" to "sent"; unique within the conversation. For `:key`. */
  readonly key: string;
  readonly conversationId: ConversationId;
  /** 0 while it is not in the log. */
  readonly seq: number;
  readonly kind: number;
  readonly senderId: UserId;
  readonly isOwn: boolean;
  /** The server's time; while it is being sent, this machine's. */
  readonly sentAtMs: number;
}

/** Something that a person or bot wrote. Kind RECALLED: taken back, the content is empty. */
export interface Message extends EntryBase {
  readonly is: "message";
  readonly content: Content;
  /** How far it got; {@link messageState} adds what the other's cursors say. */
  readonly state: "sending" | "sent" | "failed";
  /** Why it failed: refused for good. */
  readonly error?: ChatError;
  /** What is still on its way up; {@link ChatClient.discard} stops that. */
  readonly file?: Blob;
  /** What one's own recalled message said, for "edit again"; on this page only, until it is left. */
  readonly recalledText?: string;
}

/** A change that the log records: who came, who asked. RECALL notices are not handed out. */
export interface Notice extends EntryBase {
  readonly is: "notice";
  readonly notice: NoticeBody;
}

export type Entry = Message | Notice;

/** What the person composed. */
export interface Draft {
  readonly text: string;
  readonly kind?: number;
  readonly quote?: Quote;
  readonly mentions?: readonly UserId[];
  readonly mentionsAll?: boolean;
  readonly media?: Media;
  /** Keys of one's own messages whose files must be on the server first: what was meant as one. */
  readonly after?: readonly string[];
}
