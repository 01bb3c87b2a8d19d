import { describe, expect, it } from "vitest";

import { readVectors } from "../../tests/vectors";
import { Inbox } from "./inbox";
import { Kind } from "./model/entries";
import { NoticeSchema } from "./wire/_pb/tinyqq/_pb/content_pb";
import type { LogEntry } from "./wire/entry";
import { encodeBody } from "./wire/packets";

interface VectorEntry {
  readonly conversation_id: string;
  readonly seq: number;
  readonly kind: number;
  readonly through_seq?: number;
  readonly target_seq?: number;
}

type Step = { readonly ready?: readonly number[]; readonly erased?: readonly number[] } & (
  | { readonly do: "apply"; readonly entry: VectorEntry }
  | {
      readonly do: "apply_page";
      readonly conversation_id: string;
      readonly entries: readonly VectorEntry[];
      readonly head_seq: number;
    }
  | { readonly do: "start"; readonly conversation_id: string; readonly seq: number }
  | { readonly do: "settle" }
  | { readonly do: "learn_head"; readonly conversation_id: string; readonly head_seq: number }
  | {
      readonly do: "next_sync";
      readonly none?: true;
      readonly conversation_id: string;
      readonly after_seq: number;
    }
  | { readonly do: "sync_failed"; readonly conversation_id: string; readonly for_good: boolean }
  | { readonly do: "position"; readonly conversation_id: string; readonly seq: number | null }
);

interface Script {
  readonly name: string;
  readonly positions: readonly { readonly conversation_id: string; readonly seq: number }[];
  readonly max_held: number;
  readonly steps: readonly Step[];
}

const { scripts } = readVectors<{ readonly scripts: readonly Script[] }>("inbox.json");

function entryOf(data: VectorEntry): LogEntry {
  const notice = encodeBody(NoticeSchema, { targetSeq: String(data.target_seq ?? 0) });
  return {
    conversationId: data.conversation_id,
    seq: data.seq,
    ordinal: data.seq,
    kind: data.kind,
    senderId: "10001",
    clientMessageId: "",
    sentAtMs: 0,
    body: data.kind === Kind.RECALL ? notice : new Uint8Array([10, 1, 65]),
    throughSeq: data.through_seq ?? 0,
  };
}

/** Do one step; what it made ready. */
function perform(inbox: Inbox, step: Step): LogEntry[] {
  switch (step.do) {
    case "apply":
      return inbox.apply(entryOf(step.entry));
    case "apply_page":
      return inbox.applyPage(step.conversation_id, step.entries.map(entryOf), step.head_seq);
    case "start":
      return inbox.start(step.conversation_id, step.seq);
    case "settle":
      return inbox.settle();
    case "learn_head":
      inbox.learnHead(step.conversation_id, step.head_seq);
      return [];
    case "next_sync":
      expect(inbox.nextSync()).toEqual(
        step.none ? undefined : { conversationId: step.conversation_id, seq: step.after_seq },
      );
      return [];
    case "sync_failed":
      inbox.syncFailed(step.conversation_id, { forGood: step.for_good });
      return [];
    case "position":
      expect(inbox.position(step.conversation_id) ?? null).toBe(step.seq);
      return [];
    default:
      throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
  }
}

describe("Inbox", () => {
  it.each(scripts)("does as the vectors say: $name", (script) => {
    const positions = script.positions.map((one) => ({
      conversationId: one.conversation_id,
      seq: one.seq,
    }));
    const inbox = new Inbox(positions, script.max_held);
    script.steps.forEach((step, index) => {
      const ready = perform(inbox, step);
      const where = `step ${index + 1}: ${JSON.stringify(step)}`;
      expect(ready.map((one) => one.seq), where).toEqual(step.ready ?? []);
      if (step.erased !== undefined) {
        const erased = ready.filter((one) => one.kind === Kind.RECALLED);
        expect(erased.map((one) => one.seq), where).toEqual(step.erased);
      }
    });
  });

  it("leaves out what is skipped and hands on what was held back behind it", () => {
    const inbox = new Inbox([{ conversationId: "7", seq: 1 }]);
    const entry = (seq: number) => entryOf({ conversation_id: "7", seq, kind: 1 });
    expect(inbox.apply(entry(901))).toEqual([]);
    expect(inbox.skip("7", 900).map((one) => one.seq)).toEqual([901]);
    expect(inbox.isBehind).toBe(false);
    expect(inbox.skip("7", 5)).toEqual([]);
    expect(inbox.position("7")).toBe(901);
  });
});
