import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { download, type Ask } from "./download";
import { ChatError, ErrorCode } from "./errors";

const CONTENT = new Uint8Array(3_000_000).map((_, at) => at % 251);
const TAG = '"ab"';

interface Step {
  /** The connection breaks after so many bytes of the answer. */
  readonly cutAt?: number;
  /** Then it does not break, but says nothing more. */
  readonly isSilent?: boolean;
  readonly refuse?: ChatError;
  /** As if it did not know ranges. */
  readonly isWhole?: boolean;
  /** Where the answer says that it goes on, when that is not what was asked for. */
  readonly says?: string;
}

/** Answers as the steps say, then in full. */
class FakeSource {
  readonly asked: (string | undefined)[] = [];
  tag: string | undefined = TAG;
  readonly #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  readonly ask: Ask = async (headers) => {
    this.asked.push(headers["Range"]);
    const { cutAt, isSilent, refuse, isWhole, says } = this.#steps.shift() ?? {};
    if (refuse !== undefined) throw refuse;
    const range = isWhole ? undefined : headers["Range"];
    if (range !== undefined) expect(headers["If-Range"]).toBe(TAG);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "bytes=0-")?.[1]);
    const pieces = pieceOut(CONTENT.subarray(from, cutAt === undefined ? undefined : from + cutAt));
    const body = new ReadableStream<Uint8Array>({
      pull: (stream) => {
        const { value, done } = pieces.next();
        if (!done) stream.enqueue(value);
        else if (cutAt === undefined) stream.close();
        else if (!isSilent) stream.error(new TypeError("network"));
      },
    });
    const facts = { "Content-Type": "image/png", ...(this.tag && { ETag: this.tag }) };
    const place = { "Content-Range": says ?? `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` };
    if (range === undefined) return new Response(body, { headers: facts });
    return new Response(body, { status: 206, headers: { ...facts, ...place } });
  };
}

function* pieceOut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.slice(at, at + 65_536);
}

/** Pauses take no time. */
async function get(source: FakeSource, onCut?: () => void): Promise<Blob> {
  const got = download(source.ask, onCut && { onCut });
  got.catch(() => undefined);
  await vi.runAllTimersAsync();
  return got;
}

async function expectWhole(got: Blob): Promise<void> {
  expect(got.type).toBe("image/png");
  expect(Buffer.from(await got.arrayBuffer()).equals(Buffer.from(CONTENT))).toBe(true);
}

describe("download", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("asks once for what arrives whole", async () => {
    const source = new FakeSource();
    await expectWhole(await get(source));
    expect(source.asked).toEqual([undefined]);
  });

  it("goes on where it was cut, as long as something comes", async () => {
    const source = new FakeSource(...Array.from({ length: 9 }, () => ({ cutAt: 200_000 })));
    const onCut = vi.fn();
    await expectWhole(await get(source, onCut));
    expect(source.asked.slice(0, 3)).toEqual([undefined, "bytes=200000-", "bytes=400000-"]);
    expect(onCut).toHaveBeenCalledTimes(9);
  });

  it("goes on when a unit is silent in the middle of it", async () => {
    const source = new FakeSource({ cutAt: 200_000, isSilent: true });
    await expectWhole(await get(source));
    expect(source.asked).toEqual([undefined, "bytes=200000-"]);
  });

  it("begins anew when the answer is the whole content, or another place of it", async () => {
    const anew = new FakeSource({ cutAt: 200_000 }, { isWhole: true });
    await expectWhole(await get(anew));
    const astray = new FakeSource({ cutAt: 200_000 }, { says: "bytes 7-9/10" });
    await expectWhole(await get(astray));
    expect(astray.asked).toEqual([undefined, "bytes=200000-", undefined]);
  });

  it("asks for all of it when nothing says which content it was", async () => {
    const source = new FakeSource({ cutAt: 200_000 });
    source.tag = undefined;
    await expectWhole(await get(source));
    expect(source.asked).toEqual([undefined, undefined]);
  });

  it("gives up when nothing more comes, and says why", async () => {
    const away = { refuse: new ChatError(ErrorCode.BUSY) };
    const source = new FakeSource({ cutAt: 200_000 }, ...Array.from({ length: 9 }, () => away));
    const onCut = vi.fn();
    await expect(get(source, onCut)).rejects.toMatchObject({ code: ErrorCode.BUSY });
    expect(source.asked).toHaveLength(1 + 5);
    expect(onCut).toHaveBeenCalledTimes(1);
    const cut = new FakeSource({ cutAt: 200_000 }, ...Array.from({ length: 9 }, () => ({ cutAt: 0 })));
    await expect(get(cut)).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  });

  it.each([ErrorCode.CONNECTION_LOST, ErrorCode.MEDIA_NOT_FOUND])(
    "does not ask again when the first question is refused (%i)",
    async (code) => {
      const source = new FakeSource({ refuse: new ChatError(code) });
      await expect(get(source)).rejects.toMatchObject({ code });
      expect(source.asked).toHaveLength(1);
    },
  );

  it("does not ask for the rest of what was removed meanwhile", async () => {
    const removed = { refuse: new ChatError(ErrorCode.MEDIA_NOT_FOUND) };
    const source = new FakeSource({ cutAt: 200_000 }, removed);
    await expect(get(source)).rejects.toMatchObject({ code: ErrorCode.MEDIA_NOT_FOUND });
    expect(source.asked).toHaveLength(2);
  });
});
