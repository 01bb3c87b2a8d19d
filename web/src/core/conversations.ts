/** What is known of a conversation besides its entries, and how it changes. Pure. */

import { conversationType, peerOf, type UserId } from "./ids";
import { erased, type Position } from "./inbox";
import type { Conversation } from "./model/conversations";
import { Kind, type Entry } from "./model/entries";
import type { Span } from "./spans";
import type { Summary } from "./wire/_pb/tinyqq/_pb/client_pb";
import { contentOf, isHeadline, isMessageKind, toEntry, toLogEntry, type LogEntry } from "./wire/entry";

/** Plain data, as it is stored. */
export interface ConversationRow {
  readonly conversationId: string;
  /** Up to where everything was handed out; what comes later comes as events. */
  readonly position: number;
  /** Which stretches of the log are in the store. */
  readonly spans: readonly Span[];
  /** The group's name or the other's nickname, and the user's own name for them. */
  readonly name: string;
  readonly remark: string;
  readonly headSeq: number;
  readonly sinceSeq: number;
  readonly untilSeq: number;
  readonly readSeq: number;
  /** Unread is the difference of the two. `readOrdinal` -1: not known, nothing was there. */
  readonly readOrdinal: number;
  readonly lastOrdinal: number;
  readonly peerReadSeq: number;
  readonly peerDeliveredSeq: number;
  /** The last entry that the list shows. */
  readonly last?: LogEntry;
  /** The last message that mentions the user. */
  readonly mentionSeq: number;
  readonly draft: string;
  readonly isPinned: boolean;
  readonly isMuted: boolean;
}

/** A conversation of which nothing is known but how far it was handed out. */
export function newRow({ conversationId, seq }: Position): ConversationRow {
  return {
    conversationId,
    position: seq,
    spans: [],
    name: "",
    remark: "",
    headSeq: seq,
    sinceSeq: 1,
    untilSeq: seq,
    readSeq: 0,
    readOrdinal: -1,
    lastOrdinal: 0,
    peerReadSeq: 0,
    peerDeliveredSeq: 0,
    mentionSeq: 0,
    draft: "",
    isPinned: false,
    isMuted: false,
  };
}

/** The server's word about a conversation. Pushes and marks may have overtaken it: cursors only move
 * forward, and what was read meanwhile is not unread again. */
export function withSummary(row: ConversationRow, summary: Summary, me: UserId): ConversationRow {
  const last = summary.last === undefined ? undefined : toLogEntry(summary.last);
  const headSeq = Number(summary.headSeq);
  const untilSeq = Math.min(Number(summary.untilSeq), headSeq);
  const isOvertaken = row.readSeq > Number(summary.readSeq);
  const ordinals =
    last === undefined
      ? {}
      : {
          lastOrdinal: Math.max(row.lastOrdinal, last.ordinal),
          readOrdinal: Math.max(isOvertaken ? row.readOrdinal : -1, last.ordinal - summary.unread),
        };
  const isNewer = last !== undefined && last.seq >= (row.last?.seq ?? 0);
  const next: ConversationRow = {
    ...row,
    ...ordinals,
    name: summary.name,
    remark: summary.remark,
    headSeq: Math.max(row.headSeq, headSeq),
    untilSeq: Math.max(row.untilSeq, untilSeq),
    sinceSeq: Number(summary.sinceSeq),
    readSeq: Math.max(row.readSeq, Number(summary.readSeq)),
    peerReadSeq: Math.max(row.peerReadSeq, Number(summary.peerReadSeq)),
    peerDeliveredSeq: Math.max(row.peerDeliveredSeq, Number(summary.peerDeliveredSeq)),
    ...(isNewer && { last }),
  };
  return last !== undefined && mentions(last, me) ? withMention(next, last.seq) : next;
}

/** An entry that was handed out. */
export function withEntry(row: ConversationRow, entry: LogEntry, me: UserId): ConversationRow {
  let next: ConversationRow = {
    ...row,
    headSeq: Math.max(row.headSeq, entry.seq),
    untilSeq: Math.max(row.untilSeq, entry.seq),
  };
  if (entry.kind === Kind.GROUP_CHANGED) {
    const changed = toEntry(entry, me);
    if (changed.is === "notice" && changed.notice.name) next = { ...next, name: changed.notice.name };
  }
  if (isHeadline(entry, me) && entry.seq > (next.last?.seq ?? 0)) next = { ...next, last: entry };
  if (isMessageKind(entry.kind)) next = withMessage(next, entry, me);
  return next;
}

function withMessage(row: ConversationRow, entry: LogEntry, me: UserId): ConversationRow {
  const lastOrdinal = Math.max(row.lastOrdinal, entry.ordinal);
  const before = row.readOrdinal < 0 ? entry.ordinal - 1 : row.readOrdinal;
  if (entry.senderId === me) {
    // To write is to have read what is before.
    const readSeq = Math.max(row.readSeq, entry.seq);
    return { ...row, lastOrdinal, readSeq, readOrdinal: Math.max(before, entry.ordinal) };
  }
  // To the other in a direct conversation the same applies, and the server tells nobody.
  const isDirect = conversationType(row.conversationId) === "direct";
  const peer = isDirect ? withPeer(row, entry.seq, entry.seq) : row;
  // Another device may have read it before it came here.
  const readOrdinal = entry.seq <= row.readSeq ? Math.max(before, entry.ordinal) : before;
  const next = { ...peer, lastOrdinal, readOrdinal };
  return mentions(entry, me) ? withMention(next, entry.seq) : next;
}

function withMention(row: ConversationRow, seq: number): ConversationRow {
  return seq > row.readSeq && seq > row.mentionSeq ? { ...row, mentionSeq: seq } : row;
}

function mentions(entry: LogEntry, me: UserId): boolean {
  if (entry.senderId === me || !isMessageKind(entry.kind)) return false;
  const content = contentOf(entry);
  return content.mentionsAll || content.mentions.includes(me);
}

/** Whether nothing that came is after *seq*. */
export function readsAll(row: ConversationRow, seq: number): boolean {
  return seq >= (row.last?.seq ?? 0);
}

/** The account has read up to *seq*, where the count of messages is *ordinal* (undefined: there are
 * none). */
export function withRead(
  row: ConversationRow,
  seq: number,
  ordinal: number | undefined,
): ConversationRow {
  if (seq <= row.readSeq) return row;
  const all = readsAll(row, seq) ? row.lastOrdinal : undefined;
  const readOrdinal = Math.max(row.readOrdinal, all ?? ordinal ?? row.readOrdinal);
  return { ...row, readSeq: seq, readOrdinal };
}

/** The other has got and read so far. */
export function withPeer(row: ConversationRow, delivered: number, read: number): ConversationRow {
  return {
    ...row,
    peerDeliveredSeq: Math.max(row.peerDeliveredSeq, delivered, read),
    peerReadSeq: Math.max(row.peerReadSeq, read),
  };
}

/** A message was taken back. */
export function withRecall(row: ConversationRow, targetSeq: number): ConversationRow {
  const last = row.last?.seq === targetSeq ? erased(row.last) : row.last;
  const mentionSeq = row.mentionSeq === targetSeq ? 0 : row.mentionSeq;
  return { ...row, mentionSeq, ...(last && { last }) };
}

/** As screens see it; `pending`: the last message that waits to be sent. */
export function toConversation(row: ConversationRow, me: UserId, pending?: Entry): Conversation {
  const { conversationId, draft, isPinned, isMuted, headSeq, sinceSeq, untilSeq, readSeq } = row;
  const type = conversationType(conversationId);
  const last = pending ?? (row.last && toEntry(row.last, me));
  const unread = row.readOrdinal < 0 ? 0 : Math.max(0, row.lastOrdinal - row.readOrdinal);
  return {
    conversationId,
    type,
    peerId: peerOf(conversationId, me),
    groupId: type === "group" ? conversationId : "",
    name: row.remark || row.name,
    ...(last && { last }),
    lastActiveAtMs: last?.sentAtMs ?? 0,
    unread,
    isMentioned: row.mentionSeq > row.readSeq,
    draft,
    isPinned,
    isMuted,
    headSeq,
    sinceSeq,
    untilSeq,
    readSeq,
    peerReadSeq: row.peerReadSeq,
    peerDeliveredSeq: row.peerDeliveredSeq,
  };
}
