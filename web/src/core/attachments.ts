/** Messages whose file is still on its way up: begun, resumed, stopped, and handed on when it is there. */

import type { ChatEvents } from "./api";
import { Backoff } from "./backoff";
import type { Emitter } from "./emitter";
import { ChatError, asChatError } from "./errors";
import { PICTURE_TYPES, type Files, type StoredFile } from "./files";
import { fileWithoutMetadata } from "./image_metadata";
import type { Log } from "./log";
import { Kind, type Draft } from "./model/entries";
import type { FileFacts, Media } from "./model/files";
import type { Outgoing } from "./outbox";
import { pause } from "./pause";
import type { OutgoingRow } from "./store";
import { contentOf, encodeDraft, ownKey } from "./wire/entry";

export interface AttachmentsOptions {
  readonly log: Log;
  readonly files: Pick<Files, "upload" | "cancel">;
  readonly events: Emitter<ChatEvents>;
  /** Its file is there: it can be sent. */
  readonly onReady: (outgoing: Outgoing) => void;
  readonly onRefused: (row: OutgoingRow, error: ChatError) => void;
  readonly random?: () => number;
}

/** Under which the log keeps what uploads are called, by message. */
const KEPT = "uploads";
/** Uploads at a time; the others wait for their turn. */
const MAX_RUNNING = 2;

/** What a file is sent as. */
export function draftOf(file: Blob, name: string, facts: FileFacts = {}): Draft {
  const { width = 0, height = 0, durationMs = 0 } = facts;
  const kind = kindOf(file, facts);
  const about = { blobId: "", name, mediaType: file.type, sizeBytes: file.size };
  const media = { ...about, width, height, durationMs: Math.round(durationMs) };
  return { text: name, kind, media };
}

function kindOf({ type }: Blob, { durationMs = 0, isOriginal = false }: FileFacts): number {
  if (isOriginal) return Kind.FILE;
  if (PICTURE_TYPES.has(type)) return Kind.IMAGE;
  return durationMs > 0 && type.startsWith("audio/") ? Kind.VOICE : Kind.FILE;
}

/** Whether a message is to go after files that are still on their way up. */
export function isHeldUp(row: Pick<OutgoingRow, "conversationId" | "after">, log: Pick<Log, "outgoing">): boolean {
  if (row.after === undefined) return false;
  const uploading = log.outgoing(row.conversationId).filter((one) => one.file && !one.refusal);
  return uploading.some((one) => row.after?.includes(ownKey(one.clientMessageId)));
}

/** One per log-in. An upload is tried again until its file is there, refused for good, or cancelled. */
export class Attachments {
  readonly #options: AttachmentsOptions;
  readonly #running = new Map<string, AbortController>();
  readonly #due: string[] = [];
  readonly #uploadIds = new Map<string, string>();

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  /** Go on with what the last visit had begun. */
  async resume(): Promise<void> {
    const { log } = this.#options;
    const waiting = log.outgoing().filter((row) => row.file && row.refusal === undefined);
    if (waiting.length === 0) return;
    // Kept below under this name, so it is of this type.
    const known = ((await log.kept(KEPT)) ?? {}) as Readonly<Record<string, string>>;
    for (const { clientMessageId } of waiting) {
      const uploadId = known[clientMessageId];
      if (uploadId !== undefined) this.#uploadIds.set(clientMessageId, uploadId);
      this.start(clientMessageId);
    }
  }

  /** Upload the file of a message that is in the outbox. */
  start(clientMessageId: string): void {
    if (this.#running.has(clientMessageId) || this.#due.includes(clientMessageId)) return;
    this.#due.push(clientMessageId);
    this.#next();
  }

  /** The message is not wanted any more. */
  cancel(clientMessageId: string): void {
    this.#running.get(clientMessageId)?.abort();
    const place = this.#due.indexOf(clientMessageId);
    if (place >= 0) this.#due.splice(place, 1);
    this.#giveUp(clientMessageId);
  }

  /** Nothing goes on; the next visit resumes it. */
  stop(): void {
    this.#due.length = 0;
    for (const running of this.#running.values()) running.abort();
  }

  #next(): void {
    while (this.#running.size < MAX_RUNNING) {
      const id = this.#due.shift();
      if (id === undefined) return;
      const stopping = new AbortController();
      this.#running.set(id, stopping);
      void this.#run(id, stopping.signal).finally(() => {
        this.#running.delete(id);
        this.#next();
      });
    }
  }

  /** Try until it is there, refused for good, or not wanted any more. */
  async #run(id: string, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const backoff = new Backoff(this.#options.random);
    for (;;) {
      const row = log.outgoingRow(id);
      if (signal.aborted || row?.file === undefined) return;
      const outcome = await this.#upload(row, row.file, signal).catch(asChatError);
      if (signal.aborted) return;
      if (!(outcome instanceof ChatError)) return this.#ready(row, outcome);
      if (!outcome.isForNow) {
        this.#giveUp(id);
        this.#options.onRefused(row, outcome);
        return;
      }
      await pause(backoff.nextMs(outcome.retryAfterMs), signal);
    }
  }

  async #upload(row: OutgoingRow, original: Blob, signal: AbortSignal): Promise<StoredFile> {
    const { clientMessageId, conversationId } = row;
    // Nobody who sends a picture means to tell where it was taken. The same bytes at every try.
    const file = row.kind === Kind.IMAGE ? await fileWithoutMetadata(original) : original;
    const about = { conversationId, key: ownKey(clientMessageId), sizeBytes: file.size };
    return this.#options.files.upload(file, {
      name: contentOf(row).media?.name,
      uploadId: this.#uploadIds.get(clientMessageId),
      signal,
      onCreated: (uploadId) => this.#remember(clientMessageId, uploadId),
      onProgress: (sentBytes) => this.#options.events.emit("upload", { ...about, sentBytes }),
    });
  }

  async #ready(row: OutgoingRow, stored: StoredFile): Promise<void> {
    const { conversationId, clientMessageId, kind, createdAtMs } = row;
    const { text, media } = contentOf(row);
    this.#forget(clientMessageId);
    const body = encodeDraft({ text, media: media && withStored(media, stored) });
    const outgoing = { conversationId, clientMessageId, kind, body };
    const kept = this.#options.log.putOutgoing({ ...outgoing, createdAtMs });
    this.#options.onReady(outgoing);
    await kept;
  }

  #remember(clientMessageId: string, uploadId: string): void {
    this.#uploadIds.set(clientMessageId, uploadId);
    this.#keep();
  }

  #forget(clientMessageId: string): void {
    if (this.#uploadIds.delete(clientMessageId)) this.#keep();
  }

  /** Nothing more comes of its upload: until the server has forgotten it, it counts for the quota. */
  #giveUp(clientMessageId: string): void {
    const uploadId = this.#uploadIds.get(clientMessageId);
    this.#forget(clientMessageId);
    if (uploadId !== undefined) void this.#options.files.cancel(uploadId);
  }

  #keep(): void {
    void this.#options.log.keep(KEPT, Object.fromEntries(this.#uploadIds));
  }
}

/** What the server has found goes before what the browser thought. */
function withStored(media: Media, stored: StoredFile): Media {
  return {
    ...media,
    blobId: stored.blobId,
    mediaType: stored.mediaType || media.mediaType,
    sizeBytes: stored.sizeBytes,
    width: stored.width || media.width,
    height: stored.height || media.height,
  };
}
