import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { UnreadableBlob } from "../../tests/blobs";
import { CHAT } from "../../tests/entries";
import type { ChatEvents } from "./api";
import { Attachments, draftOf } from "./attachments";
import { Emitter } from "./emitter";
import { ChatError, ErrorCode } from "./errors";
import type { StoredFile, UploadOptions } from "./files";
import { Log } from "./log";
import { Kind } from "./model/entries";
import type { Outgoing } from "./outbox";
import { MemoryStore } from "./store";
import { contentOf, encodeDraft } from "./wire/entry";

const STORED: StoredFile = { blobId: "ab".repeat(32), sizeBytes: 3, mediaType: "image/png", width: 8, height: 6 };
const ID = "0d".repeat(16);

/** A PNG with an empty chunk of this name. */
function picture(name: string): Uint8Array<ArrayBuffer> {
  const chunk = (it: string) => (it ? `\0\0\0\0${it}\0\0\0\0` : "");
  const text = `\x89PNG\r\n\x1a\n${chunk(name)}${chunk("IEND")}`;
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

it("sends pictures as pictures, recordings as voice, all else as files", () => {
  const kindOf = (type: string, durationMs = 0) => draftOf(new Blob(["x"], { type }), "x", { durationMs }).kind;
  expect(kindOf("image/png")).toBe(Kind.IMAGE);
  expect(kindOf("image/svg+xml")).toBe(Kind.FILE);
  expect(kindOf("audio/webm", 900)).toBe(Kind.VOICE);
  expect(kindOf("audio/mpeg")).toBe(Kind.FILE);
  expect(kindOf("")).toBe(Kind.FILE);
  const picture = new Blob(["x"], { type: "image/png" });
  expect(draftOf(picture, "x", { isOriginal: true }).kind).toBe(Kind.FILE);
});

describe("Attachments", () => {
  let store: MemoryStore;
  let log: Log;
  let ready: Outgoing[];
  let refused: ChatError[];
  let asked: UploadOptions[];
  let uploaded: Blob[];
  let cancelled: string[];
  let outcomes: (StoredFile | ChatError)[];
  let attachments: Attachments;
  const events = new Emitter<ChatEvents>();

  async function open(): Promise<void> {
    log = new Log(store, () => undefined);
    await log.open();
    attachments = new Attachments({
      log,
      events,
      random: () => 1,
      onReady: (outgoing) => ready.push(outgoing),
      onRefused: (_, error) => refused.push(error),
      files: {
        upload: (file, options = {}) => {
          uploaded.push(file);
          asked.push(options);
          options.onCreated?.("upload-1");
          options.onProgress?.(2);
          const outcome = outcomes.shift();
          if (outcome instanceof ChatError) return Promise.reject(outcome);
          return outcome ? Promise.resolve(outcome) : new Promise(() => undefined);
        },
        cancel: async (id) => void cancelled.push(id),
      },
    });
  }

  async function add(id = ID, file = new Blob(["abc"], { type: "video/mp4" })): Promise<void> {
    const { kind = 0, ...draft } = draftOf(file, "cat.png", { width: 1, height: 1 });
    const body = encodeDraft(draft);
    await log.putOutgoing({ conversationId: CHAT, clientMessageId: id, kind, body, file, createdAtMs: 5 });
    attachments.start(id);
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    store = new MemoryStore();
    [ready, refused, asked, uploaded, cancelled, outcomes] = [[], [], [], [], [], []];
    await open();
  });
  afterEach(() => {
    attachments.stop();
    events.clear();
    vi.useRealTimers();
  });

  it("hands a message on when its file is there, with what the server has found", async () => {
    const progress: number[] = [];
    events.on("upload", ({ sentBytes }) => progress.push(sentBytes));
    outcomes = [STORED];
    await add();
    await vi.advanceTimersByTimeAsync(0);
    expect(progress).toEqual([2]);
    const media = ready[0] && contentOf(ready[0]).media;
    expect(media).toMatchObject({ blobId: STORED.blobId, name: "cat.png", width: 8, height: 6 });
    expect(log.outgoingRow(ID)?.file).toBeUndefined();
  });

  it("goes on by the same upload after a cut", async () => {
    outcomes = [new ChatError(ErrorCode.CONNECTION_LOST), STORED];
    await add();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.map((one) => one.uploadId)).toEqual([undefined, "upload-1"]);
    expect(ready).toHaveLength(1);
  });

  it("goes on by the same upload after a reload", async () => {
    await add();
    attachments.stop();
    outcomes = [STORED];
    await open();
    await attachments.resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.at(-1)?.uploadId).toBe("upload-1");
    expect(ready).toHaveLength(1);
  });

  it("tells what is refused for good, and does not try it again", async () => {
    outcomes = [new ChatError(ErrorCode.MEDIA_TOO_LARGE)];
    await add();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refused.map((one) => one.codeName)).toEqual(["MEDIA_TOO_LARGE"]);
    expect(asked).toHaveLength(1);
  });

  it("gives up a picture that the browser cannot read any more", async () => {
    await add(ID, new UnreadableBlob(["abc"], { type: "image/png" }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refused.map((one) => one.codeName)).toEqual(["FILE_UNREADABLE"]);
  });

  it("has the server forget an upload of which nothing more comes", async () => {
    outcomes = [new ChatError(ErrorCode.FILE_UNREADABLE)];
    await add();
    await vi.advanceTimersByTimeAsync(0);
    expect(cancelled).toEqual(["upload-1"]);
  });

  it("stops what is not wanted any more, on the server too", async () => {
    await add();
    attachments.cancel(ID);
    expect(asked[0]?.signal?.aborted).toBe(true);
    expect(cancelled).toEqual(["upload-1"]);
  });

  it("leaves out what a picture tells besides itself, and sends other files as they are", async () => {
    const type = "image/png";
    const before = picture("eXIf");
    await add(ID, new Blob([before], { type }));
    await vi.waitFor(() => expect(uploaded).toHaveLength(1));
    expect(uploaded[0]?.type).toBe(type);
    expect(uploaded[0]?.size).toBe(picture("").length);
    await add("0e".repeat(16), new Blob([before], { type: "image/heic" }));
    await vi.waitFor(() => expect(uploaded).toHaveLength(2));
    expect(uploaded[1]?.size).toBe(before.length);
  });

  it("uploads two at a time, the others after them", async () => {
    for (const id of ["0a", "0b", "0c"]) await add(id.repeat(16));
    expect(asked).toHaveLength(2);
  });
});
