/** An entry of the log as the core keeps it, and what its bytes say. */

import { conversationType, fromHex, toHex, type ConversationId, type UserId } from "../ids";
import {
  FIRST_NOTICE_KIND,
  Kind,
  type Content,
  type Draft,
  type Entry,
  type Message,
  type NoticeBody,
} from "../model/entries";
import type { Entry as WireEntry } from "./_pb/tinyqq/_pb/client_pb";
import {
  ContentSchema,
  NoticeSchema,
  type Content as WireContent,
} from "./_pb/tinyqq/_pb/content_pb";
import { decodeBody, encodeBody } from "./packets";
import { joinPolicyOf, roleOf } from "./records";

/** Plain data: it goes into IndexedDB as it is. */
export interface LogEntry {
  readonly conversationId: ConversationId;
  readonly seq: number;
  readonly ordinal: number;
  readonly kind: number;
  readonly senderId: UserId;
  readonly clientMessageId: string;
  readonly sentAtMs: number;
  readonly body: Uint8Array;
  /** Only with kind HIDDEN: the last seq of the stretch; 0 otherwise. */
  readonly throughSeq: number;
}

/** An entry as it came, from a push or a page. */
export function toLogEntry(entry: WireEntry): LogEntry {
  return {
    conversationId: entry.conversationId,
    seq: Number(entry.seq),
    ordinal: Number(entry.ordinal),
    kind: entry.kind,
    senderId: entry.senderId,
    clientMessageId: toHex(entry.clientMessageId),
    sentAtMs: Number(entry.sentAtMs),
    // A copy: the frame that it lies in may be much larger.
    body: entry.content.slice(),
    throughSeq: Number(entry.throughSeq),
  };
}

/** Whether somebody wrote it, recalled or not; else it is hidden or a notice. */
export function isMessageKind(kind: number): boolean {
  return kind > Kind.HIDDEN && kind < FIRST_NOTICE_KIND;
}

const KNOWN_KINDS: ReadonlySet<number> = new Set(Object.values(Kind));

/** Whether it is a line of its conversation. Notices that this client does not know are not, nor
 * those in one's own, which holds one's notes: what they tell of is shown among contacts and groups. */
export function isShown({ kind, conversationId }: Pick<LogEntry, "kind" | "conversationId">): boolean {
  if (isMessageKind(kind)) return true;
  return KNOWN_KINDS.has(kind) && kind > Kind.RECALL && conversationType(conversationId) !== "self";
}

const HEADLINES: ReadonlySet<number> = new Set([
  Kind.GROUP_CREATED,
  Kind.MEMBER_JOINED,
  Kind.MEMBER_LEFT,
  Kind.MEMBER_REMOVED,
  Kind.ROLE_CHANGED,
  Kind.OWNER_CHANGED,
  Kind.GROUP_CHANGED,
  Kind.GROUP_DISMISSED,
  Kind.CARD_CHANGED,
  Kind.FRIEND_ADDED,
]);

/** Whether the conversation list shows it, as the server chooses for a device that was away: messages,
 * and notices of what became of the group or the friendship. Requests and blocks are among contacts. */
export function isHeadline(entry: Pick<LogEntry, "kind" | "conversationId" | "senderId">, me: UserId): boolean {
  const { kind, conversationId, senderId } = entry;
  if (isMessageKind(kind)) return true;
  if (conversationType(conversationId) === "self") return false;
  return HEADLINES.has(kind) || (kind === Kind.FRIEND_REMOVED && senderId === me);
}

const NOTHING: Content = { text: "", mentions: [], mentionsAll: false };

/** What a message says; a body that cannot be read says nothing, for another client wrote it and
 * nobody must be able to break this one. */
export function contentOf(entry: Pick<LogEntry, "kind" | "body">): Content {
  if (entry.kind === Kind.RECALLED) return NOTHING;
  try {
    return toContent(decodeBody(ContentSchema, entry.body));
  } catch {
    return NOTHING;
  }
}

/** What a notice says; nothing when it cannot be read. */
export function noticeOf(entry: Pick<LogEntry, "body">): NoticeBody {
  const notice = readNotice(entry.body);
  return {
    userIds: notice?.userIds ?? [],
    groupId: notice === undefined || notice.groupId === "0" ? "" : notice.groupId,
    targetSeq: Number(notice?.targetSeq ?? 0),
    name: notice?.name ?? "",
    note: notice?.note ?? "",
    role: roleOf(notice?.role ?? 0),
    joinPolicy: joinPolicyOf(notice?.joinPolicy ?? 0),
    announcement: notice?.announcement ?? "",
  };
}

function readNotice(body: Uint8Array) {
  try {
    return decodeBody(NoticeSchema, body);
  } catch {
    return undefined;
  }
}

function toContent(content: WireContent): Content {
  const { text, mentions, mentionsAll, quote, media, card } = content;
  return {
    text,
    mentions,
    mentionsAll,
    ...(quote && {
      quote: { seq: Number(quote.seq), senderId: quote.senderId, excerpt: quote.excerpt },
    }),
    ...(media && {
      media: {
        blobId: media.blobId,
        name: media.name,
        mediaType: media.mediaType,
        sizeBytes: Number(media.sizeBytes),
        width: media.width,
        height: media.height,
        durationMs: media.durationMs,
      },
    }),
    ...(card && { card: { title: card.title, summary: card.summary, url: card.url } }),
  };
}

/** The bytes of what a person composed. */
export function encodeDraft(draft: Draft): Uint8Array {
  const { text, quote, mentions = [], mentionsAll = false, media } = draft;
  return encodeBody(ContentSchema, {
    text,
    mentions: [...mentions],
    mentionsAll,
    quote: quote && { seq: String(quote.seq), senderId: quote.senderId, excerpt: quote.excerpt },
    media: media && { ...media, sizeBytes: String(media.sizeBytes) },
  });
}

/** The client's message id in binary, as SEND carries it. */
export function messageIdBytes(clientMessageId: string): Uint8Array {
  return fromHex(clientMessageId);
}

/** An entry's key on the screen. Not the message id alone: others choose theirs freely. */
function keyOf(entry: Pick<LogEntry, "seq" | "clientMessageId" | "senderId">, me: UserId): string {
  const isOwn = entry.senderId === me && entry.clientMessageId !== "";
  return isOwn ? ownKey(entry.clientMessageId) : `s${entry.seq}`;
}

/** The key of one's own message, from before it is in the log. @param clientMessageId 32 hex digits. */
export function ownKey(clientMessageId: string): string {
  return `m${clientMessageId}`;
}

/** An entry as screens see it. */
export function toEntry(entry: LogEntry, me: UserId): Entry {
  const { conversationId, seq, kind, senderId, sentAtMs } = entry;
  const isOwn = senderId === me;
  const base = { key: keyOf(entry, me), conversationId, seq, kind, senderId, isOwn, sentAtMs };
  if (kind >= FIRST_NOTICE_KIND) return { is: "notice", ...base, notice: noticeOf(entry) };
  const message: Message = { is: "message", ...base, content: contentOf(entry), state: "sent" };
  return message;
}
