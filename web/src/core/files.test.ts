import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { UnreadableBlob } from "../../tests/blobs";
import { ErrorCode } from "./errors";
import { Files } from "./files";

const ID = "0c".repeat(16);
const BLOB = "ab".repeat(32);

/** A server that keeps uploads as docs/media.md says. */
const OWN = {
  used_bytes: 7,
  quota_bytes: 9,
  files: [
    { blob_id: BLOB, name: "a", media_type: "image/png", size_bytes: 7, has_thumbnail: true, added_at_ms: 3 },
  ],
  next: null,
};

class FakeStore {
  readonly asked: string[] = [];
  readonly tokens: string[] = [];
  offset = 0;
  size = 0;
  parts: number[] = [];
  metadata = "";
  /** The next PATCH arrives, but its answer does not. */
  losesAnswer = false;
  isForgotten = false;
  badToken = "";
  readonly deleted: string[] = [];
  /** Which units were asked, those that are gone, and those that say nothing. */
  readonly units: string[] = [];
  readonly away = new Set<string>();
  readonly silent = new Set<string>();
  /** Those that break off in the middle of a file. */
  readonly cutting = new Set<string>();
  /** What was asked for of files. */
  readonly ranges: (string | null)[] = [];

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const { origin, pathname: path } = new URL(String(input));
    init.signal?.throwIfAborted();
    this.units.push(origin);
    if (this.silent.has(origin)) await new Promise((_, fail) => init.signal?.addEventListener("abort", fail));
    if (this.away.has(origin)) throw new TypeError("network");
    const headers = new Headers(init.headers);
    this.asked.push(`${init.method} ${path}`);
    this.tokens.push(headers.get("Authorization") ?? "");
    if (headers.get("Authorization") === `Bearer ${this.badToken}`) return refuse(401, ErrorCode.TOKEN_EXPIRED);
    switch (init.method) {
      case "OPTIONS":
        return new Response(null, { status: 204, headers: { "Tus-Max-Size": "1000" } });
      case "POST":
        this.size = Number(headers.get("Upload-Length"));
        this.metadata = headers.get("Upload-Metadata") ?? "";
        return new Response(null, { status: 201, headers: { Location: `/v1/uploads/${ID}` } });
      case "PATCH":
        return this.#append(Number(headers.get("Upload-Offset")), init.body as Blob);
      case "DELETE":
        this.deleted.push(path);
        return new Response(null, { status: 204 });
      default:
        if (path.startsWith("/v1/media/")) return this.#file(origin, headers.get("Range"));
        return this.#show(path);
    }
  };

  #file(origin: string, range: string | null): Response {
    this.ranges.push(range);
    if (this.isForgotten) return refuse(404, ErrorCode.MEDIA_NOT_FOUND);
    const from = Number(range?.match(/\d+/)?.[0] ?? 0);
    const isCut = this.cutting.has(origin);
    const body = new ReadableStream({
      start: (stream) => stream.enqueue(new TextEncoder().encode("bytes".slice(from, isCut ? 2 : undefined))),
      pull: (stream) => (isCut ? stream.error(new TypeError("network")) : stream.close()),
    });
    const place = { ETag: '"ab"', "Content-Range": `bytes ${from}-4/5` };
    return new Response(body, { status: range === null ? 200 : 206, headers: place });
  }

  #append(offset: number, body: Blob): Response {
    if (offset !== this.offset) return refuse(409, ErrorCode.UPLOAD_ELSEWHERE, { offset: String(this.offset) });
    this.offset += body.size;
    this.parts.push(body.size);
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw new TypeError("network");
    }
    return new Response(null, { status: 204, headers: { "Upload-Offset": String(this.offset) } });
  }

  #show(path: string): Response {
    if (path === "/v1/media") return Response.json(OWN);
    if (this.isForgotten) {
      this.isForgotten = false;
      return refuse(404, ErrorCode.MEDIA_NOT_FOUND);
    }
    const isWhole = this.offset >= this.size;
    const blob = { blob_id: BLOB, size_bytes: this.size, media_type: "image/png", width: 4, height: 3 };
    return Response.json({ offset_bytes: this.offset, blob: isWhole ? blob : null });
  }
}

function refuse(status: number, code: number, fields = {}): Response {
  return Response.json({ code, fields }, { status });
}

describe("Files", () => {
  let store: FakeStore;
  let files: Files;
  let token: string;
  /** To which unit the link leads, when it is another one. */
  let linked: string | undefined;

  beforeEach(() => {
    store = new FakeStore();
    token = "one";
    linked = undefined;
    const credentials = {
      token: async () => ({ accessToken: token, deviceId: new Uint8Array() }),
      forget: () => (token = "two"),
    };
    files = new Files("http://here", store.fetch, credentials, () => linked);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const big = () => new Blob([new Uint8Array(3_000_000)], { type: "image/png" });

  it("brings a file up in parts, and says how far it is", async () => {
    const progress: number[] = [];
    const stored = await files.upload(big(), { onProgress: (bytes) => progress.push(bytes) });
    expect(stored).toMatchObject({ blobId: BLOB, mediaType: "image/png", width: 4, height: 3 });
    expect(store.parts.length).toBeGreaterThan(1);
    expect(progress[0]).toBe(0);
    expect(progress.at(-1)).toBe(3_000_000);
    expect(store.metadata).toBe(`filetype ${btoa("image/png")}`);
  });

  it("tells what a file is called, in any language", async () => {
    await files.upload(big(), { name: "图.png" });
    const [, name] = store.metadata.split(",");
    expect(name).toBe(`filename ${Buffer.from("图.png").toString("base64")}`);
  });

  it("lists one's own files, and deletes one", async () => {
    const own = await files.own("5-ab");
    expect(store.asked).toEqual(["GET /v1/media"]);
    expect(own).toMatchObject({ usedBytes: 7, quotaBytes: 9, next: "" });
    expect(own.files).toEqual([
      { blobId: BLOB, name: "a", mediaType: "image/png", sizeBytes: 7, hasThumbnail: true, addedAtMs: 3 },
    ]);
    await files.delete(BLOB);
    expect(store.deleted).toEqual([`/v1/media/${BLOB}`]);
  });

  it("goes on where an upload was, and sends nothing twice", async () => {
    let uploadId = "";
    store.losesAnswer = true;
    const lost = files.upload(big(), { onCreated: (id) => (uploadId = id) });
    await expect(lost).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
    const arrived = store.offset;
    expect(arrived).toBeGreaterThan(0);
    const progress: number[] = [];
    await files.upload(big(), { uploadId, onProgress: (bytes) => progress.push(bytes) });
    expect(progress[0]).toBe(arrived);
    expect(store.parts.reduce((sum, one) => sum + one, 0)).toBe(3_000_000);
    expect(store.asked.filter((one) => one.startsWith("POST"))).toHaveLength(1);
  });

  it("gives up a file that the browser cannot read any more", async () => {
    const gone = { code: ErrorCode.FILE_UNREADABLE };
    await expect(files.upload(new UnreadableBlob(["abc"]))).rejects.toMatchObject(gone);
  });

  it("goes to where the server says that it is", async () => {
    store.size = 3_000_000;
    store.offset = 2_000_000;
    await files.upload(big());
    expect(store.parts.reduce((sum, one) => sum + one, 0)).toBe(1_000_000);
  });

  it("begins anew when the server has forgotten the upload", async () => {
    store.isForgotten = true;
    expect((await files.upload(big(), { uploadId: ID })).blobId).toBe(BLOB);
  });

  it("stops when it is told to", async () => {
    const stopping = new AbortController();
    const onProgress = (bytes: number) => bytes > 0 && stopping.abort();
    const stopped = files.upload(big(), { signal: stopping.signal, onProgress });
    await expect(stopped).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
    expect(store.parts).toHaveLength(1);
  });

  it("asks again with the next token when one is refused, once", async () => {
    store.badToken = "one";
    await files.fetchFile({ is: "file", blobId: BLOB });
    expect(store.tokens).toEqual(["Bearer one", "Bearer two"]);
    token = "one";
    store.badToken = "two";
    store.tokens.length = 0;
    token = "two";
    await expect(files.fetchFile({ is: "avatar", userId: "10001", blobId: BLOB })).rejects.toMatchObject({ code: ErrorCode.TOKEN_EXPIRED });
    expect(store.tokens).toHaveLength(2);
  });

  it("asks for files, small pictures and avatars where they are", async () => {
    await files.fetchFile({ is: "file", blobId: BLOB });
    await files.fetchFile({ is: "thumbnail", blobId: BLOB });
    await files.fetchFile({ is: "file", blobId: "../session" });
    expect(store.asked).toEqual([
      `GET /v1/media/${BLOB}`,
      `GET /v1/media/${BLOB}/thumbnail`,
      "GET /v1/media/..%2Fsession",
    ]);
  });

  it("asks the unit of the link while the page's own is away, and that again when the link moves", async () => {
    const ask = () => files.fetchFile({ is: "file", blobId: BLOB });
    linked = "http://there";
    await ask();
    store.away.add("http://here");
    await ask();
    await ask();
    expect(store.units.splice(0)).toEqual(["http://here", "http://here", "http://there", "http://there"]);
    store.away.clear();
    linked = undefined;
    await ask();
    linked = "http://there";
    await ask();
    expect(store.units.splice(0)).toEqual(["http://here", "http://here"]);
    store.away.add("http://here").add("http://there");
    await expect(ask()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  });

  it("asks another unit for the rest of a file that was cut, and the same when there is no other", async () => {
    vi.useFakeTimers();
    linked = "http://there";
    store.cutting.add("http://here");
    const asked = files.fetchFile({ is: "file", blobId: BLOB });
    await vi.runAllTimersAsync();
    expect(await (await asked).text()).toBe("bytes");
    expect(store.units.splice(0)).toEqual(["http://here", "http://there"]);
    linked = undefined;
    const again = files.fetchFile({ is: "file", blobId: BLOB });
    await vi.advanceTimersByTimeAsync(0);
    store.cutting.clear();
    await vi.runAllTimersAsync();
    expect(await (await again).text()).toBe("bytes");
    expect(store.units).toEqual(["http://here", "http://here"]);
  });

  describe("a file that broke off", () => {
    const ask = (is: "file" | "thumbnail" = "file") => files.fetchFile({ is, blobId: BLOB });

    beforeEach(async () => {
      vi.useFakeTimers();
      store.cutting.add("http://here");
      const failed = expect(ask()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
      await vi.advanceTimersByTimeAsync(60_000);
      await failed;
      store.cutting.clear();
      store.ranges.length = 0;
    });

    it("is gone on with by who asks again, once", async () => {
      for (let time = 0; time < 2; time++) expect(await (await ask()).text()).toBe("bytes");
      expect(store.ranges).toEqual(["bytes=2-", null]);
    });

    it("leaves other files alone, and they it while nothing comes of them", async () => {
      await ask("thumbnail");
      store.away.add("http://here");
      await expect(ask("thumbnail")).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
      store.away.clear();
      await ask();
      expect(store.ranges).toEqual([null, "bytes=2-"]);
    });

    it("is begun anew after a while, and after the server has refused the rest", async () => {
      store.isForgotten = true;
      await expect(ask()).rejects.toMatchObject({ code: ErrorCode.MEDIA_NOT_FOUND });
      store.isForgotten = false;
      await ask();
      expect(store.ranges.splice(0)).toEqual(["bytes=2-", null]);
      store.cutting.add("http://here");
      const failed = expect(ask()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
      await vi.advanceTimersByTimeAsync(700_000);
      await failed;
      store.cutting.clear();
      await ask();
      expect(store.ranges.at(-1)).toBeNull();
    });
  });

  it("goes on with an upload at the unit of the link, where it was", async () => {
    linked = "http://there";
    const onProgress = (bytes: number) => bytes > 0 && store.away.add("http://here");
    expect((await files.upload(big(), { onProgress })).blobId).toBe(BLOB);
    expect(store.parts.reduce((sum, one) => sum + one, 0)).toBe(3_000_000);
    expect(store.asked.filter((one) => one.startsWith("POST"))).toHaveLength(1);
  });

  it("does not wait long for a unit that is silent when there is another", async () => {
    vi.useFakeTimers();
    linked = "http://there";
    store.silent.add("http://here");
    const asked = files.fetchFile({ is: "file", blobId: BLOB });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await (await asked).text()).toBe("bytes");
  });

  it("knows the limits, and asks for them once", async () => {
    expect(await files.limits()).toEqual({ maxBytes: 1000, maxPictureBytes: 1000 });
    await files.limits();
    expect(store.asked).toHaveLength(1);
  });
});
