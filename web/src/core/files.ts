/** Files over HTTP (docs/media.md): up in parts that can be resumed, down in one that is gone on with. */

import { readBlob } from "./blobs";
import { refusal, type Credentials } from "./credentials";
import { Arrived, download } from "./download";
import { ChatError, ErrorClass, ErrorCode, asChatError } from "./errors";
import type { FileLimits, FileRef, OwnFiles } from "./model/files";

/** A file as the server has found it. */
export interface StoredFile {
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** As it is shown; 0 when it is no picture. */
  readonly width: number;
  readonly height: number;
}

export interface UploadOptions {
  /** For the owner's list of files. */
  readonly name?: string;
  /** One that was begun before; what has arrived of it is not sent again. */
  readonly uploadId?: string;
  readonly onCreated?: (uploadId: string) => void;
  readonly onProgress?: (sentBytes: number) => void;
  readonly signal?: AbortSignal;
}

interface UploadAnswer {
  readonly offset_bytes: number;
  readonly blob: {
    readonly blob_id: string;
    readonly size_bytes: number;
    readonly media_type: string;
    readonly width: number;
    readonly height: number;
  } | null;
}

interface OwnAnswer {
  readonly used_bytes: number;
  readonly quota_bytes: number;
  readonly files: readonly {
    readonly blob_id: string;
    readonly name: string;
    readonly media_type: string;
    readonly size_bytes: number;
    readonly has_thumbnail: boolean;
    readonly added_at_ms: number;
  }[];
  readonly next: string | null;
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Blob;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** How long an answer may take to begin where there is another unit to ask. */
  readonly patienceMs?: number;
  /** A unit that is asked last. */
  readonly avoid?: string | undefined;
  /** Is told which unit has answered. */
  readonly onUnit?: (unit: string) => void;
}

/** What the server looks into as a picture; other pictures travel as files. */
export const PICTURE_TYPES: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
]);
const MAX_NAME_CHARS = 200;
const MAX_PICTURE_BYTES = 32 * 1024 * 1024;
/** What a part may weigh; the server takes none below 64 KiB but the last. */
const MIN_PART_BYTES = 128 * 1024;
const MAX_PART_BYTES = 4 * 1024 * 1024;
/** A part shall take about so long: that progress is seen, and a cut costs little. */
const QUICK_MS = 500;
const SLOW_MS = 3_000;
const PART_TIMEOUT_MS = 180_000;
const ASK_TIMEOUT_MS = 30_000;
const FETCH_TIMEOUT_MS = 600_000;
const PATIENCE_MS = 5_000;
/** So long the part of a file waits for who asks for the rest. */
const KEEP_PART_MS = 600_000;

/** What this server's files are asked for with. All units have the same. */
export class Files {
  readonly #origin: string;
  readonly #fetch: typeof fetch;
  readonly #credentials: Pick<Credentials, "token" | "forget">;
  readonly #elsewhere: () => string | undefined;
  /** The unit that stands in for the page's own, as long as the link leads there. */
  #standIn: string | undefined;
  #limits: FileLimits | undefined;
  /** What came of the file that broke off last; of one, for it may be large. */
  #part: { readonly path: string; readonly arrived: Arrived } | undefined;

  /** @param elsewhere the unit to which the link leads just now; undefined: to the page's own, or nowhere. */
  constructor(
    origin: string,
    fetcher: typeof fetch,
    credentials: Pick<Credentials, "token" | "forget">,
    elsewhere: () => string | undefined = () => undefined,
  ) {
    this.#origin = origin;
    this.#fetch = fetcher;
    this.#credentials = credentials;
    this.#elsewhere = elsewhere;
  }

  /** What may be uploaded. @throws ChatError what the server answered; CONNECTION_LOST. */
  async limits(): Promise<FileLimits> {
    if (this.#limits !== undefined) return this.#limits;
    const answer = await this.#ask("OPTIONS", "/v1/uploads");
    const maxBytes = Number(answer.headers.get("Tus-Max-Size") ?? Number.MAX_SAFE_INTEGER);
    this.#limits = { maxBytes, maxPictureBytes: Math.min(maxBytes, MAX_PICTURE_BYTES) };
    return this.#limits;
  }

  /** A file's content; when that is cut, the rest of another unit, if there is one. Who asks again after it
   * failed gets the rest too.
   * @throws ChatError as {@link limits}. */
  async fetchFile(ref: FileRef): Promise<Blob> {
    const path = pathOf(ref);
    const isPart = this.#part?.path === path;
    const arrived = (isPart && this.#part?.arrived) || new Arrived();
    if (isPart) this.#part = undefined;
    let unit: string | undefined;
    let avoid: string | undefined;
    const onUnit = (answering: string): void => void (unit = answering);
    const timeoutMs = FETCH_TIMEOUT_MS;
    try {
      return await download((headers) => this.#ask("GET", path, { headers, timeoutMs, avoid, onUnit }), {
        onCut: () => (avoid = unit),
        arrived,
      });
    } catch (error) {
      if (asChatError(error).isForNow && arrived.sizeBytes > 0) this.#keep({ path, arrived });
      throw error;
    }
  }

  #keep(part: { readonly path: string; readonly arrived: Arrived }): void {
    this.#part = part;
    setTimeout(() => {
      if (this.#part === part) this.#part = undefined;
    }, KEEP_PART_MS);
  }

  /** What the account has. @throws ChatError as {@link limits}. */
  async own(after = ""): Promise<OwnFiles> {
    const answer = await this.#ask("GET", `/v1/media?after=${encodeURIComponent(after)}`);
    const told = (await answer.json().catch(() => undefined)) as OwnAnswer | undefined;
    if (told === undefined) throw new ChatError(ErrorCode.CONNECTION_LOST);
    return {
      usedBytes: told.used_bytes,
      quotaBytes: told.quota_bytes,
      files: told.files.map((file) => ({
        blobId: file.blob_id,
        name: file.name,
        mediaType: file.media_type,
        sizeBytes: file.size_bytes,
        hasThumbnail: file.has_thumbnail,
        addedAtMs: file.added_at_ms,
      })),
      next: told.next ?? "",
    };
  }

  /** Delete one of them. @throws ChatError as {@link limits}. */
  async delete(blobId: string): Promise<void> {
    await this.#ask("DELETE", `/v1/media/${encodeURIComponent(blobId)}`);
  }

  /**
   * Bring a file to the server, all of it or what is missing.
   *
   * @throws ChatError what the server answered; CONNECTION_LOST, also when the signal says stop;
   *   FILE_UNREADABLE.
   */
  async upload(file: Blob, options: UploadOptions = {}): Promise<StoredFile> {
    const { signal, onCreated, onProgress } = options;
    let uploadId = options.uploadId;
    let offset = 0;
    if (uploadId !== undefined) {
      const known = await this.#look(uploadId, signal);
      if (known === undefined) uploadId = undefined;
      else offset = known.offset_bytes;
    }
    if (uploadId === undefined) {
      uploadId = await this.#create(file, options.name ?? "", signal);
      onCreated?.(uploadId);
    }
    onProgress?.(offset);
    let partBytes = MIN_PART_BYTES * 2;
    while (offset < file.size) {
      const sinceMs = performance.now();
      offset = await this.#append(uploadId, file.slice(offset, offset + partBytes), offset, signal);
      onProgress?.(offset);
      const tookMs = performance.now() - sinceMs;
      if (tookMs < QUICK_MS) partBytes = Math.min(MAX_PART_BYTES, partBytes * 2);
      else if (tookMs > SLOW_MS) partBytes = Math.max(MIN_PART_BYTES, partBytes / 2);
    }
    const stored = (await this.#look(uploadId, signal))?.blob;
    if (!stored) throw new ChatError(ErrorCode.UNAVAILABLE);
    return {
      blobId: stored.blob_id,
      sizeBytes: stored.size_bytes,
      mediaType: stored.media_type,
      width: stored.width,
      height: stored.height,
    };
  }

  /** Forget an upload that is not wanted any more; if that fails the server does so by itself. */
  async cancel(uploadId: string): Promise<void> {
    await this.#ask("DELETE", `/v1/uploads/${uploadId}`).catch(() => undefined);
  }

  async #create(file: Blob, name: string, signal: AbortSignal | undefined): Promise<string> {
    const told = { filetype: typeOf(file), ...(name && { filename: name.slice(0, MAX_NAME_CHARS) }) };
    const headers = {
      "Upload-Length": String(file.size),
      "Upload-Metadata": Object.entries(told)
        .map(([key, value]) => `${key} ${toBase64(value)}`)
        .join(","),
    };
    const answer = await this.#ask("POST", "/v1/uploads", { headers, signal });
    const uploadId = answer.headers.get("Location")?.split("/").at(-1);
    if (!uploadId) throw new ChatError(ErrorCode.UNAVAILABLE);
    return uploadId;
  }

  async #append(
    uploadId: string,
    part: Blob,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const headers = {
      "Upload-Offset": String(offset),
      "Content-Type": "application/offset+octet-stream",
    };
    // Read here: what fails in fetch could be the connection as well. Without a type of its own,
    // which would take the place of the header's.
    const body = new Blob([await readBlob(part)]);
    const asked = { headers, body, signal, timeoutMs: PART_TIMEOUT_MS, patienceMs: PART_TIMEOUT_MS };
    try {
      const answer = await this.#ask("PATCH", `/v1/uploads/${uploadId}`, asked);
      return Number(answer.headers.get("Upload-Offset") ?? offset + part.size);
    } catch (reason) {
      const error = asChatError(reason);
      if (error.code !== ErrorCode.UPLOAD_ELSEWHERE) throw error;
      // What seemed lost had arrived.
      return Number(error.fields["offset"] ?? offset);
    }
  }

  /** How far an upload is, and what became of it; undefined: the server knows nothing of it. */
  async #look(
    uploadId: string,
    signal: AbortSignal | undefined,
  ): Promise<UploadAnswer | undefined> {
    try {
      // With all of it there, a file is made of it first.
      const asked = { signal, timeoutMs: PART_TIMEOUT_MS, patienceMs: PART_TIMEOUT_MS };
      const answer = await this.#ask("GET", `/v1/uploads/${uploadId}`, asked);
      return (await answer.json()) as UploadAnswer;
    } catch (error) {
      if (error instanceof ChatError && error.code === ErrorCode.MEDIA_NOT_FOUND) return undefined;
      if (error instanceof ChatError) throw error;
      throw new ChatError(ErrorCode.CONNECTION_LOST);
    }
  }

  async #ask(
    method: string,
    path: string,
    init: Asked = {},
  ): Promise<Response> {
    for (let isSecond = false; ; isSecond = true) {
      const { accessToken } = await this.#credentials.token();
      const answer = await this.#request(method, path, accessToken, init);
      if (answer.ok) return answer;
      const error = refusal(await answer.json().catch(() => undefined));
      if (error.errorClass !== ErrorClass.UNAUTHENTICATED || isSecond) throw error;
      // Perhaps the access token alone is no longer good.
      this.#credentials.forget(accessToken);
    }
  }

  /** Of the page's own unit; while that is away, of the one to which the link leads. */
  async #request(
    method: string,
    path: string,
    accessToken: string,
    init: Asked,
  ): Promise<Response> {
    const own = this.#origin;
    const other = this.#elsewhere();
    const isAway = other !== undefined && other === this.#standIn;
    const units = other === undefined ? [own] : isAway ? [other, own] : [own, other];
    units.sort((one, another) => Number(one === init.avoid) - Number(another === init.avoid));
    for (const unit of units) {
      const { timeoutMs = ASK_TIMEOUT_MS, patienceMs = PATIENCE_MS } = init;
      const silentMs = unit === units.at(-1) ? timeoutMs : patienceMs;
      const answer = await this.#fetchFrom(`${unit}${path}`, method, accessToken, init, silentMs);
      if (answer !== undefined) {
        this.#standIn = unit === own ? undefined : unit;
        init.onUnit?.(unit);
        return answer;
      }
      if (init.signal?.aborted) break;
    }
    throw new ChatError(ErrorCode.CONNECTION_LOST);
  }

  /** undefined: nobody has answered. */
  async #fetchFrom(
    url: string,
    method: string,
    accessToken: string,
    { headers, body, signal, timeoutMs = ASK_TIMEOUT_MS }: Asked,
    silentMs: number,
  ): Promise<Response | undefined> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), silentMs);
    const signals = [AbortSignal.timeout(timeoutMs), silence.signal];
    const fetcher = this.#fetch;
    try {
      return await fetcher(url, {
        method,
        headers: { ...headers, Authorization: `Bearer ${accessToken}` },
        // No cookie is needed, so none is sent.
        credentials: "omit",
        signal: AbortSignal.any(signal === undefined ? signals : [signal, ...signals]),
        ...(body && { body }),
      });
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}

function pathOf(ref: FileRef): string {
  const blobId = encodeURIComponent(ref.blobId);
  if (ref.is === "avatar") return `/v1/avatars/${encodeURIComponent(ref.userId)}?of=${blobId}`;
  const path = `/v1/media/${blobId}`;
  return ref.is === "thumbnail" ? `${path}/thumbnail` : path;
}

function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** The media type, as far as it can stand in a header. */
function typeOf(file: Blob): string {
  const [type = ""] = file.type.split(";");
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : "application/octet-stream";
}
