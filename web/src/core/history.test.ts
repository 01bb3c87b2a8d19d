import { beforeEach, describe, expect, it, vi } from "vitest";

import { ANN, CHAT, notice, stretch, text } from "../../tests/entries";
import { ChatError, ErrorCode } from "./errors";
import { History } from "./history";
import { Log } from "./log";
import type { HistoryPlace } from "./model/conversations";
import { Kind } from "./model/entries";
import type { Call } from "./receiver";
import { MemoryStore } from "./store";
import { messageIdBytes, toEntry, type LogEntry } from "./wire/entry";
import { Request } from "./wire/packets";

/** A server with one conversation; counts what it is asked. */
class Archive {
  entries: readonly LogEntry[] = [];
  asked: string[] = [];
  isThere = true;
  whileAsked: () => void = () => undefined;

  readonly call = (async (kind: { readonly type: number }, init: Record<string, unknown>) => {
    if (!this.isThere) throw new ChatError(ErrorCode.CONNECTION_LOST);
    const limit = Number(init["limit"]);
    this.whileAsked();
    if (kind.type === Request.GET_HISTORY.type) {
      const before = Number(init["beforeSeq"]);
      this.asked.push(`before ${before}`);
      const older = this.entries.filter((one) => one.seq < before);
      return { entries: older.slice(-limit).map(onWire), more: older.length > limit };
    }
    const after = Number(init["afterSeq"]);
    this.asked.push(`after ${after}`);
    const newer = this.entries.filter((one) => one.seq > after);
    return { entries: newer.slice(0, limit).map(onWire), headSeq: "0" };
  }) as unknown as Call;
}

function onWire(entry: LogEntry) {
  return {
    ...entry,
    seq: String(entry.seq),
    ordinal: String(entry.ordinal),
    sentAtMs: String(entry.sentAtMs),
    throughSeq: String(entry.throughSeq),
    content: entry.body,
    clientMessageId: messageIdBytes(entry.clientMessageId),
  };
}

describe("History", () => {
  let archive: Archive;
  let log: Log;
  let history: History;
  let newer: number[];

  beforeEach(() => {
    archive = new Archive();
    archive.entries = stretch(1, 100);
    log = new Log(new MemoryStore(), () => undefined);
    newer = [];
    log.change(CHAT, (row) => ({ ...row, position: 100 }));
    history = new History({
      log,
      call: archive.call,
      isOnline: () => archive.isThere,
      onNewer: (entry) => newer.push(entry.seq),
      show: (entry) => toEntry(entry, ANN),
      pending: () => [],
    });
  });

  async function read(place: HistoryPlace, limit = 10) {
    const page = await history.read(CHAT, place, limit);
    const seqs = page.entries.map((one) => one.seq);
    return { from: seqs[0], to: seqs.at(-1), count: seqs.length, older: page.hasOlder, newer: page.hasNewer };
  }

  it("reads from the end back to the beginning, and asks for nothing twice", async () => {
    expect(await read({ at: "end" })).toEqual({ from: 91, to: 100, count: 10, older: true, newer: false });
    expect(await read({ at: "before", seq: 91 })).toMatchObject({ from: 81, to: 90, newer: true });
    expect(await read({ at: "before", seq: 6 })).toMatchObject({ from: 1, to: 5, older: false });
    archive.asked = [];
    expect(await read({ at: "end" })).toMatchObject({ from: 91, to: 100 });
    expect(await read({ at: "before", seq: 91 })).toMatchObject({ from: 81, to: 90 });
    expect(await read({ at: "before", seq: 6 })).toMatchObject({ from: 1, to: 5, older: false });
    expect(archive.asked).toEqual([]);
  });

  it("reads on from anywhere, over the edge of what is known", async () => {
    await read({ at: "end" });
    expect(await read({ at: "around", seq: 50 })).toEqual({ from: 45, to: 54, count: 10, older: true, newer: true });
    expect(await read({ at: "after", seq: 54 })).toMatchObject({ from: 55, to: 64 });
    expect(await read({ at: "after", seq: 85 })).toMatchObject({ from: 86, to: 95, newer: true });
    expect(await read({ at: "after", seq: 95 })).toMatchObject({ from: 96, to: 100, newer: false });
  });

  it("counts what may not be seen as known, and shows nothing of it", async () => {
    const hidden = text(1, { kind: Kind.HIDDEN, throughSeq: 60 });
    archive.entries = [hidden, ...stretch(61, 80), notice(81, Kind.RECALL), notice(82, 240), ...stretch(83, 100)];
    expect(await read({ at: "after", seq: 0 }, 30)).toMatchObject({ from: 61, newer: true });
    expect(await read({ at: "after", seq: 79 }, 6)).toMatchObject({ from: 80, to: 85, count: 4 });
    expect(log.row(CHAT)?.spans[0]?.from).toBe(1);
  });

  it("reads over what is not shown, from the server and from the store", async () => {
    const unshown = stretch(20, 100).map(({ seq }) => notice(seq, Kind.RECALL));
    archive.entries = [...stretch(1, 19), ...unshown];
    for (const isThere of [true, false]) {
      archive.isThere = isThere;
      expect(await read({ at: "end" })).toMatchObject({ to: 19, older: true, newer: false });
      expect(await read({ at: "before", seq: 19 })).toMatchObject({ to: 18, newer: true });
    }
    archive.isThere = true;
    expect(await read({ at: "after", seq: 19 })).toMatchObject({ count: 0, newer: false });
  });

  it("takes what has come while it asked", async () => {
    archive.whileAsked = () => {
      log.put(CHAT, [text(101)], 101, 101);
      log.change(CHAT, (row) => ({ ...row, position: 101 }));
    };
    expect(await read({ at: "end" })).toMatchObject({ to: 101, newer: false });
  });

  it("takes what has come while it read the store", async () => {
    await read({ at: "end" });
    const entries = log.entries.bind(log);
    vi.spyOn(log, "entries").mockImplementation(async (stretch) => {
      const found = await entries(stretch);
      const position = (log.row(CHAT)?.position ?? 0) + 1;
      if (position <= 103) {
        log.put(CHAT, [text(position)], position, position);
        log.change(CHAT, (row) => ({ ...row, position }));
      }
      return found;
    });
    expect(await read({ at: "end" })).toMatchObject({ to: 103, newer: false });
  });

  it("hands on what is newer than what others have got", async () => {
    archive.entries = stretch(1, 103);
    log.change(CHAT, (row) => ({ ...row, position: 98 }));
    expect(await read({ at: "after", seq: 95 })).toMatchObject({ from: 96, to: 98, newer: false });
    expect(newer).toEqual([99, 100, 101, 102, 103]);
  });

  it("shows what is here while there is no server, and says when there is nothing", async () => {
    await read({ at: "end" });
    archive.isThere = false;
    expect(await read({ at: "end" }, 30)).toMatchObject({ from: 91, to: 100, older: true });
    await expect(read({ at: "before", seq: 50 })).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  });

  it("finds one entry here or there", async () => {
    expect((await history.entry(CHAT, 42))?.seq).toBe(42);
    archive.isThere = false;
    expect((await history.entry(CHAT, 42))?.seq).toBe(42);
    archive.isThere = true;
    expect(await history.entry(CHAT, 4_000)).toBeUndefined();
  });

  it("begins where the user's view begins", async () => {
    log.change(CHAT, (row) => ({ ...row, sinceSeq: 96 }));
    archive.entries = stretch(96, 100);
    expect(await read({ at: "end" })).toMatchObject({ from: 96, older: false });
    expect(await read({ at: "before", seq: 96 })).toMatchObject({ count: 0, older: false });
  });
});
