/** A stretch of the log as the rows that are shown: days, runs of one sender, the unread line. */

import {
  FIRST_NOTICE_KIND,
  Kind,
  messageState,
  type Conversation,
  type Entry,
  type MessageState,
} from "../../core/api";
import { dayStart } from "../format/time";

/** What stays of a conversation whatever happens in it: all that its rows know of it. */
export type ConversationIdentity = Pick<Conversation, "conversationId" | "type" | "groupId">;

export interface Row {
  readonly key: string;
  readonly entry: Entry;
  /** A line in the middle, not a bubble: a notice, or what is left of a recalled message. */
  readonly isLine: boolean;
  /** The first of its day: the day is named above it. */
  readonly startsDay: boolean;
  /** The first that was not read when the conversation was opened. */
  readonly isFirstUnread: boolean;
  /** The first of several by one sender: with face and name. */
  readonly startsRun: boolean;
  readonly endsRun: boolean;
  /** The last of its sender and minute, or its state differs from the next: with time and state. */
  readonly showsMeta: boolean;
  readonly state: MessageState;
}

/** After such a pause the sender is named again. */
const RUN_GAP_MS = 5 * 60_000;

export interface RowOptions {
  readonly conversation: Pick<Conversation, "type" | "peerReadSeq" | "peerDeliveredSeq">;
  /** Up to here it was read when it was opened; undefined: no unread line. */
  readonly readSeq: number | undefined;
  /** Notices that the page has no words for are left out. */
  readonly isShown: (entry: Entry) => boolean;
}

function isLine(entry: Entry): boolean {
  return entry.is === "notice" || entry.kind === Kind.RECALLED || entry.kind >= FIRST_NOTICE_KIND;
}

function isSameRun(one: Entry | undefined, other: Entry | undefined): boolean {
  if (one === undefined || other === undefined || isLine(one) || isLine(other)) return false;
  return (
    one.senderId === other.senderId &&
    other.sentAtMs - one.sentAtMs < RUN_GAP_MS &&
    dayStart(one.sentAtMs) === dayStart(other.sentAtMs)
  );
}

function isSameMinute(one: Entry, other: Entry): boolean {
  return Math.floor(one.sentAtMs / 60_000) === Math.floor(other.sentAtMs / 60_000);
}

function isSameRow(one: Row, other: Row): boolean {
  return (Object.keys(one) as (keyof Row)[]).every((name) => one[name] === other[name]);
}

/** @param before the rows so far: those that are still the same are kept, and need no new look. */
export function makeRows(
  entries: readonly Entry[],
  options: RowOptions,
  before: readonly Row[] = [],
): Row[] {
  const known = new Map(before.map((row) => [row.key, row]));
  return drawRows(entries, options).map((row) => {
    const same = known.get(row.key);
    return same !== undefined && isSameRow(row, same) ? same : row;
  });
}

function drawRows(entries: readonly Entry[], options: RowOptions): Row[] {
  const shown = entries.filter(options.isShown);
  const states = shown.map((entry): MessageState =>
    entry.is === "message" && entry.isOwn ? messageState(entry, options.conversation) : "sent",
  );
  const { readSeq } = options;
  const firstUnread =
    readSeq === undefined
      ? -1
      : shown.findIndex((one) => one.seq > readSeq && !one.isOwn && one.is === "message");
  return shown.map((entry, index) => {
    const before = shown[index - 1];
    const after = shown[index + 1];
    const isFirstUnread = index === firstUnread;
    const endsRun = !isSameRun(entry, after) || index + 1 === firstUnread;
    const state = states[index] ?? "sent";
    return {
      key: entry.key,
      entry,
      isLine: isLine(entry),
      startsDay: before === undefined || dayStart(before.sentAtMs) !== dayStart(entry.sentAtMs),
      isFirstUnread,
      startsRun: isFirstUnread || !isSameRun(before, entry),
      endsRun,
      showsMeta:
        endsRun ||
        after === undefined ||
        !isSameMinute(entry, after) ||
        (entry.isOwn && states[index + 1] !== state),
      state,
    };
  });
}

