import { create, fromBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ANN, CHAT } from "../../tests/entries";
import type { ChatEvents } from "./api";
import type { Answer, Connection } from "./connection";
import { Emitter } from "./emitter";
import { ChatError, ErrorCode } from "./errors";
import type { StoredFile, UploadOptions } from "./files";
import { Log } from "./log";
import { Kind, type Message } from "./model/entries";
import { OwnMessages } from "./own_messages";
import { MemoryStore } from "./store";
import { EntrySchema, SentSchema } from "./wire/_pb/tinyqq/_pb/client_pb";
import { contentOf, toLogEntry, type LogEntry } from "./wire/entry";

const MAX_MESSAGES = 1_000;
interface Upload {
  readonly resolve: (stored: StoredFile) => void;
  readonly reject: (error: ChatError) => void;
  readonly signal: AbortSignal | undefined;
}

const STORED: StoredFile = { blobId: "b", sizeBytes: 1, mediaType: "", width: 0, height: 0 };

describe("OwnMessages", () => {
  let log: Log;
  let own: OwnMessages;
  let shown: Message[];
  let removed: string[];
  /** What came into the log. */
  let numbered: LogEntry[];
  /** Uploads that were begun; a test ends them. */
  let uploads: Upload[];
  const files = {
    upload: (_: Blob, { signal }: UploadOptions = {}) =>
      new Promise<StoredFile>((resolve, reject) => uploads.push({ resolve, reject, signal })),
    cancel: async () => undefined,
  };

  function open(): void {
    const events = new Emitter<ChatEvents>();
    events.on("entries", ({ entries }) => shown.push(...(entries as readonly Message[])));
    events.on("entryRemoved", ({ key }) => removed.push(key));
    own = new OwnMessages({ me: ANN, log, files, events, onSent: (entry) => numbered.push(entry) });
  }

  /** The next visit. */
  function reload(): void {
    own.stop();
    open();
  }

  /** A connection; what is sent on it, by its text. */
  function connect(answer: (text: string) => ChatError | undefined = () => undefined): string[] {
    const sent: string[] = [];
    const send = (_: unknown, body: Uint8Array, answered: Answer): void => {
      const { text } = contentOf(toLogEntry(fromBinary(EntrySchema, body)));
      sent.push(text);
      const outcome = answer(text) ?? create(SentSchema, { seq: String(sent.length), ordinal: "1", sentAtMs: "5" });
      queueMicrotask(() => answered(outcome));
    };
    own.use({ isClosed: false, inFlight: 0, maxInFlight: 100, send } as unknown as Connection);
    return sent;
  }

  const begun = (count: number) => vi.waitFor(() => expect(uploads).toHaveLength(count));

  beforeEach(async () => {
    log = new Log(new MemoryStore(), () => undefined);
    await log.open();
    [shown, removed, numbered, uploads] = [[], [], [], []];
    open();
  });
  afterEach(() => {
    own.stop();
  });

  it("shows a message as it is kept, and hands it on when the server has numbered it", async () => {
    const message = await own.send(CHAT, { text: "hi" });
    expect(message).toMatchObject({ state: "sending", isOwn: true, senderId: ANN, content: { text: "hi" } });
    expect(shown).toEqual([message]);
    expect(own.waiting(CHAT)).toEqual([message]);
    expect(log.row(CHAT)).toBeDefined();
    connect();
    await vi.waitFor(() => expect(numbered).toMatchObject([{ seq: 1, ordinal: 1, senderId: ANN, sentAtMs: 5 }]));
    expect(own.waiting(CHAT)).toEqual([]);
  });

  it("sends what an earlier visit left, in order, and not what was refused then", async () => {
    connect((text) => (text === "no" ? new ChatError(ErrorCode.FORBIDDEN) : undefined));
    await own.send(CHAT, { text: "no" });
    await vi.waitFor(() => expect(shown.at(-1)?.state).toBe("failed"));
    own.use(undefined);
    for (const text of ["one", "two"]) await own.send(CHAT, { text });
    reload();
    expect(connect()).toEqual(["one", "two"]);
  });

  it("puts a repeat of one wish into the outbox once", async () => {
    const id = "ab".repeat(16);
    const wishes = [() => own.send(CHAT, { text: "hi" }, id), () => own.sendFile(CHAT, new Blob(["x"]), { name: "x" }, id)];
    for (const wish of [...wishes, ...wishes]) await wish();
    expect(log.outgoing()).toHaveLength(1);
    expect(shown).toHaveLength(1);
  });

  it("takes no more than it can hold, and keeps nothing of what it did not take", async () => {
    for (let number = 0; number < MAX_MESSAGES; number++) await own.send(CHAT, { text: `${number}` });
    await expect(own.send(CHAT, { text: "one more" })).rejects.toMatchObject({ code: ErrorCode.BUSY });
    expect(own.waiting(CHAT)).toHaveLength(MAX_MESSAGES);
    expect(shown).toHaveLength(MAX_MESSAGES);
  });

  describe("a message that was refused", () => {
    let key: string;

    beforeEach(async () => {
      connect(() => new ChatError(ErrorCode.NOT_FRIENDS));
      key = (await own.send(CHAT, { text: "hi" })).key;
      await vi.waitFor(() => expect(shown.at(-1)).toMatchObject({ key, state: "failed" }));
    });

    it("stays, with the reason, over a reload", () => {
      reload();
      expect(own.waiting(CHAT)).toMatchObject([{ key, state: "failed", error: { code: ErrorCode.NOT_FRIENDS } }]);
    });

    it("goes again when it is wanted, under the same key", async () => {
      connect();
      await own.retry(CHAT, key);
      await vi.waitFor(() => expect(numbered).toHaveLength(1));
      expect(shown.at(-1)).toMatchObject({ key, state: "sending" });
      await own.retry(CHAT, key);
      expect(numbered).toHaveLength(1);
    });

    it("is refused again when there is no room for it", async () => {
      own.use(undefined);
      for (let number = 0; number < MAX_MESSAGES; number++) await own.send(CHAT, { text: `${number}` });
      await own.retry(CHAT, key);
      await vi.waitFor(() => expect(shown.at(-1)).toMatchObject({ key, state: "failed", error: { code: ErrorCode.BUSY } }));
    });

    it("is deleted when it is not wanted any more", async () => {
      await own.discard(CHAT, key);
      expect(removed).toEqual([key]);
      expect(own.waiting(CHAT)).toEqual([]);
    });
  });

  it("leaves a message alone that is neither refused nor there", async () => {
    const { key } = await own.send(CHAT, { text: "hi" });
    for (const one of [key, "o0"]) {
      await own.retry(CHAT, one);
      await own.discard(CHAT, one);
    }
    expect([own.waiting(CHAT).length, shown.length, removed]).toEqual([1, 1, []]);
  });

  it("shows a file at once, with its content while it is on its way, over a reload", async () => {
    const file = new Blob(["x"], { type: "image/png" });
    const message = await own.sendFile(CHAT, file, { name: "x.png" });
    expect(message).toMatchObject({ state: "sending", kind: Kind.IMAGE, file });
    await begun(1);
    reload();
    expect(own.waiting(CHAT)).toEqual([message]);
    expect(uploads[0]?.signal?.aborted).toBe(true);
  });

  it("shows a file as the server has it, as soon as that does", async () => {
    const { key } = await own.sendFile(CHAT, new Blob(["x"]), { name: "x" });
    await begun(1);
    uploads[0]?.resolve(STORED);
    await vi.waitFor(() => expect(shown.at(-1)).toMatchObject({ key, content: { media: { blobId: "b" } } }));
    expect(shown.at(-1)).toMatchObject({ state: "sending" });
    expect(shown.at(-1)?.file).toBeUndefined();
  });

  it("tries a file again that was refused, and deletes one that is on its way", async () => {
    const { key } = await own.sendFile(CHAT, new Blob(["x"]), { name: "x" });
    await begun(1);
    uploads[0]?.reject(new ChatError(ErrorCode.BAD_MEDIA));
    await vi.waitFor(() => expect(shown.at(-1)).toMatchObject({ key, state: "failed" }));
    await own.retry(CHAT, key);
    await begun(2);
    await own.discard(CHAT, key);
    expect(uploads[1]?.signal?.aborted).toBe(true);
    expect(removed).toEqual([key]);
    expect(log.outgoing()).toEqual([]);
  });

  describe("words that were sent together with files", () => {
    async function sendTogether(): Promise<string[]> {
      const after: string[] = [];
      for (const name of ["one", "two"]) after.push((await own.sendFile(CHAT, new Blob(["x"]), { name })).key);
      await own.send(CHAT, { text: "look!", after });
      await begun(2);
      return after;
    }

    it("go after the last of them, whichever that is, and later words do not wait", async () => {
      const sent = connect();
      await sendTogether();
      await own.send(CHAT, { text: "by the way" });
      expect(sent).toEqual(["by the way"]);
      uploads[1]?.resolve(STORED);
      await vi.waitFor(() => expect(sent).toEqual(["by the way", "two"]));
      uploads[0]?.resolve(STORED);
      await vi.waitFor(() => expect(sent).toEqual(["by the way", "two", "one", "look!"]));
    });

    it.each([true, false])("go without a file that is refused, and one not wanted any more (that first: %s)", async (isFirst) => {
      const sent = connect();
      const [first = ""] = await sendTogether();
      if (isFirst) await own.discard(CHAT, first);
      uploads[1]?.reject(new ChatError(ErrorCode.BAD_MEDIA));
      await vi.waitFor(() => expect(shown.at(-1)?.state).toBe("failed"));
      expect(sent).toEqual(isFirst ? ["look!"] : []);
      if (!isFirst) await own.discard(CHAT, first);
      expect(sent).toEqual(["look!"]);
    });

    it("do not go again by themselves once they were refused", async () => {
      const sent = connect((text) => (text === "look!" ? new ChatError(ErrorCode.FORBIDDEN) : undefined));
      await sendTogether();
      for (const upload of uploads) upload.resolve(STORED);
      await vi.waitFor(() => expect(shown.at(-1)).toMatchObject({ state: "failed" }));
      await own.sendFile(CHAT, new Blob(["x"]), { name: "three" });
      await begun(3);
      uploads[2]?.resolve(STORED);
      await vi.waitFor(() => expect(sent).toContain("three"));
      expect(sent).toEqual(["one", "two", "look!", "three"]);
    });

    it("wait after a reload too", async () => {
      await sendTogether();
      reload();
      const sent = connect();
      await begun(4);
      for (const upload of uploads.slice(2)) upload.resolve(STORED);
      await vi.waitFor(() => expect(sent).toEqual(["one", "two", "look!"]));
    });
  });
});
