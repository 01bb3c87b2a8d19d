/** A file's content on its way down: what was cut is gone on with where it broke off. */

import { Backoff } from "./backoff";
import { ChatError, ErrorCode, asChatError } from "./errors";
import { pause } from "./pause";

/** Asks for the content, or with these headers for the rest of it. @throws ChatError */
export type Ask = (headers: Readonly<Record<string, string>>) => Promise<Response>;

export interface DownloadOptions {
  /** It was cut, and the rest will be asked for. */
  readonly onCut?: () => void;
  readonly random?: () => number;
  /** What came of it when it was asked for before: it is gone on with, also by who asks once more. */
  readonly arrived?: Arrived;
}

/** So often in a row may nothing come of asking for the rest; some ten seconds. */
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4_000;
/** Who says nothing for so long, in the middle of a file, is asked no more. */
const SILENCE_MS = 20_000;
/** Beyond it pieces are handed to the browser, which need not hold them in memory. */
const LOOSE_BYTES = 1 << 20;

/** What has come of a content so far. */
export class Arrived {
  sizeBytes = 0;
  #type = "";
  #tag = "";
  #parts: Blob[] = [];
  #loose: Uint8Array<ArrayBuffer>[] = [];
  #looseBytes = 0;

  /** Asks for what is missing, of this content and of no other. */
  get rest(): Readonly<Record<string, string>> {
    if (this.sizeBytes === 0 || this.#tag === "") return {};
    return { Range: `bytes=${this.sizeBytes}-`, "If-Range": this.#tag };
  }

  /** What comes next belongs to this answer: it goes on, or is the whole content again. */
  begin({ status, headers }: Response): void {
    const goesOn = headers.get("Content-Range")?.startsWith(`bytes ${this.sizeBytes}-`);
    if (status === 206 && goesOn) return;
    this.#parts = [];
    this.#loose = [];
    this.sizeBytes = this.#looseBytes = 0;
    if (status === 206) throw new ChatError(ErrorCode.UNAVAILABLE);
    this.#type = headers.get("Content-Type") ?? "";
    this.#tag = headers.get("ETag") ?? "";
  }

  add(piece: Uint8Array<ArrayBuffer>): void {
    this.#loose.push(piece);
    this.sizeBytes += piece.length;
    this.#looseBytes += piece.length;
    if (this.#looseBytes < LOOSE_BYTES) return;
    this.#parts.push(new Blob(this.#loose));
    this.#loose = [];
    this.#looseBytes = 0;
  }

  get whole(): Blob {
    return new Blob([...this.#parts, ...this.#loose], { type: this.#type });
  }
}

/**
 * All of a content.
 *
 * @throws ChatError what the first question was answered; CONNECTION_LOST, or what the last question
 * was answered, when nothing more came of asking for the rest.
 */
export async function download(ask: Ask, options: DownloadOptions = {}): Promise<Blob> {
  const { onCut, random, arrived = new Arrived() } = options;
  const backoff = new Backoff(random, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  let isBegun = false;
  for (let tries = 0; ; tries += 1) {
    const before = arrived.sizeBytes;
    let answer: Response | undefined;
    try {
      answer = await ask(arrived.rest);
      isBegun = true;
      arrived.begin(answer);
      await take(answer, (piece) => arrived.add(piece));
      return arrived.whole;
    } catch (reason) {
      const error = asChatError(reason);
      if (arrived.sizeBytes > before) {
        tries = 0;
        backoff.reset();
      }
      if (!isBegun || !error.isForNow || tries >= MAX_TRIES) throw error;
      if (answer !== undefined) onCut?.();
      await pause(backoff.nextMs(error.retryAfterMs));
    }
  }
}

/** @throws ChatError CONNECTION_LOST: it was cut. */
async function take({ body }: Response, onPiece: (piece: Uint8Array<ArrayBuffer>) => void): Promise<void> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  let isSilent = false;
  for (;;) {
    const silence = setTimeout(() => {
      // To whoever reads this looks like the end.
      isSilent = true;
      void reader.cancel().catch(() => undefined);
    }, SILENCE_MS);
    const read = await reader.read().catch(() => undefined);
    clearTimeout(silence);
    if (read === undefined || isSilent) throw new ChatError(ErrorCode.CONNECTION_LOST);
    if (read.done) return;
    onPiece(read.value);
  }
}
