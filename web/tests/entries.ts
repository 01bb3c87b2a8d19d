/** Entries of the log, for tests. */

import { Kind } from "../src/core/api";
import { NoticeSchema } from "../src/core/wire/_pb/tinyqq/_pb/content_pb";
import { encodeDraft, type LogEntry } from "../src/core/wire/entry";
import { encodeBody } from "../src/core/wire/packets";

export const ANN = "10001";
export const BOB = "10002";
export const CHAT = "42953967937298";

/** A message of Bob's; its seq is its ordinal too. */
export function text(seq: number, more: Partial<LogEntry> = {}): LogEntry {
  return {
    conversationId: CHAT,
    seq,
    ordinal: seq,
    kind: Kind.TEXT,
    senderId: BOB,
    clientMessageId: seq.toString(16).padStart(32, "0"),
    sentAtMs: 1_000 * seq,
    body: encodeDraft({ text: `#${seq}` }),
    throughSeq: 0,
    ...more,
  };
}

export function notice(seq: number, kind: number, more: Partial<LogEntry> = {}): LogEntry {
  return text(seq, { kind, body: new Uint8Array(), ...more });
}

export function recall(seq: number, targetSeq: number): LogEntry {
  const body = encodeBody(NoticeSchema, { targetSeq: String(targetSeq) });
  return text(seq, { kind: Kind.RECALL, body });
}

export function stretch(from: number, to: number): LogEntry[] {
  return Array.from({ length: to - from + 1 }, (_, index) => text(from + index));
}
